"""Formulas in LaTeX."""

import sympy
from sympy.printing.latex import greek_letters_set

# What LaTeX takes for markup, and what matplotlib and KaTeX cannot set: any of these may stand in a column's name.
_CHARACTERS = str.maketrans({
    **{mark: rf"\{mark}" for mark in "#$%&_{}"}, "\\": r"\backslash{}", "^": r"\wedge{}", "~": r"\sim{}", '"': "''",
    "`": "‘",
})  # fmt: skip


def to_latex(expression: sympy.Basic, *, output: str = "") -> str:
    """``output = expression`` in LaTeX, or the expression alone.

    Digits at a name's end are an index, and a name of several letters is set upright.

    Parameters
    ----------
    expression : sympy.Basic
        Any expression.
    output : str, default ""
        Name on the left side; empty for none.

    Examples
    --------
    >>> to_latex(sympy.Symbol("x1") ** 2, output="y")
    'y = x_{1}^{2}'
    """
    names = {symbol: latex_name(str(symbol)) for symbol in expression.free_symbols}
    parted = r" \, " if any(r"\mathrm" in name for name in names.values()) else None  # words would run together
    right = str(sympy.latex(expression, symbol_names=names, mul_symbol=parted))
    return f"{latex_name(output)} = {right}" if output else right


def latex_name(name: str) -> str:
    r"""A name in LaTeX, its last digits as an index.

    Parameters
    ----------
    name : str
        The name of an input or output.

    Examples
    --------
    >>> latex_name("x12"), latex_name("gamma")
    ('x_{12}', '\\gamma')
    """
    stem = name.rstrip("0123456789").rstrip("_")
    index = name[len(stem) :].lstrip("_")
    if not stem:  # digits alone
        stem, index = name, ""
    if stem.lower() in greek_letters_set and stem != "pi":  # which would read as the number
        shown = str(sympy.latex(sympy.Symbol(stem)))
    elif len(stem) == 1 and stem.isalpha():
        shown = stem
    else:
        shown = r"\mathrm{" + r"\ ".join(piece.translate(_CHARACTERS) for piece in stem.split()) + "}"
    return f"{shown}_{{{index}}}" if index else shown
