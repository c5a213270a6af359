"""Products of powers of simple factors: sums, once logarithms are taken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, permutations
from math import log2

import numpy as np
import sympy
from jaxtyping import Float64, Int
from numpy.typing import NDArray

from ..problem._budget import Budget
from ..problem._least_squares import lengths, needed, solve
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant, numeric
from ..symbolic._tidy import complexity

Matrix = Float64[np.ndarray, "rows columns"]

_UNSEEN = 3.0  # times its rounding: where |y| is less, its logarithm says little
_ROOTS = 6  # the largest denominator of an exponent
_LONGEST = 12  # factors in a product
_WIDEST = 160  # factors tried at once
_CLOSE = 10.0  # times what rounding leaves: products that leave more are none
_BETTER = 0.7  # of what fewer factors leave: so little must be left by more
_ADDED = 3  # factors that are no inputs, in a product of coarse rows
_HIGHEST = 12.0  # power: a higher one stands in for another function
_GIVEN = 2  # products of each kind that are given for rounded rows
_BIAS = 0.1  # how far rounding may bias a power, by the logarithms of small y
_ERRORS = 5.0  # standard errors within which a power is a simple fraction


@dataclass(frozen=True)
class Factor:
    """One factor of a product.

    Attributes
    ----------
    base : sympy.Expr
        What is raised to a power, or what the exponential is of.
    values : array of shape [rows]
        log|base|, or the exponent itself where ``exponential``.
    sign : int
        Of the base over the rows; 0 where it changes.
    exponential : bool
        Whether the factor is exp(rate * base).
    """

    base: sympy.Expr
    values: Float64[np.ndarray, "rows"]
    sign: int  # of the base over the rows; 0 where it changes
    exponential: bool = False


def products_of_powers(problem: SearchProblem) -> Iterator[Template]:
    """The template A * product of factor**power, by least squares on log|y|.

    Factors: inputs; then also their sums and differences, or exponentials of x, x**2 and z*log(x), or 1 + x, 1 - x,
    1 + x**2, sines and cosines; then all of these. Rows where y is zero say nothing here and are left out; the whole
    template is checked on all rows later.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    kept = np.flatnonzero(problem.y)
    if len(kept) < max(0.8 * problem.rows, 4):
        return
    inputs, *others = _factors(problem.x[kept], problem.columns)
    target = np.log(np.abs(problem.y[kept]))
    size = max(float(np.std(target)), 1e-12)
    problem.budget.charge("columns", len(kept) * (len(inputs) + sum(map(len, others))), calls=8 * problem.width**2)
    if problem.row_weights is not None:
        yield from _of_rounded(problem, kept, target, inputs, others)
        return
    best, tolerance = np.inf, max(1e-10, problem.tolerance)
    close = max(1e-6, _CLOSE * problem.tolerance)

    def explained(r: NDArray[np.float64]) -> bool:
        return bool(np.all(np.abs(r) <= 3 * tolerance))

    for more in ([], *others, [factor for group in others for factor in group]):
        if problem.budget.over():
            return
        options, columns = _columns([*inputs, *more], np.full(len(kept), 1 / size))
        if not _few(columns.shape[1], len(kept)):
            most = min(_LONGEST, len(kept) // 4)
            places = pursuit(columns, target / size, limit=most, stop=tolerance, budget=problem.budget)
            options, columns = [options[place] for place in places], columns[:, places]
        found = _solved(options, columns, target / size, explained, close, problem.budget)
        if found is not None and found.error < _BETTER * best:
            yield _form(problem, found)
            best = found.error
            if not problem.tolerance or explained(found.residual):
                return


def _of_rounded(
    problem: SearchProblem,
    kept: Int[np.ndarray, "kept"],
    target: Float64[np.ndarray, "kept"],
    inputs: list[Factor],
    others: list[list[Factor]],
) -> Iterator[Template]:
    """Products of the inputs and a few of the other factors, those of the shortest description.

    A pursuit adds other factors to the inputs one by one, and factors leave by the information criterion: rounding
    hides which of many factors that are nearly alike has to stay. The logarithm of y that is hardly more than its
    rounding says little, and biases the powers.
    """
    assert problem.row_weights is not None
    size, known = np.abs(problem.y[kept]), problem.row_weights[kept]
    weights = known * size**2 / np.hypot(size, _UNSEEN * problem.floor / known)
    begin = 1 + len(inputs)
    best = np.inf
    for more in ([], *others):
        options, columns = _columns([*inputs, *more], weights)
        if problem.budget.over() or not _few(begin + _ADDED, len(kept)):
            return
        products = []
        for added in range(1, min(_ADDED, len(more)) + 1) if more else (0,):
            places = pursuit(
                columns, target * weights, limit=begin + added, stop=0.0, budget=problem.budget, begin=begin
            )
            chosen, some = [options[place] for place in places], columns[:, places]
            found = _solved(chosen, some, target * weights, lambda _: False, _CLOSE * problem.floor, problem.budget)
            if found is not None and found.error < _BETTER * best:
                products.append(found)
        for found in sorted(products, key=lambda one: _length(one, problem.floor))[:_GIVEN]:
            yield _form(problem, found, nearest=_BIAS)
            yield _form(problem, found)
        best = min([best, *(found.error for found in products)])
        if any(problem.explained(found.residual) for found in products):
            return


@dataclass(frozen=True)
class _Product:
    """Factors (None: the constant) with their powers, the powers' standard errors, and what they leave of log|y|."""

    factors: list[Factor | None]
    powers: Float64[np.ndarray, "kept"]
    errors: Float64[np.ndarray, "kept"]
    residual: Float64[np.ndarray, "rows"]

    @property
    def error(self) -> float:
        """Root mean square of the residual."""
        return float(np.sqrt(np.mean(self.residual**2)))


def _columns(factors: list[Factor], weights: Float64[np.ndarray, "rows"]) -> tuple[list[Factor | None], Matrix]:
    """The constant and the factors, and their weighted columns."""
    columns = np.column_stack([np.ones(len(weights)), *(factor.values for factor in factors)])
    return [None, *factors], columns * weights[:, None]


def _solved(
    options: list[Factor | None],
    columns: Matrix,
    target: Float64[np.ndarray, "rows"],
    explained: Callable[[NDArray[np.float64]], bool],
    close: float,
    budget: Budget,
) -> _Product | None:
    """The factors that log|y| needs; None if they do not come ``close``."""
    residual = target - columns @ solve(columns, target, budget=budget)
    if not float(np.sqrt(np.mean(residual**2))) < close:
        return None
    kept, powers = needed(columns, target, explained=explained, budget=budget)
    found = _Product([options[int(place)] for place in kept], powers, powers, target - columns[:, kept] @ powers)
    if not found.error < close or np.max(np.abs(powers[kept > 0]), initial=0.0) > _HIGHEST:
        return None
    size = lengths(columns[:, kept])
    inverse = np.linalg.pinv(columns[:, kept] / size)
    return replace(found, errors=found.error * np.linalg.norm(inverse, axis=1) / size)


def _length(product: _Product, floor: float) -> float:
    """Bits of the residual, of the factors, and of their powers, each taken for the simplest fraction near it."""
    total = len(product.residual) * log2(max(product.error / floor, 1.0))
    for factor, power, error in zip(product.factors, product.powers, product.errors, strict=True):
        near = _simple(float(power), max(_BIAS, _ERRORS * float(error)))
        if factor is not None and near:
            total += 3.0 * complexity(factor.base) + log2(1 + abs(near.numerator) * near.denominator)
    return total


def _few(columns: int, rows: int) -> bool:
    """Whether so many columns can be fitted at once."""
    return 2 * columns < rows and columns <= _WIDEST


def pursuit(
    columns: Float64[np.ndarray, "rows columns"],
    y: Float64[np.ndarray, "rows"],
    *,
    limit: int,
    stop: float,
    budget: Budget,
    begin: int = 0,
) -> list[int]:
    """Orthogonal matching pursuit: columns one by one, each the best for what is left.

    Parameters
    ----------
    columns : array of shape [rows, columns]
        What is chosen from.
    y : array of shape [rows]
        What is explained.
    limit : int
        How many columns are chosen at most.
    stop : float
        The largest residual at which no more are chosen.
    budget : Budget
        Is charged.
    begin : int
        How many of the first columns are chosen from the outset.
    """
    chosen = list(range(begin))
    rest = columns / lengths(columns)
    basis = np.linalg.qr(rest[:, :begin])[0]
    rest = rest - basis @ (basis.T @ rest)
    residual = y - basis @ (basis.T @ y)
    while len(chosen) < limit and np.max(np.abs(residual)) > stop:
        length = np.linalg.norm(rest, axis=0)
        with np.errstate(all="ignore"):
            gain = np.where(length > 1e-8, np.abs(residual @ rest) / length, 0.0)
        best = int(np.argmax(gain))
        if gain[best] == 0.0:
            break
        chosen.append(best)
        budget.charge("columns", rest.size)
        direction = rest[:, [best]] / length[best]
        basis = np.column_stack([basis, direction])
        rest = rest - direction @ (direction.T @ rest)
        residual = residual - basis @ (basis.T @ residual)
    return sorted(chosen)


def _factors(x: Float64[np.ndarray, "rows columns"], symbols: tuple[sympy.Symbol, ...]) -> tuple[list[Factor], ...]:
    """Every factor that is finite on the rows: inputs, pairs, exponentials, functions of one input."""
    inputs: list[Factor] = []
    pairs: list[Factor] = []
    exponentials: list[Factor] = []
    functions: list[Factor] = []

    def add(group: list[Factor], base: sympy.Expr, values: NDArray[np.float64]) -> None:
        exponential = group is exponentials
        with np.errstate(all="ignore"):
            column = values if exponential else np.log(np.abs(values))
        if np.all(np.isfinite(column)) and np.ptp(column) > 0:
            signs = np.unique(np.sign(values))
            group.append(Factor(base, column, int(signs[0]) if len(signs) == 1 else 0, exponential))

    with np.errstate(all="ignore"):
        for i, symbol in enumerate(symbols):
            u = x[:, i]
            add(inputs, symbol, u)
            add(exponentials, symbol, u)
            add(exponentials, symbol**2, u**2)
            for base, values in ((1 + symbol, 1 + u), (1 - symbol, 1 - u), (1 + symbol**2, 1 + u**2)):
                add(functions, base, values)
            add(functions, sympy.sin(symbol), np.sin(u))
            add(functions, sympy.cos(symbol), np.cos(u))
        for i, j in combinations(range(len(symbols)), 2):
            add(pairs, symbols[i] - symbols[j], x[:, i] - x[:, j])
            add(pairs, symbols[i] + symbols[j], x[:, i] + x[:, j])
        for i, j in permutations(range(len(symbols)), 2):
            add(exponentials, symbols[j] * sympy.log(symbols[i]), x[:, j] * np.log(x[:, i]))
    return inputs, pairs, exponentials, functions


def _form(problem: SearchProblem, product: _Product, *, nearest: float = 1e-7) -> Template:
    """The template of the chosen factors; powers near a simple fraction are put to it."""
    amplitude = constant()
    start = {amplitude: 1.0}
    expression = amplitude
    for factor, power, error in zip(product.factors, product.powers, product.errors, strict=True):
        if factor is None:  # the column of ones: log|A|
            start[amplitude] = float(np.exp(min(power, 700.0)))
            continue
        if factor.exponential:
            rate = constant()
            start[rate] = float(power)
            expression *= sympy.exp(rate * factor.base)
            continue
        within = max(nearest, _ERRORS * float(error))
        near = _simple(float(power), within)
        exponent: sympy.Expr = sympy.Rational(near.numerator, near.denominator)
        if abs(float(near) - power) > within:
            exponent = constant()
            start[exponent] = float(power)
        base = factor.base
        if near.denominator > 1 or exponent.is_Dummy:
            base = {1: base, -1: -base, 0: sympy.Abs(base)}[factor.sign]
        expression *= base**exponent
    problem.budget.charge("lambdify")
    value = numeric(Template(expression, start).filled(), problem.columns)(problem.x)
    if float(np.nansum(np.sign(value) * np.sign(problem.y))) < 0:
        start[amplitude] *= -1
    return Template(expression, start, problem.relative(problem.y - value))


def _simple(power: float, error: float) -> Fraction:
    """The fraction of the smallest denominator that is within an error of a power; the nearest where none is."""
    options = [Fraction(round(power * below), below) for below in range(1, _ROOTS + 1)]
    near = next((one for one in options if abs(float(one) - power) <= error), None)
    return near or min(options, key=lambda one: abs(float(one) - power))
