"""What a unit of work takes: searches with and without a law, timed against what they charge, and prices fitted again.

The fit is least squares on relative errors, and keeps each price near what it is where the searches say little of it.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from benchmarks.common._measure import table, write_section
from benchmarks.laws.cases._equations import feynman
from benchmarks.laws.judging._rows import draw
from bimt_analyze.formulas import find_formula
from bimt_analyze.formulas.problem._budget import UNIT_COSTS, Ledger

EQUATIONS = ("III.4.33", "I.9.18", "I.40.1", "II.35.21", "I.50.26", "III.15.12", "I.6.2b", "I.29.16")
TABLES = (
    ("walk", 200, 3), ("walk", 1300, 2), ("noise", 1300, 8), ("noise", 650, 4), ("noise", 130, 2), ("rich", 40, 2),
    ("rich", 270, 3), ("rich", 1000, 5), ("net", 100, 10), ("net", 200, 3), ("net", 650, 6), ("net", 1300, 1),
    ("noisy", 330, 3), ("noisy", 1300, 6), ("noisy", 66, 2), ("noisy", 650, 9),
)  # fmt: skip
KEPT = 0.15  # weight of a price's present value, against a search's time
RANGE = (0.2, 5.0)  # by which a price may change
WANTED = (0.6, 1.6)  # seconds for a unit


@dataclass(frozen=True)
class Timed:
    """A search: its work by kind as (calls, size), and the seconds of its process."""

    name: str
    counts: dict[str, tuple[float, float]]
    work: float
    seconds: float


def rows_of(kind: str, rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A table of one of five kinds: with a law that is not found, with noise, or without a law."""
    rng = np.random.default_rng(rows + width)
    x = rng.uniform(0.5, 2.0, (rows, width))
    first, last = x[:, 0], x[:, -1]
    y = {
        "walk": lambda: np.sin(3 * first) * np.cos(2 * x[:, 1]) + 0.3 * np.abs(last - 1) + np.tanh(first * last) ** 3,
        "noise": lambda: rng.normal(size=rows),
        "rich": lambda: (first - x[:, 1]) ** 2 * first + np.sqrt(1 + last) * np.log(first + x[:, 1]),
        "net": lambda: np.tanh(x @ rng.normal(size=(width, 6))) @ rng.normal(size=6),
        "noisy": lambda: first * np.exp(-x[:, 1]) + last**2 + 0.05 * rng.normal(size=rows),
    }[kind]()
    return x, y


def tables() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The name, inputs and output of every table that is searched."""
    known = {one.name: one for one in feynman()}
    for name in EQUATIONS:
        if name in known:
            rows = draw(known[name], rows=1000, noise=0.0, seed=0)
            yield name, rows.x, rows.y
    for kind, rows, width in TABLES:
        yield f"{kind}, {rows} rows of {width}", *rows_of(kind, rows, width)


def timed(name: str, x: np.ndarray, y: np.ndarray, limit: float) -> Timed:
    """One search, every charge counted."""
    counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    plain = Ledger.charge

    def charge(ledger: Ledger, kind: str, size: float, calls: int) -> None:
        counts[kind][0] += calls
        counts[kind][1] += size
        plain(ledger, kind, size, calls)

    Ledger.charge = charge
    try:
        began = time.process_time()
        found = find_formula(x, y, names=[f"v{k}" for k in range(x.shape[1])], output="y", time_limit=limit)
        seconds = time.process_time() - began
    finally:
        Ledger.charge = plain
    return Timed(name, {kind: (both[0], both[1]) for kind, both in counts.items()}, found.work, seconds)


def refitted(searches: list[Timed]) -> list[list[object]]:
    """Every price now, and as these searches would have it."""
    keys = [(kind, place) for kind, both in UNIT_COSTS.items() for place in (0, 1) if both[place]]
    charged = [
        [UNIT_COSTS[kind][place] * one.counts.get(kind, (0, 0))[place] / one.seconds for kind, place in keys]
        for one in searches
    ]
    matrix = np.concatenate([charged, KEPT * np.eye(len(keys))])
    wanted = np.concatenate([np.ones(len(searches)), np.full(len(keys), KEPT)])
    factors = lsq_linear(matrix, wanted, bounds=RANGE).x
    return [
        [
            kind,
            ("a call", "of size")[place],
            f"{UNIT_COSTS[kind][place]:.1e}",
            f"{factor * UNIT_COSTS[kind][place]:.1e}",
        ]
        for (kind, place), factor in zip(keys, factors, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limits", type=float, nargs="+", default=[5.0, 20.0])
    parser.add_argument("--repeats", type=int, default=2, help="of each search, of which the fastest counts")
    parser.add_argument("--prices", action="store_true", help="print the prices that fit these searches best")
    chosen = parser.parse_args()
    searches = []
    for limit in chosen.limits:
        for name, x, y in tables():
            runs = [timed(name, x, y, limit) for _ in range(chosen.repeats)]
            searches.append(min(runs, key=lambda run: run.seconds))
            print(f"{limit:g} s  {name}: work {searches[-1].work:.2f}, {searches[-1].seconds:.2f} s", flush=True)
    ratios = sorted((one.seconds / one.work, one.name) for one in searches)
    inside = sum(WANTED[0] <= ratio <= WANTED[1] for ratio, _ in ratios)
    (least, quickest), (most, slowest) = ratios[0], ratios[-1]
    middle = np.median([ratio for ratio, _ in ratios])
    lines = [
        f"{len(searches)} searches; seconds of the process for a unit of work: median {middle:.2f}, from {least:.2f} "
        f"({quickest}) to {most:.2f} ({slowest}); {inside} of them from {WANTED[0]} to {WANTED[1]}."
    ]
    if chosen.prices:
        print("\n".join([*lines, "", *table(["kind", "price", "now", "fitted"], refitted(searches))]))
    else:
        write_section("A unit of work", lines)


if __name__ == "__main__":
    main()
