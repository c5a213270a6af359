"""Networks trained on trajectories: is the graph of the system, read off the network, the true one?

`find_motion`, which sees no network, searches the same trajectories beside.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from benchmarks.common._measure import table, write_section
from bimt_analyze import analyze
from bimt_analyze.motion import find_motion
from bimt_analyze.motion._driving_graph import DrivingGraph
from bimt_train import default_recipe, train
from bimt_train.tasks import TrajectoryTable, ode_task
from bimt_train.trajectories import Trajectory

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """A system whose graph is known: variable -> those that drive it."""

    name: str
    slope: Callable[[Array], Sequence[float]]
    drivers: dict[str, tuple[str, ...]]
    starts: tuple[tuple[float, ...], ...]
    until: float

    def measured(self, noise: float, seed: int) -> TrajectoryTable:
        """A trajectory of 200 times from each start, with noise of so much of each variable's deviation."""
        random, times, runs = np.random.default_rng(seed), np.linspace(0.0, self.until, 200), []
        for start in self.starts:
            done = solve_ivp(lambda _, x: self.slope(x), (0.0, self.until), start, t_eval=times, rtol=1e-10, atol=1e-12)
            x = done.y.T
            runs.append(Trajectory(times, x + noise * np.std(x, axis=0) * random.normal(size=x.shape)))
        return TrajectoryTable(tuple(runs), tuple(self.drivers), "t")


SYSTEMS = (
    Known(
        "Lorenz",
        lambda s: [10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]],
        {"x": ("x", "y"), "y": ("x", "y", "z"), "z": ("x", "y", "z")},
        ((1, 1, 20), (-8, 7, 27), (5, -5, 30), (10, 3, 15)),
        5.0,
    ),
    Known(
        "Lotka-Volterra",
        lambda s: [1.1 * s[0] - 0.4 * s[0] * s[1], 0.1 * s[0] * s[1] - 0.4 * s[1]],
        {"x": ("x", "y"), "y": ("x", "y")},
        ((10, 5), (5, 3), (3, 8), (8, 2)),
        20.0,
    ),
    Known(
        "damped pendulum",
        lambda s: [s[1], -2 * math.sin(s[0]) - 0.3 * s[1]],
        {"x": ("v",), "v": ("x", "v")},
        ((2.5, 0), (1, 2), (-2, 1), (0.5, -2.5)),
        10.0,
    ),
    Known(
        "epidemic",
        lambda s: [-0.9 * s[0] * s[1], 0.9 * s[0] * s[1] - 0.3 * s[1], 0.3 * s[1]],
        {"s": ("s", "i"), "i": ("s", "i"), "r": ("i",)},
        ((0.95, 0.05, 0), (0.7, 0.02, 0.1), (0.99, 0.2, 0), (0.5, 0.4, 0.3)),
        15.0,
    ),
    Known(
        "two pendulums apart",
        lambda s: [s[1], -2 * math.sin(s[0]), s[3], -0.7 * s[2] - 0.2 * s[3]],
        {"x": ("v",), "v": ("x",), "y": ("w",), "w": ("y", "w")},
        ((2.5, 0, 1, 0), (1, 2, -1, 1), (-2, 1, 2, 1), (0.5, -2.2, 0, -2)),
        12.0,
    ),
)


def wrong(found: dict[str, tuple[str, ...]], known: Known) -> tuple[int, int]:
    """How many edges are not there in truth, and how many of the true ones are missing."""
    pairs = {(a, b) for b, by in found.items() for a in by}
    true = {(a, b) for b, by in known.drivers.items() for a in by}
    return len(pairs - true), len(true - pairs)


def apart(graph: DrivingGraph, known: Known) -> tuple[float, float]:
    """The least effect of a true edge, and the largest of any other pair."""
    true = {(a, b) for b, by in known.drivers.items() for a in by}
    effects = {(one.source, one.target): (one.effect or 0.0) * one.joined for one in graph.drives}
    others = [effect for pair, effect in effects.items() if pair not in true]
    return min(effects[pair] for pair in true), max(others, default=0.0)


HEAD = (
    "system", "noise", "graph right, of seeds", "best seed's right", "spare edges", "missing edges",
    "least true effect", "largest other", "median test loss", "find_motion's right",
)  # fmt: skip


def measure(known: Known, noise: float, seeds: int, seconds: float) -> tuple[object, ...]:
    """One system at one noise: a line of the table."""
    measured = known.measured(noise, 0)
    task = ode_task(measured)
    runs = train(task, seeds=seeds, recipe=default_recipe(task))
    ranked = runs.ranked()
    reports = [analyze(run.checkpoint, samples=0, time_limit=0) for run in ranked]
    graphs = [report.driving for report in reports if report.driving is not None]
    errors = [wrong(dict(graph.drivers), known) for graph in graphs]
    spare, missing = zip(*errors, strict=True)
    true, other = zip(*(apart(graph, known) for graph in graphs), strict=True)
    loss = np.median([run.to_json()["test_loss"] for run in ranked])
    motion = find_motion(measured.trajectories, names=measured.names, time_limit=seconds)
    return (
        known.name,
        f"{noise:.0%}",
        f"{errors.count((0, 0))} of {seeds}",
        _yes(errors[0]),
        sum(spare),
        sum(missing),
        f"{min(true):.2g}",
        f"{max(other):.2g}",
        f"{loss:.1e}",
        _yes(wrong(motion.drivers, known)),
    )


def _yes(errors: tuple[int, int]) -> str:
    return "no" if any(errors) else "yes"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of find_motion, the time limit")
    options = parser.parse_args(arguments)
    rows = []
    for known in SYSTEMS:
        for noise in options.noise:
            rows.append(measure(known, noise, options.seeds, options.seconds))
            print(*rows[-1], flush=True)
    about = (
        f"Four trajectories of 200 times, {options.seeds} seeds, the general recipe; one trajectory is held out, by "
        "the seed. An edge is a living connection from a variable to the derivative of another, whose effect is 0.001 "
        "of the derivative's variance or more. Spare and missing edges are those of all seeds together. The best seed "
        "has the least test loss. `find_motion` sees the trajectories and no network "
        f"({options.seconds:g} s at most); its graph is that of its equations."
    )
    write_section("What drives what, by networks", [about, "", *table(HEAD, rows)])


if __name__ == "__main__":
    main()
