"""Formulas in a cell of a notebook, where a long one must not fill the page."""

from collections.abc import Mapping

import sympy
from markupsafe import Markup

from bimt_train.showing import CELL, cut

from ..symbolic._rounded import DIGITS, rounded, written
from ._latex import to_latex
from ._mathml import to_mathml

TEXT = 300  # characters of all formulas of a cell, written as text, up to which they are set; MathML has ten times more


def in_dollars(expression: sympy.Basic, *, output: str = "", left: str = "") -> str | None:
    r"""A formula as notebooks read LaTeX, its decimals rounded for reading.

    Parameters
    ----------
    expression : sympy.Basic
        Any expression.
    output : str, default ""
        Name on the left side; empty for none.
    left : str, default ""
        The left side in LaTeX, where it is no plain name.

    Returns
    -------
    str or None
        None where it is so long that the plain text, which is cut, says more.

    Examples
    --------
    >>> in_dollars(sympy.Symbol("x1") / 3)
    '$\\frac{x_{1}}{3}$'
    """
    shown = rounded(expression)
    if len(str(shown)) + len(output) > TEXT:
        return None
    return f"${left} = {to_latex(shown)}$" if left else f"${to_latex(shown, output=output)}$"


def set_formulas(expressions: Mapping[str, sympy.Basic]) -> dict[str, str]:
    """Formulas as MathML while there is room in the cell; then as text, a long one cut.

    Parameters
    ----------
    expressions : mapping of str to sympy.Basic
        Name on the left side -> expression.

    Returns
    -------
    dict of str to str
        Name -> ``name = expression``: MathML as `Markup`, text as plain strings.

    Examples
    --------
    >>> set_formulas({"y": sympy.Symbol("x1")})["y"][:5]
    Markup('<math')
    """
    room, found = TEXT, {}
    for name, expression in expressions.items():
        text = f"{name} = {written(expression, DIGITS)}"
        room -= len(text)
        found[name] = Markup(to_mathml(expression, output=name)) if room >= 0 else cut(text, CELL)
    return found
