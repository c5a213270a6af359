"""Formulas with fewer digits, for reading."""

import sympy


def rounded(expression: sympy.Basic, digits: int = 6) -> sympy.Basic:
    """An expression with its decimals to a few digits.

    Parameters
    ----------
    expression : sympy.Basic
        Any.
    digits : int, default 6
        How many.

    Returns
    -------
    sympy.Basic
        For reading.

    Examples
    --------
    >>> rounded(sympy.Float("0.123456789") * sympy.Symbol("x"), digits=3)
    0.123*x
    """
    return expression.xreplace({number: sympy.Float(number, digits) for number in expression.atoms(sympy.Float)})
