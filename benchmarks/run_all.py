"""Every measurement that RESULTS.md states and that needs nothing else, one after the other; --long adds hours."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHORT = {
    "start": "newcomers importing light_install end_to_end",
    "training": "relocation training",
    "networks": "foreign_files same_network traced_layouts any_module",
    "modules": "certificates",
}
LONG = {
    "start": "same_report fuzz",
    "training": "tasks language kills penalty cluster",
    "networks": "untrained",
    "modules": "module_formulas audit controls wide growth large",
    "laws": "work formulas words driving intervals textbook_laws",
    "uses": "export in_place learned_reuse continual reuse viewer",
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--long", action="store_true", help=f"also {', '.join(' '.join(LONG.values()).split())}")
chosen = parser.parse_args()

for rooms in (SHORT, *([LONG] if chosen.long else [])):
    for script in [f"{room}.{name}" for room, names in rooms.items() for name in names.split()]:
        if script == "training.training" and not (ROOT.parent / "shared" / "bench" / "paper_baseline.py").exists():
            print("training.training needs the published recipe's stopwatch beside the repository; left out")
            continue
        subprocess.run([sys.executable, "-m", f"benchmarks.{script}"], check=True, cwd=ROOT)
