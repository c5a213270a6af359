"""A system integrated for many values of its constants and many pieces at once.

Steps are of fixed size, so that a system that is stiff or grows without bound takes no more work than another; its
states become no numbers, and its fit is given up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64
from scipy.integrate import DOP853
from sympy.printing.numpy import NumPyPrinter

from ...formulas.symbolic._open_numbers import Form
from ._pieces import Pieces

States = Float64[np.ndarray, "variables ways pieces"]
Values = Float64[np.ndarray, "constants"]
Paths = Float64[np.ndarray, "times variables ways pieces"]
Residual = Float64[np.ndarray, "times variables pieces"]

_FAR = 1e3  # a value that is no number counts as so many deviations off
_NUDGE = 1e-6  # of a constant, for its derivative
_MULTIPLIED = 6  # whole powers up to which numpy multiplies faster than it raises


_FOURTH = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 1.0]]), np.array([1, 2, 2, 1]) / 6
_EIGHTH = DOP853.A[: DOP853.n_stages, : DOP853.n_stages], DOP853.B
_METHODS = tuple(
    (tuple(np.ascontiguousarray(row[:stage]) for stage, row in enumerate(rows)), weights)
    for rows, weights in (_FOURTH, _EIGHTH)
)  # for each stage, the shares of the slopes before; then those of the whole step


@dataclass(frozen=True, eq=False)
class Point:
    """Where a fit is: the constants, and the start of each piece.

    Attributes
    ----------
    constants : array of shape [constants]
        Their values.
    starts : array of shape [variables, pieces]
        The first state of each piece.
    """

    constants: Values
    starts: Float64[np.ndarray, "variables pieces"]


@dataclass(frozen=True, eq=False)
class Flow:
    """A system made ready to be integrated.

    Attributes
    ----------
    slopes : callable
        All states, then all constants -> the right-hand sides.
    pieces : Pieces
        What is integrated.
    """

    slopes: Callable[..., Any]
    pieces: Pieces

    @staticmethod
    def of(
        forms: Sequence[Form], variables: Sequence[sympy.Symbol], constants: Sequence[sympy.Dummy], pieces: Pieces
    ) -> "Flow":
        """The system of right-hand sides.

        Parameters
        ----------
        forms : sequence of Form
            One for each variable.
        variables : sequence of sympy.Symbol
            The variables.
        constants : sequence of sympy.Dummy
            The open constants, in the order in which values are given.
        pieces : Pieces
            What is integrated.
        """
        return Flow(compiled([form.expression for form in forms], [*variables, *constants]), pieces)

    def _path(self, constants: Float64[np.ndarray, "constants ways 1"], state: States) -> Paths:
        """The states at all times, by Runge and Kutta's method: of order eight without noise, of order four with it."""
        arguments, budget = list(constants), self.pieces.budget
        shares, weights = _METHODS[self.pieces.fine]
        slopes = np.empty((len(weights), *state.shape))
        flat = slopes.reshape(len(weights), -1)
        now, found = state, np.full((len(self.pieces.times), *state.shape), np.nan)
        found[0] = state
        gaps = np.diff(self.pieces.times, axis=0)
        with np.errstate(all="ignore"):
            for place, (gap, substeps) in enumerate(zip(gaps, self.pieces.substeps.tolist(), strict=True)):
                calls = len(weights) * substeps
                budget.charge("integrate", calls * state.size, calls=calls)
                h = gap / substeps
                for _ in range(substeps):
                    for stage, share in enumerate(shares):
                        if stage:
                            now = np.dot(share, flat[:stage]).reshape(state.shape)
                            now *= h
                            now += state
                        for row, part in zip(slopes[stage], self.slopes(*now, *arguments), strict=True):
                            row[...] = part
                    now = np.dot(weights, flat).reshape(state.shape)
                    now *= h
                    now += state
                    state = now
                if not np.isfinite(state).any():
                    break
                found[place + 1] = state
        return found

    def residual(self, at: Point) -> Residual:
        """What the integrated states miss of the measured ones, in units of the noise.

        Parameters
        ----------
        at : Point
            Constants and starts.
        """
        return self._told(self._path(at.constants[:, None, None], at.starts[:, None, :])[:, :, 0])

    def _told(self, path: Residual) -> Residual:
        with np.errstate(all="ignore"):
            left = (path - self.pieces.values) / self.pieces.unit[None]
        far = _FAR * np.std(self.pieces.values, axis=(0, 2))[:, None] / self.pieces.unit
        bound = np.broadcast_to(far[None], left.shape)
        return np.where(np.isfinite(left), np.clip(left, -bound, bound), bound)

    def derivatives(
        self, at: Point, found: Residual
    ) -> tuple[
        Float64[np.ndarray, "constants times variables pieces"], Float64[np.ndarray, "starts times variables pieces"]
    ]:
        """Derivatives of the residual by constants and starts, from nudged copies that are integrated together.

        Parameters
        ----------
        at : Point
            Constants and starts.
        found : array of shape [times, variables, pieces]
            The residual there.
        """
        count, width = len(at.constants), len(at.starts)
        ways = count + width
        constants = np.repeat(at.constants[:, None, None], ways, axis=1)
        state = np.repeat(at.starts[:, None, :], ways, axis=1)
        nudges = _NUDGE * np.maximum(np.abs(at.constants), 1e-3)
        spread = _NUDGE * (np.std(self.pieces.values, axis=(0, 2)) + 1e-12)
        constants[range(count), range(count), 0] += nudges
        state[range(width), range(count, ways), :] += spread[:, None]
        path = self._path(constants, state)
        moved = np.stack([self._told(path[:, :, way]) for way in range(ways)])
        by = (moved - found) / np.concatenate([nudges, spread])[:, None, None, None]
        return by[:count], by[count:]


def compiled(expressions: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]) -> Callable[..., Any]:
    """Expressions as one function of arrays, made for many calls.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        Functions of the symbols.
    symbols : sequence of sympy.Symbol
        In the order of the function's arguments.
    """
    plain = [sympy.Symbol(f"argument_{i}", real=True) for i in range(len(symbols))]
    named = dict(zip(symbols, plain, strict=True))
    sides = [sympy.nan if side.has(sympy.zoo) else side.xreplace(named) for side in expressions]
    function: Callable[..., Any] = sympy.lambdify(
        plain, sides, "numpy", cse=True, docstring_limit=0, printer=_Products(_PRINTED)
    )
    return function


_PRINTED = {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True, "user_functions": {}}


class _Products(NumPyPrinter):  # type: ignore[misc]
    """Small whole powers as products."""

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        if expr.base.is_Symbol and expr.exp.is_Integer and 2 < int(expr.exp) <= _MULTIPLIED:
            return f"({'*'.join([self._print(expr.base)] * int(expr.exp))})"
        return str(super()._print_Pow(expr, rational=rational))
