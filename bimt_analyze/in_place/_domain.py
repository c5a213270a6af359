"""Where a formula is not defined on rows: logarithms of what is not positive, divisions by zero, and the like."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Bool, Float64

from ..formulas.problem._template import numeric

Values = Float64[np.ndarray, " rows"]
Inside = Callable[[Values], Bool[np.ndarray, " rows"]]

_DOMAINS: dict[type, tuple[str, Inside]] = {
    sympy.log: ("above 0", lambda v: v > 0),
    sympy.asin: ("between -1 and 1", lambda v: np.abs(v) <= 1),
    sympy.acos: ("between -1 and 1", lambda v: np.abs(v) <= 1),
    sympy.atanh: ("between -1 and 1", lambda v: np.abs(v) < 1),
    sympy.acosh: ("1 or more", lambda v: v >= 1),
}


@dataclass(frozen=True)
class DomainEdge:
    """A part of a formula that some rows leave, or that has a pole between rows.

    Attributes
    ----------
    text : str
        What is the matter, in one sentence.
    outside : int
        Rows on which the part is not defined.
    """

    text: str
    outside: int


def domain_edges(
    expression: sympy.Expr, inputs: Sequence[str], rows: Float64[np.ndarray, "rows inputs"]
) -> tuple[DomainEdge, ...]:
    """The parts of a formula that rows leave, or that have a pole between rows.

    Parameters
    ----------
    expression : sympy.Expr
        The formula, in real symbols.
    inputs : sequence of str
        The names of the columns.
    rows : array of shape [rows, inputs]
        The rows.

    Returns
    -------
    tuple of DomainEdge
        None where the formula is defined on all rows and between them.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> [edge.text for edge in domain_edges(sympy.log(x - 1), ["x"], np.array([[0.5], [3.0]]))]
    ['log(x - 1) needs x - 1 above 0, which 1 of 2 rows is not']
    """
    symbols = [sympy.Symbol(name, real=True) for name in inputs]
    found = dict[str, DomainEdge]()
    for part, argument, says, inside in _limits(expression):
        values = numeric(argument, symbols)(rows)
        outside = int(np.sum(~inside(values) & np.isfinite(values)))
        if outside:
            verb = "is" if outside == 1 else "are"
            text = f"{part} needs {argument} {says}, which {outside} of {len(rows)} rows {verb} not"
        elif says == "other than 0" and np.nanmin(values) < 0 < np.nanmax(values):
            text = f"{part} has a pole where {argument} is 0, which it passes between the rows"
        else:
            continue
        found[text] = DomainEdge(text, outside)
    return tuple(found.values())


def _limits(expression: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr, str, Inside]]:
    """Parts that are not defined everywhere: the part, its argument, and where that has to lie."""
    for part in sympy.preorder_traversal(expression):
        if type(part) in _DOMAINS and part.free_symbols:
            yield part, part.args[0], *_DOMAINS[type(part)]
        if not part.is_Pow or not part.base.free_symbols:
            continue
        if part.exp.is_integer:
            if part.exp.is_negative:
                yield part, part.base, "other than 0", lambda v: v != 0
        elif part.exp.is_positive:
            yield part, part.base, "0 or more", lambda v: v >= 0
        else:
            yield part, part.base, "above 0", lambda v: v > 0
