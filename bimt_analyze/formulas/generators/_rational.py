"""Quotients of polynomials: the null vector of [monomials, -y*monomials]."""

from collections.abc import Iterator

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._budget import Budget
from ..problem._least_squares import lengths, needed, solve, usable
from ..problem._polynomial import count, evaluate, monomial, powers
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant

_HIGHEST, _HIGHEST_OF_FEW = 4, 5  # degree of numerator and denominator, and that of two columns at most
_WIDEST = 60  # columns, beyond which a decomposition for each column that may leave is slow
_ROOM = 5.0  # times what rounding leaves: the largest residual with which terms leave
_ROUNDS = 3  # of fits to rounded rows
_NULL = 1e-12  # singular value over the largest, below which columns are dependent
_NULL_APPROXIMATE = 0.3  # times the tolerance, for approximate rows


def rationals(problem: SearchProblem, *, highest: int | None = None) -> Iterator[Template]:
    """The quotient p(x) / q(x) of the lowest degrees that explain y.

    p(x) - y q(x) = 0 is linear in the coefficients of p and q. Columns leave while a null vector remains, so
    that a common factor of p and q cannot hide; more than two rows for each column are required throughout.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    highest : int, optional
        The largest degree of p and of q; 4 if left out, and 5 of two columns.
    """
    if highest is None:
        highest = _HIGHEST_OF_FEW if problem.width <= 2 else _HIGHEST
    if problem.row_weights is not None:
        yield from _coarse(problem, highest)
        return
    none = max((d for d in range(1, highest + 1) if _affordable(problem, d, d)), default=0)
    if none:  # a quotient of lower degrees is one of these degrees too
        columns = _columns(problem, none, none)
        if columns is None or _null_vector(columns, _limit(problem), problem.budget, fewest=False) is not None:
            none = 0
    degrees = [(p, q) for p in range(highest + 1) for q in range(1, highest + 1) if max(p, q) > none]
    for above, below in sorted(degrees, key=lambda pair: (sum(pair), pair[1])):
        if problem.budget.over():
            return
        if not _affordable(problem, above, below):
            continue
        columns = _columns(problem, above, below)
        if columns is None:
            return
        found = _null_vector(columns, _limit(problem), problem.budget)
        if found is None:
            continue
        size = columns.shape[1]
        top, bottom = powers(problem.width, above), powers(problem.width, below)
        vector = np.zeros(size)
        vector[found[0]] = found[1]
        template = _form(problem, vector[: len(top)], vector[len(top) :], top, bottom)
        if template is not None:
            yield template
            return


def _coarse(problem: SearchProblem, highest: int) -> Iterator[Template]:
    """The first quotient that explains rounded rows.

    p(x) - y q(x) errs by the rounding of y times q(x), so each row is divided by the q of the fit before, from q = 1 on
    (Sanathanan and Koerner's iteration).
    """
    degrees = [(p, q) for p in range(highest + 1) for q in range(1, highest + 1)]
    for above, below in sorted(degrees, key=lambda pair: (sum(pair), pair[1])):
        if problem.budget.over():
            return
        if not _affordable(problem, above, below):
            continue
        columns = _columns(problem, above, below)
        if columns is None:
            return
        top, bottom = powers(problem.width, above), powers(problem.width, below)
        template = _reweighted(problem, columns, top, bottom)
        if template is not None:
            yield template
            return


def _reweighted(
    problem: SearchProblem,
    columns: Float64[np.ndarray, "rows columns"],
    top: tuple[tuple[int, ...], ...],
    bottom: tuple[tuple[int, ...], ...],
) -> Template | None:
    """The quotient of these monomials with as few of them as explain rounded rows; None where none explains them."""
    assert problem.weights is not None
    upper, lower, many = evaluate(problem.x, top), evaluate(problem.x, bottom), len(top)
    q, vector = np.ones(problem.rows), np.zeros(columns.shape[1])
    for _ in range(_ROUNDS):
        scale = problem.weights / np.maximum(np.abs(q), 1e-9 * np.max(np.abs(q)))
        vector = _unbiased(upper * scale[:, None], lower * scale[:, None], problem.y, problem.budget)
        q = lower @ vector[many:]
    if not np.all(np.isfinite(vector)) or np.min(np.abs(q)) == 0:
        return None
    pivot = int(np.argmax(np.abs(vector[many:]) * lengths(columns)[many:]))  # the term whose coefficient is 1
    q, seen = q / vector[many + pivot], upper @ vector[:many] / q
    # the values of the fit take the place of the rounded y beside q: Gauss and Newton's step, which lets terms go
    scale = problem.weights / q
    others = np.delete(np.arange(columns.shape[1]), many + pivot)
    kept, coefficients = needed(
        (np.column_stack([upper, -seen[:, None] * lower]) * scale[:, None])[:, others],
        ((problem.y - seen) * q + seen * lower[:, pivot]) * scale,
        explained=lambda r: bool(np.all(np.abs(r) <= _ROOM * problem.floor)),
        budget=problem.budget,
    )
    vector = np.zeros(columns.shape[1])
    vector[many + pivot], vector[others[kept]] = 1.0, coefficients
    template = _form(problem, vector[:many], vector[many:], top, bottom)
    near = template is not None and template.error * problem.unit <= 2 * problem.floor
    return template if near else None


