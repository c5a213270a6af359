"""Whether what a formula leaves of its rows is noise: as large, without structure, and no better form beside it."""

from collections.abc import Sequence
from dataclasses import replace
from math import log, log2, sqrt

import numpy as np
import sympy
from jaxtyping import Float64

from .._formula import Formula, Predictor
from .._measured_formula import FEWEST_FOR_NOISE
from .._rows import Rows
from .._searched_rows import distinct, searched_rows
from ..problem._budget import Budget
from ..problem._polynomial import powers
from ..problem._precision import UNKNOWN_PRECISION
from ..problem._search_problem import deviation
from ..problem._smooth import centred, legendre, noise_level
from ..rivals._rivals import rivals
from ..symbolic._open_numbers import skeleton
from ..symbolic._tidy import complexity
from ..verdicts._data_words import Rival
from ..verdicts._stated_errors import chi_square

Matrix = Float64[np.ndarray, "rows inputs"]
Column = Float64[np.ndarray, "rows"]

_FEWEST = 50  # different training rows
_AS_LARGE = 1.1  # times what smooth fits leave
_MOST_LEFT = 0.2  # of y's deviation: more may be a law that few rows do not resolve as well as noise
_UNPREDICTED = 0.985  # share of the residual that smooth fits of it must leave
_FLIPS = 999  # of the signs of a residual
_PATTERN, _ROWS_A_TERM = 3, 10  # degree of the polynomials that a residual may follow, and rows for each of their terms
_SIGNIFICANT = 4.0  # standard errors that a constant without a name must lie from zero
_MARGIN = 10.0  # bits by which the form must be preferred
_MOST_CONSTANTS = 2  # without a name
_SPREAD = 4.0  # standard errors by which the residual may be larger on held-out rows
_FORESEEN = 0.9  # of the residual on held-out rows: a network that leaves less foresees some of it
_EQUAL = 1e-6  # of y's deviation: forms that differ by less on the rows are one
_LEAST = 1e-8  # of y's deviation: less is rounding, or what a series leaves
_WORK = 3.0  # units, for smooth fits of the rows, and of the residual
_NODE = 3.0  # bits


def noise_objections(
    formula: Formula, held: Rows, searched: Rows | None, *, budget: Budget, known: bool = False
) -> list[str]:
    """What speaks against calling the residual of a formula noise; empty where nothing does.

    Parameters
    ----------
    formula : Formula
        A formula that does not meet its rows.
    held : Rows
        The rows held out.
    searched : Rows or None
        The rows that were searched; without them nothing is known of the noise.
    budget : Budget
        Is charged.
    known : bool, default False
        Whether the formula equals a known truth, so that its form is no question.

    Notes
    -----
    Where errors are stated, the residual in units of them is noise if chi-square fits, if smooth fits of it leave
    98.5 % of it, if the residual of all rows follows no polynomial better than sign flips of it do, and if it is as
    large on held-out rows, but for four standard errors. Else the residual is noise if it is less than a fifth of y's
    deviation and at most a tenth larger than the least leave-one-out error of smooth fits, and if the other three hold.
    The form is preferred if each constant without a name is four standard errors from zero, if there are at most two of
    them, and if the description length of every other form of the search is ten bits more. One that differs in its
    numbers alone is no other form; one that is longer and leaves no less is not looked at.
    Of a fifth or more nothing is said: few rows resolve a law of kinks and high powers no better.
    """
    few = formula.distinct_rows < _FEWEST or len(held.y) < FEWEST_FOR_NOISE
    if searched is None or few or not formula.variables:
        return ["too few rows to know the noise"]
    some = searched_rows(len(searched.y), 0)
    x, y = searched.x[some], searched.y[some]
    with np.errstate(all="ignore"):
        residual, beyond = y - formula.predict(x), held.y - formula.predict(held.x)
    if not (np.all(np.isfinite(residual)) and np.all(np.isfinite(beyond))):
        return ["the formula is not real on every row"]
    if searched.sigma is None or held.sigma is None:
        found = _of_residual(x, y, held.x, residual, beyond, budget)
    else:
        sigma = searched.sigma[some]
        tested = chi_square(residual, sigma, constants=len(formula.constants))
        found = [] if tested.fits else [tested.words()]
        found += _structure(x, held.x, residual / sigma, beyond / held.sigma, budget)
    return found if known else found + _of_form(formula, x, deviation(y))


def foreseen(formula: Formula, network: Predictor, held: Rows) -> list[str]:
    """What a network knows of the residual of a formula: nothing foresees noise.

    Parameters
    ----------
    formula : Formula
        A formula that does not meet its rows.
    network : callable
        A network of the same output, from [rows, inputs] to [rows].
    held : Rows
        The rows held out.

    Returns
    -------
    list of str
        One objection where the network leaves less than 90 % of what the formula leaves on held-out rows; else none.
    """
    with np.errstate(all="ignore"):
        left = float(np.sqrt(np.mean((held.y - formula.predict(held.x)) ** 2))) if len(held.y) else 0.0
    if len(held.y) < FEWEST_FOR_NOISE or not left > 0:
        return []
    missed = held.y - np.asarray(network(held.x), dtype=np.float64).reshape(len(held.x))
    share = float(np.sqrt(np.mean(missed**2))) / left
    if share >= _FORESEEN:
        return []
    return [f"the network leaves {share:.2g} of what the formula leaves of held-out rows, so that is no noise"]


