"""Right-hand sides tried without derivatives: integrals against test functions (the weak form).

With a test function p that is zero at both ends of a window, the integral of p x' is minus that of p' x. So
- integral p' x dt = integral p f(x) dt holds for the true f, and noise in x is averaged over the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train.trajectories.smoothed import Smoothed

from ...formulas.problem._polynomial import monomial, powers
from ..integration._flow import compiled
from ._subsets import subsets

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_POWER = 3  # of the test functions (1 - s**2)**3
_WIDTHS = (4, 10)  # half widths of the windows, in times
_FINE = 3  # nodes (Gauss) of the integrals between two times
_MOST = 10  # terms of a sum
_PAIRED = 21  # functions of which all products are tried
_FROM_ALL = 40  # columns up to which terms are left out of the sum of all
_CUBIC = 3  # variables up to which cubes are among them


@dataclass(frozen=True, eq=False)
class WeakForm:
    """Windows over all trajectories.

    Attributes
    ----------
    states : array of shape [nodes, variables]
        The smooth states at the nodes of the integrals.
    average : array of shape [windows, nodes]
        Values at the nodes -> their integrals against each test function.
    change : array of shape [windows, variables]
        Of each variable, what the integral of its derivative against each test function is.
    times : int
        How many measurements of one variable there are.
    """

    states: Float64[np.ndarray, "nodes variables"]
    average: Float64[np.ndarray, "windows nodes"]
    change: Float64[np.ndarray, "windows variables"]
    times: int

    @staticmethod
    def of(curves: Sequence[Smoothed]) -> "WeakForm":
        """The windows over trajectories.

        Parameters
        ----------
        curves : sequence of Smoothed
            The trajectories.
        """
        parts = [_windows(one) for one in curves]
        nodes = sum(part.states.shape[0] for part in parts)
        average, place = [], 0
        for part in parts:
            row = np.zeros((len(part.average), nodes))
            row[:, place : place + part.average.shape[1]] = part.average
            place += part.average.shape[1]
            average.append(row)
        states, change = (np.concatenate(every) for every in ([p.states for p in parts], [p.change for p in parts]))
        return WeakForm(states, np.concatenate(average), change, sum(part.times for part in parts))

    @cached_property
    def units(self) -> Rows:
        """The size of each variable's change: errors are told in it."""
        return np.asarray(np.sqrt(np.mean(self.change**2, axis=0)) + 1e-300)

    def columns(self, terms: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]) -> Matrix:
        """The integrals of terms against the test functions; NaN where a term is not finite.

        Parameters
        ----------
        terms : sequence of sympy.Expr
            Functions of the variables.
        variables : sequence of sympy.Symbol
            The variables.
        """
        values = np.empty((len(self.states), len(terms)))
        with np.errstate(all="ignore"):
            for place, part in enumerate(compiled(terms, variables)(*self.states.T)):
                values[:, place] = part
            return np.asarray(self.average @ values, np.float64)

    def errors(self, expressions: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], place: int) -> list[float]:
        """What each expression misses of a variable's change, over its size; infinite where it is not finite.

        Parameters
        ----------
        expressions : sequence of sympy.Expr
            Without open constants.
        variables : sequence of sympy.Symbol
            The variables.
        place : int
            The number of the variable.
        """
        left = self.columns(expressions, variables) - self.change[:, place, None]
        with np.errstate(all="ignore"):
            found = np.sqrt(np.mean(left**2, axis=0)) / self.units[place]
        return [float(one) if np.isfinite(one) else float("inf") for one in found]

    def sums(
        self, terms: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], place: int
    ) -> tuple[tuple[sympy.Expr, float], ...]:
        """Sums of few of the terms, each times a number, and what each misses of the variable's change, over its size.

        They are the best of each length, by taking terms in and leaving out.

        Parameters
        ----------
        terms : sequence of sympy.Expr
            Functions of the variables.
        variables : sequence of sympy.Symbol
            The variables.
        place : int
            The number of the variable whose change is met.
        """
        columns = self.columns(terms, variables)
        size = np.linalg.norm(columns, axis=0)
        kept = np.flatnonzero(np.isfinite(size) & (size > 0))
        matrix, target = columns[:, kept] / size[kept], self.change[:, place] / self.units[place]
        found = []
        for some in subsets(matrix, target, most=_MOST, from_all=_FROM_ALL):
            places = sorted(some)
            weights = np.linalg.lstsq(matrix[:, places], target, rcond=None)[0]
            error = float(np.sqrt(np.mean((matrix[:, places] @ weights - target) ** 2)))
            numbers = weights * self.units[place] / size[kept[places]]
            parts = [sympy.Float(n) * terms[kept[k]] for n, k in zip(numbers.tolist(), places, strict=True)]
            found.append((sympy.Add(*parts), error))
        return tuple(found)


def libraries(variables: Sequence[sympy.Symbol]) -> tuple[tuple[sympy.Expr, ...], ...]:
    """The terms of which sums are tried, the plainest first: powers, functions of one variable, and their products.

    Parameters
    ----------
    variables : sequence of sympy.Symbol
        The variables.
    """
    return polynomial_terms(variables), function_terms(variables, paired=False), function_terms(variables, paired=True)


def polynomial_terms(variables: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, ...]:
    """Monomials of the variables up to degree three, or two where there are many variables.

    Parameters
    ----------
    variables : sequence of sympy.Symbol
        The variables.
    """
    degree = 3 if len(variables) <= _CUBIC else 2
    return tuple(monomial(variables, exponent) for exponent in powers(len(variables), degree))


def function_terms(variables: Sequence[sympy.Symbol], *, paired: bool) -> tuple[sympy.Expr, ...]:
    """Powers, waves, exponentials, logarithms and reciprocals of each variable.

    Parameters
    ----------
    variables : sequence of sympy.Symbol
        The variables.
    paired : bool
        Whether the products of two of them are among the terms.
    """
    of_each = [(v, v**2, sympy.sin(v), sympy.cos(v), sympy.exp(v), sympy.exp(-v), 1 / v) for v in variables]
    single = [term for terms in of_each for term in terms]
    logarithms = [v * sympy.log(sympy.Abs(v)) for v in variables]
    pairs = [a * b for i, a in enumerate(single) for b in single[i:]] if paired and len(single) <= _PAIRED else []
    return tuple(dict.fromkeys([sympy.Integer(1), *single, *logarithms, *(term for term in pairs if term != 1)]))


def _windows(one: Smoothed) -> WeakForm:
    """The windows over one trajectory."""
    times = one.trajectory.times
    steps = np.diff(times)
    places, shares = np.polynomial.legendre.leggauss(_FINE)
    nodes = (times[:-1, None] + steps[:, None] * (places + 1) / 2).ravel()
    weights = (steps[:, None] * shares / 2).ravel()
    states = one.at(nodes)
    rows, slopes = [], []
    for half in _WIDTHS:
        if 2 * half + 2 >= len(times):
            continue
        for middle in range(half, len(times) - half, max(half // 3, 1)):
            begin, end = times[middle - half], times[middle + half]
            s = np.clip(2 * (nodes - begin) / (end - begin) - 1, -1.0, 1.0)
            size = 2 / (end - begin)
            rows.append(size * weights * (1 - s**2) ** _POWER)
            slopes.append(-size * weights * 2 * _POWER * s * (1 - s**2) ** (_POWER - 1) * size)
    return WeakForm(states, np.stack(rows), -np.stack(slopes) @ states, len(times))
