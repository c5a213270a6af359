"""One trained network, given to the program in every way that it reads: is the whole report the same?

Each is analysed and audited as by the command. All of ``--json`` but its provenance is compared with the report of the
plain state dict, field by field.
"""

import json
import math
import re
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.common._measure import no_options, table, write_section
from benchmarks.networks.foreign_cases._formats import FORMATS, SAYS_ALL, as_sklearn
from bimt_analyze import analyze
from bimt_analyze._cli import main as analyze_main
from bimt_train.checkpoints import Checkpoint, from_module, from_sklearn
from bimt_train.tasks import read_probe_table

INPUTS, OUTPUTS = ("a", "b", "c", "d"), ("y1", "y2")
NEAR = 1e-6  # of the larger of 1 and the number: what is called rounding
SAMPLES, SECONDS = 100, 40
READING = ("network.assumed", "audit.source")
"""Fields that say what was read and how, and so differ by right."""
FACTORY = """from torch import nn
def make():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
"""


def rows() -> tuple[np.ndarray, np.ndarray]:
    """y1 = a*c and y2 = b**2 + d."""
    x = np.random.default_rng(0).uniform(-1, 1, (300, 4))
    return x, np.stack([x[:, 0] * x[:, 2], x[:, 1] ** 2 + x[:, 3]], 1)


def trained() -> nn.Sequential:
    """A network of its table, some of whose weights are driven to nothing."""
    x, y = (torch.tensor(part, dtype=torch.float32) for part in rows())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for step in range(3000):
        optimiser.zero_grad()
        price = 2e-3 if step < 2000 else 2e-4
        size = sum(weight.abs().sum() for weight in net.parameters() if weight.ndim == 2)
        (nn.functional.mse_loss(net(x), y) + price * size / 10).backward()
        optimiser.step()
    return net.eval()


def by_command(path: Path, csv: Path, *more: str) -> dict[str, Any]:
    """The file of ``bimt-analyze FILE --probe TABLE --target y1 y2 --audit --json FILE``."""
    report = path.with_name("report.json")
    words = [str(path), "--probe", str(csv), "--target", *OUTPUTS, *more, "--audit", "--samples", str(SAMPLES)]
    words += ["--retrain", "0", "--time-limit", str(SECONDS), "--json", str(report), "--quiet"]
    if status := analyze_main(words):
        raise RuntimeError(f"bimt-analyze {path.name} ended with status {status}")
    plain: dict[str, Any] = json.loads(report.read_text())
    return plain


def in_python(checkpoint: Checkpoint) -> dict[str, Any]:
    """The same options, for a checkpoint that no file holds."""
    named = replace(checkpoint, task=replace(checkpoint.task, name="network"))
    return analyze(named, audit=True, samples=SAMPLES, retrain_steps=0, time_limit=SECONDS).to_json()


