"""The one table of constants of nature, with the values, errors and units of CODATA."""

from dataclasses import dataclass
from functools import cache

# Symbol, name, and what CODATA calls it, as scipy.constants does.
_NATURE = (
    ("c", "speed of light", "speed of light in vacuum"),
    ("G", "gravitational constant", "Newtonian constant of gravitation"),
    ("h", "Planck constant", "Planck constant"),
    ("hbar", "reduced Planck constant", "reduced Planck constant"),
    ("k", "Boltzmann constant", "Boltzmann constant"),
    ("e", "elementary charge", "elementary charge"),
    ("epsilon_0", "electric constant", "vacuum electric permittivity"),
    ("mu_0", "magnetic constant", "vacuum mag. permeability"),
    ("N_A", "Avogadro constant", "Avogadro constant"),
    ("R", "molar gas constant", "molar gas constant"),
    ("F", "Faraday constant", "Faraday constant"),
    ("sigma", "Stefan-Boltzmann constant", "Stefan-Boltzmann constant"),
    ("b", "Wien displacement constant", "Wien wavelength displacement law constant"),
    ("g", "standard gravity", "standard acceleration of gravity"),
    ("atm", "standard atmosphere", "standard atmosphere"),
    ("m_e", "electron mass", "electron mass"),
    ("m_p", "proton mass", "proton mass"),
    ("u", "atomic mass constant", "atomic mass constant"),
    ("alpha", "fine-structure constant", "fine-structure constant"),
    ("R_inf", "Rydberg constant", "Rydberg constant"),
    ("a_0", "Bohr radius", "Bohr radius"),
    ("mu_B", "Bohr magneton", "Bohr magneton"),
    ("Z_0", "impedance of the vacuum", "characteristic impedance of vacuum"),
    ("Phi_0", "magnetic flux quantum", "mag. flux quantum"),
    ("c_2", "second radiation constant", "second radiation constant"),
)


@dataclass(frozen=True)
class ConstantOfNature:
    """A constant of nature.

    Attributes
    ----------
    symbol : str
        As physicists write it.
    name : str
        What it is called.
    value : float
        In SI units.
    unit : str
        As CODATA writes it: ``"J K^-1"``.
    error : float
        The standard error of the value; 0 where it is exact by definition.
    """

    symbol: str
    name: str
    value: float
    unit: str
    error: float


@cache
def constants_of_nature() -> tuple[ConstantOfNature, ...]:
    """Every constant of the table, as scipy has its value.

    Examples
    --------
    >>> light = constants_of_nature()[0]
    >>> light.symbol, light.value, light.unit
    ('c', 299792458.0, 'm s^-1')
    """
    from scipy.constants import physical_constants

    return tuple(ConstantOfNature(symbol, name, *physical_constants[key]) for symbol, name, key in _NATURE)
