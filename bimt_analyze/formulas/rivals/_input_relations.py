"""Relations among the inputs: constants, sums, products, quadrics, and functions, found from the rows alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..problem._budget import Budget
from ..problem._smooth import best_smooth
from ..symbolic._simple_numbers import simple_numbers

Matrix = Float64[np.ndarray, "rows inputs"]

_DEPENDENT = 1e-9  # what is left of a column, scaled to length 1, that others explain
_NEGLIGIBLE = 1e-7  # a coefficient so small beside the largest belongs to rounding
_NAMED_BITS = 8.0  # by which a simple number must be likelier than chance
_MOST_QUADRATIC = 6  # inputs: their products are as many as the square of their number
_MOST_FUNCTIONS = 12  # inputs: each is held against each
_UNLIKE = 0.3  # of what two rows at random differ by: neighbours that differ by more follow no function
_SMOOTH = 1e-4  # leave-one-out error of a smooth fit, in deviations, below which a column may be a function of others
_VAGUE = 1e-3  # of a column's deviation: rounding that hides every relation
_FEWEST = 3  # rows for each number of a relation


@dataclass(frozen=True)
class InputRelation:
    """A column as an expression in the others, which holds on every row.

    Attributes
    ----------
    symbol : sympy.Symbol
        The column.
    expression : sympy.Expr
        What it equals on the rows.
    """

    symbol: sympy.Symbol
    expression: sympy.Expr

    def __str__(self) -> str:
        return f"{self.symbol} = {self.expression}"


@dataclass(frozen=True)
class ImplicitRelation:
    """A polynomial of degree two in the inputs that is zero on every row.

    Attributes
    ----------
    expression : sympy.Expr
        The polynomial.
    """

    expression: sympy.Expr

    def __str__(self) -> str:
        return f"{self.expression} = 0"


def input_relations(
    symbols: list[sympy.Symbol], x: Matrix, *, tolerance: float = 0.0
) -> tuple[InputRelation | ImplicitRelation, ...]:
    """The relations that hold among the columns on every row: each says that the rows leave a direction open.

    Parameters
    ----------
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    tolerance : float
        How well the columns are known, relative to their deviations; 0 for doubles.
    """
    rows, width = x.shape
    if rows < _FEWEST * (width + 1):
        return ()
    limit = max(_DEPENDENT, 3 * min(tolerance, _VAGUE))
    found: list[InputRelation | ImplicitRelation] = []
    varying = []
    for place in range(width):
        if np.ptp(x[:, place]) <= 1e-13 * np.max(np.abs(x[:, place])):
            found.append(InputRelation(symbols[place], _number(float(x[0, place]))))
        else:
            varying.append(place)
    names, columns = [symbols[k] for k in varying], x[:, varying]
    explained: set[int] = set()
    for place, weights in _null(np.column_stack([np.ones(rows), columns]), limit):
        terms = [sympy.Integer(1), *names]
        found.append(InputRelation(names[place - 1], _weighted(weights, terms[:place])))
        explained.add(place - 1)
    kept = [k for k in range(len(names)) if k not in explained]
    names, columns = [names[k] for k in kept], columns[:, kept]
    products = list(_products(names, columns, limit))
    found += products
    if products:
        kept = [k for k, name in enumerate(names) if name not in {r.symbol for r in products}]
        names, columns = [names[k] for k in kept], columns[:, kept]
    found += _quadrics(names, columns, limit)
    return tuple(found)


def function_relations(x: Matrix, *, budget: Budget) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Which columns seem to be functions of others: the number of a column, and those of the others.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The rows.
    budget : Budget
        Cuts the looking short.
    """
    width = x.shape[1]
    varying = [k for k in range(width) if np.ptp(x[:, k]) > 0]
    if not 1 < len(varying) <= _MOST_FUNCTIONS or len(x) < 20:
        return
    for place in varying:
        for other in varying:
            if budget.over():
                return
            if other != place and _follows(x[:, [other]], x[:, place], budget):
                yield place, (other,)
    for place in varying:
        others = tuple(k for k in varying if k != place)
        if budget.over():
            return
        if 1 < len(others) <= 4 and _follows(x[:, list(others)], x[:, place], budget):
            yield place, others


