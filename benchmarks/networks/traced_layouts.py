"""Layouts that are derived by tracing: how many modules are certified, and whether all their neurons are found."""

import argparse
import time
from collections import Counter
from dataclasses import dataclass

import torch

from benchmarks.common._measure import table, write_section
from benchmarks.networks.traced_cases._case import Case
from benchmarks.networks.traced_cases._images import IMAGES
from benchmarks.networks.traced_cases._plain import PLAIN
from benchmarks.networks.traced_cases._sequences import SEQUENCES
from benchmarks.networks.traced_cases._sets import SETS
from bimt_train import verify
from bimt_train._errors import InputError
from bimt_train.layouts import Layout, layout_for

CASES = (*PLAIN, *IMAGES, *SEQUENCES, *SETS)
VERDICTS = ("certified", "refused", "not certified", "too coarse")


@dataclass(frozen=True)
class Outcome:
    """What became of one module."""

    verdict: str
    found: str
    said: str
    seconds: float


def outcome(case: Case) -> Outcome:
    """Derive a layout, certify it, and compare its groups with what was written down by hand."""
    torch.manual_seed(0)
    module, inputs = case.make(), case.inputs()
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    began = time.perf_counter()
    try:
        layout = layout_for(module, *given)
    except InputError as error:
        verdict = "refused" if case.refused and case.refused in str(error) else "not certified"
        return Outcome(verdict, "", str(error), time.perf_counter() - began)
    spent = time.perf_counter() - began
    try:
        verify(module, layout, inputs)
    except InputError as error:
        return Outcome("not certified", _found(layout), str(error), spent)
    matches = _moving(layout) == _expected(case)
    return Outcome("certified" if matches else "too coarse", _found(layout), "", spent)


def _moving(layout: Layout) -> Counter[object]:
    """The movable groups: ends by name, the others by size and heads; one neuron alone counts at the ends only."""
    ends = {layout.inputs: "x", layout.outputs: "y"}
    if layout.inputs and layout.inputs == layout.outputs:
        ends = {layout.inputs: "stream"}
    moving = [group for group in layout.groups if group.movable and (group.size > 1 or group.name in ends)]
    return Counter((ends.get(group.name, ""), group.size, group.heads) for group in moving)


def _expected(case: Case) -> Counter[object]:
    ends = (
        [("stream", case.x)] if case.stream else [(end, size) for end, size in (("x", case.x), ("y", case.y)) if size]
    )
    hidden = [size if isinstance(size, tuple) else (size, 1) for size in case.hidden]
    return Counter([(end, size, 1) for end, size in ends] + [("", *sizes) for sizes in hidden])


def _found(layout: Layout) -> str:
    moving = [group for group in layout.groups if group.movable]
    return ", ".join(f"{g.name} {g.size}" + (f" in {g.heads} heads" if g.heads > 1 else "") for g in moving)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of a name; prints, and writes nothing")
    only = parser.parse_args().only
    outcomes = {case.name: outcome(case) for case in CASES if only in case.name}
    rows = [[name, one.verdict, one.found or one.said, f"{one.seconds:.1f} s"] for name, one in outcomes.items()]
    if only:
        print(*(" | ".join(row) for row in rows), sep="\n")
        return
    counts = Counter(one.verdict for one in outcomes.values())
    lines = [
        "Certified: `verify` passes without a hand's help, and the movable groups have exactly the sizes and heads "
        "that were written down by hand. Too coarse: `verify` passes, but not with these groups.",
        "",
        *table(["modules", *VERDICTS], [[len(outcomes), *(counts[verdict] for verdict in VERDICTS)]]),
        "",
        *table(["module", "verdict", "movable groups, or what was said", "derived in"], rows),
    ]
    write_section("Traced layouts", lines)


if __name__ == "__main__":
    main()