def _unbiased(
    upper: Float64[np.ndarray, "rows top"],
    lower: Float64[np.ndarray, "rows bottom"],
    y: Float64[np.ndarray, "rows"],
    budget: Budget,
) -> Float64[np.ndarray, "columns"]:
    """The p and q that make p - y q least against q itself, by which y's rounding enters (total least squares)."""
    basis, beside = np.linalg.qr(upper)[0], lower * y[:, None]
    own = np.linalg.qr(lower, mode="r")
    left = (beside - basis @ (basis.T @ beside)) @ np.linalg.pinv(own)
    budget.charge("decompose", upper.shape[0] * (upper.shape[1] + lower.shape[1]) ** 2, calls=3)
    below = np.linalg.pinv(own) @ np.linalg.svd(left, full_matrices=False)[2][-1]
    return np.concatenate([solve(upper, beside @ below, budget=budget), below])


def _affordable(problem: SearchProblem, above: int, below: int) -> bool:
    """Whether there are rows for a quotient of such degrees, and few columns."""
    size = count(problem.width, above) + count(problem.width, below)
    return 2 * size < problem.rows and size <= _WIDEST


def _columns(problem: SearchProblem, above: int, below: int) -> Float64[np.ndarray, "rows columns"] | None:
    """The monomials of p, and those of q times -y; None where a power of an input is none of use."""
    upper = evaluate(problem.x, powers(problem.width, above))
    lower = evaluate(problem.x, powers(problem.width, below))
    if len(usable(upper)) + len(usable(lower)) < upper.shape[1] + lower.shape[1]:
        return None
    columns = np.column_stack([upper, -problem.y[:, None] * lower])
    problem.budget.charge("columns", 4 * columns.size, calls=3)
    return columns


def _limit(problem: SearchProblem) -> float:
    """The singular value, over the largest, that counts as none."""
    return max(_NULL, _NULL_APPROXIMATE * problem.tolerance)


def _null_vector(
    columns: Float64[np.ndarray, "rows columns"], limit: float, budget: Budget, *, fewest: bool = True
) -> tuple[list[int], Float64[np.ndarray, "kept"]] | None:
    """The columns that cannot be missed for a dependency, and its coefficients; None if columns are independent."""
    if not np.all(np.isfinite(columns)) or not np.all(columns.any(axis=0)):
        return None
    size = lengths(columns)
    scaled = np.asarray(np.linalg.qr(columns / size, mode="r"))
    kept = list(range(columns.shape[1]))
    budget.charge("decompose", columns.size * columns.shape[1])
    vector = _smallest(scaled, limit, budget)
    if vector is None:
        return None
    refused: set[int] = set()
    while fewest:
        for place in np.argsort(np.abs(vector)):
            if kept[place] in refused or len(kept) < 3:
                continue
            fewer = kept[:place] + kept[place + 1 :]
            less = _smallest(scaled[:, fewer], limit, budget)
            if less is not None:
                kept, vector = fewer, less
                break
            refused.add(kept[place])
        else:
            break
    return kept, vector / size[kept]


def _smallest(
    columns: Float64[np.ndarray, "any columns"], limit: float, budget: Budget
) -> Float64[np.ndarray, "columns"] | None:
    """The last right singular vector, if its singular value is near enough to zero."""
    budget.charge("solve", columns.size * columns.shape[1])
    try:
        values, right = np.linalg.svd(columns, full_matrices=False)[1:]
    except np.linalg.LinAlgError:  # columns over hundreds of decades
        return None
    return np.asarray(right[-1]) if values[-1] <= limit * values[0] else None


def _form(
    problem: SearchProblem,
    above: Float64[np.ndarray, "top"],
    below: Float64[np.ndarray, "bottom"],
    top: tuple[tuple[int, ...], ...],
    bottom: tuple[tuple[int, ...], ...],
) -> Template | None:
    """The quotient, scaled so that the denominator's largest coefficient is 1."""
    if not np.any(above) or not np.any(below):
        return None
    pivot = int(np.argmax(np.abs(below)))
    above, below = above / below[pivot], below / below[pivot]
    with np.errstate(all="ignore"):
        value = (evaluate(problem.x, top) @ above) / (evaluate(problem.x, bottom) @ below)
    start: dict[sympy.Dummy, float] = {}

    def side(
        values: Float64[np.ndarray, "monomials"], exponents: tuple[tuple[int, ...], ...], fixed: int
    ) -> sympy.Expr:
        expression = sympy.Integer(0)
        for place in np.flatnonzero(values):
            term = monomial(problem.columns, exponents[place])
            if place != fixed:
                c = constant()
                start[c] = float(values[place])
                term *= c
            expression += term
        return expression

    expression = side(above, top, -1) / side(below, bottom, pivot)
    return Template(expression, start, problem.relative(problem.residual(value)))
