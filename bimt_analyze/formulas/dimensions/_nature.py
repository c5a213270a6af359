"""Constants of nature that may stand in a law without a column of their own."""

from dataclasses import dataclass

from scipy import constants

from ._dimension import Dimension, dimension_of


@dataclass(frozen=True)
class NatureConstant:
    """A constant of nature.

    Attributes
    ----------
    symbol : str
        As physicists write it.
    value : float
        In base units.
    unit : str
        Built from base units.
    """

    symbol: str
    value: float
    unit: str

    @property
    def dimension(self) -> Dimension:
        """What it measures."""
        return dimension_of(self.unit)


NATURE = (
    NatureConstant("c", constants.c, "m/s"),
    NatureConstant("k", constants.k, "m^2*kg/s^2/K"),
    NatureConstant("h", constants.h, "m^2*kg/s"),
    NatureConstant("G", constants.G, "m^3/kg/s^2"),
    NatureConstant("e", constants.e, "A*s"),
    NatureConstant("epsilon_0", constants.epsilon_0, "A^2*s^4/kg/m^3"),
    NatureConstant("g", constants.g, "m/s^2"),
    NatureConstant("N_A", constants.N_A, "1/mol"),
    NatureConstant("m_e", constants.m_e, "kg"),
)
"""The most common first: a set of the first ones is tried before others."""
