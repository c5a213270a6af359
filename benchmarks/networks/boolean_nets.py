"""Groups of inputs and outputs, and p, of published networks of Boolean functions whose grouping is known.

FOLDER holds ``index.json``, a list of networks, each with ``id``, ``kind``, ``file`` (a state dict of a ReLU chain that
gives logits), ``table`` (a CSV of all rows), ``inputs`` and ``outputs`` (the known groups, lists of names) and
``published_method_right``. Networks trained here to random functions, which have no structure, show whether p keeps
its level.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common._measure import table, write_section
from benchmarks.networks._random_tables import random_table
from bimt_analyze import Sampling, analyze, open_checkpoint

SAMPLES = 200
SEEN = frozenset(
    (0, 17, 67, 78, 85, 128, 158, 252, 290, 322, 431, 511, 580, 628, 864, 964, 989, 1153, 1242, 1427, 1449, 1468)
)
"""Networks, drawn at random, that were looked at while the rule was made; the others were only measured."""

Names = frozenset[frozenset[str]]


@dataclass(frozen=True)
class Outcome:
    """What was found of one network, and whether it is so."""

    number: int
    kind: str
    inputs: bool
    outputs: bool
    chosen: bool
    published: bool
    p: float
    wiring: float

    @property
    def right(self) -> bool:
        """Whether both groupings are."""
        return self.inputs and self.outputs


def judged(folder: Path, entry: dict[str, Any]) -> Outcome:
    """What ``bimt-analyze FILE --activation relu --probe TABLE --target y1 ...`` says, against the known groups."""
    with (folder / entry["table"]).open() as file:
        targets = tuple(name for name in next(csv.reader(file)) if name.startswith("y"))
    said = Sampling(activation="relu", probe=folder / entry["table"], target=targets)
    checkpoint = open_checkpoint(folder / entry["file"], said)
    plain = analyze(checkpoint, samples=SAMPLES, time_limit=0).to_json()
    structure, modules = plain["structure"], plain["modules"]
    known = _named(entry["inputs"]), _named(entry["outputs"])
    return Outcome(
        number=entry["id"],
        kind=entry["kind"],
        inputs=_named(structure["input_groups"]) == known[0],
        outputs=_named(structure["output_groups"]) == known[1],
        chosen=tuple(_named(filter(None, (one[end] for one in modules))) for end in ("inputs", "outputs")) == known,
        published=entry["published_method_right"],
        p=plain["significance"]["p"],
        wiring=plain["significance"]["wiring_p"],
    )


def _named(groups: Iterable[Iterable[str]]) -> Names:
    return frozenset(map(frozenset, groups))


def _totals(label: str, found: Sequence[Outcome]) -> list[object]:
    right = [sum(getattr(one, name) for one in found) for name in ("inputs", "outputs", "right", "chosen", "published")]
    return [label, len(found), *right, sum(one.p < 0.05 for one in found), sum(one.wiring < 0.05 for one in found)]


def _without_structure(count: int) -> list[list[object]]:
    """For each kind of random functions, how many of its networks are said to be more than chance."""
    found: dict[str, list[dict[str, Any]]] = {"random, one function": [], "random, unrelated functions": []}
    for seed in range(count):
        plain = analyze(random_table(seed), samples=SAMPLES, time_limit=0).to_json()
        found[list(found)[(seed + 1) % 2]].append(plain)
    rows = []
    for label, some in found.items():
        groups = sum(len(one["structure"]["input_groups"]) > 1 for one in some)
        below = sum(one["significance"]["p"] < 0.05 for one in some)
        edges = sorted(one["circuit"]["edges"] for one in some)
        fit = sum(one["network"]["score"] == 1 for one in some)
        rows.append([label, len(some), fit, f"{edges[0]} to {edges[-1]}", groups, below])
    return rows


def main() -> None:
    """Measure every network of the index."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--random", type=int, default=60, metavar="N", help="networks of random functions")
    asked = parser.parse_args()
    folder = asked.folder
    began = time.perf_counter()
    found = [judged(folder, entry) for entry in json.loads((folder / "index.json").read_text())]
    seconds = time.perf_counter() - began
    groups = {kind: [one for one in found if one.kind == kind] for kind in dict.fromkeys(one.kind for one in found)}
    groups["looked at while the rule was made"] = [one for one in found if one.number in SEEN]
    groups["only measured"] = [one for one in found if one.number not in SEEN]
    groups["all"] = found
    words = {True: "yes", False: "no"}
    rows = [
        [o.number, o.kind, words[o.inputs], words[o.outputs], words[o.chosen], f"{o.p:.3f}", f"{o.wiring:.3f}"]
        for o in found
    ]
    structured = [one for one in found if one.kind != "one function"]
    both = sum(one.right for one in found)
    write_section(
        "Networks of Boolean functions",
        [
            f"Inputs by sub-function and outputs by function, both right: {both} of {len(found)} (at least 41 of 44); "
            f"by the ends of the chosen level's modules {sum(one.chosen for one in found)}, by the published method "
            f"(arXiv 2305.18402) {sum(one.published for one in found)}. {seconds:.0f} s, p from {SAMPLES} null "
            "networks included. Each network is read and pruned as the command does it.",
            "",
            f"p, of wiring and of the table together, is below 0.05 for {sum(o.p < 0.05 for o in structured)} of the "
            f"{len(structured)} networks with structure (at least 90 %).",
            "",
            *table(
                [
                    "networks",
                    "number",
                    "inputs",
                    "outputs",
                    "both",
                    "chosen level",
                    "published method",
                    "p below 0.05",
                    "wiring alone",
                ],
                [_totals(label, some) for label, some in groups.items() if some],
            ),
            "",
            *table(
                ["network", "kind", "inputs right", "outputs right", "chosen level right", "p", "p of wiring"], rows
            ),
            "",
            *table(
                ["without structure", "number", "fit their table", "edges", "several groups of inputs", "p below 0.05"],
                _without_structure(asked.random),
            ),
        ],
    )


if __name__ == "__main__":
    main()
