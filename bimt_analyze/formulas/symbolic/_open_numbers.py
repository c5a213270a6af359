"""An expression with its numbers open, and what two expressions share that differ in their numbers alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import sympy


@dataclass(frozen=True)
class Form:
    """An expression with open constants, and a value for each.

    Attributes
    ----------
    expression : sympy.Expr
        Over the variables and the open constants.
    values : mapping of sympy.Dummy to float
        A value for each open constant.
    """

    expression: sympy.Expr
    values: Mapping[sympy.Dummy, float]

    def filled(self) -> sympy.Expr:
        """The expression with decimals for its constants."""
        return self.expression.xreplace({c: sympy.Float(v) for c, v in self.values.items()})

    def at(self, values: Mapping[sympy.Dummy, float]) -> "Form":
        """The form with other values, of which it takes its own.

        Parameters
        ----------
        values : mapping of sympy.Dummy to float
            Among others a value for each of its constants.
        """
        return Form(self.expression, {c: float(values[c]) for c in self.values})

    def holding(self, constant: sympy.Dummy, number: sympy.Expr) -> "Form | None":
        """The form with a number in place of one constant; None where that makes no sense.

        Parameters
        ----------
        constant : sympy.Dummy
            One of its constants.
        number : sympy.Expr
            A number.
        """
        expression = self.expression.subs(constant, number)
        if expression.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            return None
        return Form(expression, {c: v for c, v in self.values.items() if c in expression.free_symbols})


def with_open_numbers(expression: sympy.Expr) -> Form:
    """An expression with each of its numbers opened that may be fitted.

    Left as they are: exponents that are whole or simple fractions, for they are part of the form, the sign of a
    product, and the factor 1, but for the terms of the sum itself.

    Parameters
    ----------
    expression : sympy.Expr
        Without open constants.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> sorted(with_open_numbers(0.5 * x**2 - x + 3).values.values())
    [-1.0, 0.5, 3.0]
    """
    values: dict[sympy.Dummy, float] = {}

    def number(value: sympy.Expr) -> sympy.Dummy:
        constant = sympy.Dummy(f"c{len(values)}", real=True)
        values[constant] = float(value)
        return constant

    def walk(part: sympy.Expr, *, top: bool = False) -> sympy.Expr:
        if not part.free_symbols:
            return number(part)
        if part.is_Symbol:
            return number(sympy.Integer(1)) * part if top else part
        if part.is_Pow:
            plain = part.exp.is_Rational or (part.exp.is_Float and float(part.exp).is_integer())
            power = walk(part.base) ** (part.exp if plain else walk(part.exp))
            return number(sympy.Integer(1)) * power if top else power
        if part.is_Add:
            return sympy.Add(*(walk(term, top=top) for term in part.args))
        if part.is_Mul:
            numbers, rest = part.as_independent(*part.free_symbols, as_Add=False)
            factors = list(sympy.Mul.make_args(rest))
            if (inner := next((one for one in factors if one.is_Add), None)) is not None:  # its terms have the number
                factors.remove(inner)
                terms = [walk(numbers * term, top=True) for term in inner.args]
                return sympy.Mul(sympy.Add(*terms), *(walk(factor) for factor in factors))
            kept = not top and numbers in (1, -1)
            return sympy.Mul(numbers if kept else number(numbers), *(walk(factor) for factor in factors))
        function = part.func(*(walk(argument) for argument in part.args))
        return number(sympy.Integer(1)) * function if top else function

    return Form(walk(expression, top=True), values)


def skeleton(expression: sympy.Expr) -> sympy.Expr:
    """The expression multiplied out, all its open numbers alike: forms that differ in constants alone have one.

    Parameters
    ----------
    expression : sympy.Expr
        Without open constants.
    """
    form = with_open_numbers(sympy.expand_mul(expression))
    return form.expression.xreplace(dict.fromkeys(form.values, sympy.Symbol("c", real=True)))
