"""Definitions that use one another: what several of them need is defined once."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from ._terms import Group, groups, is_inverse, is_leaf, joined, kind_of, weights

BLANK = sympy.Dummy("blank", real=True)

Definitions = dict[sympy.Symbol, sympy.Expr]


def core(expression: sympy.Basic) -> tuple[sympy.Basic, sympy.Expr]:
    """What is left of an expression without its minus sign and its bar, and the way back, with a blank for it.

    Parameters
    ----------
    expression : sympy.Basic
        Any expression.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> core(-1/(x + y))
    (x + y, -1/_blank)
    """
    if is_leaf(expression):
        return expression, BLANK
    if expression.is_Mul and kind_of(expression) == "sum" and kind_of(-expression) != "sum":
        inner, back = core(-expression)
        return inner, -back
    if is_inverse(expression):
        inner, back = core(1 / expression)
        return inner, 1 / back
    return expression, BLANK


def stand_in(expression: sympy.Expr) -> sympy.Dummy:
    """A fresh symbol for an expression, real where all its inputs are.

    Parameters
    ----------
    expression : sympy.Expr
        What the symbol stands for.
    """
    return sympy.Dummy("part", real=all(symbol.is_real for symbol in expression.free_symbols) or None)


def aliased(definitions: Definitions) -> Definitions:
    """The definitions, with sums that are multiples of one another, as x - y and y - x, defined once.

    Parameters
    ----------
    definitions : dict of sympy.Symbol to sympy.Expr
        The right-hand side of each symbol.
    """
    families: dict[sympy.Expr, list[tuple[sympy.Expr, sympy.Expr]]] = {}
    for expression in definitions.values():
        for part in sympy.preorder_traversal(expression):
            if part.is_Add and not part.has(sympy.Float):
                number, primitive = part.primitive()
                sign = -1 if primitive.could_extract_minus_sign() else 1
                family = families.setdefault(sign * primitive, [])
                if all(part != member for member, _ in family):
                    family.append((part, sign * number))
    stand_ins: dict[sympy.Expr, sympy.Expr] = {}
    new: Definitions = {}
    for family in families.values():
        if len(family) > 1:
            # The one that is met first stands for all, or the one without a number before it.
            chosen, scale = min(family, key=lambda pair: abs(pair[1]) != 1)
            symbol = stand_in(chosen)
            new[symbol] = chosen
            stand_ins |= {member: number / scale * symbol for member, number in family}
    replaced = {symbol: _inside(expression, stand_ins) for symbol, expression in new.items()}
    return {symbol: e.xreplace(stand_ins) for symbol, e in definitions.items()} | replaced


def unified(expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The expressions with y - x written as x - y wherever that came first and the sign does not show: (y - x)**2.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        What is rewritten.
    """
    symbols = [sympy.Dummy() for _ in expressions]
    definitions = aliased(dict(zip(symbols, expressions, strict=True)))
    added = {symbol: e for symbol, e in definitions.items() if symbol not in symbols}
    for _ in added:
        definitions = {symbol: e.xreplace(added) for symbol, e in definitions.items()}
    return [definitions[symbol] for symbol in symbols]


def _inside(expression: sympy.Expr, stand_ins: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """The expression with its arguments replaced, and not itself as a whole."""
    return expression.func(*(argument.xreplace(stand_ins) for argument in expression.args))


@dataclass(frozen=True)
class _Uses:
    """Every sub-expression once, with those that use it; a definition's own symbol uses the whole of it."""

    parents: dict[sympy.Expr, list[Hashable]]

    @staticmethod
    def of(definitions: Definitions) -> "_Uses":
        uses = _Uses({})
        for symbol, expression in definitions.items():
            uses._add(core(expression)[0], symbol)
        return uses

    def _add(self, node: sympy.Basic, parent: Hashable) -> None:
        if is_leaf(node):
            return
        known = node in self.parents
        self.parents.setdefault(node, []).append(parent)
        if not known:
            for item in items_of(node):
                self._add(core(item)[0], node)


def items_of(node: sympy.Expr) -> tuple[sympy.Basic, ...]:
    """The terms, factors or arguments that a node is made of.

    Parameters
    ----------
    node : sympy.Expr
        A sum, a product or anything else.
    """
    return tuple(node.args) if kind_of(node) == "other" else tuple(weights(node))


def shared(definitions: Definitions, outputs: Collection[sympy.Symbol]) -> Definitions:
    """The definitions with new ones for all that is used more than once and is more than a symbol or a number.

    Parameters
    ----------
    definitions : dict of sympy.Symbol to sympy.Expr
        The right-hand side of each symbol.
    outputs : collection of sympy.Symbol
        Those that nothing else uses; definitions that are not among them are taken to be used more than once
        themselves.
    """
    uses = _Uses.of(definitions).parents
    repeated = {node for node, parents in uses.items() if len(parents) > 1}
    repeated |= {core(expression)[0] for symbol, expression in definitions.items() if symbol not in outputs}
    found: list[Group] = []
    for kind in ("sum", "product"):
        nodes = {node: weights(node) for node in uses if kind_of(node) == kind}
        owners = {item: set(uses.get(core(item)[0], ())) for held in nodes.values() for item in held}
        found += groups(kind, nodes, owners, repeated)
    symbols: dict[sympy.Expr, sympy.Symbol] = {}
    for node, parents in uses.items():
        joint = [group.within for group in found if any(core(item)[0] == node for item in group.items)]
        alone = [parent for parent in parents if not any(parent in within for within in joint)]
        if len(alone) + len(joint) > 1:
            symbols[node] = stand_in(node)
    bodies = {stand_in(joined(group.kind, group.items.items())): group for group in found}

    def value(expression: sympy.Basic) -> sympy.Basic:
        inner, back = core(expression)
        new = symbols.get(inner, inner if is_leaf(inner) else None)
        return back.xreplace({BLANK: written(inner) if new is None else new})

    def written(node: sympy.Expr) -> sympy.Expr:
        kind = kind_of(node)
        if kind == "other":
            return node.func(*map(value, node.args))
        here = {symbol: group for symbol, group in bodies.items() if node in group.within}
        taken = {item for group in here.values() for item in group.items}
        items = [(value(item), weight) for item, weight in weights(node).items() if item not in taken]
        if not here and items == list(weights(node).items()):
            return node
        return joined(kind, [*items, *((symbol, group.within[node]) for symbol, group in here.items())])

    result = {symbol: value(expression) for symbol, expression in definitions.items()}
    result |= {symbol: written(node) for node, symbol in symbols.items()}
    for symbol, group in bodies.items():
        result[symbol] = joined(group.kind, [(value(item), weight) for item, weight in group.items.items()])
    return result
