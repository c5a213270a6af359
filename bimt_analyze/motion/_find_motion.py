"""From trajectories to the differential equations behind them: the entry of the search."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from logging import getLogger
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from ..formulas import SearchOptions
from ..formulas._candidate import UNEXPLAINED
from ..formulas.problem._budget import Budget
from ._choice import chosen, rival_of
from ._equation import Equation
from ._form import Form, opened
from ._growth import grown
from ._integrate import integrated
from ._motion import Motion, MotionWord, state_names
from ._pieces import Pieces, pieces_of
from ._proposals import Proposal, forms, formulas, told
from ._smoothed import Smoothed, smoothed
from ._states import with_speeds
from ._system import System
from ._trajectory import Trajectory, check_trajectories
from ._weak_form import WeakForm, libraries, polynomial_terms

_log = getLogger(__name__)

_NOISY = 1.5  # times the estimated noise: what a law may leave
_SHORT = 3  # constants of an equation beyond which formulas are searched, though sums meet the values
_PREDICTS = 0.9  # r2 on held-out trajectories
_GROWS = 70  # terms of a variable from which sums grow
_TRIED = 4  # forms of each variable that come first
_ORDERS = (1, 2)
_SUMS, _WEIGHTS, _FORMULAS, _TERMS, _RIVALS = (
    0.4,
    0.3,
    0.75,
    0.5,
    0.5,
)  # shares of the time that is left, that a stage may use
_FAR = 3.0  # times the estimated noise, and a part of it: what a system leaves is then the better estimate
_SEARCHING = 0.6  # share of the search for formulas in its stage; the rest is for fits of them
_CHECKING = 0.05  # share of the time that is kept for the last stage


def find_motion(
    trajectories: Sequence[Trajectory],
    *,
    names: Sequence[str] | None = None,
    held_out: Sequence[Trajectory] | None = None,
    order: int = 1,
    time_limit: float = 60.0,
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
    time_limit : float, default 60
        Seconds for everything: by work, as a quiet core of the reference machine does it, and by the clock. Every
        stage has its share; what was cut short is told (`Motion.cut`).
    options : SearchOptions, optional
        Of the search for each right-hand side, the time limit of which holds within ``time_limit``; the defaults if
        left out.
    progress : callable, optional
        Called with the name of each stage as it begins.
    **changes
        Fields of `SearchOptions` that differ from ``options``, for instance ``seed=1``.

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
    if not time_limit > 0:
        raise InputError("no time", where="time_limit", expected="more than 0 seconds", got=f"{time_limit:g}")
    budget = Budget.of((1 - _CHECKING) * time_limit, seconds=(1 - _CHECKING) * time_limit, paced=True)
    tell("smoothing")
    curves = [smoothed(one) for one in asked.trajectories]
    noise = np.sqrt(np.mean([one.noise**2 for one in curves], axis=0))
    spread = np.std(np.concatenate([one.values for one in asked.trajectories]), axis=0)
    search = _Search.of(with_speeds(curves) if order == 2 else curves, asked, chosen_options, budget)
    stages = _Stages(tell, budget)
    with stages.stage("sums", _SUMS) as share:
        system, others = search.within(share).by_sums()
    if (other := search.weighed(system)) is not search and not budget.over():
        search = other
        with stages.stage("weights", _WEIGHTS) as share:
            system, others = search.within(share).again(system), ()
    if not search.settled(system) and not budget.over():
        with stages.stage("formulas", _FORMULAS) as share:
            system, others = search.within(share).by_formulas(system, others)
    with stages.stage("constants", _TERMS) as share:
        system = system.within(share).without_idle_terms()
    with stages.stage("rivals", _RIVALS) as share:
        rival = rival_of(system.within(share), others)
    with stages.stage("simple numbers", 1.0) as share:
        system = system.within(share).snapped()
    tell("checking")
    return _told(asked, system, rival, noise, spread, tuple(stages.cut), _CHECKING * time_limit)


@dataclass
class _Stages:
    """The stages of a search: each has a share of what is left, and those that were cut short are remembered."""

    tell: Callable[[str], None]
    budget: Budget
    cut: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, share: float) -> Iterator[Budget]:
        """Tell of a stage, hand out its share, and see afterwards whether that was enough."""
        self.tell(name)
        part = self.budget.share(share)
        yield part
        if part.over():
            self.cut.append(name)


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
    def of(curves: Sequence[Smoothed], asked: _Asked, options: SearchOptions, budget: Budget) -> "_Search":
        return _Search(asked, tuple(curves), WeakForm.of(curves), pieces_of(curves, budget=budget), options)

    def within(self, budget: Budget) -> "_Search":
        """The search with another budget.

        Parameters
        ----------
        budget : Budget
            A share of the first.
        """
        return replace(self, pieces=replace(self.pieces, budget=budget))

    @property
    def _searched(self) -> range:
        """The states whose right-hand sides are searched: of order two, the speeds."""
        count = len(self.asked.symbols)
        return range(count - len(self.asked.names), count)

    def by_sums(self) -> tuple[System, tuple[System, ...]]:
        """The best system of sparse sums, and the others that were fitted."""
        every: list[tuple[Proposal, ...]] = [() for _ in self._searched]
        best, tried = self._fitted([opened(sympy.Float(0.0)) for _ in self._searched]), list[System]()
        grows: dict[sympy.Expr, None] = {}
        for terms in libraries(self.asked.symbols):
            found = [told(self._sums(terms, place), self.weak.times) for place in self._searched]
            every = [(*old, *new) for old, new in zip(every, found, strict=True)]
            grows |= dict.fromkeys(terms) if len(grows) + len(terms) <= _GROWS else {}
            if tried and self.pieces.budget.over():
                return best, tuple(tried)
            start = self._fitted([forms(one, 1)[0] for one in every])
            if tried and not start.bits < best.bits:
                start = best
            start = grown(start, list(grows), self._searched)
            tried.append(start)
            best = min(best, start, key=lambda one: one.bits)
            if self.settled(best) or self.pieces.budget.over():
                return best, tuple(tried)
        best, others = self._chosen(every, best)
        return grown(best, list(grows), self._searched), (*tried, best, *others)

    def _sums(self, terms: Sequence[sympy.Expr], place: int) -> tuple[tuple[sympy.Expr, float], ...]:
        if len(terms) > _GROWS and self.pieces.budget.over():
            return ()
        return self.weak.sums(terms, self.asked.symbols, place)

    def weighed(self, system: System) -> "_Search":
        """The search with each variable's noise as the best system leaves it, where that is far from the estimate.

        Parameters
        ----------
        system : System
            The best of sums.
        """
        measured = np.isfinite(self.pieces.unit).all(axis=1)
        rms = system.shot.rms[measured]
        if system.met or np.all((rms > 1 / _FAR) & (rms < _FAR)):
            return self
        return replace(self, pieces=self.pieces.weighed(system.shot.missed))

    def again(self, system: System) -> System:
        """A system fitted anew, with powers added and left out.

        Parameters
        ----------
        system : System
            Of a search that counts residuals in other units.
        """
        same = System.fitted(system.shot.forms, system.variables, self.pieces, starts=system.shot.starts)
        return grown(same, polynomial_terms(self.asked.symbols), self._searched)

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
        found = []
        for number, place in enumerate(self._searched):
            if self.pieces.budget.over():
                return system, others
            share = self.pieces.budget.share(_SEARCHING / (len(self._searched) - number))
            found.append(formulas(self.curves, self.weak, self.asked.symbols, place, self.options, share))
        best, more = self._chosen(found, system)
        return best, (*others, system, *more)

    def settled(self, system: System) -> bool:
        """Whether no better system is to be expected: values without noise are met by short equations.

        Parameters
        ----------
        system : System
            The best of sums.
        """
        return system.met and all(len(form.values) <= _SHORT for form in system.without_idle_terms().shot.forms)

    def _chosen(self, found: Sequence[Sequence[Proposal]], known: System) -> tuple[System, tuple[System, ...]]:
        symbols, count = self.asked.symbols, len(self.asked.names)
        speeds = [(Form(speed, {}),) for speed in symbols[count:]]
        return chosen([*speeds, *(forms(one, _TRIED) for one in found)], symbols, self.pieces, known=known)


def _told(
    asked: _Asked,
    system: System,
    rival: System | None,
    noise: Float64[np.ndarray, "variables"],
    spread: Float64[np.ndarray, "variables"],
    cut: tuple[str, ...],
    seconds: float,
) -> Motion:
    """The system as it is handed over: predicted from whole trajectories' starts, and called by a word."""
    count = len(asked.names)
    checks = Budget.of(seconds, seconds=seconds, paced=True)
    held = _r2(system, asked.held_out, asked, checks.share(0.5)) if asked.held_out else None
    r2 = _r2(system, asked.trajectories, asked, checks)
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
        message=_message(asked, r2, held, until, cut),
        cut=cut,
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


