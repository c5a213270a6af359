"""Polynomials of all inputs but one, whose coefficients are functions of that one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import product

import numpy as np
from jaxtyping import Float64

from ...curves._curve_shapes import curve_shapes
from ...problem._inner import single
from ...problem._polynomial import Powers, evaluate, monomial, powers
from ...problem._search_problem import SearchProblem
from ...problem._template import Template, constant, total
from ...problem._template import product as times
from ._similarity import left_out_error, series

Rows = Float64[np.ndarray, "rows"]

_DEGREES = (1, 2, 3)  # of the polynomial
_SERIES = 24  # degree of the series that stand for the coefficients, as far as there are three rows a column
_SEEN = 1e-3  # of y that series leave, above which there is no such form
_NOTHING = 10.0  # times what the series leave: a term that is smaller is none
_SHAPES = 3  # tried of each coefficient
_JOINED = 6  # choices of shapes for all coefficients, the best by rank
_WORSE = 1.0  # decades by which a coefficient is named worse than the best one
_MOST_TERMS = 7
_SHARE = 0.25  # of the time


@dataclass(frozen=True)
class _Split:
    """One input, the powers of the others, and what series leave of y."""

    error: float
    varying: int
    exponents: tuple[Powers, ...]
    degree: int


def varying_coefficients(problem: SearchProblem) -> Iterator[Template]:
    """Templates sum m_k(others) F_k(u) of monomials m_k, where u is one input and each F_k a function of it.

    The model is that of varying coefficients [1]_. Each F_k is a series first; those that are needed are then named.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.

    References
    ----------
    .. [1] T. Hastie and R. Tibshirani, "Varying-coefficient models", Journal of the Royal Statistical Society B 55,
       1993.
    """
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    if problem.width < 2:
        return
    for degree in _DEGREES:
        splits = [split for i in range(problem.width) if (split := _split(problem, i, degree)) is not None]
        for split in sorted(splits, key=lambda split: split.error):
            yield from _named(problem, split)
        if splits or problem.budget.over():
            return


def _split(problem: SearchProblem, varying: int, degree: int) -> _Split | None:
    """A polynomial of this degree with coefficients that vary with one input; None where it leaves too much."""
    others = [i for i in range(problem.width) if i != varying]
    exponents = powers(len(others), degree)
    most = min(_SERIES, problem.rows // (3 * len(exponents)) - 1)
    if most < 4 or problem.budget.over():
        return None
    error = left_out_error(_basis(problem, varying, exponents, most), problem.y, budget=problem.budget) / problem.unit
    return _Split(error, varying, exponents, most) if error < _SEEN else None


def _factors(problem: SearchProblem, varying: int, exponents: tuple[Powers, ...]) -> Float64[np.ndarray, "rows terms"]:
    others = [i for i in range(problem.width) if i != varying]
    return evaluate(problem.x[:, others], exponents)


def _basis(
    problem: SearchProblem, varying: int, exponents: tuple[Powers, ...], degree: int
) -> Float64[np.ndarray, "rows columns"]:
    """Every monomial times every term of the series, the terms of one monomial together."""
    factors, along = _factors(problem, varying, exponents), series(problem.x[:, varying], degree)
    return np.asarray((factors[:, :, None] * along[:, None, :]).reshape(problem.rows, -1))


def _named(problem: SearchProblem, split: _Split) -> Iterator[Template]:
    """The series of one split, those of no size left out, written as functions."""
    kept = split.exponents
    for _ in range(2):  # the second fit has the needed terms alone, and so is sharper
        basis = _basis(problem, split.varying, kept, split.degree)
        coefficients = np.linalg.lstsq(basis, problem.y, rcond=1e-13)[0].reshape(len(kept), -1)
        problem.budget.charge("solve", problem.rows * basis.shape[1] ** 2)
        values = series(problem.x[:, split.varying], split.degree) @ coefficients.T
        sizes = np.sqrt(np.mean((values * _factors(problem, split.varying, kept)) ** 2, axis=0)) / problem.unit
        needed = np.flatnonzero(sizes > _NOTHING * split.error)
        if not 0 < len(needed) <= _MOST_TERMS:
            return
        kept = tuple(kept[k] for k in needed)
    values, sizes = values[:, needed], sizes[needed]
    others = [column for i, column in enumerate(problem.columns) if i != split.varying]
    tolerances = [max(split.error / float(size), problem.tolerance, 1e-9) for size in sizes]
    options = _options(problem, split.varying, values, tolerances)
    joins = ((sum(o[0] for o in chosen), [o[1] for o in chosen]) for chosen in product(*options))
    for _, chosen in nsmallest(_JOINED, joins, key=lambda pair: pair[0]):
        problem.budget.charge("build")
        terms = [times([one, Template(monomial(others, e), {})]) for one, e in zip(chosen, kept, strict=True)]
        yield replace(total(terms, None), error=split.error)


def _options(
    problem: SearchProblem, varying: int, values: Float64[np.ndarray, "rows terms"], tolerances: list[float]
) -> list[list[tuple[float, Template]]]:
    """Templates of all coefficients with their ranks; some as products with the one that is named best."""
    many = range(len(tolerances))
    options = [_coefficient(problem, varying, values[:, k], tolerances[k]) for k in many]
    vary = [k for k in many if options[k] and options[k][0][1].expression.free_symbols & {*problem.columns}]
    best = min(vary, key=lambda k: options[k][0][0], default=None)
    if best is None or np.any(values[:, best] == 0):
        return options
    rank, named = options[best][0]
    for k in vary:
        if k != best and options[k][0][0] > rank + _WORSE:
            ratio = _coefficient(problem, varying, values[:, k] / values[:, best], tolerances[k])
            options[k] += [(one, times([template, named])) for one, template in ratio]
    return options


def _coefficient(problem: SearchProblem, varying: int, values: Rows, tolerance: float) -> list[tuple[float, Template]]:
    """Templates of one coefficient with their ranks: a constant where it does not vary."""
    size = float(np.sqrt(np.mean(values**2)))
    if float(np.std(values)) <= _NOTHING * tolerance * size:
        c = constant()
        return [(0.0, Template(c, {c: float(np.mean(values))}))]
    tolerance *= size / float(np.std(values))
    inner = single(problem, varying)
    found = curve_shapes(inner, values, tolerance=tolerance, budget=problem.budget, most=_SHAPES)
    return [(shape.rank(tolerance), shape.whole()) for shape in found]
