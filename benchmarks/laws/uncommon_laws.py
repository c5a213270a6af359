"""Kinks, fast waves, rows that stand apart and columns that do not matter: is the law found, and what is said of it?"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.common._measure import table, write_section
from benchmarks.common._workers import watched
from benchmarks.laws.cases._uncommon import uncommon
from bimt_analyze.formulas import Rows, find_formula, verify_formula

MET = 1e-9  # of the law's deviation: how near a formula that is the law comes to it on fresh rows
BORDER = 0.005  # share of fresh rows that may lie between a law's break and the formula's


@dataclass(frozen=True)
class Found:
    """What a search said of one table."""

    kind: str
    name: str
    formula: str
    right: bool
    exact: bool
    r2: float
    seconds: float

    def line(self) -> str:
        """For the terminal."""
        said = ("right" if self.right else "no") + (" WRONG CLAIM" if self.exact and not self.right else "")
        return f"{self.kind:<13}{self.name:<34}{said:<6}{self.seconds:6.1f} s  r2 {self.r2:.6f}  {self.formula[:110]}"


def measure(job: tuple[int, float, int]) -> Iterator[Found]:
    """The search on one table, by its number, held against the law on fresh rows."""
    number, seconds, seed = job
    one = uncommon()[number]
    x, y, _ = one.drawn(seed)
    began = time.perf_counter()
    formula = find_formula(x, y, names=one.inputs, output="y", time_limit=seconds, seed=seed)
    spent = time.perf_counter() - began
    held_x, held_y, truth = one.drawn(seed + 1000)
    ranges = ((one.low, one.high),) * x.shape[1]
    told = verify_formula(formula, test=Rows(held_x, held_y), truth=None, ranges=ranges, train=Rows(x, y))
    unit = float(np.std(truth)) or 1.0
    error = np.abs(told.predict(held_x) - truth) / unit
    met = float(np.mean(error <= MET))
    r2 = 1 - float(np.mean(error**2))
    yield Found(one.kind, one.name, str(told.expression), met >= 1 - BORDER, bool(told.exact), r2, spent)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each search, in work of the reference machine")
    parser.add_argument("--kinds", nargs="+", help="only these kinds, such as kinks waves")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="where each result is added as a line")
    options = parser.parse_args(arguments)
    tables = uncommon()
    wanted = [n for n, one in enumerate(tables) if not options.kinds or one.kind.split()[0] in options.kinds]
    jobs = [(number, options.seconds, options.seed) for number in wanted]
    results: list[Found] = []
    for finished in watched(measure, jobs, limits=(600.0, 60.0), processes=options.jobs):
        if not finished.messages:
            one = tables[finished.job[0]]
            failed = Found(one.kind, one.name, finished.fault, False, False, float("nan"), float("nan"))
        found = finished.messages[0] if finished.messages else failed
        print(found.line(), flush=True)
        results.append(found)
        if options.log:
            with options.log.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    if not options.kinds:
        write_section("Uncommon laws", _told(results))


def _told(results: Sequence[Found]) -> list[str]:
    rows = []
    for kind in dict.fromkeys(one.kind for one in results):
        of = [one for one in results if one.kind == kind]
        wrong = sum(one.exact and not one.right for one in of)
        seconds = [one.seconds for one in of]
        found = f"{sum(one.right for one in of)} of {len(of)}"
        claimed = sum(one.exact for one in of)
        rows.append((kind, found, claimed, wrong, f"{np.nanmedian(seconds):.1f} s", f"{np.nanmax(seconds):.1f} s"))
    missed = [f"{one.kind}: {one.name}" for one in results if not one.right]
    head = ("kind", "law found", "called exact", "of these wrongly", "median", "worst")
    about = (
        "Right: within 1e-9 of the law's deviation on 99.5 % of fresh rows (the others may lie between the law's break "
        "and the formula's). The seconds are wall time."
    )
    return [about, "", *table(head, rows), "", f"Missed: {'; '.join(missed) or 'none'}."]


if __name__ == "__main__":
    main()
