"""What the outputs of a vector have in common, each part named once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import sympy

from bimt_train.showing import Shown, to_cell

from ._formula import Formula
from .export._cells import set_formulas
from .symbolic._common_subexpressions import Definitions, aliased, shared, unified
from .symbolic._restated import restated
from .symbolic._rounded import written
from .symbolic._terms import is_trivial

_LETTERS = "abcdghkmnpqrstuvw"  # none that is read as a number, a function or a coordinate
_NODES = 2000  # of all expressions together, beyond which nothing is looked for


@dataclass(frozen=True, repr=False)
class SharedParts(Shown):
    """Outputs as expressions over inputs and named parts.

    Attributes
    ----------
    parts : mapping of str to sympy.Expr
        Each part's expression, in such an order that it uses only earlier parts.
    outputs : mapping of str to sympy.Expr
        Each output's expression, in the order given.

    Examples
    --------
    >>> a, x1, x2 = sympy.symbols("a x1 x2", real=True)
    >>> found = SharedParts(parts={"a": x1**2}, outputs={"y1": a, "y2": a + x2})
    >>> found.users("a"), found.inlined()
    (('y1', 'y2'), {'y1': x1**2, 'y2': x1**2 + x2})
    """

    parts: Mapping[str, sympy.Expr]
    outputs: Mapping[str, sympy.Expr]

    def _brief(self) -> str:
        return "; ".join(self.lines())

    def _repr_html_(self) -> str:
        return to_cell("Shared parts", lines=set_formulas({**self.parts, **self.outputs}).values())

    def users(self, part: str) -> tuple[str, ...]:
        """The outputs that use a part, directly or by way of other parts.

        Parameters
        ----------
        part : str
            The name of the part.
        """
        symbols = {part}
        for name, expression in self.parts.items():
            if symbols & _names_in(expression):
                symbols.add(name)
        return tuple(output for output, expression in self.outputs.items() if symbols & _names_in(expression))

    def inlined(self) -> dict[str, sympy.Expr]:
        """The outputs with the parts put back in."""
        known: dict[sympy.Symbol, sympy.Expr] = {}
        symbols = {str(s): s for e in (*self.parts.values(), *self.outputs.values()) for s in e.free_symbols}
        for name, expression in self.parts.items():
            known[symbols[name]] = expression.xreplace(known)
        return {output: expression.xreplace(known) for output, expression in self.outputs.items()}

    def lines(self, *, digits: int = 6) -> tuple[str, ...]:
        """One line of text for each part and each output.

        Parameters
        ----------
        digits : int, default 6
            How many digits of a decimal are shown.

        Examples
        --------
        >>> x1, x2 = sympy.symbols("x1 x2", real=True)
        >>> print(*shared_parts({"y1": x1**2, "y2": x1**2 + x2}).lines(), sep="; ")
        a = x1**2; y1 = a; y2 = a + x2
        """
        return tuple(
            f"{name} = {written(expression, digits)}"
            for name, expression in (*self.parts.items(), *self.outputs.items())
        )


def shared_parts(formulas: Mapping[str, Formula | sympy.Expr]) -> SharedParts:
    """Summands, factors and arguments that the outputs use more than once, each with a name.

    First every output is written with the others where that is shorter, then equal parts are looked for, also within
    sums and products: what always appears together is one part. Symbols and numbers get no names, nor does what is used
    once. Names differ from those of all inputs and outputs.

    Parameters
    ----------
    formulas : mapping of str to Formula or sympy.Expr
        The outputs by name.

    Returns
    -------
    SharedParts
        Putting its parts back gives the outputs as functions; the way in which they were written may differ (a square
        that was multiplied out). Expressions of more than 2,000 nodes altogether are given back as they are.

    Examples
    --------
    >>> x1, x2 = sympy.symbols("x1 x2", real=True)
    >>> found = shared_parts({"y1": x1**2, "y2": x1**2 + x2**2})
    >>> found.parts, found.users("a")
    ({'a': x1**2}, ('y1', 'y2'))
    """
    given = {
        name: f.expression if isinstance(f, Formula) else sympy.sympify(f, strict=True) for name, f in formulas.items()
    }
    if sum(1 for e in given.values() for _ in sympy.preorder_traversal(e)) > _NODES:
        return SharedParts({}, given)
    outputs = [sympy.Dummy(name) for name in given]
    written: Definitions = dict(zip(outputs, restated(unified(list(given.values()))), strict=True))
    found = _pruned(shared(aliased(written), outputs), outputs)
    order = _in_order(found, outputs)
    inputs = {name for f in formulas.values() if isinstance(f, Formula) for name in f.inputs}
    taken = inputs | set(given) | {name for e in given.values() for name in _names_in(e)}
    named = {part: sympy.Symbol(name, real=part.is_real) for part, name in zip(order, _names(taken), strict=False)}
    return SharedParts(
        {str(named[part]): found[part].xreplace(named) for part in order},
        {name: found[output].xreplace(named) for name, output in zip(given, outputs, strict=True)},
    )


def _pruned(definitions: Definitions, outputs: Sequence[sympy.Symbol]) -> Definitions:
    """The definitions without those that are used less than twice, or say no more than a symbol."""
    left = dict(definitions)
    while True:
        for symbol, expression in left.items():
            uses = sum(e.count(symbol) for e in left.values())
            if symbol not in outputs and (uses < 2 or is_trivial(expression)):
                break
        else:
            return left
        del left[symbol]
        left = {other: e.xreplace({symbol: expression}) for other, e in left.items()}


def _in_order(definitions: Definitions, outputs: Sequence[sympy.Symbol]) -> list[sympy.Symbol]:
    """The parts in the order in which the outputs need them, each after those that it uses itself."""
    found: list[sympy.Symbol] = []

    def visit(expression: sympy.Expr) -> None:
        for symbol in _appearing(expression):
            if symbol in definitions and symbol not in found:
                visit(definitions[symbol])
                found.append(symbol)

    for output in outputs:
        visit(definitions[output])
    return found


def _appearing(expression: sympy.Expr) -> Iterator[sympy.Symbol]:
    """The symbols of an expression, in the order in which it is built of them."""
    for part in sympy.preorder_traversal(expression, keys=sympy.default_sort_key):
        if part.is_Symbol:
            yield part


def _names(taken: set[str]) -> Iterator[str]:
    """Free names: a, b, c, ..., then a1, b1, ..., without those that are taken."""
    for round_ in count():
        for letter in _LETTERS:
            name = f"{letter}{round_ or ''}"
            if name not in taken:
                yield name


def _names_in(expression: sympy.Expr) -> set[str]:
    return {str(symbol) for symbol in expression.free_symbols}
