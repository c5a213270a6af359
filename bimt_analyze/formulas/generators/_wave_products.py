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

_ROWS = 300  # on which products are compared
_POWERS = ((3, (0, 1, -1, 2, -2, 3, -3)), (4, (0, 1, -1, 2, -2)), (6, (0, 1, -1)))  # for so many other inputs at most
_LEFT = 0.5  # of y's size: what leaves more is no product
_GIVEN = 3  # products for each input of the wave
_NODE = 3.0  # bits
_SHARE = 0.1  # of the time


def wave_products(problem: SearchProblem) -> Iterator[Template]:
    """Templates a m w(x_j), m a product of powers of the other inputs, w = sin, cos, their squares or product, or 1.

    All powers are tried, and held against y itself.

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
    x, y = problem.x, problem.y
    others = [i for i in range(problem.width) if i != column and np.all(x[:, i] != 0)]
    exponents = np.array(list(product(choices, repeat=len(others))), dtype=np.float64)
    with np.errstate(all="ignore"):
        sizes = np.exp(exponents @ np.log(np.abs(x[:, others])).T)
        signs = np.prod(np.where(exponents[:, None, :] % 2 == 1, np.sign(x[:, others]), 1.0), axis=2)
    u, s = x[:, column], problem.columns[column]
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
        columns = sizes * signs * values
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
        every = [Fraction(0)] * problem.width
        for i, power in zip(others, powers, strict=True):
            every[i] = Fraction(int(power))
        yield Template(level * expression(problem.columns, tuple(every)) * wave, {level: scale}, error)
