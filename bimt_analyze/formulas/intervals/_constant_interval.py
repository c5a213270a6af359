"""The interval of a constant as a value: its number, its ends, and how many digits they justify."""

from dataclasses import dataclass
from math import floor, inf, isfinite, log10
from typing import Literal

import sympy

from bimt_train.showing import Shown

Method = Literal["profile", "asymptotic"]

FULL = 15  # digits of a number that is known as well as a double holds it
_SYMMETRIC = 0.1  # of the half width: ends that lie as evenly are told as one number


@dataclass(frozen=True, repr=False)
class ConstantInterval(Shown):
    """A constant of a formula, and the interval in which its true value lies with a stated confidence.

    Attributes
    ----------
    number : sympy.Expr
        The constant as it stands in the formula: a decimal, or the simple number that took its place.
    value : float
        Its least-squares value with all other constants free.
    low : float
        The lower end of the interval; -inf where the rows set none.
    high : float
        The upper end; inf where the rows set none.
    level : float
        The confidence, 0.95 for 95 %.
    error : float
        The standard error from the slopes at the optimum; infinite where the rows leave the constant open.
    method : {"profile", "asymptotic"}
        ``"profile"``: the ends are where the best fit with the constant held there is no longer good enough.
        ``"asymptotic"``: they are a number of standard errors away, since those fits came to no end.
    digits : int
        Significant digits that the interval justifies.
    agrees_with : tuple of str
        Constants of nature and simple numbers that lie in the interval, where a hit by chance is improbable.

    Examples
    --------
    >>> interval = ConstantInterval(sympy.Float(2.513), 2.513, 2.493, 2.533, 0.95, 0.01, "profile", 4)
    >>> print(interval.words())
    2.513 ± 0.020
    >>> print(ConstantInterval(sympy.Float(2.5), 2.5, 1.9, float("inf"), 0.95, 0.6, "profile", 2).words())
    2.50, 1.90 or more
    """

    number: sympy.Expr
    value: float
    low: float
    high: float
    level: float
    error: float
    method: Method
    digits: int
    agrees_with: tuple[str, ...] = ()

    @property
    def open_ended(self) -> bool:
        """Whether the rows set no end on one side, or on both."""
        return not (isfinite(self.low) and isfinite(self.high))

    def words(self) -> str:
        """Value and interval, with the digits that the interval justifies.

        ``value ± half`` where the interval is symmetric to a tenth, else ``value in [low, high]``; of a simple number
        that took the place of a fitted one, the number before that.
        """
        value, low, high = (in_digits(number, self._place) for number in (self.value, self.low, self.high))
        if not isfinite(self.low) and not isfinite(self.high):
            said = f"{value}, which the rows leave open"
        elif self.open_ended:
            said = f"{value}, {low} or more" if isfinite(self.low) else f"{value}, {high} or less"
        elif abs((self.high - self.value) - (self.value - self.low)) <= _SYMMETRIC * (self.high - self.low):
            said = f"{value} ± {in_digits((self.high - self.low) / 2, self._place)}"
        else:
            said = f"{value} in [{low}, {high}]"
        if self.method == "asymptotic" and not self.open_ended:
            said += " (from its standard error)"
        return said if self.number.is_Float else f"{self.number}, measured {said}"

    @property
    def _place(self) -> int:
        """The power of ten of the last digit that is shown."""
        return last_place(self.value, self.low, self.high)

    def _brief(self) -> str:
        names = f"; agrees with {', '.join(self.agrees_with)}" if self.agrees_with else ""
        return f"{self.words()} ({self.level:.0%}){names}"


def last_place(value: float, low: float, high: float) -> int:
    """The power of ten of the last digit that an interval justifies: the second digit of its half width.

    Where an end is infinite, the distance to the other counts, and without any end one digit of the value.

    Parameters
    ----------
    value : float
        The constant.
    low : float
        The lower end of its interval.
    high : float
        The upper end.

    Examples
    --------
    >>> last_place(2.51327, 2.493, 2.533), last_place(1234.5, 1000.0, 1500.0)
    (-3, 1)
    """
    sides = [abs(end - value) for end in (low, high) if isfinite(end) and end != value]
    size = floor(log10(abs(value))) if value else 0
    if not sides:
        return size if not (isfinite(low) or isfinite(high)) else size - FULL + 1
    half = sum(sides) / len(sides)
    return min(max(floor(log10(half)) - 1, size - FULL + 1), size)


def digits_of(value: float, low: float, high: float) -> int:
    """How many significant digits of a value its interval justifies, from 1 to 15.

    Parameters
    ----------
    value : float
        The constant.
    low : float
        The lower end of its interval.
    high : float
        The upper end.

    Examples
    --------
    >>> digits_of(2.51327, 2.493, 2.533)
    4
    """
    size = floor(log10(abs(value))) if value else 0
    return min(max(size - last_place(value, low, high) + 1, 1), FULL)


def in_digits(value: float, place: int) -> str:
    """A number to a decimal place; with a power of ten where it is very large or small.

    Parameters
    ----------
    value : float
        The number.
    place : int
        The power of ten of the last digit.

    Examples
    --------
    >>> in_digits(2.51327, -3), in_digits(6.67431e-11, -14), in_digits(1234.5, 1)
    ('2.513', '6.674e-11', '1230')
    """
    if not isfinite(value):
        return "∞" if value == inf else "-∞"
    if value == 0:
        return "0"
    size = floor(log10(abs(value)))
    if -4 <= size <= 5 and place > -FULL:
        return f"{round(value, -place):.{max(-place, 0)}f}"
    return f"{value:.{max(size - place, 0)}e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
