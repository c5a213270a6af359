"""The measured numbers of a formula as open constants."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from ..problem._template import Template, constant


@dataclass(frozen=True)
class Opened:
    """A formula whose measured numbers are open constants.

    Attributes
    ----------
    template : Template
        The formula with open constants, which start at their numbers.
    numbers : mapping of sympy.Dummy to sympy.Expr
        For each open constant the number that stands in the formula.
    """

    template: Template
    numbers: Mapping[sympy.Dummy, sympy.Expr]


def opened(expression: sympy.Expr, simple: Sequence[sympy.Expr] = ()) -> Opened:
    """The formula with its decimals opened, and the simple numbers that took the place of fitted ones.

    Decimals that are equal but for their sign are one constant. A simple number is opened where it occurs no more often
    than fitted constants became it: else it may be part of the form, as the 2 of a square is.

    Parameters
    ----------
    expression : sympy.Expr
        Over real symbols.
    simple : sequence of sympy.Expr
        The simple numbers that took the place of fitted constants.

    Examples
    --------
    >>> x, z = sympy.symbols("x z", real=True)
    >>> sorted(opened(2.5 * x**2 - 2.5 * z + 3, [sympy.Integer(3)]).numbers.values())
    [2.50000000000000, 3]
    """
    fitted = Counter(abs(number) for number in simple if number.is_Rational and abs(number) not in (0, 1))
    seen = Counter(_simple_parts(expression))
    single = {number for number, count in seen.items() if count <= fitted[number]}
    numbers: dict[sympy.Dummy, sympy.Expr] = {}
    decimals: dict[sympy.Expr, sympy.Dummy] = {}

    def of(part: sympy.Expr, *, exponent: bool = False) -> sympy.Expr:
        if part.is_Float and part != 0:
            known = decimals.setdefault(abs(part), constant())
            numbers.setdefault(known, part)
            return known if numbers[known] == part else -known
        if part.is_Rational and not exponent and abs(part) in single:
            fresh = constant()
            numbers[fresh] = part
            return fresh
        if not part.args:
            return part
        if part.is_Pow:
            return sympy.Pow(of(part.base), of(part.exp, exponent=bool(part.exp.is_number)))
        return part.func(*(of(argument, exponent=exponent) for argument in part.args))

    form = of(expression)
    return Opened(Template(form, {known: float(number) for known, number in numbers.items()}), numbers)


def _simple_parts(expression: sympy.Expr) -> list[sympy.Expr]:
    """The sizes of all rational numbers of an expression, but for those of plain exponents."""
    if expression.is_Rational:
        return [abs(expression)]
    parts = expression.args
    if expression.is_Pow and expression.exp.is_number:
        parts = parts[:1]
    return [number for part in parts for number in _simple_parts(part)]
