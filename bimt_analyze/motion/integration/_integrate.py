"""Equations of motion integrated from one start."""

import warnings
from collections.abc import Sequence

import numpy as np
import sympy
from jaxtyping import Float64
from scipy.integrate import LSODA

from ...formulas.problem._budget import Budget
from ._flow import compiled

_RELATIVE, _ABSOLUTE = 1e-9, 1e-11  # tolerances; the absolute one of the start's size
_STEPS = 50_000  # after which the rest is given up
_LOOKS = 50  # steps between looks at the budget


def integrated(
    sides: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    start: Float64[np.ndarray, "variables"],
    times: Float64[np.ndarray, "times"],
    *,
    budget: Budget | None = None,
) -> Float64[np.ndarray, "times variables"]:
    """The trajectory from a start on; NaN from where on it grows without bound or cannot be followed.

    Parameters
    ----------
    sides : sequence of sympy.Expr
        The right-hand side of each variable.
    variables : sequence of sympy.Symbol
        The variables.
    start : array of shape [variables]
        The state at the first time.
    times : array of shape [times]
        Growing.
    budget : Budget, optional
        What may be spent; as much as it takes, up to 50,000 steps, if left out.
    """
    function = compiled(sides, variables)

    def slope(_: float, state: Float64[np.ndarray, "variables"]) -> Float64[np.ndarray, "variables"]:
        try:
            return np.array(function(*state), np.float64)
        except (ArithmeticError, TypeError):  # what numbers without an array raise, or a value that is not real
            return np.full(len(state), np.nan)

    states = np.full((len(times), len(start)), np.nan)
    states[:1] = start
    absolute = _ABSOLUTE * (1 + float(np.max(np.abs(start))))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how a solver fails is told by NaN
        solver = LSODA(slope, times[0], start, times[-1], rtol=_RELATIVE, atol=absolute)
        for step in range(_STEPS):
            if solver.status != "running" or (budget is not None and step % _LOOKS == 0 and budget.over()):
                break
            solver.step()
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                break
            passed = (times > solver.t_old) & (times <= solver.t)
            if passed.any():
                states[passed] = solver.dense_output()(times[passed]).T
    return states
