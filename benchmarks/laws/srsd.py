"""Equations of physics over decades (SRSD): is the law found from rows in SI units, with idle columns and without?"""

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import sympy
from numpy.typing import NDArray

from benchmarks.common._measure import table, write_section
from benchmarks.common._workers import watched
from benchmarks.laws.judging._refit import evaluator
from bimt_analyze.formulas import Hints, Rows, find_formula, verify_formula

Array = NDArray[np.float64]

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "srsd.json"
ROWS = 1000
MET = 1e-6  # of |y|, row by row, over all decades: no interpolation comes so near
SHARE = 0.99  # of the fresh rows that must be met: in some rows y is a difference of nearly equal numbers
WIDER, NEAR = 10.0, 1e-3  # times each upper end: there too a law is met, to 0.1 %, and its series is not
LONGER = 2.0  # times the law's nodes: a longer formula is not its form
BASE = ("m", "s", "kg", "K", "V")  # of the data set's units
EXACT = 1e-9  # of y's deviation: what is called exact must meet the law to this on fresh rows


@dataclass(frozen=True)
class Equation:
    """One equation: its text, and how each input is drawn."""

    name: str
    difficulty: str
    formula: str
    inputs: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    sampling: tuple[tuple[str, str], ...]
    units: dict[str, str]

    def truth(self) -> sympy.Expr:
        """The equation in real symbols."""
        symbols = {name: sympy.Symbol(name, real=True) for name in self.inputs}
        text = re.sub(r"\bln\b", "log", self.formula.replace("^", "**"))
        return sympy.parse_expr(text, {**symbols, "neg": lambda a: -a})  # the data set's own text

    def drawn(self, seed: int, *, idle: int, wider: float = 1.0) -> tuple[Array, Array]:
        """Rows of all inputs and of idle columns, and the output: finite rows only; ``wider`` moves the upper ends."""
        rng = np.random.default_rng((seed, *self.name.encode()))
        value = evaluator(self.truth(), self.inputs)
        x = np.zeros((0, len(self.inputs)))
        y = np.zeros(0)
        while len(y) < ROWS:
            columns = [
                _values(rng, (low, wider * high), how)
                for (low, high), how in zip(self.ranges, self.sampling, strict=True)
            ]
            more = np.stack(columns, axis=1)
            found = value(more)
            kept = np.isfinite(found)
            x, y = np.concatenate([x, more[kept]]), np.concatenate([y, found[kept]])
        some = rng.integers(len(self.inputs), size=idle)
        others = [_values(rng, self.ranges[k], self.sampling[k]) for k in some]
        return np.column_stack([x[:ROWS], *others]), y[:ROWS]


def _values(rng: np.random.Generator, bounds: tuple[float, float], sampling: tuple[str, str]) -> Array:
    low, high = bounds
    how, sign = sampling
    if how == "int":
        return rng.integers(int(low), int(high) + 1, ROWS).astype(np.float64)
    drawn = rng.uniform(low, high, ROWS) if how == "uni" else np.exp(rng.uniform(np.log(low), np.log(high), ROWS))
    return np.asarray(drawn * (rng.choice([-1.0, 1.0], ROWS) if sign == "pos_neg" else 1.0))


def _unit(exponents: Sequence[int]) -> str:
    """Exponents of metre, second, kilogram, kelvin and volt as a unit."""
    return "*".join(f"{name}^{power}" for name, power in zip(BASE, exponents, strict=True) if power)


