"""What `Penalty` adds to a training step of GPT-2 small: time, and the peak of memory.

Each arm has a process of its own, so that its peak of memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.common._measure import table, write_section
from bimt_train import Phase, Recipe, Relocation
from bimt_train.integrations import Penalty

ARMS = ("plain", "penalty")
SHAPE, STEPS = (4, 128), 12


def measured(arm: str) -> dict[str, float]:
    """Median seconds of a step, and the peak of memory in GiB."""
    torch.manual_seed(0)
    module = GPT2LMHeadModel(GPT2Config())
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-4)
    recipe = Recipe(steps=10_000, phases=(Phase(0.0, 1e-6),), relocation=Relocation(every=0))
    penalty = Penalty.of(module, recipe) if arm == "penalty" else None
    tokens, spent, own = torch.randint(50257, SHAPE), [], [0.0]
    for step in range(STEPS):
        began = time.perf_counter()
        optimiser.zero_grad()
        module(tokens, labels=tokens).loss.backward()
        if penalty is not None:
            before = time.perf_counter()
            penalty.add_gradients(module, step)
            own.append(time.perf_counter() - before)
        optimiser.step()
        if penalty is not None:
            penalty = penalty.after_step(module, step)
        spent.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"seconds": float(np.median(spent[2:])), "peak": peak, "own": float(np.median(own[1:] or own))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", choices=ARMS, help="one arm in this process, told as JSON")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    if given.arm:
        print(json.dumps(measured(given.arm)))
        return
    told: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    for _ in range(given.repeats):
        for arm in ARMS:
            words = [sys.executable, "-m", "benchmarks.training.penalty", "--arm", arm]
            answer = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            told[arm].append(json.loads(answer.splitlines()[-1]))
    rows = []
    for about, unit, target in (("seconds", "s", "3 %"), ("peak", "GiB", "15 %")):
        plain, ours = (np.array([one[about] for one in told[arm]]) for arm in ARMS)
        more = 100 * (np.median(ours) / np.median(plain) - 1)
        spread = [f"{np.median(part):.2f} {unit} ({part.min():.2f} to {part.max():.2f})" for part in (plain, ours)]
        rows.append(["a step" if about == "seconds" else "peak of memory", *spread, f"{more:+.1f} %", target])
    own = np.array([one["own"] for one in told["penalty"]])
    share = np.median(own) / np.median([one["seconds"] for one in told["plain"]])
    rows.append(["within `add_gradients`", "-", f"{np.median(own):.2f} s", f"{100 * share:+.1f} %", "3 %"])
    note = f"{given.repeats} runs of {STEPS} steps each, in turn; {SHAPE[0]} windows of {SHAPE[1]} tokens; Adam."
    head = ["", "plain, median (least to greatest)", "with Penalty", "more", "target"]
    write_section("Penalty on GPT-2 small", [*table(head, rows), "", note])


if __name__ == "__main__":
    main()
