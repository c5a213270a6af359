"""Audits of wide MLPs: two halves planted in them and hidden by a permutation, or nothing; time, memory and verdict.

Each audit has a process of its own, so that its peak of memory is its own.
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.common._measure import table, write_section
from bimt_analyze import audit
from bimt_train.checkpoints import from_state_dict

CASES = {
    "width 1000, dense halves": ((20, 1000, 1000, 1000, 10), 1.0, True),
    "width 3000, 2 % of the weights, halves": ((20, 3000, 3000, 10), 0.02, True),
    "width 1000, dense, nothing planted": ((20, 1000, 1000, 1000, 10), 1.0, False),
}


def planted(widths: tuple[int, ...], share: float, halves: bool) -> tuple[dict[str, torch.Tensor], list[np.ndarray]]:
    """Weights, and for each layer the half that each of its neurons belongs to."""
    rng = np.random.default_rng(0)
    halves_of = [rng.permutation(np.arange(width) % 2) for width in widths]
    state = {}
    for k, (read, write) in enumerate(itertools.pairwise(halves_of)):
        weights = rng.normal(size=(len(write), len(read))) / np.sqrt(len(read))
        if halves:
            weights *= write[:, None] == read[None, :]
        if share < 1 and min(weights.shape) > 100:
            weights *= (rng.random(weights.shape) < share) / np.sqrt(share)
        state[f"{k}.weight"] = torch.tensor(weights, dtype=torch.float32)
        state[f"{k}.bias"] = torch.zeros(len(write))
    return state, halves_of


def measured(name: str) -> dict[str, object]:
    """One audit: what it took, and what it found."""
    widths, share, halves = CASES[name]
    state, halves_of = planted(widths, share, halves)
    checkpoint = from_state_dict(state, activation="relu", ranges=(-1, 1))
    began = time.perf_counter()
    found = audit(checkpoint)
    seconds = time.perf_counter() - began
    groups = ["x", *(f"h{k}" for k in range(1, len(widths) - 1)), "y"]
    truth = dict(zip(groups, halves_of, strict=True))
    kept = found.circuit.kept
    labels = [(number, truth[g][kept[g][i]]) for number, module in enumerate(found.modules) for g, i in module]
    ami = adjusted_mutual_info_score(*zip(*labels, strict=True)) if halves and labels else None
    return {
        "weights": sum(int((tensor != 0).sum()) for tensor in state.values()),
        "seconds": seconds,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "verdict": found.verdict.sentences[0].text,
        "ami": ami,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=list(CASES), help="one case in this process, told as JSON")
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measured(given.case)))
        return
    rows = []
    for name in CASES:
        words = [sys.executable, "-m", "benchmarks.modules.wide", "--case", name]
        told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        ami = "-" if told["ami"] is None else f"{told['ami']:.3f}"
        rows.append([
            name, f"{told['weights']:,}", f"{told['seconds']:.0f} s", f"{told['peak']:.1f} GiB", ami, told["verdict"]
        ])  # fmt: skip
        print(rows[-1], flush=True)
    write_section("Audits of wide networks", table(
        ["network", "weights that are not 0", "audit", "peak", "AMI with the halves", "verdict"], rows
    ))  # fmt: skip


if __name__ == "__main__":
    main()
