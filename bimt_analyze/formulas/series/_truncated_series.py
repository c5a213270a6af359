"""Rivals of a formula by truncation: a function replaced by the beginning of its series, or by its limit."""

from collections.abc import Callable, Iterator
from math import factorial

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._template import numeric

Meets = Callable[[sympy.Expr], bool]
Matrix = Float64[np.ndarray, "rows inputs"]

_HIGHEST = 6  # order of a series that is still of comparable length
_SMALL = 0.3  # of the largest term, in magnitude, up to which the others count as small beside it
_SATURATED = 12.0  # argument beyond which tanh and its like may be taken for their limits
_VANISHING = (20.0, 60.0)  # where exp(-s) just vanishes beside 1
_NEGLIGIBLE = (5e6, 3e8)  # and 1 beside s**2
_LIMITS = {sympy.tanh: sympy.Integer(1), sympy.erf: sympy.Integer(1), sympy.coth: sympy.Integer(1)}


def truncated_series(
    expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix, meets: Meets
) -> Iterator[tuple[sympy.Expr, str]]:
    """Forms cut to the beginning of a series, or a limit, each with the words for where it comes from.

    Every function or root g(c + r) whose argument has one term c that outweighs the rest r on all rows is replaced by
    sum g^(k)(c) r^k / k!, of the lowest order that meets the rows; c is zero where the whole argument is small. An
    input so large that exp(-s), or 1 beside its square, just vanishes is put into log(1 + exp(s)) and sqrt(1 + s**2).

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    meets : callable
        Whether a form meets the rows.
    """
    for symbol in sorted(expression.free_symbols, key=str):
        least = float(np.min(x[:, symbols.index(symbol)]))
        if _VANISHING[0] <= least <= _VANISHING[1]:
            yield (
                expression.xreplace({symbol: sympy.log(1 + sympy.exp(symbol))}),
                f"exp(-{symbol}) vanishes on the rows",
            )
        if _NEGLIGIBLE[0] <= least <= _NEGLIGIBLE[1]:
            yield expression.xreplace({symbol: sympy.sqrt(1 + symbol**2)}), f"1 vanishes beside {symbol}**2 on the rows"
    nodes = [node for node in sympy.preorder_traversal(expression) if _is_function(node)]
    for node in dict.fromkeys(nodes):
        inner, outer = _opened(node)
        if (limit := _limit(node, symbols, x)) is not None:
            rival = expression.xreplace({node: limit})
            if meets(rival):
                yield rival, f"{node} at its limit"
        for centre, rest in _splits(inner, symbols, x):
            series: sympy.Expr = sympy.Integer(0)
            for order in range(_HIGHEST + 1):
                coefficient = outer.diff(_T, order).subs(_T, centre) / factorial(order)
                if (not coefficient.is_finite and coefficient.is_finite is not None) or coefficient.has(
                    sympy.zoo, sympy.nan
                ):
                    break
                if coefficient == 0:
                    continue
                series = series + coefficient * rest**order
                rival = expression.xreplace({node: series})
                if meets(rival):
                    yield sympy.expand_mul(rival), f"{node} as the beginning of its series"
                    break


_T = sympy.Symbol("_t", real=True)


def _is_function(node: sympy.Basic) -> bool:
    """Whether a node is a function, a root or a quotient of something that varies."""
    if not node.free_symbols:
        return False
    if isinstance(node, sympy.Pow):
        return bool(not node.base.free_symbols) or not (node.exp.is_Integer and node.exp > 0)
    return isinstance(node, sympy.Function) and len(node.args) == 1 and not isinstance(node, sympy.Abs)


def _opened(node: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """The argument of a node, and the node as a function of it."""
    if not isinstance(node, sympy.Pow):
        return node.args[0], node.func(_T)
    if node.base.free_symbols and not node.exp.free_symbols:
        return node.base, _T**node.exp
    return node.exp, node.base**_T if not node.base.free_symbols else sympy.exp(_T)


def _splits(inner: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Ways to see an argument as a large term and a small rest."""
    values = _magnitude(inner, symbols, x)
    if values is not None and np.max(values) < _SMALL:
        yield sympy.Integer(0), inner
    terms = sympy.Add.make_args(sympy.expand(inner))
    if len(terms) < 2:
        return
    sizes = [_magnitude(term, symbols, x) for term in terms]
    if any(size is None for size in sizes):
        return
    table = np.stack([size for size in sizes if size is not None])
    largest = int(np.argmax(np.mean(table, axis=1)))
    others = np.sum(np.delete(table, largest, axis=0), axis=0)
    with np.errstate(all="ignore"):
        if np.all(others <= _SMALL * table[largest]):
            yield terms[largest], sympy.Add(*(term for k, term in enumerate(terms) if k != largest))


def _magnitude(term: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix) -> Float64[np.ndarray, "rows"] | None:
    """The magnitude of a term on every row; None where it is not finite."""
    values = np.abs(numeric(term, symbols)(x))
    return values if np.all(np.isfinite(values)) else None


def _limit(node: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix) -> sympy.Expr | None:
    """The limit of a function that is saturated on all rows."""
    limit = _LIMITS.get(node.func)
    if limit is None:
        return None
    values = numeric(node.args[0], symbols)(x)
    if np.all(values > _SATURATED):
        return limit
    return -limit if np.all(values < -_SATURATED) else None
