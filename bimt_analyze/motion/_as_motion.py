"""A found system as it is handed over: predicted, called by a word, its conserved quantities searched."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.smoothed import Smoothed
from bimt_train.trajectories.thinned import MOST_TIMES

from ..formulas.problem._budget import Budget
from ..formulas.search._candidate import UNEXPLAINED
from ._asked_motion import Asked
from ._smoothed_runs import SmoothedRuns
from .integration._integrate import integrated
from .laws._conserved import Conserved, conserved
from .laws._equation import Equation
from .laws._motion import Motion, MotionWord
from .systems._system import System
from .systems._whiteness import foretold

_NOISY = 1.5  # times the estimated noise: what a law may leave
_PREDICTS = 0.9  # r2 on held-out trajectories

States = Float64[np.ndarray, "_ states"]


def as_motion(
    asked: Asked,
    system: System,
    rival: System | None,
    runs: SmoothedRuns,
    *,
    cut: tuple[str, ...],
    seconds: float,
    budget: Budget,
) -> Motion:
    """The system as it is handed over: predicted from whole trajectories' starts, and called by a word.

    Parameters
    ----------
    asked : Asked
        What is asked for.
    system : System
        The best, its constants simple where they may be.
    rival : System or None
        Another that describes the trajectories as well.
    runs : SmoothedRuns
        The trajectories.
    cut : tuple of str
        The stages that were cut short.
    seconds : float
        What integrations may take.
    budget : Budget
        What may be spent on conserved quantities.
    """
    count = len(asked.names)
    checks = Budget.of(seconds, seconds=seconds, paced=True)
    held_paths = _paths(system, runs.held_out, asked, checks.share(0.5))
    paths = _paths(system, runs.searched, asked, checks)
    cut = (*cut, *(["checking"] if checks.over() else []))
    held = _r2(held_paths, asked.held_out, asked) if asked.held_out else None
    r2 = _r2(paths, asked.trajectories, asked)
    left = system.shot.missed[:count]
    met = left <= system.pieces.least[:count]
    noise = np.where(met, 0.0, np.minimum(runs.noise, left))
    until = max(float(one.times[-1]) for one in (asked.held_out or asked.trajectories))
    equations = _equations(system, asked)
    searched = bool(np.all(met)) or "rivals" not in cut
    law = bool(np.all(met | (left <= _NOISY * noise))) and searched and not any(_is_long(one) for one in equations)
    law = law and bool(np.all(met | ~foretold(system.residual[:, :count])))
    word = _word(law, noise, held, rival)
    part = float(np.max(noise / runs.spread))
    constant: tuple[Conserved, ...] = ()
    if (r2 if held is None else min(r2, held)) >= _PREDICTS:
        sides, every = system.expressions(), [*held_paths, *paths]
        constant = conserved(sides, asked.symbols, every, noise=part, budget=budget)
        cut = (*cut, *(["conserved quantities"] if budget.over() else []))
    others = () if rival is None else _equations(rival, asked)
    return Motion(
        variables=asked.names,
        equations=equations,
        word=word,
        r2=r2,
        held_r2=held,
        until=until,
        noise=tuple(noise.tolist()),
        missed=tuple((left / runs.spread).tolist()),
        rival=others if word == "one of several" else (),
        message=_message(asked, r2, held, until, cut),
        cut=cut,
        conserved=constant,
    )


def _word(law: bool, noise: Float64[np.ndarray, "variables"], held: float | None, rival: System | None) -> MotionWord:
    if held is None or not held >= _PREDICTS:
        return "none"
    if not law:
        return "interpolation"
    if rival is not None:
        return "one of several"
    return "within noise" if np.any(noise > 0) else "within precision"


def _is_long(equation: Equation) -> bool:
    """Whether it has more constants without a simple name than a law has: it may stand in for a function."""
    return sum(constant.exact is None for constant in equation.constants) > UNEXPLAINED


def _equations(system: System, asked: Asked) -> tuple[Equation, ...]:
    count = len(asked.names)
    expressions = system.expressions()[-count:]
    return tuple(
        Equation(name, expression, constants, asked.order)
        for name, expression, constants in zip(asked.names, expressions, system.constants()[-count:], strict=True)
    )


def _paths(system: System, curves: Sequence[Smoothed], asked: Asked, budget: Budget) -> list[States]:
    """The states from the smooth start of each trajectory on, integrated."""
    found = []
    for one in curves:
        times = one.trajectory.times
        start = np.concatenate([one.at(times[:1], order)[0] for order in range(asked.order)])
        found.append(integrated(system.expressions(), asked.symbols, start, times, budget=budget))
    return found


def _r2(paths: Sequence[States], trajectories: Sequence[Trajectory], asked: Asked) -> float:
    """1 minus the mean square of what whole integrated trajectories miss, over each variable's variance."""
    spread = np.std(np.concatenate([one.values for one in trajectories]), axis=0)
    every = zip(paths, trajectories, strict=True)
    left = [(path[:, : len(asked.names)] - one.values) / np.where(spread > 0, spread, 1.0) for path, one in every]
    found = 1 - float(np.mean(np.concatenate(left) ** 2))
    return found if np.isfinite(found) else float("-inf")


def _message(asked: Asked, r2: float, held: float | None, until: float, cut: tuple[str, ...]) -> str:
    """How it was checked, in words, and what the time limit cut short."""
    parts = [_checked(asked, r2, held, until)]
    parts += [f"{asked.long} of more than {MOST_TIMES} times thinned out"] if asked.long else []
    parts += [f"cut short by the time limit: {', '.join(cut)}"] if cut else []
    return "; ".join(parts)


def _checked(asked: Asked, r2: float, held: float | None, until: float) -> str:
    if held is None:
        return f"no held-out start; integrated from its own starts to r2 {r2:.4f} until t = {until:g}"
    starts = "a held-out start" if len(asked.held_out) == 1 else f"{len(asked.held_out)} held-out starts"
    return f"integrated from {starts} to r2 {held:.4f} until t = {until:g}"
