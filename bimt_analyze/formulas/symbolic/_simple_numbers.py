"""Simple numbers near a value: integers, fractions, short decimals, and multiples of pi, e, roots and logarithms."""

from dataclasses import dataclass
from functools import cache
from math import ceil, floor, gcd, isfinite, log2

import sympy

_ROOTS = (2, 3, 5, 6, 7, 10, 14, 15, 21, 30, 35, 42)  # square roots: those of all fractions of 1 to 7 among them
_CUBE_ROOTS = (2, 3, 4, 5, 6, 7, 9, 10)
_LARGEST = 10  # above and below in a fraction whose logarithm is a simple number
_LOGARITHM = 5.0  # bits
_DIGITS = 8  # of a decimal at most: a longer one is no simple number
_PLAIN = 6  # decades around 1 in which a decimal is written as a fraction


@dataclass(frozen=True)
class Simple:
    """A number that can be written down: its expression, its value, and the bits that it takes."""

    number: sympy.Expr
    value: float
    bits: float


def simple_numbers(value: float, width: float, *, margin: float) -> list[Simple]:
    """Numbers near a value that are too simple to be there by chance, the simplest first.

    A value known to ``width`` carries log2(|value| / width) bits; a number of b bits is offered only if b is at
    least ``margin`` bits less, so that about one value in 2**margin would be met by chance (times the dozen kinds
    of numbers tried). Zero is offered if it lies within the width.

    Parameters
    ----------
    value : float
        The fitted value.
    width : float
        How far a number may lie from it.
    margin : float
        Bits that a number must be simpler by.
    """
    if not isfinite(value):
        return []
    found: list[Simple] = []
    if not isfinite(width):
        return [Simple(sympy.Integer(k), float(k), float(abs(k))) for k in (0, 1, -1)]
    if abs(value) <= width:
        found.append(Simple(sympy.Integer(0), 0.0, 0.0))
    if value == 0.0:
        return found
    width = max(width, 4e-16 * abs(value))
    budget = log2(abs(value) / width) - margin if abs(value) > width else -1.0
    for unit, size, bits in _kinds():
        if bits + 1 > budget:  # no fraction takes less than a bit
            continue
        fraction = simplest_fraction(abs(value) / size, width / size)
        if fraction is None:
            continue
        above, below = fraction
        cost = bits + log2(above + 1) + 2 * log2(below)
        if cost <= budget and above > 0:
            number = sympy.Rational(above, below) * unit * (1 if value > 0 else -1)
            found.append(Simple(number, float(number), cost))
    decimal = _decimal(value, width)
    if decimal is not None and decimal.bits <= budget:
        found.append(decimal)
    return sorted(found, key=lambda entry: entry.bits)


@cache
def _kinds() -> tuple[tuple[sympy.Expr, float, float], ...]:
    """The units of which simple fractions are tried, with their values and bits."""
    pi, root = sympy.pi, sympy.sqrt
    units = [(sympy.Integer(1), 0.0), (pi, 2.0), (1 / pi, 3.0), (pi**2, 5.0), (1 / pi**2, 6.0), (sympy.E, 5.0)]
    units += [(root(n), 3.0 + log2(n)) for n in _ROOTS]
    units += [(root(pi), 5.0), (1 / root(pi), 5.0), (root(2 * pi), 6.0), (1 / root(2 * pi), 6.0)]
    units += [(sympy.cbrt(n), 4.0 + log2(n)) for n in _CUBE_ROOTS]
    units += [(sympy.log(r), _LOGARITHM + log2(r.p * r.q)) for r in _without_powers(_LARGEST)]
    return tuple((unit, float(unit), bits) for unit, bits in units)


def _without_powers(largest: int) -> list[sympy.Rational]:
    """The fractions above 1 of numbers up to the largest, but for powers of others: log(9/4) is twice log(3/2)."""
    fractions = [(p, q) for p in range(2, largest + 1) for q in range(1, p) if gcd(p, q) == 1]
    powers = {(p**k, q**k) for p, q in fractions for k in range(2, largest.bit_length())}
    return [sympy.Rational(p, q) for p, q in fractions if (p, q) not in powers]


def simplest_fraction(value: float, width: float) -> tuple[int, int] | None:
    """The fraction of least denominator in [value - width, value + width], by continued fractions.

    Parameters
    ----------
    value : float
        A positive number.
    width : float
        How far the fraction may lie from it.

    Examples
    --------
    >>> simplest_fraction(0.3333, 0.001)
    (1, 3)
    """
    low, high = value - width, value + width
    if not 0 < high < 1e15:
        return None
    if low <= 0:
        return (0, 1)
    quotients: list[int] = []
    for _ in range(40):
        whole = ceil(low)
        if whole <= high:
            quotients.append(whole)
            break
        whole = floor(low)
        quotients.append(whole)
        low, high = 1 / (high - whole), (1 / (low - whole) if low > whole else float("inf"))
    else:
        return None
    above, below = quotients[-1], 1
    for quotient in reversed(quotients[:-1]):
        above, below = quotient * above + below, above
    return above, below


def _decimal(value: float, width: float) -> Simple | None:
    """The shortest decimal within the width of a value."""
    exponent = floor(log2(abs(value)) / log2(10))
    if abs(exponent) > 280:
        return None
    for digits in range(1, _DIGITS + 1):
        text = f"{value:.{digits - 1}e}"
        if abs(float(text) - value) <= width:
            figures = int(text.split("e")[0].replace(".", "").replace("-", "").rstrip("0") or "0")
            plain = abs(exponent) <= _PLAIN
            number = sympy.Rational(text) if plain else sympy.Float(text)
            return Simple(number, float(text), log2(figures + 1) + 2 + 0.25 * abs(exponent))
    return None
