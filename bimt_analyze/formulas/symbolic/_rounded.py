"""Formulas with fewer digits, for reading."""

import sympy

DIGITS = 6  # of decimals that are for reading


def rounded(expression: sympy.Basic, digits: int = DIGITS) -> sympy.Basic:
    """An expression with its decimals to a few digits.

    Parameters
    ----------
    expression : sympy.Basic
        Any.
    digits : int, default DIGITS
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


def written(expression: sympy.Basic, digits: int | None = None) -> str:
    """An expression as text, its decimals without zeros at their ends.

    Parameters
    ----------
    expression : sympy.Basic
        Any.
    digits : int, optional
        Digits of its decimals; those that they have, if left out.

    Returns
    -------
    str
        For reading; sympy's own text of a single decimal ends in zeros.

    Examples
    --------
    >>> written(sympy.Float("0.06")), str(sympy.Float("0.06"))
    ('0.06', '0.0600000000000000')
    """
    text: str = sympy.sstr(expression if digits is None else rounded(expression, digits), full_prec=False)
    return text