def reports(net: nn.Sequential, folder: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Each way with its report, or with why it was not tried."""
    csv = folder / "table.csv"
    x, y = rows()
    lines = [",".join((*INPUTS, *OUTPUTS)), *(",".join(map(repr, row)) for row in np.hstack([x, y]).tolist())]
    csv.write_text("\n".join(lines) + "\n")
    for number, (name, write) in enumerate(
        [*FORMATS.items(), ("torch state dict, once more", FORMATS["torch state dict"])]
    ):
        place = folder / str(number)
        place.mkdir()
        try:
            path = write(net, place / "network")
        except ImportError as error:
            yield name, f"not tried: {error}"
            continue
        yield name, by_command(path, csv, *(() if path.suffix in SAYS_ALL else ("--activation", "tanh")))
    seen = read_probe_table(csv, target=OUTPUTS)
    about: dict[str, Any] = {"x": seen.x, "y": seen.y, "inputs": seen.inputs, "outputs": OUTPUTS}
    yield "scikit-learn, from Python", in_python(from_sklearn(as_sklearn(net), **about))
    (folder / "make.py").write_text(FACTORY)
    (folder / "network").mkdir()
    path = FORMATS["torch state dict"](net, folder / "network" / "network")
    yield "state dict with --model make.py:make", by_command(path, csv, "--model", f"{folder / 'make.py'}:make")
    yield "whole module, from Python", in_python(from_module(net, **about))


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a record with its dotted place."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        yield f"{place}.length", len(value)
        for number, item in enumerate(value):
            yield from leaves(item, f"{place}.{number}")
    else:
        yield place, value


@dataclass(frozen=True)
class Difference:
    """Where two reports differ by more than rounding, and how much numbers differ by where they do not."""

    fields: tuple[tuple[str, Any, Any], ...]
    rounding: float
    compared: int


def difference(first: dict[str, Any], other: dict[str, Any]) -> Difference:
    """Compare two reports without provenance."""
    mine, theirs = (dict(leaves({k: v for k, v in one.items() if k != "provenance"})) for one in (first, other))
    fields, largest = [], 0.0
    for place in dict.fromkeys((*mine, *theirs)):
        if place.startswith(READING):
            continue
        a, b = mine.get(place, "absent"), theirs.get(place, "absent")
        if a == b:
            continue
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (a, b))
        apart = abs(a - b) / max(1.0, abs(a)) if numbers else math.inf
        if apart <= NEAR:
            largest = max(largest, apart)
        else:
            fields.append((place, a, b))
    return Difference(tuple(fields), largest, len(mine))


def _row(name: str, found: Difference) -> list[object]:
    count = len(found.fields)
    verdict = "equal" if not count and not found.rounding else "equal to rounding" if not count else "DIFFERENT"
    return [name, verdict, f"{found.rounding:.0e}" if found.rounding else "0", f"{count} of {found.compared}"]


def main() -> None:
    no_options(__doc__)
    began, net = time.perf_counter(), trained()
    rows_of_table, told, first = list[list[object]](), list[str](), dict[str, Any]()
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, found in reports(net, Path(place)):
            if isinstance(found, str):
                rows_of_table.append([name, found, "-", "-"])
                continue
            first = first or found
            apart = difference(first, found)
            rows_of_table.append(_row(name, apart))
            print(*rows_of_table[-1], f"{time.perf_counter() - began:.0f} s", flush=True)
            told += _told(name, apart)
    audited, formulas = first["audit"], {name: one["expression"] for name, one in first["formulas"].items()}
    summary = (
        f"A network 4-8-8-2, trained on y1 = a*c and y2 = b^2 + d, {len(rows_of_table)} ways, "
        f"{time.perf_counter() - began:.0f} s. The first: {first['network']['statement']}; {first['circuit']['edges']} "
        f"edges, {len(first['modules'])} modules, {'modular' if audited['modular'] else 'not modular'}, "
        f"{formulas}. Rounding: numbers that differ by at most {NEAR:g} of themselves, or of 1. Not compared: "
        f"provenance, {', '.join(READING)}."
    )
    why = (
        "In other slots only the wiring may differ: it is measured between the slots that the file states. A traced "
        "module is cut at the same weights, with the same loss, but keeps neurons that no longer matter, since it is "
        "not known that what stands between its weights works neuron by neuron. Their remaining edges count in the "
        "sweep; and null networks, random placements and Infomap, which draw for every neuron, draw others from the "
        "same seed."
    )
    head = ["way", "report", "largest rounding", "fields that differ"]
    write_section("One network, read in every way", [summary, "", *table(head, rows_of_table), "", why, "", *told])


def _told(name: str, found: Difference) -> Iterator[str]:
    """Fields that differ, those of one list as one."""
    kinds: dict[str, list[tuple[str, Any, Any]]] = {}
    for field in found.fields:
        kinds.setdefault(re.sub(r"\.\d+(?=\.|$)", ".N", field[0]), []).append(field)
    for kind, fields in kinds.items():
        where, a, b = fields[0]
        more = f" and {len(fields) - 1} more of `{kind}`" if len(fields) > 1 else ""
        yield f"- {name}: `{where}` {_short(a)} became {_short(b)}{more}"


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


if __name__ == "__main__":
    main()
