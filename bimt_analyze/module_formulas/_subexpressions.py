"""The parts of formulas that a module may compute: subexpressions, and sums and products of some of their terms."""

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

import sympy

_MANY = 6  # terms of a sum or factors of a product, beyond which no subsets are taken
_MOST = 200


def subexpressions(expressions: Iterable[sympy.Expr], names: Collection[str]) -> tuple[sympy.Expr, ...]:
    """The parts of some expressions that use no other names, shortest first.

    Parameters
    ----------
    expressions : iterable of sympy.Expr
        The formulas.
    names : collection of str
        The names that a part may use; it uses one at least.

    Returns
    -------
    tuple of sympy.Expr
        Each subexpression once, and each sum of several terms of a sum and product of several factors of a product; 200
        at most.

    Examples
    --------
    >>> x, y, z = sympy.symbols("x y z", real=True)
    >>> subexpressions([sympy.sqrt((x - y) ** 2 + z**2)], ["x", "y"])
    (x, y, -y, x - y, (x - y)**2)
    """
    allowed, found = set(names), dict[sympy.Expr, None]()
    for expression in expressions:
        for part in _parts(expression):
            used = {str(symbol) for symbol in part.free_symbols}
            if used and used <= allowed:
                found[part] = None
    return tuple(sorted(found, key=lambda part: (part.count_ops(), sympy.default_sort_key(part))))[:_MOST]


def _parts(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    for part in sympy.preorder_traversal(expression):
        if not isinstance(part, sympy.Expr):
            continue
        yield part
        if (part.is_Add or part.is_Mul) and 2 < len(part.args) <= _MANY:
            for size in range(2, len(part.args)):
                for some in combinations(part.args, size):
                    yield part.func(*some)
