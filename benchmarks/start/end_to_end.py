"""32 seeds of each formula task: block structure at the found threshold, exact formulas, time of an analysis."""

import argparse
import time

import numpy as np

from benchmarks.common._measure import table, write_section
from bimt_analyze import analyze
from bimt_train import train
from bimt_train.checkpoints import Network
from bimt_train.tasks import TASKS

# of 32 seeds: those with the known dependencies and no other, and those with all formulas exact
TARGETS = {"independence": (30, 30), "feature-sharing": (None, 30), "composition": (None, 24)}


def reached(circuit: Network) -> np.ndarray:
    """Which input reaches which output in a chain of layers."""
    paths = np.eye(circuit.layout.group("x").size)
    for connection in circuit.connections():
        paths = (connection.matrix != 0) @ paths
    return paths > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--tasks", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    chosen = parser.parse_args()
    rows = []
    for name in chosen.tasks:
        targets = TARGETS[name]
        runs = train(TASKS[name].make(), seeds=chosen.seeds)
        blocks, exact, spent, failed = 0, 0, [], []
        for run in runs.runs:
            began = time.perf_counter()
            report = analyze(run.checkpoint)
            report.to_html()
            spent.append(time.perf_counter() - began)
            task = run.checkpoint.task
            depends = task.decomposition.dependencies()
            known = np.array([[i in depends[o] for i in task.inputs] for o in task.outputs])
            blocks += bool((reached(report.circuit.network) == known).all())
            if all(formula.exact for formula in report.formulas.values()):
                exact += 1
            else:
                failed.append(run.seed)
        wanted = [f" (at least {t} of 32)" if t else "" for t in targets]
        rows.append(
            [
                name,
                f"{blocks} of {chosen.seeds}{wanted[0]}",
                f"{exact} of {chosen.seeds}{wanted[1]}",
                ", ".join(map(str, failed)) or "none",
                f"{np.median(spent):.1f} s",
                f"{max(spent):.1f} s (15 s)",
            ]
        )
    head = ["task", "exact dependencies", "all formulas exact", "seeds not exact", "analysis, median", "worst (target)"]
    write_section("End to end", table(head, rows))


if __name__ == "__main__":
    main()
