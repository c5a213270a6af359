"""Trajectories of known systems: are the equations of motion found, and do they predict another start?

pysindy runs beside on the same trajectories, where it is installed.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from benchmarks.common._measure import table, write_section
from benchmarks.common._workers import watched
from benchmarks.laws.judging._judge import judge
from benchmarks.laws.judging._sindy import sindy
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.symbolic._rounded import rounded
from bimt_analyze.motion import find_motion
from bimt_analyze.motion.integration._integrate import integrated
from bimt_train.trajectories import Trajectory

Array = NDArray[np.float64]

TIMES, UNTIL = 200, 10.0
THIRD = 0.6  # of the first start, the rest of the second: a start that the search does not see
CONSTANT = 0.05  # how far a constant may be from what it is fitted to
PREDICTS = 0.9
PATIENCE = 20.0  # seconds of an integration


@dataclass(frozen=True)
class Known:
    """A system whose equations are known."""

    name: str
    sides: tuple[sympy.Expr, ...]
    starts: tuple[tuple[float, ...], ...]

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """Its variables."""
        return tuple(sympy.Symbol(f"x_{i}", real=True) for i in range(len(self.sides)))

    def states(self, start: Array) -> Array:
        """The true states [times, variables] from a start on."""
        slope = sympy.lambdify(self.symbols, self.sides, "numpy")
        span = np.linspace(0.0, UNTIL, TIMES)
        done = solve_ivp(
            lambda _, x: slope(*x), (0.0, UNTIL), start, method="LSODA", rtol=1e-10, atol=1e-12, t_eval=span
        )
        return np.asarray(done.y.T)

    def measured(self, noise: float, seed: int) -> list[Trajectory]:
        """A trajectory from each start and the third, with noise of so much of each variable's deviation."""
        random = np.random.default_rng(seed)
        found = []
        for start in (*self.starts, self.third):
            x = self.states(np.array(start, np.float64))
            moved = x + noise * np.std(x, axis=0) * random.normal(size=x.shape)
            found.append(Trajectory(np.linspace(0.0, UNTIL, TIMES), moved))
        return found

    @property
    def third(self) -> Array:
        """A start between the two."""
        first, second = (np.array(start, np.float64) for start in self.starts)
        return np.asarray(THIRD * first + (1 - THIRD) * second)


@dataclass(frozen=True)
class Found:
    """What was found for one system at one noise."""

    name: str
    noise: float
    equations: str
    form: bool
    near: bool
    word: str
    r2: float
    seconds: float
    arm: str = "find_motion"

    def line(self) -> str:
        """For the terminal."""
        said = f"{'form' if self.form else 'no':<5}{'near' if self.near else '':<5}"
        told = f"r2 {self.r2:8.4f} {self.seconds:6.1f} s {self.word:<17}{self.equations[:150]}"
        return f"{self.name:<9}{self.noise:<6}{self.arm:<12}{said} {told}"


def systems(path: Path) -> tuple[Known, ...]:
    """The systems of a file: a list of {id, substituted, init}."""
    known = []
    for one in json.loads(path.read_text())["systems"]:
        names = {f"x_{i}": sympy.Symbol(f"x_{i}", real=True) for i in range(one["dim"])}
        sides = tuple(sympy.sympify(side, locals=names) for side in one["substituted"][0])
        known.append(Known(f"ode{one['id']}", sides, tuple(map(tuple, one["init"]))))
    return tuple(known)


def measure(job: tuple[str, int, float, float, int]) -> Iterator[Found]:
    """One system at one noise."""
    path, number, noise, seconds, seed = job
    known = systems(Path(path))[number]
    runs = known.measured(noise, seed + number)
    began = time.perf_counter()
    names = [str(x) for x in known.symbols]
    motion = find_motion(runs[:2], held_out=runs[2:], names=names, time_limit=seconds, seed=seed)
    spent = time.perf_counter() - began
    sides = tuple(one.expression for one in motion.equations)
    yield _found(known, noise, sides, motion.word, spent, "find_motion")
    yield from measure_sindy(job)


def measure_sindy(job: tuple[str, int, float, float, int]) -> Iterator[Found]:
    """Pysindy alone, where it is installed."""
    path, number, noise, _, seed = job
    known = systems(Path(path))[number]
    runs = known.measured(noise, seed + number)
    if importlib.util.find_spec("pysindy"):
        began = time.perf_counter()
        other = sindy(runs[:2], known.symbols, smooth=noise > 0)
        yield _found(known, noise, other, "", time.perf_counter() - began, "pysindy")