def _follows(x: Matrix, y: Float64[np.ndarray, "rows"], budget: Budget) -> bool:
    """Whether a smooth function of some columns explains another one."""
    scaled = x / np.std(x, axis=0)
    budget.charge("columns", 20 * x.size)
    nearest = cKDTree(scaled).query(scaled, k=2)[1][:, 1]
    if np.mean((y - y[nearest]) ** 2) > _UNLIKE * 2 * np.var(y):
        return False
    fit = best_smooth(x, y, [tuple(range(x.shape[1]))], budget=budget)
    return fit is not None and fit.error < _SMOOTH


def _null(columns: Matrix, limit: float) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Each column that earlier ones explain: its number, and their weights."""
    basis: list[int] = []
    for place in range(columns.shape[1]):
        column = columns[:, place]
        size = float(np.linalg.norm(column)) or 1.0
        if basis:
            scale = np.linalg.norm(columns[:, basis], axis=0)
            scale[scale == 0] = 1.0
            weights = np.linalg.lstsq(columns[:, basis] / scale, column, rcond=1e-13)[0] / scale
            left = column - columns[:, basis] @ weights
            spread = float(np.std(column)) * np.sqrt(len(column)) or size
            if np.linalg.norm(left) <= limit * min(spread, size):
                full = np.zeros(place)
                full[basis] = weights
                share = np.abs(full) * np.linalg.norm(columns[:, :place], axis=0)
                full[share <= _NEGLIGIBLE * np.max(share)] = 0.0
                yield place, full
                continue
        basis.append(place)


def _products(names: list[sympy.Symbol], columns: Matrix, limit: float) -> Iterator[InputRelation]:
    """Columns that are products of powers of others."""
    signed = [k for k in range(len(names)) if np.all(columns[:, k] > 0) or np.all(columns[:, k] < 0)]
    if len(signed) < 2:
        return
    logs = np.log(np.abs(columns[:, signed]))
    for place, weights in _null(np.column_stack([np.ones(len(logs)), logs]), limit):
        powers = [sympy.nsimplify(float(w), rational=True, tolerance=1e-6) for w in weights[1:]]
        if any(p.q > 6 for p in powers):
            continue
        whole, number = signed[place - 1], float(np.exp(weights[0]))
        factors = [
            (sympy.Abs(names[k]) if np.any(columns[:, k] < 0) else names[k]) ** power
            for k, power in zip(signed, powers, strict=False)
        ]
        sign = 1.0 if np.all(columns[:, whole] > 0) else -1.0
        yield InputRelation(names[whole], _number(sign * number) * sympy.Mul(*factors))


def _quadrics(names: list[sympy.Symbol], columns: Matrix, limit: float) -> list[ImplicitRelation]:
    """Polynomials of degree two that are zero on all rows."""
    if not 1 < len(names) <= _MOST_QUADRATIC:
        return []
    pairs = list(combinations_with_replacement(range(len(names)), 2))
    terms = [sympy.Integer(1), *names, *(names[i] * names[j] for i, j in pairs)]
    if len(columns) < _FEWEST * len(terms):
        return []
    table = np.column_stack([np.ones(len(columns)), columns, *(columns[:, i] * columns[:, j] for i, j in pairs)])
    found = []
    for place, weights in _null(table, limit):
        relation = terms[place] - _weighted(weights, terms[:place])
        found.append(ImplicitRelation(sympy.expand(relation)))
    return found


def _weighted(weights: NDArray[np.float64], terms: list[sympy.Expr]) -> sympy.Expr:
    """A weighted sum, its weights as simple numbers where they are near one."""
    return sympy.Add(*(_number(float(w)) * term for w, term in zip(weights, terms, strict=True) if w != 0))


def _number(value: float) -> sympy.Expr:
    """A simple number that a value is near to within rounding, or the value itself."""
    near = simple_numbers(value, 1e-9 * abs(value), margin=_NAMED_BITS)
    return near[0].number if near else sympy.Float(value)
