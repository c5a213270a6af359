"""The terms that a sum within a function may have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import sympy
from jaxtyping import Float64

from ...problem._least_squares import usable
from ...problem._monomials import expression, value
from ...problem._polynomial import powers
from ...problem._search_problem import SearchProblem

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

ROWS_A_TERM = 15  # of a sum from which terms leave, and of the fit that sees powers
_RATIOS, _SQUARED = 5, 3  # inputs, up to which quotients are among the terms, and squares in them
_POWERS = (0, 1, -1, 2, -2)  # of an input in a quotient
_WAVES = 4  # inputs, up to which sines and cosines are


@dataclass(frozen=True, eq=False)
class TermDictionary:
    """Terms that a sum may have, and their values.

    Attributes
    ----------
    terms : list of sympy.Expr
        What is summed.
    columns : array of shape [rows, terms]
        Their values.
    first : int
        How many of them, the first, are there to begin with; of all others a few are chosen.
    """

    terms: list[sympy.Expr]
    columns: Matrix
    first: int

    @staticmethod
    def of(first: Sequence[tuple[sympy.Expr, Rows]], others: Sequence[tuple[sympy.Expr, Rows]]) -> "TermDictionary":
        """The terms whose values are finite and not all zero.

        Parameters
        ----------
        first : sequence of pairs
            Terms that are there to begin with, each with its values.
        others : sequence of pairs
            Terms of which a few are chosen.
        """
        every = [*first, *others]
        columns = np.stack([values for _, values in every], axis=1)
        kept = usable(columns)
        count = int(np.sum(kept < len(first)))
        return TermDictionary([every[int(k)][0] for k in kept], np.ascontiguousarray(columns[:, kept]), count)


def term_dictionaries(problem: SearchProblem, left: Sequence[int]) -> Iterator[TermDictionary]:
    """Terms in some inputs: products of two, squares of differences, quotients, products with sines and cosines.

    Parameters
    ----------
    problem : SearchProblem
        The rows.
    left : sequence of int
        The inputs, by column.
    """
    if not left:
        return
    symbols, x = [problem.columns[i] for i in left], problem.x[:, list(left)]
    apart = [(symbols[i] - symbols[j], x[:, i] - x[:, j]) for i, j in combinations(range(len(left)), 2)]
    squares = [(a**2, v**2) for a, v in apart]
    plain = _monomials(symbols, x, powers(len(left), 2))
    level = plain[:1]
    if len(plain) * ROWS_A_TERM <= len(x):
        yield TermDictionary.of(plain, [])
    if len(left) > _SQUARED:
        own = [(s**2, x[:, i] ** 2) for i, s in enumerate(symbols)]
        yield TermDictionary.of(level, [*plain[1 : len(left) + 1], *own, *squares])
    if len(left) <= _RATIOS:
        few = len(left) <= _SQUARED
        ratios = _monomials(symbols, x, product(_POWERS if few else _POWERS[:3], repeat=len(left)))
        logs = [(sympy.log(s), np.log(x[:, i])) for i, s in enumerate(symbols) if np.all(x[:, i] > 0)]
        yield TermDictionary.of(level, [*ratios[1:], *logs])
        if few and apart:
            yield TermDictionary.of(level, [*ratios[1:], *_multiplied(ratios, squares), *logs])
    if len(left) <= _WAVES:
        arguments = [*zip(symbols, x.T, strict=True), *apart]
        waves = [(f(a), g(v)) for a, v in arguments for f, g in ((sympy.cos, np.cos), (sympy.sin, np.sin))]
        yield TermDictionary.of(plain, _multiplied(plain, waves))


def _monomials(
    symbols: Sequence[sympy.Symbol], x: Matrix, exponents: Iterable[tuple[int, ...]]
) -> list[tuple[sympy.Expr, Rows]]:
    every = [tuple(map(Fraction, e)) for e in exponents]
    return [(expression(symbols, e), value(x, e)) for e in every]


def _multiplied(
    terms: Sequence[tuple[sympy.Expr, Rows]], factors: Sequence[tuple[sympy.Expr, Rows]]
) -> list[tuple[sympy.Expr, Rows]]:
    return [(term * factor, values * by) for term, values in terms for factor, by in factors]