def _found(known: Known, noise: float, sides: Sequence[sympy.Expr], word: str, spent: float, arm: str) -> Found:
    """What right-hand sides are worth."""
    form, near = _form(sides, known)
    truth = known.states(known.third)
    budget = Budget.of(PATIENCE, seconds=PATIENCE)
    path = integrated(sides, known.symbols, known.third, np.linspace(0.0, UNTIL, TIMES), budget=budget)
    with np.errstate(all="ignore"):
        r2 = 1 - float(np.mean(((path - truth) / np.std(truth, axis=0)) ** 2))
    text = "; ".join(f"{x}' = {rounded(side)}" for x, side in zip(known.symbols, sides, strict=True))
    return Found(known.name, noise, text, form, near, word, r2 if np.isfinite(r2) else float("-inf"), spent, arm)


def _form(sides: Sequence[sympy.Expr], known: Known) -> tuple[bool, bool]:
    """Whether every equation has the right form without a spare term, and constants within 5 %."""
    states = np.concatenate([known.states(np.array(start, np.float64)) for start in known.starts])
    ranges = list(zip(np.min(states, axis=0).tolist(), np.max(states, axis=0).tolist(), strict=True))
    form = near = True
    for expression, side in zip(sides, known.sides, strict=True):
        inputs = [str(x) for x in known.symbols]
        told = judge(expression, side, inputs=inputs, ranges=ranges, constant=CONSTANT)
        form &= told.form and not told.spare
        near &= told.exact or (told.form and not told.spare and told.constants)
    return form, near


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="a file of systems: {systems: [{id, dim, substituted, init}]}")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01, 0.05])
    parser.add_argument("--only", nargs="+", help="only these systems, such as ode27; nothing is written then")
    parser.add_argument("--every", type=int, default=1, help="only every second, third, ... system")
    parser.add_argument("--first", type=int, default=0, help="the number of the first of these, from 0")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds after which a system is given up")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each system, the time limit")
    parser.add_argument("--sindy-alone", action="store_true", help="only pysindy")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="where each result is added as a line; those that are there are kept")
    options = parser.parse_args(arguments)
    every = systems(options.path)
    some = range(options.first, len(every), options.every)
    wanted = [n for n in some if not options.only or every[n].name in options.only]
    results = kept(options.log)
    arm = "pysindy" if options.sindy_alone else "find_motion"
    done = {(one.name, one.noise) for one in results if one.arm == arm}
    jobs = [
        (str(options.path), n, noise, options.seconds, options.seed)
        for noise in options.noise
        for n in wanted
        if (every[n].name, noise) not in done
    ]
    for finished in watched(
        measure_sindy if options.sindy_alone else measure, jobs, limits=(options.patience, 60.0), processes=options.jobs
    ):
        name, noise = every[finished.job[1]].name, finished.job[2]
        failed = Found(name, noise, finished.fault, False, False, "failed", float("-inf"), options.patience)
        for found in finished.messages or (failed,):
            print(found.line(), flush=True)
            results.append(found)
            if options.log:
                with options.log.open("a") as file:
                    file.write(json.dumps(asdict(found)) + "\n")
    if not options.only:
        write_section("Laws of motion", told(results))


def kept(log: Path | None) -> list[Found]:
    """The results of a run that was stopped."""
    return [Found(**json.loads(line)) for line in log.read_text().splitlines()] if log and log.exists() else []


def told(results: Sequence[Found]) -> list[str]:
    """The section's lines."""
    head = ("noise", "", "systems", "form", "of these constants within 5 %", "third start r2 > 0.9", "median r2",
            "called a law", "of these wrongly", "median", "worst")  # fmt: skip
    rows, missed = [], []
    for noise, arm in dict.fromkeys((r.noise, r.arm) for r in sorted(results, key=lambda one: (one.noise, one.arm))):
        of = [one for one in results if (one.noise, one.arm) == (noise, arm)]
        seconds = [one.seconds for one in of]
        law = [one for one in of if one.word.startswith("within")]
        predicted = sum(one.r2 > PREDICTS for one in of)
        rows.append((
            f"{noise:.0%}", arm, len(of), sum(one.form for one in of), sum(one.near for one in of), predicted,
            f"{np.median([one.r2 for one in of]):.4f}", len(law), sum(not one.form for one in law),
            f"{np.median(seconds):.0f} s", f"{max(seconds):.0f} s",
        ))  # fmt: skip
        if arm == "find_motion":
            lacks = [f"{one.name}{'' if one.r2 > PREDICTS else ' (nor predicted)'}" for one in of if not one.form]
            missed.append(f"Form missed at {noise:.0%}: {', '.join(lacks) or 'none'}.")
    about = (
        f"Systems of ODEBench, two trajectories of {TIMES} times until {UNTIL:g}, noise in parts of each variable's "
        "deviation. pysindy has polynomials of degree three, without and with sine and cosine, and five thresholds; "
        "the best by integration from the trajectories' own starts counts. "
        "Form: every equation agrees with its truth to 1e-8 once its constants are fitted to it, and none "
        "of them is fitted to nothing. The third start is between the two. Seconds are wall time."
    )
    return [about, "", *table(head, rows), "", *(line for text in missed for line in (text, ""))][:-1]


if __name__ == "__main__":
    main()