def equations() -> tuple[Equation, ...]:
    """All equations of the file, in its order."""
    found = []
    for name, about in json.loads(FILE.read_text())["equations"].items():
        variables = {key: one for key, one in about["vars"].items() if key != "v0"}
        found.append(
            Equation(
                name,
                about["difficulty"],
                about["prepared"],
                tuple(variables),
                tuple((float(v["sample_range"][0]), float(v["sample_range"][1])) for v in variables.values()),
                tuple((v["sample_type"][0], v["sample_type"][-1]) for v in variables.values()),
                {key: _unit(one["units"]) for key, one in about["vars"].items()},
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Found:
    """What a search said of one equation."""

    name: str
    difficulty: str
    formula: str
    right: bool
    exact: bool
    wrong: bool
    seconds: float

    def line(self) -> str:
        """For the terminal."""
        said = ("right" if self.right else "no") + (" WRONG CLAIM" if self.wrong else "")
        return f"{self.name:<12}{self.difficulty:<8}{said:<8}{self.seconds:6.1f} s  {self.formula[:120]}"


def measure(job: tuple[int, float, int, int, bool]) -> Iterator[Found]:
    """One equation, by its number."""
    number, seconds, idle, seed, known = job
    one = equations()[number]
    x, y = one.drawn(seed, idle=idle)
    names = (*one.inputs, *(f"idle{k}" for k in range(idle)))
    units = one.units if known else None
    began = time.perf_counter()
    formula = find_formula(x, y, names=names, output="v0", hints=Hints(units=units), time_limit=seconds, seed=seed)
    spent = time.perf_counter() - began
    held_x, held_y = one.drawn(seed + 1000, idle=idle)
    ranges = tuple(zip(x.min(axis=0), x.max(axis=0), strict=True))
    told = verify_formula(formula, test=Rows(held_x, held_y), truth=None, ranges=ranges, train=Rows(x, y))
    with np.errstate(all="ignore"):
        error = np.abs(told.predict(held_x) - held_y)
        met = float(np.mean(error <= MET * np.abs(held_y)))
        far_x, far_y = one.drawn(seed + 2000, idle=idle, wider=WIDER)
        far = float(np.mean(np.abs(told.predict(far_x) - far_y) <= NEAR * np.abs(far_y)))
    short = sympy.count_ops(told.expression) <= LONGER * max(sympy.count_ops(one.truth()), 4)
    off = not float(np.max(error)) <= EXACT * float(np.std(held_y))
    yield Found(
        one.name,
        one.difficulty,
        str(told.expression),
        met >= SHARE and far >= SHARE and short,
        told.exact,
        told.exact and off,
        spent,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each search, in work of the reference machine")
    parser.add_argument("--idle", type=int, default=0, help="columns that do not matter, drawn like the inputs")
    parser.add_argument("--units", action="store_true", help="tell the search the units; idle columns have none")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="where each result is added as a line")
    parser.add_argument("--only", nargs="*", help="names of equations; all if left out")
    options = parser.parse_args(arguments)
    every = equations()
    jobs = [(number, options.seconds, options.idle, options.seed, options.units) for number in range(len(every))]
    jobs = [job for job in jobs if options.only is None or every[job[0]].name in options.only]
    results: list[Found] = []
    for finished in watched(measure, jobs, limits=(900.0, 60.0), processes=options.jobs):
        one = every[finished.job[0]]
        failed = Found(one.name, one.difficulty, finished.fault, False, False, False, float("nan"))
        found = next(iter(finished.messages), failed)
        print(found.line(), flush=True)
        results.append(found)
        if options.log:
            with options.log.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    title = "Equations over decades" + (", with units" if options.units else "")
    title += f", {options.idle} idle columns" if options.idle else ""
    write_section(title, _told(results, "used" if options.units else "not used"))


def _told(results: Sequence[Found], units: str) -> list[str]:
    rows = []
    for kind in ("easy", "medium", "hard"):
        of = [one for one in results if one.difficulty == kind]
        if not of:
            continue
        seconds = [one.seconds for one in of]
        found = f"{sum(one.right for one in of)} of {len(of)}"
        claims = (sum(one.exact for one in of), sum(one.wrong for one in of))
        rows.append((kind, found, *claims, f"{np.nanmedian(seconds):.1f} s", f"{np.nanmax(seconds):.1f} s"))
    head = ("difficulty", "law found", "called exact", "of these wrongly", "median", "worst")
    missed = [f"{one.name} (`{one.formula[:80]}`)" for one in results if not one.right]
    about = (
        f"{len(results)} of the 120 SRSD equations, inputs in SI units over decades, {ROWS:,} rows, units {units}. "
        "Right: on 99 % of fresh rows within 1e-6 of |y|, row by row; on 99 % of rows from ranges ten times as long "
        "within 0.1 %, where a series is not; and at most twice as long as the law. Seconds are wall time."
    )
    total = f"Together {sum(one.right for one in results)} of {len(results)}."
    return [about, "", *table(head, rows), "", total, "", f"Missed: {'; '.join(missed) or 'none'}."]


if __name__ == "__main__":
    main()
