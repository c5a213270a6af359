"""Sums of a few terms out of a large dictionary, each a monomial times a function of a simple argument."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import sympy
from jaxtyping import Float64, Int64

from ..problem._least_squares import needed
from ..problem._monomials import expression, length, monomials, value
from ..problem._operators import SELDOM, operator
from ..problem._polynomial import Powers, count, evaluate, monomial, powers
from ..problem._search_problem import Rows, SearchProblem
from ..problem._template import Template, linear, numeric
from ._inverted_targets import targets

_Shape = tuple[sympy.Expr, Rows]
Matrix = Float64[np.ndarray, "terms rows"]

_ROWS = 300  # on which sums are compared
_WIDEST, _FEWEST = 6, 40  # inputs, and rows
_TERMS = 20_000  # of the dictionary
_ARGUMENTS = 60
_SIZES = ((40, False), (120, True))  # monomials, and whether three functions may stand within each other
_BEAM, _MOST_BEAM = 60, 600  # sums that are kept at each length; of few terms there are more, at equal work
_CHILDREN = 7  # a part of them, one in so many, may come from one shorter sum
_LONGEST = ((0, 4), (1, 3), (2, 3), (3, 2))  # degree of a polynomial that is free, and how many terms may stand beside
_EXACT = 1e-8  # relative error that is no chance
_BEST = 3  # sums that explain nothing and are proposed all the same
_SHARE = 0.12  # of the time
_LEAST_WORK = 0.4  # units, below which a dictionary is not worth its making
_CHAINED = 3  # inputs, up to which that is tried
_LARGEST, _FLAT = 1e9, 1e-6  # of a term's values, over their mean size; and how much they must vary
_APART = 1e-9  # of a term's square, below which it is a sum of others
_COMPARED = 12  # rows whose values tell terms apart
_DIGITS = 1e8  # to which scaled values must agree for two terms to be one
_FUNCTIONS = ("sin", "cos", "exp", "log", "tanh", "sqrt", "reciprocal")
_INNER = ("sin", "cos", "exp", "log", "tanh", "sqrt")  # within another function of a single column


@dataclass(frozen=True, eq=False)
class _Dictionary:
    """Terms: what each is made of, and their values on some rows.

    Attributes
    ----------
    multiples : tuple of sympy.Expr
        Monomials.
    shapes : tuple of sympy.Expr
        Functions of simple arguments.
    factors : array of int of shape [terms, 2]
        The numbers of each term's monomial and function.
    values : array of shape [terms, rows]
        On the rows that are compared.
    """

    multiples: tuple[sympy.Expr, ...]
    shapes: tuple[sympy.Expr, ...]
    factors: Int64[np.ndarray, "terms 2"]
    values: Matrix

    def expression(self, k: int) -> sympy.Expr:
        """One term in sympy.

        Parameters
        ----------
        k : int
            Its number.
        """
        multiple, shape = self.factors[k]
        return self.multiples[multiple] * self.shapes[shape]


@dataclass(frozen=True, eq=False)
class _Sum:
    """Some terms beside a polynomial.

    Attributes
    ----------
    terms : tuple of int
        Numbers of the dictionary's entries.
    basis : array of shape [many, rows]
        Orthonormal, for these terms without their part in the polynomials.
    residual : array of shape [rows]
        What polynomial and terms leave of y.
    taken : array of shape [terms]
        The square of each entry's part in ``basis``.
    """

    terms: tuple[int, ...]
    basis: Float64[np.ndarray, "many rows"]
    residual: Rows
    taken: Float64[np.ndarray, " terms"]


def sparse_sums(problem: SearchProblem) -> Iterator[Template]:
    """Templates h(p(x) + sum of at most four terms), found by forward selection that keeps many sums at each length.

    Each term is a monomial times a function of a column, of two columns' sum, difference, product or quotient, or
    functions within each other of one column. A new term is judged by what all terms together leave, not by its own
    correlation with y. The function h is undone first.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if not 0 < problem.width <= _WIDEST or problem.rows < _FEWEST:
        return
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    for multiples, chained in _SIZES if problem.width > 1 else _SIZES[-1:]:
        if problem.budget.left < _LEAST_WORK:
            return
        terms = _dictionary(problem.some(some), multiples, chained=chained)
        if terms is None:
            return
        for target in targets(problem):
            undone = problem.target(target.values, tolerance=problem.tolerance)
            for degree, most in _LONGEST:
                if problem.budget.over():
                    return
                if 4 * count(problem.width, degree) > len(some):
                    continue
                for template in _proposed(undone, undone.some(some), terms, degree, most):
                    yield Template(target.build(template.expression), template.start, template.error)
                    if template.error < _EXACT:
                        return


