"""Seeds per second and quality of 16 seeds, beside the published recipe run at the same time, one thread each."""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.common._measure import table, write_section
from bimt_train import train
from bimt_train.native._load import compiled_module
from bimt_train.tasks import TASKS

BASELINE = Path(__file__).resolve().parents[3] / "shared" / "bench" / "paper_baseline.py"
TARGETS = {"independence": (200, 7.4e-3), "feature-sharing": (200, 1.5e-4), "composition": (120, 1.5e-3)}


def ours(name: str, seeds: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Seconds for all seeds; test error on 1,000 fresh points and connection cost of each."""
    task = TASKS[name].make()
    began = time.perf_counter()
    runs = train(task, seeds=seeds)
    seconds = time.perf_counter() - began
    fresh = np.random.default_rng(10**6)
    x, y = replace(task.sampler, rows=(1000, 1)).draw(fresh, 1000)
    errors = [((run.checkpoint.predict(x) - y) ** 2).mean() for run in runs.runs]
    return seconds, np.array(errors), np.array([run.history[-1]["cost"] for run in runs.runs])


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--baseline-seeds", type=int, default=3)
    chosen = parser.parse_args()
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    rows = []
    for name, (times, error) in TARGETS.items():
        published = []
        words = [sys.executable, str(BASELINE), name, "--seed"]
        beside = subprocess.Popen([*words, "0"], stdout=subprocess.PIPE, env=one_thread, text=True)
        seconds, errors, costs = ours(name, chosen.seeds)
        published.append(json.loads(beside.communicate()[0]))
        for seed in range(1, chosen.baseline_seeds):
            published.append(json.loads(subprocess.check_output([*words, str(seed)], env=one_thread, text=True)))
        ratio = published[0]["seconds"] * chosen.seeds / seconds
        middle = {key: float(np.median([p[key] for p in published])) for key in ("test_mse", "cost")}
        rows.append(
            [
                name,
                f"{seconds:.1f} s",
                f"{published[0]['seconds']:.1f} s",
                f"{ratio:.0f} ({times})",
                f"{np.median(errors):.2e} ({error:.1e})",
                f"{errors.min():.1e} to {errors.max():.1e}",
                f"{np.median(costs):.2f}",
                f"{middle['cost']:.2f}",
                f"{middle['test_mse']:.1e}",
            ]
        )
    head = [
        "task", f"{chosen.seeds} seeds", "published, 1 seed", "times the seeds per second (target)",
        "median MSE, 1,000 fresh points (target)", "spread", "median cost",
        f"published cost, median of {chosen.baseline_seeds}", "its test MSE",
    ]  # fmt: skip
    code = compiled_module()
    kernel = code.KERNELS[0] if code else "torch"
    note = f"Steps by the compiled engine ({kernel}), on one thread; the stopwatch ran on the other core meanwhile."
    write_section("Training", [*table(head, rows), "", note])


if __name__ == "__main__":
    main()
