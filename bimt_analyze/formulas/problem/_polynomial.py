"""Sparse polynomials by exact linear algebra."""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from math import comb

import numpy as np
import sympy
from jaxtyping import Float64

from ._least_squares import needed, solve, usable
from ._search_problem import SearchProblem
from ._template import Template, linear

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]
Powers = tuple[int, ...]

HIGHEST = 8  # total degree: of a single input; of several, the rows end it sooner
_WIDEST = 160  # columns: beyond that a fit is slow
_FALLBACK_COLUMNS = 40  # columns: a longer polynomial that does not even fit is no answer


def powers(width: int, degree: int) -> tuple[Powers, ...]:
    """All exponents of total degree up to a limit, the constant first, in graded order.

    Parameters
    ----------
    width : int
        How many columns there are.
    degree : int
        The largest total degree.

    Examples
    --------
    >>> powers(2, 2)
    ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
    """
    found = []
    for size in range(degree + 1):
        for chosen in combinations_with_replacement(range(width), size):
            found.append(tuple(chosen.count(i) for i in range(width)))
    return tuple(found)


def count(width: int, degree: int) -> int:
    """How many monomials there are up to a total degree, to be asked before `powers` is.

    Parameters
    ----------
    width : int
        How many columns there are.
    degree : int
        The largest total degree.

    Examples
    --------
    >>> count(4, 3)
    35
    """
    return comb(width + degree, degree)


def evaluate(x: Matrix, exponents: Sequence[Powers]) -> Float64[np.ndarray, "rows monomials"]:
    """The monomials' values; entries that overflow are infinite.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The columns.
    exponents : sequence of tuples of int
        The powers of each monomial.
    """
    columns = np.ones((len(exponents), x.shape[0]))
    with np.errstate(all="ignore"):
        raised = {key: x[:, key[0]] ** key[1] for key in {key for one in exponents for key in enumerate(one)} if key[1]}
        for column, exponent in zip(columns, exponents, strict=True):
            for key in enumerate(exponent):
                if key[1]:
                    column *= raised[key]
    return np.ascontiguousarray(columns.T)


def monomial(columns: Sequence[sympy.Symbol], exponent: Powers) -> sympy.Expr:
    """A monomial in sympy.

    Parameters
    ----------
    columns : sequence of sympy.Symbol
        The columns' symbols.
    exponent : tuple of int
        The power of each.
    """
    return sympy.Mul(*(symbol**power for symbol, power in zip(columns, exponent, strict=True)))


def degrees(problem: SearchProblem, *, highest: int = HIGHEST) -> Iterator[tuple[Powers, ...]]:
    """Exponents by growing degree, as long as there are more than two rows for each column.

    With fewer, a polynomial fits whatever it is given: 100 rows of 4 inputs end at degree 3 (35 columns).

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    highest : int
        The largest total degree.
    """
    for degree in range(1, highest + 1):
        if 2 * count(problem.width, degree) >= problem.rows or count(problem.width, degree) > _WIDEST:
            return
        yield powers(problem.width, degree)


def polynomials(problem: SearchProblem) -> Iterator[Template]:
    """The sparse polynomial of the first degree that explains y.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    for exponents in degrees(problem):
        if problem.budget.over():
            return
        template = exact(problem, exponents)
        if template is not None:
            yield template
            return


def _evaluated(problem: SearchProblem, exponents: Sequence[Powers]) -> Float64[np.ndarray, "rows monomials"]:
    """The monomials' values on the rows of a problem."""
    problem.budget.charge("columns", problem.rows * len(exponents))
    return evaluate(problem.x, exponents)


def fallback_polynomial(problem: SearchProblem) -> Template | None:
    """A polynomial for want of a better formula: the sparse one of the best information criterion.

    The criterion is n log(rss) + k log(n).

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    best: tuple[float, tuple[Powers, ...]] | None = None
    for exponents in degrees(problem):
        columns = _evaluated(problem, exponents)
        if len(usable(columns)) < len(exponents) or len(exponents) > _FALLBACK_COLUMNS:
            break
        left = problem.relative(problem.y - columns @ solve(columns, problem.y, budget=problem.budget))
        score = 2 * problem.rows * np.log(max(left, 1e-300)) + len(exponents) * np.log(problem.rows)
        if best is None or score < best[0]:
            best = (float(score), exponents)
    return sparse(problem, best[1]) if best is not None else None


def exact(problem: SearchProblem, exponents: Sequence[Powers]) -> Template | None:
    """The sparse polynomial over some monomials if it explains y, else None.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    exponents : sequence of tuples of int
        The powers of each monomial.
    """
    columns = _evaluated(problem, exponents)
    if len(usable(columns)) < len(exponents):
        return None
    if not problem.explained(problem.y - columns @ solve(columns, problem.y, budget=problem.budget)):
        return None
    return sparse(problem, exponents)


def sparse(problem: SearchProblem, exponents: Sequence[Powers]) -> Template | None:
    """Least squares over the monomials that are needed; None if a column overflows.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    exponents : sequence of tuples of int
        The powers of each monomial.
    """
    columns = _evaluated(problem, exponents)
    if len(usable(columns)) < len(exponents):
        return None
    kept, coefficients = needed(columns, problem.y, explained=problem.explained, budget=problem.budget)
    residual = problem.y - columns[:, kept] @ coefficients
    terms = [monomial(problem.columns, exponents[i]) for i in kept]
    return linear(terms, [float(v) for v in coefficients], error=problem.relative(residual))
