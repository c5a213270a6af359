"""Rivals of a wave on a grid: a faster or slower wave that takes the same values there, and even against odd places."""

from collections.abc import Iterator, Sequence
from math import log2

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._precision import column_precision
from ..symbolic._simple_numbers import simple_numbers

Matrix = Float64[np.ndarray, "rows inputs"]
Column = Float64[np.ndarray, "rows"]

_FEWEST = 4  # different values of a grid
_MOST = 100_000  # places of a grid: more are as good as none
_ON_GRID = 1e-6  # of a step by which a value may lie beside its place, unless it is written more coarsely
_FINE = 0.02  # of a step that half a unit of the last place may be
_KNOWN = 1e-9  # relative error of a decimal, for a simple number near it
_MARGIN = 12.0  # bits that such a number must save
_TURN = {sympy.sin: 2 * sympy.pi, sympy.cos: 2 * sympy.pi, sympy.tan: sympy.pi}
_SIMPLER_BY = 6.0  # bits by which a simple rate speaks against its aliases
_TERM = 8.0  # bits of a rate that is a sum
_DECIMAL = 40.0  # bits of a rate without a name


def aliases(
    expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix, *, settings: Sequence[sympy.Symbol]
) -> Iterator[tuple[sympy.Expr, str]]:
    """The formula with each wave at another rate that gives the same values on a grid, with the words for it.

    On a grid of step h, sin(r t) and sin((r - 2 pi / h) t) are equal. A rate that is a simple number, where that of the
    other wave is not, speaks for itself: such an alias is left out. A wave that takes one value at even and one at odd
    places is also a matter of parity.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    settings : sequence of sympy.Symbol
        Inputs that are what they say: what was rounded to a grid has no place on it.

    Examples
    --------
    >>> t = sympy.Symbol("t", real=True)
    >>> rows = np.arange(20.0)[:, None]
    >>> [str(form) for form, _ in aliases(sympy.sin(9 * sympy.pi * t / 5), [t], rows, settings=[t])]
    ['-sin(pi*t/5)', 'sin(19*pi*t/5)']
    """
    for symbol in sorted(expression.free_symbols & set(settings), key=str):
        grid = _grid(x[:, symbols.index(symbol)])
        if grid is None:
            continue
        first, step = grid
        for node in sorted(expression.atoms(*_TURN), key=str):
            rate = node.args[0].diff(symbol)
            if rate == 0 or rate.free_symbols:
                continue
            for sign in (-1, 1):
                other = _named(rate + sign * _TURN[node.func] / step)
                if other == 0 or not _as_simple(other, rate):
                    continue
                inner = node.args[0].subs(symbol, first) + other * (symbol - first)
                form = expression.xreplace({node: node.func(sympy.expand(inner))})
                yield form, f"the same wave on a grid of {symbol} with step {float(step):.6g}"
            if (by_place := _by_parity(node, symbol, first, step)) is not None:
                yield expression.xreplace({node: by_place}), f"the places of {symbol} are even or odd"


def _grid(values: Column) -> tuple[sympy.Expr, sympy.Expr] | None:
    """A place and the step of a grid that all values lie on; None where there is none."""
    different = np.unique(values)
    if len(different) < _FEWEST:
        return None
    step = float(np.min(np.diff(different)))
    step = (different[-1] - different[0]) / max(round((different[-1] - different[0]) / step), 1)
    places = (different - different[0]) / step
    beside = float(np.max(np.abs(places - np.round(places))))
    written = 0.0 if beside <= _KNOWN else float(np.max(column_precision(values).half(different)))
    off = max(_ON_GRID, 2 * written / step)
    if off > _FINE or not places[-1] < _MOST or beside > off:
        return None
    exact = _named(sympy.Float(step), error=2 * written / round(places[-1]))
    zero = different[0] / float(exact)
    start = sympy.Integer(0) if abs(zero - round(zero)) <= off else _named(sympy.Float(different[0]), error=written)
    return start, exact


def on_grid(values: Column) -> Column | None:
    """The values put on their places, where they lie on a grid far wider than their last digit; None where they do not.

    Measurements that were rounded lie on no such grid: these are settings.

    Parameters
    ----------
    values : array of shape [rows]
        A column.

    Examples
    --------
    >>> written = np.arange(12.0, dtype=np.float32) / np.float32(10)
    >>> on_grid(written.astype(np.float64))[3]
    np.float64(0.30000000000000004)
    """
    if (grid := _grid(values)) is None:
        return None
    first, step = float(grid[0]), float(grid[1])
    if 2 * float(np.max(column_precision(values).half(values))) > _FINE * step:
        return None
    return np.asarray(first + np.round((values - first) / step) * step)


def _named(value: sympy.Expr, *, error: float = 0.0) -> sympy.Expr:
    """A decimal as the simple number that it is near, if it is near one."""
    if not value.has(sympy.Float):
        return value
    number = float(value)
    near = simple_numbers(number, max(_KNOWN * abs(number), error), margin=_MARGIN)
    return near[0].number if near else sympy.Float(number)


def _as_simple(other: sympy.Expr, rate: sympy.Expr) -> bool:
    """Whether a rate is about as simple as another, or the other one has no name to speak for it."""
    return rate.has(sympy.Float) or _bits(other) <= _bits(rate) + _SIMPLER_BY


def _bits(rate: sympy.Expr) -> float:
    """The bits that the numbers of a rate take."""
    if rate.has(sympy.Float):
        return _DECIMAL
    numbers = [n for n in sympy.preorder_traversal(rate) if isinstance(n, sympy.Rational)]
    return sum(log2(abs(n.p) + 1) + log2(n.q) for n in numbers) + _TERM * (len(sympy.Add.make_args(rate)) - 1)


def _by_parity(node: sympy.Expr, symbol: sympy.Symbol, first: sympy.Expr, step: sympy.Expr) -> sympy.Expr | None:
    """A wave that alternates between two values, by the remainder of its place; None for any other."""
    if node.free_symbols != {symbol} or node.has(sympy.Float):
        return None
    values = [node.subs(symbol, first + k * step) for k in range(4)]
    if values[:2] != values[2:] or values[0] == values[1] or not all(value.is_finite for value in values):
        return None
    return values[0] + (values[1] - values[0]) * sympy.Mod((symbol - first) / step, 2)
