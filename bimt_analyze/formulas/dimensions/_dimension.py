"""The dimension of a unit: its exponents of the seven base units, and its size in them."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isclose
from typing import Any

from bimt_train import InputError
from bimt_train.extras import need

BASE = ("m", "s", "kg", "A", "K", "mol", "cd")
_SAME = 1e-9  # relative difference of two sizes that is none
_LARGEST = 12  # a denominator of an exponent
_OTHERS = {"rad", "sr", "°", "deg", "%", "‰", "ppm", "ppb", "1", "", "-", "dimensionless", "count"}  # are numbers


@dataclass(frozen=True)
class Dimension:
    """What a unit measures.

    Attributes
    ----------
    exponents : tuple of Fraction
        Of metre, second, kilogram, ampere, kelvin, mole and candela.
    size : float
        How many of these base units one unit is: 1000 for a kilometre.

    Examples
    --------
    >>> print(dimension_of("km/h"), dimension_of("N"))
    m/s kg*m/s**2
    """

    exponents: tuple[Fraction, ...]
    size: float = 1.0

    def __str__(self) -> str:
        above = sorted((name, power) for name, power in zip(BASE, self.exponents, strict=True) if power > 0)
        below = sorted((name, -power) for name, power in zip(BASE, self.exponents, strict=True) if power < 0)
        top = "*".join(_raised(*one) for one in above) or "1"
        bottom = "*".join(_raised(*one) for one in below)
        return top if not below else f"{top}/{bottom}" if len(below) == 1 else f"{top}/({bottom})"

    def __mul__(self, other: "Dimension") -> "Dimension":
        return Dimension(
            tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True)), self.size * other.size
        )

    def __pow__(self, power: Fraction | int) -> "Dimension":
        return Dimension(tuple(one * power for one in self.exponents), self.size ** float(power))

    def __truediv__(self, other: "Dimension") -> "Dimension":
        return self * other**-1

    def agrees(self, other: "Dimension") -> bool:
        """Whether both are one unit: of the same quantity, and of the same size.

        Parameters
        ----------
        other : Dimension
            Another unit.

        Examples
        --------
        >>> dimension_of("N*m").agrees(dimension_of("J")), dimension_of("km").agrees(dimension_of("m"))
        (True, False)
        """
        return self.exponents == other.exponents and isclose(self.size, other.size, rel_tol=_SAME)

    @property
    def words(self) -> str:
        """The unit in base units with its size, such as ``"1000 m"``."""
        return str(self) if isclose(self.size, 1.0, rel_tol=_SAME) else f"{self.size:.6g} {self}"


def _raised(name: str, power: Fraction) -> str:
    return name if power == 1 else f"{name}**{power}" if power.denominator == 1 else f"{name}**({power})"


NUMBER = Dimension((Fraction(0),) * len(BASE))


def dimension_of(unit: str) -> Dimension:
    """The dimension of a unit.

    Parameters
    ----------
    unit : str
        As people write units: ``"m/s"``, ``"kg m^2 s^-2"``, ``"km/h"``; empty for a plain number.

    Returns
    -------
    Dimension
        Its exponents and its size.

    Raises
    ------
    InputError
        The unit is not known, or has a zero of its own, as degrees Celsius have.
    MissingExtra
        Pint is not installed.
    """
    if unit.strip() in _OTHERS:
        return NUMBER
    need("pint", "reading units of measurement")
    try:
        read: Any = _registry().parse_units(_written(unit))
        zero, base = (_registry().Quantity(value, read).to_base_units() for value in (0, 1))
        if zero.magnitude != 0:
            raise ValueError("its zero is not that of the base units")
    except Exception as error:  # whatever Pint's parser stumbles over
        raise InputError(
            "a unit that is not known", where=f"units {unit!r}", expected="a unit with a plain zero, such as m/s or K",
            got=(str(error) or "no unit").splitlines()[0], hint="leave it out, or write it in SI units",
        ) from error  # fmt: skip
    powers = {str(name): power for name, power in base.unit_items()}
    long = ("meter", "second", "kilogram", "ampere", "kelvin", "mole", "candela")
    strange = set(powers) - set(long) - {"radian", "count", "bit"}
    if strange:
        raise InputError(
            "a unit that is not one of physics", where=f"units {unit!r}", got=", ".join(sorted(strange)),
            expected=f"units built from {', '.join(BASE)}", hint="leave it out",
        )  # fmt: skip
    return Dimension(
        tuple(Fraction(powers.get(name, 0)).limit_denominator(_LARGEST) for name in long), float(base.magnitude)
    )


@cache
def _registry() -> Any:
    """Pint's units, read once: that takes a third of a second."""
    import pint

    return pint.UnitRegistry()


def _written(unit: str) -> str:
    """A unit as Pint reads it: an exponent that stands right behind a symbol gets its sign of power."""
    return re.sub(r"(?<=[A-Za-zΩµμ])([-−+]?\d)", lambda power: f"^{power[1].replace('−', '-')}", unit.replace("·", "*"))
