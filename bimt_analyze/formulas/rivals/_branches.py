"""Rivals of a formula with kinks, steps or remainders, all rows of which lie on one branch: the branch alone."""

from collections.abc import Iterator

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._template import numeric

Matrix = Float64[np.ndarray, "rows inputs"]

_KINKED = (
    sympy.Abs, sympy.Max, sympy.Min, sympy.floor, sympy.ceiling, sympy.Mod, sympy.sign, sympy.Heaviside, sympy.Piecewise
)  # fmt: skip


def branches(expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix) -> Iterator[tuple[sympy.Expr, str]]:
    """The formula with each kinked part as the one branch on which all rows lie, with the words for it.

    |u| is u where u is positive on every row, a maximum is its larger argument, and a step, a sign or a remainder is
    what it comes to there. Rows that never reach the other side show no kink.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.

    Examples
    --------
    >>> a = sympy.Symbol("a", real=True)
    >>> [str(form) for form, _ in branches(3 * abs(a), [a], np.linspace(1.0, 2.0, 20)[:, None])]
    ['3*a']
    """
    for node in sorted(expression.atoms(*_KINKED), key=str):
        values = numeric(node, symbols)(x)
        for branch in _sides(node):
            if np.array_equal(numeric(branch, symbols)(x), values):
                yield expression.xreplace({node: branch}), f"all rows lie on one side of {node}"
                break


def _sides(node: sympy.Expr) -> Iterator[sympy.Expr]:
    """What a kinked function may be on one of its branches, the plainest first."""
    if isinstance(node, sympy.Piecewise):
        yield from (branch for branch, _ in node.args)
        return
    if isinstance(node, sympy.Max | sympy.Min):
        yield from node.args
        return
    yield from (sympy.Integer(k) for k in (0, 1, -1) if isinstance(node, sympy.sign | sympy.Heaviside))
    inner = node.args[0]
    yield inner
    if isinstance(node, sympy.Abs):
        yield -inner
