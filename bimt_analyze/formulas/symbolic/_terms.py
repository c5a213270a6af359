"""Sums and products taken apart, and what several of them hold together."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import sympy

Kind = Literal["sum", "product", "other"]
Weights = Mapping[sympy.Expr, sympy.Expr]


def is_leaf(expression: sympy.Basic) -> bool:
    """Whether an expression is a symbol, a number, or no expression at all (a condition).

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.
    """
    return bool(expression.is_Symbol or not expression.free_symbols or not isinstance(expression, sympy.Expr))


def is_trivial(expression: sympy.Expr) -> bool:
    """Whether an expression is a leaf, or a symbol with a number before it, or below a bar.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> is_trivial(-2*x), is_trivial(1/x), is_trivial(x**2), is_trivial(x + 1)
    (True, True, False, False)
    """
    if is_leaf(expression):
        return True
    rest = apart(expression)[1]
    return bool((1 / rest if is_inverse(rest) else rest).is_Symbol)


def is_inverse(expression: sympy.Expr) -> bool:
    """Whether an expression is one over something: a power whose exponent is a negative number.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.
    """
    return bool(expression.is_Pow and expression.exp.is_Rational and expression.exp.is_negative)


def apart(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """The number before a term, and the term without it.

    Parameters
    ----------
    term : sympy.Expr
        A term of a sum.
    """
    if not term.is_Mul:
        return (sympy.Integer(1), term) if term.free_symbols else (term, sympy.Integer(1))
    number, rest = term.as_independent(*term.free_symbols, as_Add=False)
    return number, rest


def kind_of(expression: sympy.Expr) -> Kind:
    """What an expression is: a sum (also one term with a number before it), a product with symbols, or anything else.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> kind_of(x + 1), kind_of(2*x), kind_of(x/y), kind_of(x**2)
    ('sum', 'sum', 'product', 'other')
    """
    if expression.is_Add or (expression.is_Mul and apart(expression)[0] != 1):
        return "sum"
    return "product" if expression.is_Mul else "other"


def weights(expression: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """A sum's terms with the numbers before them, or a product's factors with 1 or -1.

    The constant of a sum is a multiple of 1. Factors have positive exponents, and weigh -1 below the bar.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> weights(3 - 2*x*y), weights(x/y**2)
    ({1: 3, x*y: -2}, {x: 1, y**2: -1})
    """
    if kind_of(expression) == "sum":
        pairs = [apart(term) for term in sympy.Add.make_args(expression)]
        found = {rest: number for number, rest in pairs}
    else:
        found = {}
        for factor in sympy.Mul.make_args(expression):
            below = is_inverse(factor)
            found[1 / factor if below else factor] = sympy.Integer(-1 if below else 1)
    return found


def joined(kind: Kind, items: Iterable[tuple[sympy.Expr, sympy.Expr]]) -> sympy.Expr:
    """The sum of weight * item, or the product of item**weight; a number before a sum stays before it.

    Parameters
    ----------
    kind : str
        ``"sum"`` or ``"product"``.
    items : iterable of (sympy.Expr, sympy.Expr)
        The items with their weights.
    """
    if kind == "product":
        return sympy.Mul(*(item**weight for item, weight in items))
    return sympy.Add(*(_times(weight, item) for item, weight in items))


def _times(weight: sympy.Expr, item: sympy.Expr) -> sympy.Expr:
    """A weight times an item, not multiplied out where the item is a sum."""
    kept = item.is_Add and weight.is_Rational and abs(weight) != 1
    return sympy.Mul(weight, item, evaluate=not kept)


@dataclass(frozen=True)
class Group:
    """Items that stand together in several sums or products.

    Attributes
    ----------
    kind : str
        ``"sum"`` or ``"product"``.
    items : mapping of sympy.Expr to sympy.Expr
        The items with their weights: the body of the group.
    within : mapping of sympy.Expr to sympy.Expr
        For each sum or product that holds the group: its factor in that sum, or its exponent in that product.
    """

    kind: Kind
    items: Weights
    within: Weights

    @property
    def saving(self) -> tuple[int, int]:
        """Operations that need not be written again, then in how many places: what groups are compared by."""
        return max(len(self.within) - 1, 0) * max(len(self.items) - 1, 0), len(self.within)


def groups(
    kind: Kind,
    nodes: Mapping[sympy.Expr, Weights],
    parents: Mapping[sympy.Expr, set[Hashable]],
    repeated: Collection[sympy.Expr],
) -> list[Group]:
    """What stands together in several sums (or products), the largest saving first.

    Trivial items form a group wherever several meet. Any other item gets a name of its own where it is used apart from
    the rest, and so joins a group only if the group's nodes are all its parents: what always appears together is one
    part, and what also appears alone stays apart.

    Parameters
    ----------
    kind : str
        ``"sum"`` or ``"product"``.
    nodes : mapping of sympy.Expr to mapping
        The sums or products with their items and weights.
    parents : mapping of sympy.Expr to set
        What uses each item.
    repeated : collection of sympy.Expr
        The nodes that get a name anyway; as wholes they are looked for before all others.
    """
    table = _Table(kind, {node: dict(items) for node, items in nodes.items()})
    found: list[Group] = []
    for node in sorted((node for node in nodes if node in repeated), key=lambda node: -len(nodes[node])):
        whole = Group(kind, table.left[node], table.holders(table.left[node]))
        if whole.saving[0] > 0:
            found.append(table.without(whole))
    starts = {frozenset(start.items()): start for start in table.starts()}
    while starts:
        trials = {key: table.grown(start, parents) for key, start in starts.items()}
        best = max(trials.values(), key=lambda group: group.saving)
        starts = {key: start for key, start in starts.items() if trials[key].saving[0] > 0}
        if best.saving[0] > 0:
            found.append(table.without(best))
    return found


class _Table:
    """The sums (or products) with what is left of them, and for each item where it stands."""

    def __init__(self, kind: Kind, left: dict[sympy.Expr, dict[sympy.Expr, sympy.Expr]]) -> None:
        self.kind, self.left = kind, left
        self.where: dict[sympy.Expr, list[sympy.Expr]] = {}
        for node, items in left.items():
            for item in items:
                self.where.setdefault(item, []).append(node)

    def without(self, group: Group) -> Group:
        """The group, now taken out of its nodes.

        Parameters
        ----------
        group : Group
            What leaves the table.
        """
        for node in group.within:
            self.left[node] = {item: weight for item, weight in self.left[node].items() if item not in group.items}
        return _oriented(group)

    def starts(self) -> Iterator[dict[sympy.Expr, sympy.Expr]]:
        """For every two nodes and every ratio of their weights: all trivial items of it, and each other item."""
        for one, two in combinations(self.left.values(), 2):
            alike: dict[sympy.Expr, dict[sympy.Expr, sympy.Expr]] = {}
            for item, weight in one.items():
                if item in two and (ratio := _ratio(self.kind, weight, two[item])) is not None:
                    alike.setdefault(ratio, {})[item] = weight
            for same in alike.values():
                trivial = {item: weight for item, weight in same.items() if is_trivial(item)}
                if trivial:
                    yield trivial
                yield from ({item: weight} for item, weight in same.items() if item not in trivial)

    def holders(self, items: Weights) -> dict[sympy.Expr, sympy.Expr]:
        """The nodes that hold all the items in one ratio, and that ratio.

        Parameters
        ----------
        items : mapping of sympy.Expr to sympy.Expr
            Items with their weights.
        """
        found = {}
        for node in min((self.where[item] for item in items), key=len, default=[]):
            weighted = self.left[node]
            if all(item in weighted for item in items):
                ratios = {_ratio(self.kind, weight, weighted[item]) for item, weight in items.items()}
                if len(ratios) == 1 and (ratio := ratios.pop()) is not None:
                    found[node] = ratio
        return found

    def grown(self, start: Weights, parents: Mapping[sympy.Expr, set[Hashable]]) -> Group:
        """The start with all that stands in every node that holds it, and may join; no nodes where it may not itself.

        Parameters
        ----------
        start : mapping of sympy.Expr to sympy.Expr
            Items with their weights.
        parents : mapping of sympy.Expr to set
            What uses each item.
        """
        within = self.holders(start)
        if len(within) < 2 or any(not is_trivial(item) and parents[item] != set(within) for item in start):
            return Group(self.kind, start, {})
        first = next(iter(within))
        items = {item: self.left[first][item] for item in start}
        within = self.holders(items)
        for item, weight in self.left[first].items():
            if item not in start and (is_trivial(item) or parents[item] == set(within)):
                held = all(_ratio(self.kind, weight, self.left[n].get(item, 0 * weight)) == within[n] for n in within)
                items |= {item: weight} if held else {}
        return Group(self.kind, items, within)


def _ratio(kind: Kind, one: sympy.Expr, two: sympy.Expr) -> sympy.Expr | None:
    """The quotient two / one where it is exact; None for decimals that differ."""
    if one == two:
        return sympy.Integer(1)
    if one == -two:
        return sympy.Integer(-1)
    return None if kind == "product" or one.has(sympy.Float) or two.has(sympy.Float) else two / one


def _oriented(group: Group) -> Group:
    """The group without a number before its whole body that some node does not need, and without a minus."""
    scale = next(iter(group.items.values()))
    if all(abs(ratio) == 1 for ratio in group.within.values()):
        negative = all(weight.is_negative for weight in group.items.values())
        scale = sympy.Integer(-1 if negative else 1)
    items = {item: weight / scale for item, weight in group.items.items()}
    return Group(group.kind, items, {node: ratio * scale for node, ratio in group.within.items()})
