"""The product of powers that stands before a function of a sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
from jaxtyping import Float64

from ...problem._least_squares import solve
from ...problem._monomials import Exponents, value
from ...problem._operators import operator
from ...problem._polynomial import powers
from ...problem._search_problem import SearchProblem
from ._sum_fit import UNDONE, descended
from ._term_dictionaries import ROWS_A_TERM

Matrix = Float64[np.ndarray, "rows columns"]

_CHANCE = 3.3  # standard errors
_NEAR = 0.1  # of a half: a power that is so near to it, or three standard errors


def power_factors(problem: SearchProblem) -> list[Exponents]:
    """Products of powers that y is multiplied by: none, and those inputs on whose power no other input has a say.

    They are read from y = exp(a polynomial of degree two in the logarithms of the inputs), or -y.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, and the budget.
    """
    none = (Fraction(0),) * problem.width
    able = [i for i in range(problem.width) if np.all(problem.x[:, i] > 0)]
    every = powers(problem.width, 2)
    if not able or ROWS_A_TERM * len(every) > problem.rows:
        return [none]
    t = problem.x / np.maximum(np.max(np.abs(problem.x), axis=0), 1e-300)
    t[:, able] = np.log(t[:, able])
    t = t - np.mean(t, axis=0)
    whole = _exponential(problem, t, every)
    if whole is None:
        return [none]
    alone = [i for i in able if whole.significance([k for k, e in enumerate(every) if sum(e) > 1 and e[i]]) < _CHANCE]
    fewer = [e for e in every if sum(e) <= 1 or not any(e[i] for i in alone)]
    found = _exponential(problem, t, fewer) if alone else None
    if found is None:
        return [none]
    chosen = list(none)
    for i in alone:
        place = fewer.index(tuple(int(i == k) for k in range(problem.width)))
        power, error = found.coefficients[place], np.sqrt(found.covariance[place, place])
        half = Fraction(round(2 * power), 2)
        if abs(float(half) - power) < max(_NEAR, 3 * error):
            chosen[i] = half
    return [tuple(chosen), none] if any(chosen) else [none]


@dataclass(frozen=True, eq=False)
class _Estimate:
    """Coefficients and their covariance."""

    coefficients: Float64[np.ndarray, "terms"]
    covariance: Float64[np.ndarray, "terms terms"]

    def significance(self, places: Sequence[int]) -> float:
        """How far the coefficients at some ``places`` together are from zero beyond chance, in standard errors.

        This is Wald's test.
        """
        part = self.coefficients[list(places)]
        size = float(part @ np.linalg.pinv(self.covariance[np.ix_(places, places)]) @ part)
        return (size - len(places)) / sqrt(2 * len(places))


def _exponential(problem: SearchProblem, t: Matrix, exponents: Sequence[tuple[int, ...]]) -> _Estimate | None:
    """The polynomial whose exponential meets y, or -y; None where most of y has the other sign."""
    y = problem.y * (1.0 if np.mean(problem.y) > 0 else -1.0)
    ready = y > 0
    if np.mean(ready) < UNDONE:
        return None
    columns = np.stack([value(t, tuple(map(Fraction, e))) for e in exponents], axis=1)
    start = solve(columns[ready] * y[ready, None], np.log(y[ready]) * y[ready], budget=problem.budget)
    found = descended(columns, start, np.ones(len(y)), y, operator("exp"), problem.budget)
    if found is None:
        return None
    problem.budget.charge("decompose", columns.size * columns.shape[1])
    sloped = columns * found.slope[:, None]
    noise = (found.error * problem.unit) ** 2 * len(y) / (len(y) - len(exponents))
    return _Estimate(found.coefficients, noise * np.linalg.pinv(sloped.T @ sloped))
