"""From trajectories to the differential equations behind them: the entry of the search."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from ..formulas import SearchOptions
from ..formulas._candidate import UNEXPLAINED
from ._choice import TRIED, chosen, rival_of
from ._equation import Equation
from ._form import Form, opened
from ._growth import grown
from ._integrate import integrated
from ._motion import Motion, MotionWord, state_names
from ._proposals import Proposals, formulas, ranked, sums
from ._shooting import Pieces, pieces_of
from ._smoothed import Smoothed, smoothed
from ._states import with_speeds
from ._system import System
from ._trajectory import Trajectory, check_trajectories
from ._weak_form import WeakForm, function_terms, polynomial_terms

_log = getLogger(__name__)

_LENGTH = 25  # times of a piece
_NOISY = 1.5  # times the estimated noise: what a law may leave
_SHORT = 3  # constants of an equation beyond which formulas are searched, though sums meet the values
_PREDICTS = 0.9  # r2 on held-out trajectories
_FEW = 2  # constants of a right-hand side from which terms are added
_ORDERS = (1, 2)


def find_motion(
    trajectories: Sequence[Trajectory],
    *,
    names: Sequence[str] | None = None,
    held_out: Sequence[Trajectory] | None = None,
    order: int = 1,
    options: SearchOptions | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> Motion:
    """The equations of motion behind trajectories: dx/dt = f(x), one for each variable.

    Trajectories are smoothed as far as their own noise asks for (a Gaussian process of the largest likelihood, or a
    spline where no noise is seen). Right-hand sides are proposed by sparse sums in the weak form [1]_, and by
    `find_formula` on the smooth states and derivatives. Then derivatives are left behind: the constants of proposed
    systems are fitted by integrating pieces of the trajectories (multiple shooting), and the system of the shortest
    description of the measured values is kept, its constants made simple where the values allow it.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        What was measured, from one start or several.
    names : sequence of str, optional
        The names of the variables; ``x1``, ``x2``, ... if left out.
    held_out : sequence of Trajectory, optional
        Trajectories from other starts, which are only predicted. If left out, the last of three or more.
    order : {1, 2}, default 1
        2 for x'' = f(x, x'); the speeds are named ``x_dot`` and need not be measured.
    options : SearchOptions, optional
        Of the search for each right-hand side; the defaults if left out.
    progress : callable, optional
        Called with the name of each stage as it begins.
    **changes
        Fields of `SearchOptions` that differ from ``options``, for instance ``time_limit=5``.

    Returns
    -------
    Motion
        The equations, a word for them (`MOTION_WORDS`), and how well they predict.

    Raises
    ------
    InputError
        For trajectories of different variables, names that do not fit, and an order other than 1 and 2.

    References
    ----------
    .. [1] D. Messenger and D. Bortz, "Weak SINDy: Galerkin-based data-driven model selection", Multiscale Modeling &
       Simulation 19, 2021.

    Examples
    --------
    >>> times = np.linspace(0, 6, 60)
    >>> runs = [Trajectory(times, (1 / (1 + a * np.exp(-times)))[:, None]) for a in (9.0, 4.0, 0.3)]
    >>> motion = find_motion(runs, names=["x"], time_limit=2)
    >>> print(motion, motion.word)
    x' = -x**2 + x within precision
    """
    tell = progress or partial(_log.debug, "motion: %s")
    asked = _Asked.of(trajectories, names, held_out, order)
    chosen_options = (options or SearchOptions()).with_changes(**changes)
    tell("smoothing")
    curves = [smoothed(one) for one in asked.trajectories]
    noise = np.sqrt(np.mean([one.noise**2 for one in curves], axis=0))
    spread = np.std(np.concatenate([one.values for one in asked.trajectories]), axis=0)
    search = _Search.of(with_speeds(curves) if order == 2 else curves, asked, chosen_options)
    tell("sums")
    system, others = search.by_sums()
    if not search.settled(system):
        tell("formulas")
        system, others = search.by_formulas(system, others)
    tell("constants")
    system = system.without_idle_terms()
    rival = rival_of(system, others)
    system = system.snapped()
    tell("checking")
    return _told(asked, system, rival, noise, spread)


@dataclass(frozen=True)
class _Asked:
    """What is asked for, checked."""

    trajectories: tuple[Trajectory, ...]
    held_out: tuple[Trajectory, ...]
    names: tuple[str, ...]
    order: int

    @staticmethod
    def of(
        trajectories: Sequence[Trajectory],
        names: Sequence[str] | None,
        held_out: Sequence[Trajectory] | None,
        order: int,
    ) -> "_Asked":
        if order not in _ORDERS:
            raise InputError("an order that is not searched", where="order", expected="1 or 2", got=str(order))
        width = trajectories[0].width if trajectories else 0
        named = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(width))
        check_trajectories(trajectories, len(named), where="trajectories")
        states = state_names(named, order)
        wrong = [name for name in named if not re.fullmatch(r"[A-Za-z_]\w*", name)]
        if wrong or len(set(states)) < len(states):
            raise InputError(
                "names do not fit the variables", where="names", expected="different words", got=str(list(named))
            )
        if held_out is None:
            kept = len(trajectories) - (len(trajectories) >= 3)
            trajectories, held_out = trajectories[:kept], trajectories[kept:]
        elif held_out:
            check_trajectories(held_out, len(named), where="held_out")
        return _Asked(tuple(trajectories), tuple(held_out), named, order)

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """All that makes up a state."""
        return tuple(sympy.Symbol(name, real=True) for name in state_names(self.names, self.order))


@dataclass(frozen=True)
class _Search:
    """The proposals for each variable, and what they are held against."""

    asked: _Asked
    curves: tuple[Smoothed, ...]
    weak: WeakForm
    pieces: Pieces
    options: SearchOptions

    @staticmethod
    def of(curves: Sequence[Smoothed], asked: _Asked, options: SearchOptions) -> "_Search":
        return _Search(asked, tuple(curves), WeakForm.of(curves), pieces_of(curves, length=_LENGTH), options)

    @property
    def _searched(self) -> range:
        """The states whose right-hand sides are searched: of order two, the speeds."""
        count = len(self.asked.symbols)
        return range(count - len(self.asked.names), count)

    def by_sums(self) -> tuple[System, tuple[System, ...]]:
        """The best system of sparse sums, and the others that were fitted."""
        found = [sums(self.weak, self.asked.symbols, place) for place in self._searched]
        powers = polynomial_terms(self.asked.symbols)
        first = grown(self._small(found), powers, self._searched)
        if self.settled(first):
            return first, ()
        best, others = self._chosen(found, first)
        others = (*others, first)
        functions = tuple(dict.fromkeys((*powers, *function_terms(self.asked.symbols, paired=False))))
        for terms, starts in ((powers, (self._empty(), best)), (functions, (best,))):
            for start in starts:
                if self.settled(best):
                    return best, others
                trial = grown(start, terms, self._searched)
                others = (*others, trial if trial.bits >= best.bits else best)
                best = min(best, trial, key=lambda one: one.bits)
        return best, others

    def _small(self, found: Sequence[Sequence[sympy.Expr]]) -> System:
        """The system of the likeliest right-hand sides of one or two terms."""
        forms = []
        for place, expressions in zip(self._searched, found, strict=True):
            every = ranked(expressions, self.weak, self.asked.symbols, place).forms()
            forms.append(next((form for form in every if len(form.values) <= _FEW), every[0]))
        return self._fitted(forms)

    def _empty(self) -> System:
        """The system of constant right-hand sides."""
        return self._fitted([opened(sympy.Float(0.0)) for _ in self._searched])

    def _fitted(self, forms: Sequence[Form]) -> System:
        speeds = [Form(speed, {}) for speed in self.asked.symbols[len(self.asked.names) :]]
        return System.fitted([*speeds, *forms], self.asked.symbols, self.pieces)

    def by_formulas(self, system: System, others: tuple[System, ...]) -> tuple[System, tuple[System, ...]]:
        """The best system, formulas of derivatives included.

        Parameters
        ----------
        system : System
            The best of sums.
        others : tuple of System
            What was fitted besides.
        """
        found = [formulas(self.curves, self.asked.symbols, place, self.options) for place in self._searched]
        best, more = self._chosen(found, system)
        return best, (*others, system, *more)

    def settled(self, system: System) -> bool:
        """Whether no better system is to be expected: values without noise are met by short equations.

        Parameters
        ----------
        system : System
            The best of sums.
        """
        if np.any(system.shot.missed > system.pieces.least):
            return False
        return all(len(form.values) <= _SHORT for form in system.without_idle_terms().shot.forms)

    def _chosen(self, found: Sequence[Sequence[sympy.Expr]], known: System | None) -> tuple[System, tuple[System, ...]]:
        symbols, count = self.asked.symbols, len(self.asked.names)
        forms: list[tuple[Form, ...]] = [(Form(speed, {}),) for speed in symbols[count:]]
        for place, expressions in zip(self._searched, found, strict=True):
            proposed: Proposals = ranked(expressions, self.weak, symbols, place)
            forms.append(proposed.forms(TRIED))
        return chosen(forms, symbols, self.pieces, known=known)


def _told(
    asked: _Asked,
    system: System,
    rival: System | None,
    noise: Float64[np.ndarray, "variables"],
    spread: Float64[np.ndarray, "variables"],
) -> Motion:
    """The system as it is handed over: predicted from whole trajectories' starts, and called by a word."""
    count = len(asked.names)
    r2 = _r2(system, asked.trajectories, asked)
    held = _r2(system, asked.held_out, asked) if asked.held_out else None
    left = system.shot.missed[:count]
    met = left <= system.pieces.least[:count]
    noise = np.where(met, 0.0, np.minimum(noise, left))
    until = max(float(one.times[-1]) for one in (asked.held_out or asked.trajectories))
    equations = _equations(system, asked)
    law = bool(np.all(met | (left <= _NOISY * noise))) and not any(_is_long(one) for one in equations)
    word = _word(law, noise, held, rival)
    others = () if rival is None else _equations(rival, asked)
    return Motion(
        variables=asked.names,
        equations=equations,
        word=word,
        r2=r2,
        held_r2=held,
        until=until,
        noise=tuple(noise.tolist()),
        missed=tuple((left / np.where(spread > 0, spread, 1.0)).tolist()),
        rival=others if word == "one of several" else (),
        message=_message(asked, r2, held, until),
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


def _equations(system: System, asked: _Asked) -> tuple[Equation, ...]:
    count = len(asked.names)
    expressions = system.expressions()[-count:]
    return tuple(
        Equation(name, expression, constants, asked.order)
        for name, expression, constants in zip(asked.names, expressions, system.constants()[-count:], strict=True)
    )


def _r2(system: System, trajectories: Sequence[Trajectory], asked: _Asked) -> float:
    """1 minus the mean square of what whole integrated trajectories miss, over each variable's variance."""
    count = len(asked.names)
    spread = np.std(np.concatenate([one.values for one in trajectories]), axis=0)
    left = []
    for one in trajectories:
        start = one.start if asked.order == 1 else np.concatenate([one.start, _first_speed(one)])
        path = integrated(system.expressions(), asked.symbols, start, one.times)[:, :count]
        left.append((path - one.values) / np.where(spread > 0, spread, 1.0))
    found = 1 - float(np.mean(np.concatenate(left) ** 2))
    return found if np.isfinite(found) else float("-inf")


def _first_speed(one: Trajectory) -> Float64[np.ndarray, "variables"]:
    return np.asarray(smoothed(one).at(one.times[:1], 1)[0])


def _message(asked: _Asked, r2: float, held: float | None, until: float) -> str:
    """How it was checked, in words."""
    if held is None:
        return f"no held-out start; integrated from its own starts to r2 {r2:.4f} until t = {until:g}"
    starts = "a held-out start" if len(asked.held_out) == 1 else f"{len(asked.held_out)} held-out starts"
    return f"integrated from {starts} to r2 {held:.4f} until t = {until:g}"
