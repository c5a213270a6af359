"""A form: an expression with open constants, and where to start them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import sympy
from jaxtyping import Float64


def constant() -> sympy.Dummy:
    """A fresh open constant."""
    return sympy.Dummy("c", real=True)


@dataclass(frozen=True)
class Form:
    """``expression`` over input symbols and the open constants in ``start``; ``error`` as its generator saw it.

    The error is relative (root mean square over y's deviation) and only orders proposals: the data decide later.
    """

    expression: sympy.Expr
    start: Mapping[sympy.Dummy, float]
    error: float = inf

    def filled(self) -> sympy.Expr:
        """The expression at its start."""
        return self.expression.xreplace({c: sympy.Float(value) for c, value in self.start.items()})

    def shifted(self, value: float) -> "Form":
        """This form plus an open constant."""
        c = constant()
        return Form(self.expression + c, {**self.start, c: value}, self.error)

    def inside(self, build: sympy.Expr, slot: sympy.Symbol) -> "Form":
        """``build`` with this form put in place of ``slot``."""
        return Form(build.subs(slot, self.expression), self.start, self.error)


def linear(columns: Sequence[sympy.Expr], coefficients: Sequence[float], *, error: float = inf) -> Form:
    """The sum of columns, each times an open constant."""
    opened = [constant() for _ in columns]
    expression = sympy.Add(*(c * column for c, column in zip(opened, columns, strict=True)))
    return Form(expression, dict(zip(opened, map(float, coefficients), strict=True)), error)


def total(forms: Sequence[Form], offset: float | None) -> Form:
    """The sum of forms, plus an open constant unless ``offset`` is None."""
    start = {c: value for form in forms for c, value in form.start.items()}
    joined = Form(sympy.Add(*(form.expression for form in forms)), start, sum((form.error for form in forms), 0.0))
    return joined if offset is None else joined.shifted(offset)


def product(forms: Sequence[Form]) -> Form:
    """The product of forms."""
    start = {c: value for form in forms for c, value in form.start.items()}
    return Form(sympy.Mul(*(form.expression for form in forms)), start, sum((form.error for form in forms), 0.0))


def numeric(
    expression: sympy.Expr, columns: Sequence[sympy.Symbol]
) -> Callable[[Float64[np.ndarray, "rows columns"]], Float64[np.ndarray, "rows"]]:
    """The expression as a numpy function of [rows, columns]; NaN where it is not real."""
    if expression.has(sympy.zoo):  # a division by zero, which numpy has no word for
        expression = sympy.nan
    if any(hasattr(np, str(column)) for column in columns):  # e, pi: words of numpy's own
        plain = [sympy.Symbol(f"column_{i}", real=True) for i in range(len(columns))]
        expression, columns = expression.xreplace(dict(zip(columns, plain, strict=True))), plain
    function = sympy.lambdify(list(columns), expression, "numpy", cse=True, docstring_limit=0)

    def evaluate(x: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows"]:
        with np.errstate(all="ignore"):
            try:
                values = np.asarray(function(*x.T))
            except (OverflowError, ZeroDivisionError):  # an expression without columns, worked out by Python
                return np.full(len(x), np.nan)
        if values.dtype.kind not in "fiub":
            return np.full(len(x), np.nan)
        return np.array(np.broadcast_to(values.astype(np.float64), (len(x),)))

    return evaluate
