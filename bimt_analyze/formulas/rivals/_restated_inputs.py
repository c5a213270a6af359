"""Rivals of a formula by restatement: an input replaced by what it equals on the rows."""

from collections.abc import Iterator, Sequence

import numpy as np
import sympy
from jaxtyping import Float64

from .._find_formula import find_formula
from ..problem._budget import Budget
from ..symbolic._tidy import complexity
from ._input_relations import ImplicitRelation, InputRelation, function_relations

Matrix = Float64[np.ndarray, "rows inputs"]

_WORK = 1.0  # units, for one input as a function of others
_SHORT = 12  # nodes of such a function, at most


def restated_inputs(
    expression: sympy.Expr,
    symbols: list[sympy.Symbol],
    x: Matrix,
    relations: Sequence[InputRelation | ImplicitRelation],
    *,
    budget: Budget,
    seed: int,
) -> Iterator[tuple[sympy.Expr, str]]:
    """The formula with inputs replaced by what they equal on the rows, each with the relation in words.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    relations : sequence of InputRelation or ImplicitRelation
        What `input_relations` found.
    budget : Budget
        Cuts the search for functions among the inputs short, and is charged.
    seed : int
        Of that search.
    """
    known: list[InputRelation] = []
    for relation in relations:
        if isinstance(relation, ImplicitRelation):
            yield from ((form, f"since {relation} on the rows") for form in _by_quadric(expression, relation))
            continue
        known.append(relation)
        yield from ((form, f"since {relation} on the rows") for form in _by_relation(expression, relation))
    settled = {relation.symbol for relation in known}
    for relation in _functions(symbols, x, settled, budget=budget, seed=seed):
        yield from ((form, f"since {relation} on the rows") for form in _by_relation(expression, relation))


def _by_relation(expression: sympy.Expr, relation: InputRelation) -> Iterator[sympy.Expr]:
    """The formula with one input of a relation eliminated, for each input that can be."""
    symbol, other = relation.symbol, relation.expression
    if not other.free_symbols:
        yield from _by_constant(expression, symbol, other)
        return
    for name in sorted(other.free_symbols | {symbol}, key=str):
        for solved in [other] if name == symbol else _solved(other - symbol, name):
            if name in expression.free_symbols:
                yield from _shorter(expression.subs(name, solved))
    yield from _put_back(expression, symbol, other)


def _put_back(expression: sympy.Expr, symbol: sympy.Symbol, other: sympy.Expr) -> Iterator[sympy.Expr]:
    """The formula with the input in place of what it equals, where that stands in it."""
    if (written := expression.subs(other, symbol)) != expression:
        yield written
    if other.is_Add or other.is_Mul:
        for part in sympy.preorder_traversal(expression):
            if part.func == other.func and part.free_symbols == other.free_symbols:
                ratio = sympy.cancel(part / other)
                if not ratio.free_symbols and ratio.is_finite:
                    yield expression.xreplace({part: ratio * symbol})


def _by_constant(expression: sympy.Expr, symbol: sympy.Symbol, value: sympy.Expr) -> Iterator[sympy.Expr]:
    """The formula with a constant column in place of a number, or the number in place of the column."""
    if symbol in expression.free_symbols:
        yield expression.xreplace({symbol: value})
    if value in (0, 1, -1):
        return
    for number in sorted(expression.atoms(sympy.Number), key=sympy.default_sort_key):
        for power in (1, 2, -1):
            if abs(float(number) - float(value) ** power) <= 1e-9 * abs(float(number)):
                yield expression.xreplace({number: symbol**power})


def _by_quadric(expression: sympy.Expr, relation: ImplicitRelation) -> Iterator[sympy.Expr]:
    """The formula with a square, a product or an input eliminated by a polynomial that is zero on the rows."""
    terms = sympy.Add.make_args(relation.expression)
    for term in terms:
        number, monomial = term.as_coeff_Mul()
        if monomial == 1:
            continue
        replaced = sympy.expand(expression).subs(monomial, sympy.expand(-(relation.expression - term) / number))
        if replaced != expression:
            yield from _shorter(replaced)
    for name in sorted(relation.expression.free_symbols & expression.free_symbols, key=str):
        for solved in _solved(relation.expression, name):
            yield from _shorter(expression.subs(name, solved))
    for monomials in (terms, tuple(-term for term in terms)):
        whole = sympy.Add(*monomials)
        for part in sympy.preorder_traversal(sympy.expand(expression)):
            if part.is_Add and (rest := sympy.expand(part - whole)) != part and complexity(rest) < complexity(part):
                yield sympy.expand(expression).xreplace({part: rest})


def _solved(relation: sympy.Expr, name: sympy.Symbol) -> list[sympy.Expr]:
    """What a relation says an input is; nothing where sympy finds no short answer."""
    try:
        found = sympy.solve(relation, name, dict=False, simplify=False)
    except NotImplementedError:
        return []
    return [e for e in found if isinstance(e, sympy.Expr) and name not in e.free_symbols and not e.has(sympy.I)]


def _shorter(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """The expression as it stands, and multiplied out where that is shorter."""
    yield expression
    expanded = sympy.expand(expression)
    if expanded != expression and complexity(expanded) < complexity(expression):
        yield expanded


def _functions(
    symbols: list[sympy.Symbol], x: Matrix, settled: set[sympy.Symbol], *, budget: Budget, seed: int
) -> Iterator[InputRelation]:
    """Inputs that are functions of others on the rows, found by the search itself."""
    names = [str(symbol) for symbol in symbols]
    for place, others in function_relations(x, budget=budget):
        if budget.over() or symbols[place] in settled or any(symbols[k] in settled for k in others):
            continue
        found = find_formula(
            x[:, list(others)], x[:, place], names=[names[k] for k in others], output=names[place],
            time_limit=_WORK, patience=budget.ledger.seconds_left() / (_WORK + 3), seed=seed,
        )  # fmt: skip
        budget.ledger.spend(found.work)
        if found.fits and found.complexity <= _SHORT and found.expression.free_symbols:
            yield InputRelation(symbols[place], found.expression)
