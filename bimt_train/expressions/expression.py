"""A formula as a value: read from text safely, evaluated by numpy, exact in sympy."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64, Num

from .._errors import ExpressionError
from ..did_you_mean import did_you_mean
from ..showing import Shown
from ._formula_reader import read_formula, shortened
from ._formula_tree import Node, variables_of


@dataclass(frozen=True, repr=False)
class Expression(Shown):
    """A formula in real variables, made by `parse_expression`. Two expressions are equal when their texts are.

    Attributes
    ----------
    text : str
        What was written.
    names : tuple of str
        The free variables, in natural order (x2 before x10).
    tree : Node
        What the text means.

    Examples
    --------
    >>> e = parse_expression("0.5*x1^2 - sin(pi*x3)")
    >>> e.names, e.sympy()
    (('x1', 'x3'), x1**2/2 - sin(pi*x3))
    >>> e.evaluate({"x1": np.array([0.0, 2.0]), "x3": np.array([0.0, 0.0])})
    array([0., 2.])
    """

    text: str
    names: tuple[str, ...]
    tree: Node = field(repr=False, compare=False)

    def _brief(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text

    def evaluate(self, values: Mapping[str, Num[np.ndarray, "..."]]) -> Float64[np.ndarray, "..."]:
        """Compute the formula at many points at once, by numpy in float64.

        Undefined points are nan or +-inf, without a warning.

        Parameters
        ----------
        values : mapping of str to array
            An array for every name; arrays are broadcast. Names that the formula does not use may be given too.

        Returns
        -------
        array of float
            The common shape of all arrays, those the formula does not use included.

        Raises
        ------
        ExpressionError
            A name has no value, or the shapes do not fit together.

        Examples
        --------
        >>> parse_expression("x + 1/y").evaluate({"x": np.array([[1.0], [2.0]]), "y": np.array([0.5, 0.0])})
        array([[ 3., inf],
               [ 4., inf]])
        """
        where = repr(shortened(self.text))
        missing = [name for name in self.names if name not in values]
        if missing:
            got = ", ".join(values) or "nothing"
            hint = f"give {missing[0]} too"
            raise ExpressionError(
                "no value for a name", where=where, expected=", ".join(self.names), got=got, hint=hint
            )
        arrays = {name: np.asarray(given, dtype=np.float64) for name, given in values.items()}
        try:
            shape = np.broadcast_shapes(*(given.shape for given in arrays.values()))
        except ValueError:
            shapes = ", ".join(f"{name} {given.shape}" for name, given in arrays.items())
            raise ExpressionError("values of shapes that do not fit together", where=where, got=shapes) from None
        with np.errstate(all="ignore"):
            result = self.tree.value(arrays)
        return np.array(np.broadcast_to(result, shape), dtype=np.float64)

    def sympy(self) -> Any:
        """Write the formula as a ``sympy.Expr``: real symbols and exact numbers (0.5 is 1/2, pi is pi).

        Returns
        -------
        sympy.Expr
            The formula.

        Raises
        ------
        ExpressionError
            Sympy finds that it is undefined everywhere, as 1/(x - x) is.
        """
        import sympy

        expression = self.tree.symbolic()
        if expression.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            where = repr(shortened(self.text))
            raise ExpressionError("a formula without finite values", where=where, got=str(expression))
        return expression

    def substitute(self, by: Mapping[str, "Expression"]) -> "Expression":
        """Replace some names by formulas; the new text has no needless brackets.

        Parameters
        ----------
        by : mapping of str to Expression
            The formula that replaces each name.

        Returns
        -------
        Expression
            A new formula.

        Raises
        ------
        ExpressionError
            The result is longer or deeper than a formula may be.

        Examples
        --------
        >>> str(parse_expression("sqrt(a + b)").substitute({"a": parse_expression("(x1 - x2)**2")}))
        'sqrt((x1 - x2)**2 + b)'
        """
        tree = self.tree.replaced({name: expression.tree for name, expression in by.items()})
        return parse_expression(tree.written())


def natural_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort ``names`` as people count: x2 before x10."""

    def key(name: str) -> list[tuple[int, str]]:
        return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name)]

    return tuple(sorted(names, key=lambda name: (key(name), name)))


def parse_expression(text: str, *, variables: Sequence[str] | None = None) -> Expression:
    """Read a formula. Python evaluates nothing: its syntax tree is walked, and only a whitelist passes.

    Allowed are ``+ - * / **`` (``^`` is a power too), brackets, numbers, ``pi``, ``E``, names, and the functions sin
    cos tan asin acos atan sinh cosh tanh exp log sqrt abs sign of one argument. ``arcsin``, ``arccos``, ``arctan``,
    ``ln`` and ``Abs`` are other names of some of them. Long texts, deep nesting and constants that do not fit a float
    are refused before anything is computed.

    Parameters
    ----------
    text : str
        The formula.
    variables : sequence of str, optional
        The only names that may occur. Left out, any name may.

    Returns
    -------
    Expression
        The formula as a value.

    Raises
    ------
    ExpressionError
        The text is outside the language. The message names the column, counted from 1.

    Examples
    --------
    >>> parse_expression("x1**2 + ln(x2)").names
    ('x1', 'x2')
    >>> parse_expression("2x", variables=["x"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    bimt_train._errors.ExpressionError: number and name without a sign between: column 1 of '2x': ...
    """
    tree = read_formula(text)
    names = natural_order(variables_of(tree))
    for name in names if variables is not None else ():
        if variables is not None and name not in variables:
            raise ExpressionError(
                f"unknown name {name!r}",
                where=repr(shortened(text)),
                expected=", ".join(variables) or "no names",
                hint=did_you_mean(name, variables),
            )
    return Expression(text, names, tree)
