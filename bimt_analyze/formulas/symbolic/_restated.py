"""Expressions written with one another: y2 = y1 + rest, or y1 * rest, where that is shorter though not written so."""

from collections.abc import Iterator, Sequence
from math import comb

import sympy

from ._terms import is_leaf
from ._tidy import complexity, tidy

_TERMS = 200  # of an expression multiplied out, beyond which it is left alone
_LEFT = 20  # terms of a rest, beyond which it is no shorter
_ROUNDS = 3  # since a rewritten expression may help another


def restated(expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The expressions, some written with another one, or with a term or factor of it, as a summand or a factor.

    So x**2 + 2*x*y + y**2 + z becomes z + (x + y)**2 next to (x + y)**2. Only where the rest, with one operation and
    one name more, is shorter than what stood there. Expressions with decimals or cases are left alone, as are very long
    ones.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        What may be written with one another.

    Examples
    --------
    >>> x, y, z = sympy.symbols("x y z")
    >>> restated([x + y, x**2 - y**2, z])
    [x + y, (x - y)*(x + y), z]
    """
    now = list(expressions)
    usable = [not e.has(sympy.Float, sympy.Piecewise) and expanded_terms(e) <= _TERMS for e in now]
    for _ in range(_ROUNDS):
        before = list(now)
        for place, expression in enumerate(now):
            if not usable[place] or is_leaf(expression):
                continue
            others = [e for k, e in enumerate(now) if k != place and usable[k]]
            best = min(_ways(expression, others), default=None, key=lambda way: way[0])
            if best is not None and best[0] < complexity(expression):
                now[place] = best[1]
        if now == before:
            break
    return now


def _ways(expression: sympy.Expr, others: Sequence[sympy.Expr]) -> Iterator[tuple[int, sympy.Expr]]:
    """Other ways to write an expression, with their lengths once the part has a name of one letter."""
    seen, whole = {expression}, sympy.expand(expression)
    for part in (piece for other in others for piece in _pieces(other)):
        if part in seen or _visible(part, expression) or complexity(part) >= complexity(expression):
            continue
        seen.add(part)
        composite = _composite(part)
        if composite or _composite(expression):
            for sign in (1, -1):
                rest = whole - sign * sympy.expand(part)
                terms = len(sympy.Add.make_args(rest))
                if terms < min(len(sympy.Add.make_args(whole)), _LEFT):
                    rest = _tidied(rest)
                    yield complexity(rest) + 2, sign * part + rest
        if (composite or part.is_Add) and (rest := _quotient(expression, part)) is not None:
            yield complexity(rest) + 2, part * rest


def _pieces(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """The whole expression, and those of its terms or factors that hold a sum."""
    if not is_leaf(expression):
        yield expression
    for part in expression.args if expression.is_Add or expression.is_Mul else ():
        if _composite(part) or part.is_Add:
            yield part


def _composite(expression: sympy.Expr) -> bool:
    """Whether multiplying out would change an expression, most likely: a sum inside a product or a power."""
    parts = [part for term in sympy.Add.make_args(expression) for part in sympy.preorder_traversal(term)]
    return any(part.is_Add for part in parts)


def _visible(part: sympy.Expr, expression: sympy.Expr) -> bool:
    """Whether the part stands in the expression as it is written."""
    if expression.has(part):
        return True
    return bool(part.is_Add and expression.is_Add and set(part.args) <= set(expression.args))


def _quotient(expression: sympy.Expr, part: sympy.Expr) -> sympy.Expr | None:
    """The polynomial for which part * rest is the expression; None where there is none, or only a number."""
    symbols = sorted(expression.free_symbols | part.free_symbols, key=str)
    if not (expression.is_polynomial(*symbols) and part.is_polynomial(*symbols)):
        return None
    quotient, remainder = sympy.div(sympy.Poly(expression, *symbols), sympy.Poly(part, *symbols))
    return _tidied(quotient.as_expr()) if remainder == 0 and quotient.total_degree() > 0 else None


def _tidied(expression: sympy.Expr) -> sympy.Expr:
    """The shorter way to write it, if it is the same everywhere, as sqrt(x*y) for sqrt(x)*sqrt(y) is not."""
    shorter = tidy(expression)
    return shorter if sympy.expand(shorter - expression) == 0 else expression


def expanded_terms(expression: sympy.Expr) -> int:
    """At most how many terms an expression has once it is multiplied out, whatever stands inside of functions.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> expanded_terms((x + y + 1)**2 * (x - y))
    12
    """
    if expression.is_Add:
        return sum(map(expanded_terms, expression.args))
    count = 1
    if expression.is_Mul:
        for factor in expression.args:
            count *= expanded_terms(factor)
    elif expression.is_Pow and expression.exp.is_Integer and expression.exp > 1:
        inner = expanded_terms(expression.base)
        count = comb(inner + int(expression.exp) - 1, inner - 1) if inner > 1 else 1
    else:
        count = max([1, *map(expanded_terms, expression.args)])
    return count
