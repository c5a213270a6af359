"""Constants of nature and simple numbers that agree with an interval, where a hit by chance is improbable."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import isfinite, pi

import sympy

from ..symbolic._constants_of_nature import constants_of_nature
from ..symbolic._simple_numbers import simple_numbers

CHANCE = 0.02  # names tried times the relative width of the interval, at most
_MARGIN = 8.0  # bits by which a simple number must be shorter than the interval's digits
_DEVIATIONS = 2.0  # of a constant of nature's own error that count as its width
_MOST = 3  # names that are told
_LONGEST = 1e-12  # relative width below which an interval is no measurement, but rounding

_MULTIPLES = (
    ("2", 2.0), ("1/2", 0.5), ("3/2", 1.5), ("pi", pi), ("2*pi", 2 * pi), ("4*pi", 4 * pi), ("8*pi", 8 * pi),
    ("1/(2*pi)", 0.5 / pi), ("1/(4*pi)", 0.25 / pi), ("1/", 0.0),
)  # fmt: skip


@dataclass(frozen=True)
class KnownConstant:
    """A constant of nature in SI units, or a simple multiple of one.

    Attributes
    ----------
    symbol : str
        As it is written: ``"G"``, ``"4*pi*G"``.
    name : str
        What it is called.
    value : float
        In SI units.
    error : float
        Its own standard error; 0 where it is exact by definition.
    """

    symbol: str
    name: str
    value: float
    error: float

    def words(self) -> str:
        """Name, symbol and value, such as ``"gravitational constant G = 6.6743e-11 (SI)"``."""
        return f"{self.name} {self.symbol} = {self.value:.8g} (SI)"


@cache
def known_constants() -> tuple[tuple[KnownConstant, ...], ...]:
    """The constants of nature (CODATA, as scipy has it), and their simple multiples and products: the simpler first."""
    plain = tuple(KnownConstant(one.symbol, one.name, one.value, one.error) for one in constants_of_nature())
    return plain, tuple(_multiples(plain))


def _multiples(plain: tuple[KnownConstant, ...]) -> Iterator[KnownConstant]:
    """Simple multiples and inverses of the constants, and products of them that laws are made of."""
    of = {one.symbol: one.value for one in plain}
    for one in plain:
        for text, factor in _MULTIPLES:
            if factor:
                yield KnownConstant(f"{text}*{one.symbol}", one.name, factor * one.value, factor * one.error)
            else:
                relative = one.error / one.value
                yield KnownConstant(f"1/{one.symbol}", f"one by the {one.name}", 1 / one.value, relative / one.value)
    h, c, e, k = (of[symbol] for symbol in ("h", "c", "e", "k"))
    products = (
        ("1/(4*pi*epsilon_0)", "Coulomb constant", 1 / (4 * pi * of["epsilon_0"])),
        ("e**2/(4*pi*epsilon_0)", "Coulomb force of two charges", e**2 / (4 * pi * of["epsilon_0"])),
        ("h*c", "energy times wavelength of light", h * c), ("c**2", "speed of light squared", c**2),
        ("2*h*c**2", "radiance by wavelength", 2 * h * c**2), ("2*h/c**2", "radiance by frequency", 2 * h / c**2),
        ("h/k", "frequency to temperature", h / k), ("e/k", "voltage to temperature", e / k),
        ("k/e", "temperature to voltage", k / e), ("h/e", "voltage to frequency", h / e),
        ("e/m_e", "charge of the electron by its mass", e / of["m_e"]),
        ("4*sigma/c", "radiation density constant", 4 * of["sigma"] / c),
    )  # fmt: skip
    for symbol, name, value in products:
        yield KnownConstant(symbol, name, value, 1e-9 * value)


def agreeing(value: float, low: float, high: float, *, numbers: bool = True) -> tuple[str, ...]:
    """Constants of nature and simple numbers that lie in an interval, at most three, the simplest first.

    Parameters
    ----------
    value : float
        The constant.
    low : float
        The lower end of its interval.
    high : float
        The upper end.
    numbers : bool, default True
        Whether simple numbers are told as well as constants of nature.

    Notes
    -----
    A name is told only if a hit by chance is improbable: of constants of nature, if the number of names tried times
    the relative width of the interval is at most 0.02 (25 names, so a width of 0.08 %; with their multiples 287, so
    0.007 %); of simple numbers, if the number is eight bits shorter than the digits that the interval fixes. Then less
    than 1 % of constants of arbitrary size get a name.

    Examples
    --------
    >>> agreeing(6.6741e-11, 6.6721e-11, 6.6761e-11)
    ('gravitational constant G = 6.6743e-11 (SI)',)
    >>> agreeing(6.67e-11, 6.6e-11, 6.74e-11), agreeing(3.14160, 3.14157, 3.14163)
    ((), ('pi = 3.1415927',))
    """
    if not (isfinite(low) and isfinite(high) and low < high) or low <= 0 <= high:
        return ()
    width = max((high - low) / abs(value), _LONGEST)
    sign = 1.0 if value > 0 else -1.0
    found: list[str] = []
    tried = 0
    for names in known_constants():
        tried += len(names)
        if tried * width > CHANCE:
            break
        for one in names:
            slack = _DEVIATIONS * one.error
            if low - slack <= sign * one.value <= high + slack:
                found.append(("minus the " if sign < 0 else "") + one.words())
    if numbers:
        half = max(high - value, value - low)
        simple = [one for one in simple_numbers(value, half, margin=_MARGIN) if low <= one.value <= high]
        found += [_in_words(one.number) for one in simple[:1]]
    return tuple(found[:_MOST])


def _in_words(number: sympy.Expr) -> str:
    """A simple number, and its value where that is not what is written."""
    return str(number) if number.is_Integer or number.is_Float else f"{number} = {float(number):.8g}"
