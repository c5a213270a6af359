"""Forms that part from a formula only by what is too small to show beside an exponential."""

from collections.abc import Iterator

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._template import numeric

Matrix = Float64[np.ndarray, "rows inputs"]

_SMALL, _LARGE = 1e-2, 1e2  # an exponential beside which its square, or 1, may vanish
_SATURATED = 2.0  # argument beyond which tanh may be taken for 1 - 2 exp(-2 s)


def vanished_terms(expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix) -> Iterator[tuple[sympy.Expr, str]]:
    """Forms that part from a formula where an exponential is no longer small, or no longer large.

    A part e that holds an exponential, small on all rows, may as well be e / (1 + e), e / (1 - e) or log(1 + e): so
    Wien's law hides Planck's. A large one may be e + 1, e - 1, or twice the hyperbolic sine or cosine. A tanh that is
    nearly saturated may be 1 - 2 exp(-2 s), or this with what follows.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    """
    for form, origin in [(expression, ""), *_unsaturated(expression, symbols, x)]:
        if origin:
            yield form, origin
        for part in _exponentials(form):
            size = np.abs(numeric(part, symbols)(x))
            if not np.all(np.isfinite(size)):
                continue
            if np.max(size) <= _SMALL:
                others = [part / (1 + part), part / (1 - part), sympy.log(1 + part)]
                said = f"{part} vanishes beside 1 on the rows"
            elif np.min(size) >= _LARGE:
                others = [part - 1, part + 1, part - 1 / part, part + 1 / part]
                said = f"1 vanishes beside {part} on the rows"
            else:
                continue
            yield from ((form.xreplace({part: other}), said) for other in others)


def _exponentials(expression: sympy.Expr) -> list[sympy.Expr]:
    """The exponentials of an expression, and the products that hold one."""
    found = []
    for node in sympy.preorder_traversal(expression):
        product = node.is_Mul and any(isinstance(factor, sympy.exp) for factor in node.args)
        if (isinstance(node, sympy.exp) and node.free_symbols) or product:
            found.append(node)
    return list(dict.fromkeys(found))


def _unsaturated(expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix) -> list[tuple[sympy.Expr, str]]:
    """The formula with each nearly saturated tanh as its limit and the exponential that is left to it."""
    found = []
    for node in sorted(expression.atoms(sympy.tanh), key=str):
        inner = node.args[0]
        values = numeric(inner, symbols)(x)
        for sign in (1, -1):
            if np.all(sign * values > _SATURATED):
                left = 2 * sympy.exp(sympy.expand(-2 * sign * inner))
                found.append((expression.xreplace({node: sign * (1 - left)}), f"{node} near its limit"))
    return found
