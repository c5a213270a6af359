"""Products of powers and a wave of one input, which no logarithm shows: their sign changes, and noise hides zeros."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._monomials import expression
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant

Rows = Float64[np.ndarray, "rows"]
Table = Float64[np.ndarray, "products _"]

_ROWS = 300  # on which products are compared
_POWERS = ((3, (0, 1, -1, 2, -2, 3, -3)), (4, (0, 1, -1, 2, -2)), (6, (0, 1, -1)))  # for so many other inputs at most
_LEFT = 0.5  # of y's size: what leaves more is no product
_GIVEN = 3  # products for each input of the wave
_PERIODS = (2, 60)  # of a wave over the range of its input: less of one looks like any curve
_STEPS = 4  # frequencies for each more period
_PURE = 0.5  # sine of a phase that may be none, as the best frequency of the grid is not that of the wave
_NODE = 3.0  # bits
_SHARE = 0.1  # of the time


def wave_products(problem: SearchProblem) -> Iterator[Template]:
    """Templates a m w(x_j), m a product of powers of the other inputs, w = sin, cos, their squares or product, or 1.

    All powers are tried, and held against y itself. Then waves of other frequencies and phases, m sin(v x_j + c), for
    each frequency v of a fine grid.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    budget = problem.budget.share(_SHARE)
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    few = replace(problem.some(some), budget=budget)
    choices = next((powers for most, powers in _POWERS if problem.width - 1 <= most), None)
    if choices is None or not problem.width or not np.any(few.y):
        return
    for column in range(problem.width):
        if budget.over():
            return
        yield from _of_column(few, column, choices)


def _of_column(problem: SearchProblem, column: int, choices: tuple[int, ...]) -> Iterator[Template]:
    """The products of the shortest description with a wave of one input."""
    y, u, s = problem.y, problem.x[:, column], problem.columns[column]
    others, exponents, monomials = _monomials(problem, column, choices)
    waves = [
        (sympy.sin(s), np.sin(u)),
        (sympy.cos(s), np.cos(u)),
        (sympy.sin(s) * sympy.cos(s), np.sin(u) * np.cos(u)),
        (sympy.sin(s) ** 2, np.sin(u) ** 2),
        (sympy.cos(s) ** 2, np.cos(u) ** 2),
    ]
    if column == 0 and np.all(u != 0):  # a product without a wave
        waves += [(s**power, u ** float(power)) for power in choices]
    found: list[tuple[float, float, float, np.ndarray, sympy.Expr]] = []
    for wave, values in waves:
        columns = monomials * values
        problem.budget.charge("pool", columns.size)
        with np.errstate(all="ignore"):
            scales = (columns @ y) / np.sum(columns**2, axis=1)
            errors = np.sqrt(np.maximum(1 - scales * (columns @ y) / (y @ y), 0.0))
        for k in np.argsort(np.where(np.isfinite(errors), errors, np.inf))[:_GIVEN]:
            if errors[k] < _LEFT:
                bits = len(y) * np.log2(max(errors[k], 1e-9)) + _NODE * np.sum(np.abs(exponents[k]) > 0)
                found.append((float(bits), float(scales[k]), float(errors[k]), exponents[k], wave))
    for _, scale, error, powers, wave in sorted(found, key=lambda one: one[0])[:_GIVEN]:
        level = constant()
        yield Template(level * _product(problem, others, powers) * wave, {level: scale}, error)
    yield from _of_other_frequencies(problem, column, choices)


def _of_other_frequencies(problem: SearchProblem, column: int, choices: tuple[int, ...]) -> Iterator[Template]:
    """The products with a wave of one input whose frequency is looked for, each with its best frequency."""
    span, few = np.ptp(problem.x[:, column]), problem.some(np.arange(0, problem.rows, 2))
    if not span:
        return
    y, u, s = few.y, few.x[:, column], few.columns[column]
    others, exponents, monomials = _monomials(few, column, choices)
    least, most = (_STEPS * periods for periods in _PERIODS)
    frequencies = np.arange(least, most + 1) * 2 * np.pi / (_STEPS * span)
    problem.budget.charge("compare", 0.6 * monomials.size * len(frequencies))
    sine, cosine = (wave(np.outer(u, frequencies)) for wave in (np.sin, np.cos))
    with np.errstate(all="ignore"):
        weights = monomials**2
        ss, sc, cc = weights @ sine**2, weights @ (sine * cosine), weights @ cosine**2
        ys, yc = (monomials * y) @ sine, (monomials * y) @ cosine
        determinant = ss * cc - sc**2
        a, b = (ys * cc - yc * sc) / determinant, (yc * ss - ys * sc) / determinant
        errors = np.sqrt(np.maximum(1 - (a * ys + b * yc) / (y @ y), 0.0))
    errors = np.where(np.isfinite(errors) & (determinant > 1e-9 * ss * cc), errors, np.inf)
    best = np.argmin(errors, axis=1)
    each = np.arange(len(exponents))
    bits = len(y) * np.log2(np.maximum(errors[each, best], 1e-9)) + _NODE * np.sum(np.abs(exponents) > 0, axis=1)
    for k in np.argsort(bits)[:_GIVEN]:
        error, at = float(errors[k, best[k]]), (k, best[k])
        if error >= _LEFT:
            continue
        level, speed, phase = constant(), constant(), constant()
        size, late = float(np.hypot(a[at], b[at])), float(np.arctan2(b[at], a[at]))  # of size sin(v x + late)
        wave, late = (sympy.sin, late) if abs(a[at]) > abs(b[at]) else (sympy.cos, late - np.pi / 2)
        start, powers = {level: size, speed: float(frequencies[best[k]])}, _product(problem, others, exponents[k])
        if abs(np.sin(late)) < _PURE:
            straight = start | {level: size * float(np.sign(np.cos(late)))}
            yield Template(level * powers * wave(speed * s), straight, error)
        yield Template(level * powers * wave(speed * s + phase), start | {phase: late}, error)


def _monomials(problem: SearchProblem, column: int, choices: tuple[int, ...]) -> tuple[list[int], Table, Table]:
    """The other inputs, the exponents of each product of their powers, and its values."""
    x = problem.x
    others = [i for i in range(problem.width) if i != column and np.all(x[:, i] != 0)]
    exponents = np.array(list(product(choices, repeat=len(others))), dtype=np.float64)
    with np.errstate(all="ignore"):
        sizes = np.exp(exponents @ np.log(np.abs(x[:, others])).T)
        signs = np.prod(np.where(exponents[:, None, :] % 2 == 1, np.sign(x[:, others]), 1.0), axis=2)
    return others, exponents, sizes * signs


def _product(problem: SearchProblem, others: list[int], powers: Float64[np.ndarray, "powers"]) -> sympy.Expr:
    """A product of powers of inputs as an expression."""
    every = [Fraction(0)] * problem.width
    for i, power in zip(others, powers, strict=True):
        every[i] = Fraction(int(power))
    return expression(problem.columns, tuple(every))
