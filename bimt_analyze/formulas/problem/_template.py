"""A template: an expression with open constants, and where to start them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64


def node_count(expression: sympy.Basic) -> int:
    """The nodes of an expression as sympy holds it: what work on it is measured by.

    Parameters
    ----------
    expression : sympy.Basic
        Any expression.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> node_count(x**2 + 1)
    5
    """
    count, left = 0, [expression]
    while left:
        count += 1
        left.extend(left.pop().args)
    return count


def constant() -> sympy.Dummy:
    """A fresh open constant."""
    return sympy.Dummy("c", real=True)


@dataclass(frozen=True)
class Template:
    """An expression with open constants.

    Attributes
    ----------
    expression : sympy.Expr
        Over input symbols and the open constants.
    start : mapping of sympy.Dummy to float
        Where each open constant starts.
    error : float
        The relative error (root mean square over y's deviation) as its generator saw it. It only orders proposals: the
        data decide later.
    """

    expression: sympy.Expr
    start: Mapping[sympy.Dummy, float]
    error: float = inf

    def filled(self) -> sympy.Expr:
        """The expression with its constants at their start."""
        return self.expression.xreplace({c: sympy.Float(value) for c, value in self.start.items()})

    def shifted(self, value: float) -> "Template":
        """The template plus an open constant.

        Parameters
        ----------
        value : float
            Where the constant starts.
        """
        c = constant()
        return Template(self.expression + c, {**self.start, c: value}, self.error)

    def inside(self, build: sympy.Expr, slot: sympy.Symbol) -> "Template":
        """An expression with this template put in place of a symbol.

        Parameters
        ----------
        build : sympy.Expr
            The outer expression.
        slot : sympy.Symbol
            The symbol that is replaced.
        """
        return Template(build.subs(slot, self.expression), self.start, self.error)


def linear(columns: Sequence[sympy.Expr], coefficients: Sequence[float], *, error: float = inf) -> Template:
    """The sum of columns, each times an open constant.

    Parameters
    ----------
    columns : sequence of sympy.Expr
        What is summed.
    coefficients : sequence of float
        Where the constants start.
    error : float
        The relative error, as far as it is known.
    """
    opened = [constant() for _ in columns]
    expression = sympy.Add(*(c * column for c, column in zip(opened, columns, strict=True)))
    return Template(expression, dict(zip(opened, map(float, coefficients), strict=True)), error)


def total(templates: Sequence[Template], offset: float | None) -> Template:
    """The sum of templates.

    Parameters
    ----------
    templates : sequence of Template
        What is summed.
    offset : float or None
        Where an open constant that is added starts; None for no such constant.
    """
    start = {c: value for template in templates for c, value in template.start.items()}
    joined = Template(
        sympy.Add(*(template.expression for template in templates)),
        start,
        sum((template.error for template in templates), 0.0),
    )
    return joined if offset is None else joined.shifted(offset)


def product(templates: Sequence[Template]) -> Template:
    """The product of templates.

    Parameters
    ----------
    templates : sequence of Template
        The factors.
    """
    start = {c: value for template in templates for c, value in template.start.items()}
    return Template(
        sympy.Mul(*(template.expression for template in templates)),
        start,
        sum((template.error for template in templates), 0.0),
    )


def numeric(
    expression: sympy.Expr, columns: Sequence[sympy.Symbol]
) -> Callable[[Float64[np.ndarray, "rows columns"]], Float64[np.ndarray, "rows"]]:
    """The expression as a numpy function of [rows, columns]; NaN where it is not real.

    Parameters
    ----------
    expression : sympy.Expr
        Without open constants.
    columns : sequence of sympy.Symbol
        The symbols, in the order of the columns.
    """
    if expression.has(sympy.zoo):  # a division by zero, which numpy has no word for
        expression = sympy.nan
    if any(hasattr(np, str(column)) for column in columns):  # e, pi: words of numpy's own
        plain = [sympy.Symbol(f"column_{i}", real=True) for i in range(len(columns))]
        expression, columns = expression.xreplace(dict(zip(columns, plain, strict=True))), plain
    function = _compiled(expression, tuple(columns))

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


@lru_cache(maxsize=256)
def _compiled(expression: sympy.Expr, columns: tuple[sympy.Symbol, ...]) -> Callable[..., Any]:
    function: Callable[..., Any] = sympy.lambdify(list(columns), expression, "numpy", cse=True, docstring_limit=0)
    return function
