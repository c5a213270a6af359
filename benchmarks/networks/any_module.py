"""Modules that others might write: exported, stored, pruned, weighted and audited, each without a hand's help.

The modules are those of traced_layouts.py, with drawn weights: whether they can be handled is measured, not what is
found in them.
"""

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common._measure import table, write_section
from benchmarks.networks.traced_cases._case import Case
from benchmarks.networks.traced_cases._images import IMAGES
from benchmarks.networks.traced_cases._plain import PLAIN
from benchmarks.networks.traced_cases._sequences import SEQUENCES
from benchmarks.networks.traced_cases._sets import SETS
from bimt_analyze import audit
from bimt_analyze.graph import neuron_graph
from bimt_analyze.graph._edge_weights import Unfollowed
from bimt_train import InputError
from bimt_train.checkpoints import from_module, load_checkpoint, save_checkpoint

CASES = (*PLAIN, *IMAGES, *SEQUENCES, *SETS)
ROWS = 60
STEPS = ("exported", "stored", "followed", "audited")


@dataclass(frozen=True)
class Outcome:
    """How far one module came, and what stopped it."""

    reached: tuple[str, ...]
    said: str
    seconds: float


def rows_like(inputs: Any) -> Any:
    """More rows of each argument: drawn numbers, and the tokens that there were."""
    if isinstance(inputs, dict):
        return dict(zip(inputs, rows_like(tuple(inputs.values())), strict=True))
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    generator = torch.Generator().manual_seed(1)
    found = []
    for value in given:
        if value.is_floating_point():
            found.append(torch.randn(ROWS, *value.shape[1:], generator=generator))
        else:
            chosen = torch.randint(len(value), (ROWS,), generator=generator)
            found.append(value[chosen])
    return tuple(found)


def outcome(case: Case) -> Outcome:
    """Take one module as far as it goes."""
    torch.manual_seed(0)
    module, began, reached = case.make(), time.perf_counter(), []
    said = ""
    try:
        checkpoint = from_module(module, rows_like(case.inputs()))
        reached.append("exported")
        with tempfile.TemporaryDirectory() as folder:
            save_checkpoint(Path(folder) / "net.safetensors", checkpoint)
            again = load_checkpoint(Path(folder) / "net.safetensors")
        x = checkpoint.task.to_network_inputs(checkpoint.probe.x_test)
        if not np.array_equal(again.network.predict(x), checkpoint.network.predict(x)):
            raise InputError("another network comes back from the file")
        reached.append("stored")
        try:
            neuron_graph(again.network, weights="activation", x=x)
            reached.append("followed")
        except Unfollowed as error:
            said = error.where
        audit(again, samples=20, retrain_steps=0, refit_steps=0)
        reached.append("audited")
    except InputError as error:
        said = str(error)
    return Outcome(tuple(reached), said, time.perf_counter() - began)


def main() -> None:
    """Measure every module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a part of a name; prints, and writes nothing")
    only = parser.parse_args().only
    outcomes = {}
    for case in CASES:
        if only in case.name:
            outcomes[case.name] = found = outcome(case)
            print(f"{case.name}: {', '.join(found.reached)} {found.said} {found.seconds:.1f} s", flush=True)
    if only:
        return
    counts = Counter(step for one in outcomes.values() for step in one.reached)
    rows = [
        [name, *("yes" if step in one.reached else "no" for step in STEPS), one.said[:110], f"{one.seconds:.1f} s"]
        for name, one in outcomes.items()
    ]
    lines = [
        "Exported: `from_module` makes a program that gives what the module gives, with a layout that `verify` "
        "certifies. Stored: the checkpoint read back predicts the same. Followed: every weight is seen to be applied "
        "as a product, so that edges can be weighted by activation and attribution, not by magnitude alone. Audited: "
        f"pruned without a refit, and audited against 20 null networks. {ROWS} drawn rows.",
        "",
        *table(["modules", *STEPS], [[len(outcomes), *(counts[step] for step in STEPS)]]),
        "",
        *table(["module", *STEPS, "what was said", "time"], rows),
    ]
    write_section("Any module", lines)


if __name__ == "__main__":
    main()