def _r2(system: System, trajectories: Sequence[Trajectory], asked: _Asked, budget: Budget) -> float:
    """1 minus the mean square of what whole integrated trajectories miss, over each variable's variance."""
    count = len(asked.names)
    spread = np.std(np.concatenate([one.values for one in trajectories]), axis=0)
    left = []
    for one in trajectories:
        start = one.start if asked.order == 1 else np.concatenate([one.start, _first_speed(one)])
        path = integrated(system.expressions(), asked.symbols, start, one.times, budget=budget)[:, :count]
        left.append((path - one.values) / np.where(spread > 0, spread, 1.0))
    found = 1 - float(np.mean(np.concatenate(left) ** 2))
    return found if np.isfinite(found) else float("-inf")


def _first_speed(one: Trajectory) -> Float64[np.ndarray, "variables"]:
    return np.asarray(smoothed(one).at(one.times[:1], 1)[0])


def _message(asked: _Asked, r2: float, held: float | None, until: float, cut: tuple[str, ...]) -> str:
    """How it was checked, in words, and what the time limit cut short."""
    return "; ".join(
        [_checked(asked, r2, held, until), *([f"cut short by the time limit: {', '.join(cut)}"] if cut else [])]
    )


def _checked(asked: _Asked, r2: float, held: float | None, until: float) -> str:
    if held is None:
        return f"no held-out start; integrated from its own starts to r2 {r2:.4f} until t = {until:g}"
    starts = "a held-out start" if len(asked.held_out) == 1 else f"{len(asked.held_out)} held-out starts"
    return f"integrated from {starts} to r2 {held:.4f} until t = {until:g}"
