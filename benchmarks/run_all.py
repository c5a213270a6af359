"""Every measurement that RESULTS.md states, one after the other; --long adds those that take hours."""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "newcomers.py", "importing.py", "light_install.py", "relocation.py", "training.py", "end_to_end.py",
    "foreign_files.py",
    "same_network.py", "traced_layouts.py", "any_module.py", "certificates.py",
)  # fmt: skip
LONG = (
    "same_report.py", "work.py", "export.py", "in_place.py", "untrained.py", "tasks.py", "language.py", "formulas.py",
    "words.py", "learned_reuse.py", "continual.py",
    "module_formulas.py", "audit.py", "controls.py", "kills.py", "fuzz.py",
    "driving.py", "intervals.py", "reuse.py", "wide.py", "growth.py", "large.py", "viewer.py", "penalty.py",
    "cluster.py",
)  # fmt: skip

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--long", action="store_true", help=f"also {', '.join(LONG)}, which take hours")
chosen = parser.parse_args()

for script in (*SCRIPTS, *(LONG if chosen.long else ())):
    if script == "training.py" and not (HERE.parents[1] / "shared" / "bench" / "paper_baseline.py").exists():
        print("training.py needs the published recipe's stopwatch beside the repository; left out")
        continue
    subprocess.run([sys.executable, HERE / script], check=True, cwd=HERE.parent)