def same_on_rows(
    formula: Formula, x: Matrix, ranges: Sequence[tuple[float, float]], *, budget: Budget, seed: int
) -> tuple[Rival, ...]:
    """Rivals that give the same as a formula on every row, so that no noise tells them apart, and are about as short.

    Parameters
    ----------
    formula : Formula
        What is within noise.
    x : array of shape [rows, inputs]
        The rows.
    ranges : sequence of (float, float)
        The least and the largest value of each input.
    budget : Budget
        Is charged.
    seed : int
        Of the search for rivals.
    """
    rows = Rows(x, formula.predict(x))
    found = rivals(
        formula.expression, formula.inputs, rows, precision=UNKNOWN_PRECISION, ranges=ranges, budget=budget, seed=seed
    )
    own = _form_bits(formula.expression, formula.complexity, len(x))
    return tuple(one for one in found if _form_bits(one.expression, complexity(one.expression), len(x)) < own + _MARGIN)


def _of_residual(
    x: Matrix,
    y: Column,
    x_test: Float64[np.ndarray, "held inputs"],
    residual: Column,
    held: Float64[np.ndarray, "held"],
    budget: Budget,
) -> list[str]:
    """What speaks against a residual being noise."""
    unit, left = deviation(y), float(np.sqrt(np.mean(residual**2)))
    if left < _LEAST * unit:
        return ["the residual is too small for noise"]
    found = []
    level = noise_level(x[:, list(distinct(x))], y, budget=budget.apart(_WORK))
    if left > _AS_LARGE * level * unit:
        found.append(f"smooth fits leave {level:.1e} of y's deviation, the formula {left / unit:.1e}")
    if left >= _MOST_LEFT * unit:
        found.append(f"{left / unit:.0%} of y's deviation are left, which may be a law that these rows do not resolve")
    return found + _structure(x, x_test, residual, held, budget)


def _structure(
    x: Matrix,
    x_test: Float64[np.ndarray, "held inputs"],
    residual: Column,
    held: Float64[np.ndarray, "held"],
    budget: Budget,
) -> list[str]:
    """What can be predicted of a residual, and by how much more other rows are missed."""
    kept, found = list(distinct(x)), []
    columns = x[:, kept]
    left, beyond = (float(np.sqrt(np.mean(part**2))) for part in (residual, held))
    structure = noise_level(columns, residual, budget=budget.apart(_WORK))
    if structure < _UNPREDICTED:
        found.append(f"smooth fits explain {1 - structure**2:.0%} of the residual")
    elif (degree := _pattern(np.concatenate([columns, x_test[:, kept]]), np.concatenate([residual, held]), budget)) > 0:
        found.append(
            f"the residual of all rows follows a polynomial of degree {degree} better than chance would have it"
        )
    if beyond > left * (1 + _SPREAD * sqrt(0.5 / len(held) + 0.5 / len(residual))):
        found.append(f"the residual is {beyond / left:.2f} times as large on held-out rows")
    return found


def _pattern(x: Float64[np.ndarray, "all columns"], residual: Float64[np.ndarray, "all"], budget: Budget) -> int:
    """The degree of a polynomial that the residual of all rows follows better than any of 999 sign flips; 0 if none.

    Noise keeps its distribution if the signs of some of its rows are flipped, however its size changes from row to row
    (the wild bootstrap of Wu, Annals of Statistics 14, 1986).
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (len(residual), _FLIPS))
    for degree in range(1, _PATTERN + 1):
        exponents = powers(x.shape[1], degree)
        if _ROWS_A_TERM * len(exponents) > len(residual):
            break
        q = np.linalg.qr(legendre(centred(x), exponents))[0]
        budget.charge("decompose", len(residual) * len(exponents) * (len(exponents) + _FLIPS))
        flipped = np.sum((q.T @ (signs * residual[:, None])) ** 2, axis=0)
        if float(np.sum((q.T @ residual) ** 2)) > float(np.max(flipped)):
            return degree
    return 0


def _of_form(formula: Formula, x: Matrix, unit: float) -> list[str]:
    """What speaks against preferring the form to every other that the search found."""
    found = []
    if formula.unexplained > _MOST_CONSTANTS:
        found.append(f"{formula.unexplained} constants have no simple name")
    if any(c.exact is None and not abs(c.value) > _SIGNIFICANT * c.error for c in formula.constants):
        found.append("a constant may be zero")
    own = _bits(formula.expression, formula.complexity, formula.residual, formula.rows)
    form = skeleton(formula.expression)
    beside = [one for one in formula.runners_up if one.complexity <= formula.complexity]
    for entry in [*(one for one in formula.pareto_front if one.searched), *beside]:
        if skeleton(entry.expression) == form:
            continue  # the form itself, with other numbers
        with np.errstate(all="ignore"):
            apart = np.abs(replace(formula, expression=entry.expression).predict(x) - formula.predict(x))
        ahead = _bits(entry.expression, entry.complexity, entry.error, formula.rows) - own
        if ahead < _MARGIN and not np.max(apart) <= _EQUAL * unit:
            found.append(f"{entry.expression} is preferred, or only {max(ahead, 0):.0f} bits longer")
            break
    return found


def _bits(expression: sympy.Expr, size: int, error: float, rows: int) -> float:
    """The description length of a form and of the rows given it; each decimal takes half of log2(rows) bits."""
    return rows * log(max(error, 1e-12)) / log(2) + _form_bits(expression, size, rows)


def _form_bits(expression: sympy.Expr, size: int, rows: int) -> float:
    """The description length of a form alone."""
    return _NODE * size + 0.5 * log2(max(rows, 2)) * len(expression.atoms(sympy.Float))
