"""Every measurement that RESULTS.md states, one after the other."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = ("importing.py", "relocation.py", "training.py", "end_to_end.py")

for script in SCRIPTS:
    if script == "training.py" and not (HERE.parents[1] / "shared" / "bench" / "paper_baseline.py").exists():
        print("training.py needs the published recipe's stopwatch beside the repository; left out")
        continue
    subprocess.run([sys.executable, HERE / script], check=True, cwd=HERE.parent)
