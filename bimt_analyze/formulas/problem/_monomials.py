"""Products of powers of a few columns: what y is multiplied by, and what it may be a function of."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb, gcd, lcm

import numpy as np
import sympy
from jaxtyping import Float64

Exponents = tuple[Fraction, ...]

_EXPONENTS = tuple(map(Fraction, (1, -1, 2, -2, 0.5, -0.5)))  # that most laws hold, the simplest first
_ZERO = Fraction(0)
_MOST_COLUMNS = 4  # in one product: their number grows as a power of it
_LISTED = 4000  # before the simplest are taken


def monomials(width: int, *, most: int) -> list[Exponents]:
    """Exponents of products of powers of up to four columns, the simplest first: 1, x1, x2, ..., 1/x1, x1*x2, ...

    With many columns fewer powers are tried of each, and products of fewer columns.

    Parameters
    ----------
    width : int
        How many columns there are.
    most : int
        How many products are given at most.
    """
    choices = _EXPONENTS if width <= 3 else _EXPONENTS[:4] if width == 4 else _EXPONENTS[:2]
    found: list[Exponents] = []
    for many in range(min(width, _MOST_COLUMNS) + 1):
        if len(found) >= most and comb(width, many) * len(choices) ** many > _LISTED:
            break
        for places in combinations(range(width), many):
            if len(found) > _LISTED:
                break
            for values in product(choices, repeat=many):
                chosen = dict(zip(places, values, strict=True))
                found.append(tuple(chosen.get(i, _ZERO) for i in range(width)))
    return sorted(found, key=lambda e: (length(e), sum(v < 0 for v in e)))[:most]


def length(exponents: Exponents) -> float:
    """How long a product of powers is: the sum of the powers' magnitudes, a root counting as one more.

    Parameters
    ----------
    exponents : tuple of Fraction
        The power of each column.

    Examples
    --------
    >>> length((Fraction(2), Fraction(-1, 2)))
    3.5
    """
    return float(sum((abs(e) for e in exponents), _ZERO)) + sum(e.denominator > 1 for e in exponents)


def used(exponents: Exponents) -> int:
    """How many columns take part in a product of powers.

    Parameters
    ----------
    exponents : tuple of Fraction
        The power of each column.
    """
    return sum(e != 0 for e in exponents)


def value(x: Float64[np.ndarray, "rows columns"], exponents: Exponents) -> Float64[np.ndarray, "rows"]:
    """The product of powers on the rows; NaN where it is not real.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The columns.
    exponents : tuple of Fraction
        The power of each column.
    """
    with np.errstate(all="ignore"):
        factors = [x[:, i] ** float(e) for i, e in enumerate(exponents) if e]
        return np.asarray(np.prod(factors, axis=0) if factors else np.ones(len(x)), dtype=np.float64)


def expression(columns: Sequence[sympy.Symbol], exponents: Exponents) -> sympy.Expr:
    """The product of powers in sympy.

    Parameters
    ----------
    columns : sequence of sympy.Symbol
        The columns' symbols.
    exponents : tuple of Fraction
        The power of each column.
    """
    return sympy.Mul(*(c ** sympy.Rational(e) for c, e in zip(columns, exponents, strict=True)))


def direction(exponents: Exponents) -> Exponents:
    """The exponents up to a common power: whole numbers without common factor, the first of them positive.

    Parameters
    ----------
    exponents : tuple of Fraction
        The power of each column.

    Examples
    --------
    >>> direction((Fraction(-1, 2), Fraction(1))) == (1, -2)
    True
    """
    below = lcm(*(e.denominator for e in exponents))
    whole = [int(e * below) for e in exponents]
    common = gcd(*whole) or 1
    sign = next((-1 if e < 0 else 1 for e in whole if e), 1)
    return tuple(Fraction(sign * e, common) for e in whole)