def _proposed(
    problem: SearchProblem, few: SearchProblem, terms: _Dictionary, degree: int, most: int
) -> Iterator[Template]:
    """The best sums beside a polynomial of one degree: those that are exact, or else the best one."""
    exponents = powers(problem.width, degree)
    plain = np.linalg.qr(evaluate(few.x, exponents))[0].T
    apart = terms.values - (terms.values @ plain.T) @ plain
    squares = np.einsum("ij,ij->i", apart, apart)
    squares = np.where(squares > _APART, squares, np.inf)
    y = few.y / few.unit
    beam = [_Sum((), np.zeros((0, few.rows)), y - (y @ plain.T) @ plain, np.zeros(len(squares)))]
    whole = float(np.linalg.norm(y - np.mean(y)))
    best: tuple[int, ...] = ()
    for _ in range(most):
        problem.budget.charge("compare", 2 * len(beam) * (terms.values.size + 20 * len(squares)))
        beam = _longer(beam, apart, squares)
        sure = [one.terms for one in beam if float(np.linalg.norm(one.residual)) < _EXACT * whole]
        if sure:
            yield from (_template(problem, terms, exponents, chosen) for chosen in sure[:_BEST])
            return
        if not beam or problem.budget.over():
            break
        best = beam[0].terms
    if best:
        yield _template(problem, terms, exponents, best)


