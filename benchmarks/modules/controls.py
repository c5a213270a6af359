"""Controls of circuits: how many circuits of dead networks are called faithful, and how many that mean something?"""

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.common._measure import table, write_section
from benchmarks.modules._controls_cases import Case, alive, dead
from bimt_analyze import AnalysisOptions
from bimt_analyze._circuit_of import circuit_to_analyse
from bimt_analyze.audits import circuit_controls
from bimt_train.fan_out import fan_out

MOST, LEAST = 0.05, 0.95  # of the dead, and of the others
DEFAULT = AnalysisOptions()


@dataclass(frozen=True)
class Outcome:
    """What was said of one circuit."""

    case: Case
    faithful: bool
    share: float
    failed: tuple[str, ...]
    seconds: float


def judged(case: Case, refit: int = DEFAULT.refit_steps) -> Outcome:
    """The circuit of one network, beside its controls."""
    checkpoint, options = case.make(), DEFAULT.with_changes(seed=case.number, refit_steps=refit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        circuit = circuit_to_analyse(checkpoint, options)
        began = time.perf_counter()
        found = circuit_controls(checkpoint, circuit, samples=options.controls, seed=options.seed)
        spent = time.perf_counter() - began
    failed = tuple(condition.name for condition in found.failed)
    return Outcome(case, found.faithful, found.edges / found.weights, failed, spent)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Wilson's interval of a rate, 95 %."""
    z, rate = 1.959964, count / of
    middle, half = rate + z**2 / (2 * of), z * np.sqrt(rate * (1 - rate) / of + z**2 / (4 * of**2))
    scale = 1 + z**2 / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def rate(found: Sequence[Outcome]) -> str:
    """How many are called faithful, with the interval."""
    count, of = sum(one.faithful for one in found), len(found)
    low, high = wilson(count, of)
    return f"{count} of {of} ({count / of:.1%}, {low:.1%} to {high:.1%})"


def rows(found: Sequence[Outcome]) -> list[list[object]]:
    """A row a kind, and one for all."""
    told: list[list[object]] = []
    for kind in (*dict.fromkeys(one.case.kind for one in found), "all"):
        of = [one for one in found if kind in (one.case.kind, "all")]
        why = Counter(name for one in of for name in one.failed[:1]).most_common(2)
        said = "; ".join(f"{name} ({count})" for name, count in why)
        told.append([kind, rate(of), f"{np.median([one.share for one in of]):.0%}", said or "-"])
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=25, help="networks of every kind, eight dead and four others")
    parser.add_argument("--refit", type=int, default=DEFAULT.refit_steps, help="steps of the circuits' refits")
    parser.add_argument("--only", default="", help="a part of a kind; prints, and writes nothing")
    parser.add_argument("--processes", type=int, help="networks at once; one a core if left out")
    chosen = parser.parse_args()
    began = time.perf_counter()
    sections = {}
    for name, cases in (("dead", dead(chosen.each)), ("others", alive(chosen.each))):
        wanted = [case for case in cases if chosen.only in case.kind]
        sections[name] = fan_out(partial(judged, refit=chosen.refit), wanted, processes=chosen.processes)
    every = [one for found in sections.values() for one in found]
    head = ("network", "called faithful (95 % interval)", "weights in the circuit, median", "what failed first")
    spent = np.median([one.seconds for one in every])
    lines = [
        f"{len(every)} networks, {time.perf_counter() - began:.0f} s; the controls of one take {spent:.1f} s (median). "
        f"Intervals are Wilson's. Circuits are refitted for {chosen.refit} steps, and held against {DEFAULT.controls} "
        "control networks of each kind.",
    ]
    titles = {"dead": f"In which no circuit means anything (at most {MOST:.0%}):",
              "others": f"Planted or compiled (at least {LEAST:.0%}):"}  # fmt: skip
    for name, found in sections.items():
        if found:
            lines += ["", titles[name], "", *table(head, rows(found))]
    if chosen.only:
        print("\n".join(lines))
        return
    write_section("Controls of circuits" + ("" if chosen.refit else ", without a refit"), lines)


if __name__ == "__main__":
    main()
