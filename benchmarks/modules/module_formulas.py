"""Formulas of networks and of their modules against the networks, on 100,000 fresh points, for many seeds of a task.

Each seed is trained by the defaults of ``bimt-train`` and analysed as ``bimt-analyze`` does. A verdict on the data is
right if "exact" is said of the task's own formula, as sympy shows, and of nothing else. A verdict on the network is
right if its word is that of 100,000 other points, and its r2 lies within 0.002 of theirs: of the trained network for
the formulas, and of the pruned one for the modules' formulas put together.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import sympy

from benchmarks.common._measure import table, write_section
from bimt_analyze import Report, analyze, open_checkpoint
from bimt_analyze.formulas.verdicts._network_verdict import network_word
from bimt_train.checkpoints import Checkpoint
from bimt_train.expressions import Decomposition

TASK_NAMES = ("independence", "feature-sharing", "composition", "evidence")
POINTS = 100_000
NEAR = 0.002  # of r2: what 10,000 points and 100,000 others may differ by
EDGE = 5e-4  # of r2 about the edge of a word, where either word is right


@dataclass(frozen=True)
class Found:
    """What was said of one seed, and whether it is so."""

    seed: int
    modules: int
    unwritten: int
    sent: int
    composed: bool
    data_wrong: int
    network_wrong: int
    pruned_wrong: int
    words: tuple[str, ...]
    least: float
    seconds: float


def of_seed(seconds: float, one: tuple[int, Path]) -> Found:
    """The report of one network, held against the network and the known formulas."""
    seed, checkpoint = one[0], open_checkpoint(one[1])
    began = time.monotonic()
    report = analyze(checkpoint, samples=0, time_limit=seconds)
    took = time.monotonic() - began
    written = report.module_formulas
    assert written is not None
    task = checkpoint.task
    low, high = np.array(task.ranges).T
    x = np.random.default_rng(seed + 10_000).uniform(low, high, (POINTS, len(low)))
    circuit = Checkpoint(report.circuit.network, task, checkpoint.probe, {})
    trained, pruned = answers(checkpoint, x), answers(circuit, x)
    named = {one.module for one in written.quantities}
    composed = [written.compositions[name].equal for name in report.formulas if name in written.compositions]
    return Found(
        seed=seed,
        modules=len(report.modules),
        unwritten=len(report.modules) - len(named),
        sent=len(written.sent),
        composed=len(composed) == len(report.formulas) and all(composed),
        data_wrong=sum(_data_wrong(report, name) for name in report.formulas),
        network_wrong=sum(_network_wrong(report, name, x, trained) for name in report.formulas),
        pruned_wrong=sum(_pruned_wrong(report, name, x, pruned) for name in written.compositions),
        words=tuple(formula.word for formula in report.formulas.values()),
        least=min((one.network.r2 for one in written.quantities), default=float("nan")),
        seconds=took,
    )


def answers(checkpoint: Checkpoint, x: np.ndarray) -> np.ndarray:
    """What a network says on many rows, in the task's units."""
    return np.concatenate([checkpoint.predict(part) for part in np.array_split(x, 10)])


def _data_wrong(report: Report, name: str) -> bool:
    """Whether "exact" is said of a formula that is not the task's, or withheld of one that is."""
    known: Decomposition | None = report.checkpoint.task.decomposition
    assert known is not None
    formula = report.formulas[name]
    truth = known.expression(name).sympy()
    truth = truth.xreplace({s: sympy.Symbol(str(s), real=True) for s in truth.free_symbols})
    same = sympy.simplify(formula.expression - truth) == 0
    return (formula.word == "exact") != same


def _held(said: np.ndarray, seen: np.ndarray) -> tuple[float, float]:
    inside = np.isfinite(said)
    miss = (said - seen)[inside] / seen.std()
    return 1 - float(np.mean(miss**2)), float(np.abs(miss).max())


def _network_wrong(report: Report, name: str, x: np.ndarray, trained: np.ndarray) -> bool:
    formula = report.formulas[name]
    assert formula.verification is not None and formula.verification.network is not None
    verdict, place = formula.verification.network, report.checkpoint.task.outputs.index(name)
    r2, worst = _held(formula.predict(x), trained[:, place])
    words = {network_word(r2 + shift, worst) for shift in (-EDGE, 0.0, EDGE)}
    return verdict.word not in words or abs(verdict.r2 - r2) > NEAR * max(1.0, abs(r2))


def _pruned_wrong(report: Report, name: str, x: np.ndarray, pruned: np.ndarray) -> bool:
    assert report.module_formulas is not None
    one, task = report.module_formulas.compositions[name], report.checkpoint.task
    symbols = [sympy.Symbol(column, real=True) for column in task.inputs]
    said = np.broadcast_to(sympy.lambdify(symbols, one.expression, "numpy")(*x.T), (len(x),))
    r2, _ = _held(said, pruned[:, task.outputs.index(name)])
    return abs(one.r2 - r2) > NEAR * max(1.0, abs(r2))


def row(name: str, found: list[Found]) -> list[object]:
    """One task as a line of the table."""
    words = Counter(word for one in found for word in one.words)
    return [
        name,
        len(found),
        ", ".join(f"{word} {count}" for word, count in words.most_common()),
        sum(one.data_wrong for one in found),
        sum(one.network_wrong for one in found),
        sum(one.pruned_wrong for one in found),
        sum(one.unwritten == 0 for one in found),
        sum(one.sent for one in found),
        sum(one.composed for one in found),
        f"{np.nanmedian([one.least for one in found]):.4f}",
        f"{np.median([one.seconds for one in found]):.1f} s",
    ]


HEAD = (
    "task", "seeds", "words on the data", "of these wrong", "words on the network wrong", "on the pruned one wrong",
    "seeds with every module written", "quantities sent", "seeds whose modules give the formulas",
    "median of the least r2", "median time",
)  # fmt: skip


def main() -> None:
    """Measure, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tasks", nargs="+", default=list(TASK_NAMES), choices=TASK_NAMES)
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    notes: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(chosen.workers, mp_context=get_context("spawn")) as pool,
    ):
        for name in chosen.tasks:
            out = Path(folder) / name
            train = [sys.executable, "-c", "from bimt_train._cli import main; main()", name]
            subprocess.run([*train, "--seeds", str(chosen.seeds), "--out", str(out)], check=True, capture_output=True)
            networks = list(enumerate(sorted(out.glob("seed-*.safetensors"))))
            found = list(pool.map(partial(of_seed, chosen.seconds), networks))
            rows.append(row(name, found))
            odd = [one for one in found if one.unwritten or not one.composed or one.data_wrong or one.network_wrong]
            notes += [
                f"- {name}, seed {one.seed}: {', '.join(one.words)}; {one.unwritten} of {one.modules} modules not "
                f"written, {'' if one.composed else 'not '}composed"
                for one in odd
            ]
            print(*table(HEAD, rows), *notes, sep="\n", flush=True)
    lines = [*table(HEAD, rows), "", "Where something is missing:", "", *(notes or ["- nowhere"])]
    write_section("Formulas of networks and of their modules", lines)


if __name__ == "__main__":
    main()