def _longer(beam: Sequence[_Sum], apart: Matrix, squares: Float64[np.ndarray, " terms"]) -> list[_Sum]:
    """The sums with one more term that leave least, the best first."""
    along = apart @ np.stack([one.residual for one in beam]).T
    width = int(np.clip(_BEAM * _TERMS / len(apart), _BEAM, _MOST_BEAM))
    offers: list[tuple[float, int, int]] = []
    for place, one in enumerate(beam):
        left = squares - one.taken
        gain = np.where(left > _APART * squares, along[:, place] ** 2 / np.maximum(left, 1e-300), 0.0)
        children = np.argpartition(-gain, min(width // _CHILDREN, len(gain) - 1))[: width // _CHILDREN]
        whole = float(one.residual @ one.residual)
        offers += [(whole - float(gain[k]), place, int(k)) for k in children]
    chosen: dict[tuple[int, ...], tuple[_Sum, int, Rows]] = {}
    for _, place, k in sorted(offers):
        one = beam[place]
        key = tuple(sorted((*one.terms, k)))
        if key in chosen:
            continue
        new = apart[k]
        for _ in range(2):  # twice is enough (Kahan and Parlett)
            new = new - (new @ one.basis.T) @ one.basis
        size = float(np.linalg.norm(new))
        if size**2 > _APART * squares[k]:
            chosen[key] = (one, k, new / size)
        if len(chosen) == width:
            break
    if not chosen:
        return []
    parts = (apart @ np.stack([new for _, _, new in chosen.values()]).T) ** 2
    longer = [
        _Sum(
            (*one.terms, k),
            np.vstack([one.basis, new]),
            one.residual - (one.residual @ new) * new,
            one.taken + parts[:, place],
        )
        for place, (one, k, new) in enumerate(chosen.values())
    ]
    return sorted(longer, key=lambda one: float(one.residual @ one.residual))


def _template(
    problem: SearchProblem, terms: _Dictionary, exponents: tuple[Powers, ...], chosen: Sequence[int]
) -> Template:
    """The sum on all rows, without the monomials that are not needed."""
    expressions = [monomial(problem.columns, e) for e in exponents] + [terms.expression(k) for k in chosen]
    problem.budget.charge("lambdify", calls=len(chosen))
    columns = np.stack([numeric(one, problem.columns)(problem.x) for one in expressions], axis=1)
    z = problem.y / problem.unit
    if not np.all(np.isfinite(columns)):
        return linear([sympy.Integer(1)], [float(np.mean(problem.y))], error=1.0)
    size = np.maximum(np.max(np.abs(columns), axis=0), 1e-300)
    found = np.linalg.lstsq(columns / size, z, rcond=1e-13)[0]
    left = float(np.max(np.abs(z - columns / size @ found)))
    kept, coefficients = needed(
        columns, z, explained=lambda r: bool(np.max(np.abs(r)) <= 1.5 * left + 1e-11), budget=problem.budget
    )
    error = float(np.sqrt(np.mean((z - columns[:, kept] @ coefficients) ** 2)))
    return linear([expressions[k] for k in kept], [float(c) * problem.unit for c in coefficients], error=error)


def _dictionary(problem: SearchProblem, many: int, *, chained: bool) -> _Dictionary | None:
    """All terms on some rows, no two of them proportional."""
    factors: list[tuple[int, int]] = []
    values: list[Matrix] = []
    known: set[bytes] = set()
    sample = np.linspace(0, problem.rows - 1, _COMPARED).astype(np.int64)
    shapes = list(_shapes(problem, chained=chained and problem.width <= _CHAINED))
    table = np.stack([seen for _, seen in shapes])
    multiples = [e for e in monomials(problem.width, most=many) if np.all(np.isfinite(value(problem.x, e)))]
    problem.budget.charge("columns", 6 * table.size * len(multiples))
    for number, exponents in enumerate(multiples):
        product = table * value(problem.x, exponents)
        mean = np.mean(np.abs(product), axis=1)
        usable = (np.std(product, axis=1) > _FLAT * mean) & (np.max(np.abs(product), axis=1) < _LARGEST * mean)
        places = np.flatnonzero(usable & np.isfinite(mean))
        product = product[places] / np.linalg.norm(product[places], axis=1, keepdims=True)
        seen = product[:, sample]
        lead = np.take_along_axis(seen, np.argmax(np.abs(seen), axis=1)[:, None], axis=1)
        marks = np.round(seen / np.where(lead == 0, 1.0, lead) * _DIGITS) + 0.0
        new: list[int] = []
        for at, mark in enumerate(marks):
            if (key := mark.tobytes()) not in known and len(factors) < _TERMS:
                known.add(key)
                new.append(at)
                factors.append((number, int(places[at])))
        values.append(product[new])
        if len(factors) >= _TERMS:
            break
    if not factors:
        return None
    symbols = tuple(expression(problem.columns, exponents) for exponents in multiples)
    return _Dictionary(symbols, tuple(one for one, _ in shapes), np.array(factors), np.concatenate(values))


def _shapes(problem: SearchProblem, *, chained: bool) -> Iterator[_Shape]:
    """Functions of simple arguments, and the number 1."""
    yield sympy.Integer(1), np.ones(problem.rows)
    for whole, values in _arguments(problem):
        yield from _functions(whole, values, _FUNCTIONS)
        if np.all(np.isfinite(falling := np.exp(-values))):
            yield sympy.exp(-whole), falling
    for place, column in enumerate(problem.columns):
        yield from _functions(column, problem.x[:, place], SELDOM)
        inner = list(_functions(column, problem.x[:, place], _INNER))
        twice = [outer for one in inner for outer in _functions(*one, _INNER)]
        yield from twice
        if chained:
            yield from (outer for one in twice for outer in _functions(*one, _INNER))


def _functions(whole: sympy.Expr, values: Rows, names: Sequence[str]) -> Iterator[_Shape]:
    """Functions of one argument where they are finite, none of them within itself."""
    for entry in map(operator, names):
        seen = entry(values)
        if np.all(np.isfinite(seen)) and np.ptp(seen) > 0:
            built = entry.build(whole)
            if built.func != whole.func or built.is_Pow:
                yield built, seen


def _arguments(problem: SearchProblem) -> Iterator[_Shape]:
    """Columns, sums and differences of two, and monomials."""
    for place, column in enumerate(problem.columns):
        yield column, problem.x[:, place]
    for i, j in combinations(range(problem.width), 2):
        for sign in (1, -1):
            yield problem.columns[i] + sign * problem.columns[j], problem.x[:, i] + sign * problem.x[:, j]
    for exponents in monomials(problem.width, most=_ARGUMENTS):
        values = value(problem.x, exponents)
        if length(exponents) > 1 and np.all(np.isfinite(values)):
            yield expression(problem.columns, exponents), values
