"""From trajectories to the differential equations behind them: the entry of the search."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from logging import getLogger
from typing import Any

import sympy

from bimt_train import InputError
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.states import with_speeds

from .._one_thread import on_one_thread
from ..formulas import SearchOptions
from ..formulas.problem._budget import Budget
from ._as_motion import as_motion
from ._asked_motion import Asked
from ._smoothed_runs import SmoothedRuns
from ._system_search import Search
from .laws._motion import Motion
from .systems._rival_systems import held_against_rivals

_log = getLogger(__name__)

# shares of the time that is left, that a stage may use
_SUMS, _WEIGHTS, _FORMULAS, _TERMS, _RIVALS = 0.4, 0.3, 0.75, 0.5, 0.5
_CHECKING, _LEAST = 0.05, 0.5  # share of the time that is kept for the last stage, and seconds that it has besides


@on_one_thread
def find_motion(
    trajectories: Sequence[Trajectory],
    *,
    names: Sequence[str] | None = None,
    held_out: Sequence[Trajectory] | None = None,
    order: int = 1,
    second_order: Mapping[str, str] | None = None,
    proposed: Mapping[str, Sequence[sympy.Expr]] | None = None,
    time_limit: float = 60.0,
    options: SearchOptions | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> Motion:
    """The equations of motion behind trajectories: dx/dt = f(x), one for each variable.

    Trajectories are smoothed as far as their own noise asks for (a Gaussian process of the largest likelihood, or a
    spline where no noise is seen). One of more than 1,000 times is thinned out first: to 500 times at most where it is
    smooth between them, else to three stretches of 200. Right-hand sides are proposed by sparse sums in the weak form
    [1]_, and by `find_formula` on the smooth states and derivatives. Then derivatives are left behind: the constants of
    proposed systems are fitted by integrating pieces of the trajectories (multiple shooting), and the system of the
    shortest description of the measured values is kept, its constants made simple where the values allow it.

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
    second_order : mapping of str to str, optional
        The second order where speeds are measured: ``{"x": "v"}`` declares x' = v, and only v' is searched.
    proposed : mapping of str to sequence of sympy.Expr, optional
        For variables, right-hand sides that are tried beside all others.
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
        For trajectories of different variables, names that do not fit, an order other than 1 and 2, and a second order
        of other than variables.

    References
    ----------
    .. [1] D. Messenger and D. Bortz, "Weak SINDy: Galerkin-based data-driven model selection", Multiscale Modeling &
       Simulation 19, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> times = np.linspace(0, 6, 60)
    >>> runs = [Trajectory(times, (1 / (1 + a * np.exp(-times)))[:, None]) for a in (9.0, 4.0, 0.3)]
    >>> motion = find_motion(runs, names=["x"], time_limit=20)
    >>> print(motion, motion.word)
    x' = -x**2 + x within precision
    """
    tell = progress or partial(_log.debug, "motion: %s")
    asked = Asked.of(trajectories, names, held_out, order, second_order or {}, proposed or {})
    chosen_options = (options or SearchOptions()).with_changes(**changes)
    if not time_limit > 0:
        raise InputError("no time", where="time_limit", expected="more than 0 seconds", got=f"{time_limit:g}")
    budget = Budget.of((1 - _CHECKING) * time_limit, seconds=(1 - _CHECKING) * time_limit, paced=True)
    tell("smoothing")
    runs = SmoothedRuns.of(asked)
    curves = with_speeds(runs.searched) if order == 2 else runs.searched
    search = Search.of(curves, asked, chosen_options, budget)
    stages = _Stages(tell, budget)
    with stages.stage("sums", _SUMS) as share:
        system, others = search.within(share).by_sums()
    if (other := search.weighted(system)) is not search and not budget.over():
        search = other
        with stages.stage("weights", _WEIGHTS) as share:
            system, others = search.within(share).again(system), ()
    if not search.settled(system) and not budget.over():
        with stages.stage("formulas", _FORMULAS) as share:
            system, others = search.within(share).by_formulas(system, others)
    with stages.stage("constants", _TERMS) as share:
        system = system.within(share).without_idle_terms().with_fewest_constants()
    with stages.stage("rivals", _RIVALS) as share:
        system, rival = held_against_rivals(system.within(share), others, search.places)
    with stages.stage("simple numbers", 1.0) as share:
        system = system.within(share).snapped()
    tell("checking")
    return as_motion(
        asked, system, rival, runs, cut=tuple(stages.cut), seconds=_CHECKING * time_limit + _LEAST, budget=budget
    )


@dataclass
class _Stages:
    """The stages of a search: each has a share of what is left, and those that were cut short are remembered."""

    tell: Callable[[str], None]
    budget: Budget
    cut: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, share: float) -> Iterator[Budget]:
        """Tell the ``name`` of a stage, hand out its share, and see afterwards whether that was enough."""
        self.tell(name)
        part = self.budget.share(share)
        yield part
        if part.over():
            self.cut.append(name)
