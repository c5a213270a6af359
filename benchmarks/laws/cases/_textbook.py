"""Laws of physics, chemistry, biology and engineering as textbooks have them, in the units and ranges of practice."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import sympy
from numpy.typing import NDArray

from benchmarks.laws.judging._refit import evaluator

Array = NDArray[np.float64]

_LONG = 100.0  # a positive range whose ends differ by more is drawn evenly in the logarithm

# Formula, rows, and the range of each input.
_LAWS: Mapping[str, tuple[str, int, Mapping[str, tuple[float, float]]]] = MappingProxyType(
    {
        "one compartment, oral": (
            "0.8*D*1.2/(35*(1.2 - 0.15))*(exp(-0.15*t) - exp(-1.2*t))",
            400,
            {"D": (50, 500), "t": (0, 24)},
        ),
        "two compartments": ("D*(0.082*exp(-1.9*t) + 0.031*exp(-0.21*t))", 400, {"D": (50, 500), "t": (0, 12)}),
        "competitive inhibition": ("120*S/(0.35*(1 + I/1.7) + S)", 500, {"S": (0.05, 5), "I": (0, 10)}),
        "mixed inhibition": ("120*S/(0.35*(1 + I/1.7) + S*(1 + I/6.2))", 500, {"S": (0.05, 5), "I": (0, 10)}),
        "Haldane": ("0.53*S/(1.2 + S + S**2/22.5)", 300, {"S": (0.05, 60)}),
        "Antoine": ("10**(8.07131 - 1730.63/(233.426 + T))", 300, {"T": (1, 100)}),
        "Arrhenius": ("2.5e11*exp(-75300/(8.314462618*T))", 300, {"T": (280, 500)}),
        "Nernst": ("1.10 - 8.314462618*T/(2*96485.33212)*log(Q)", 500, {"T": (273, 373), "Q": (1e-3, 1e3)}),
        "Hill": ("L**2.8/(26.8**2.8 + L**2.8)", 300, {"L": (1, 120)}),
        "van der Waals": (
            "n*8.314462618*T/(V - n*4.27e-5) - 0.364*n**2/V**2",
            800,
            {"n": (0.5, 3), "T": (250, 500), "V": (0.001, 0.03)},
        ),
        "Manning": (
            "A*(A/P)**(2/3)*sqrt(S)/n",
            800,
            {"n": (0.01, 0.05), "A": (0.5, 20), "P": (2, 30), "S": (1e-4, 0.02)},
        ),
        "lens maker": (
            "1/((n - 1)*(1/R1 - 1/R2 + (n - 1)*d/(n*R1*R2)))",
            1000,
            {"n": (1.4, 1.9), "R1": (0.05, 0.3), "R2": (-0.4, -0.05), "d": (0.001, 0.01)},
        ),
        "Breit-Wigner": ("41.5/(4*(E - 91.19)**2/G**2 + 1)", 600, {"E": (86, 96), "G": (1.5, 3.5)}),
        "Planck": (
            "2*6.62607015e-34*f**3/299792458**2/(exp(6.62607015e-34*f/(1.380649e-23*T)) - 1)",
            800,
            {"f": (1e13, 1e15), "T": (1000, 6000)},
        ),
        "Einstein's heat capacity": (
            "3*8.314462618*(H/T)**2*exp(H/T)/(exp(H/T) - 1)**2",
            500,
            {"H": (100, 1000), "T": (50, 400)},
        ),
        "Debye length": (
            "sqrt(8.8541878128e-12*1.380649e-23*T/(n*1.602176634e-19**2))",
            500,
            {"T": (1e3, 1e6), "n": (1e14, 1e20)},
        ),
        "logistic and offset": ("2.1 + 14.7/(1 + exp(-0.83*(t - 6.2)))", 300, {"t": (0, 15)}),
        "damped oscillation": ("A*exp(-0.35*t)*cos(4.1*t + 0.6)", 500, {"A": (0.5, 3), "t": (0, 8)}),
        "beats": ("A*(sin(31.4*t) + sin(27.6*t))", 800, {"A": (0.5, 3), "t": (0, 4)}),
        "orbit": ("a*(1 - e**2)/(1 + e*cos(h))", 600, {"a": (0.4, 5), "e": (0.05, 0.8), "h": (0, 6.28)}),
        "kinetic energy": (
            "m*299792458**2*(1/sqrt(1 - v**2/299792458**2) - 1)",
            500,
            {"m": (1, 10), "v": (1e7, 2.8e8)},
        ),
        "Langmuir, two gases": ("3.4*0.62*a/(1 + 0.62*a + 1.75*b)", 500, {"a": (0.1, 10), "b": (0.1, 5)}),
        "Butler-Volmer": (
            "i*(exp(0.4*96485.33212*u/(8.314462618*T)) - exp(-0.6*96485.33212*u/(8.314462618*T)))",
            800,
            {"i": (0.1, 2), "u": (-0.12, 0.12), "T": (280, 360)},
        ),
        "Tafel": ("0.12*log(i/0.0031)/log(10)", 300, {"i": (0.01, 10)}),
        "net radiation": (
            "e*5.670374419e-8*A*(T**4 - S**4)",
            800,
            {"e": (0.2, 1), "A": (0.1, 5), "T": (300, 1200), "S": (250, 400)},
        ),
        "Darcy-Weisbach": (
            "f*L*v**2/(D*2*9.80665)",
            600,
            {"f": (0.01, 0.08), "L": (1, 200), "D": (0.02, 1), "v": (0.2, 5)},
        ),
        "Goldman": (
            "25.7*log((K + 0.04*N)/(140 + 0.04*12 + 0.45*C))",
            800,
            {"K": (2, 20), "N": (50, 200), "C": (2, 40)},
        ),
        "Monod and decay": ("0.48*S/(0.22 + S) - 0.035", 300, {"S": (0.01, 5)}),
        "Gompertz": ("K*exp(-4.2*exp(-0.31*t))", 500, {"K": (1, 10), "t": (0, 20)}),
        "Weibull": ("1 - exp(-(t/h)**1.7)", 500, {"t": (10, 500), "h": (100, 300)}),
        "Lennard-Jones": ("4*e*((s/r)**12 - (s/r)**6)", 800, {"e": (0.2, 2), "s": (2.5, 4), "r": (3.2, 8)}),
        "Morse": ("D*(1 - exp(-1.94*(r - 0.741)))**2", 500, {"D": (2, 6), "r": (0.4, 3)}),
        "Yukawa": ("-g**2*exp(-m*r)/r", 600, {"g": (0.5, 3), "m": (0.2, 2), "r": (0.3, 4)}),
        "Fabry-Perot": ("1/(1 + F*sin(p/2)**2)", 600, {"F": (0.5, 30), "p": (0, 12)}),
        "single slit": ("i*(sin(b)/b)**2", 500, {"i": (0.5, 3), "b": (0.2, 9)}),
        "Snell": ("asin(n*sin(a)/m)", 600, {"n": (1, 1.4), "m": (1.4, 2), "a": (0.05, 1.3)}),
        "reflection": ("((n - m)/(n + m))**2", 500, {"n": (1, 1.5), "m": (1.3, 4)}),
        "Clausius-Clapeyron": (
            "101325*exp(-L/8.314462618*(1/T - 1/B))",
            800,
            {"L": (2e4, 5e4), "T": (280, 400), "B": (300, 390)},
        ),
        "Magnus": ("6.1094*exp(17.625*T/(T + 243.04))", 300, {"T": (-30, 45)}),
        "Redlich-Kwong": (
            "8.314462618*T/(V - 2.97e-5) - 6.46/(sqrt(T)*V*(V + 2.97e-5))",
            600,
            {"T": (300, 600), "V": (1e-4, 5e-3)},
        ),
        "falling with drag": ("u*tanh(9.80665*t/u)", 500, {"u": (5, 60), "t": (0.1, 10)}),
        "impedance": (
            "sqrt(R**2 + (w*L - 1/(w*C))**2)",
            800,
            {"R": (10, 500), "L": (0.01, 0.5), "C": (1e-6, 5e-5), "w": (100, 2000)},
        ),
        "low pass": ("1/sqrt(1 + (w*R*1e-7)**2)", 500, {"w": (100, 1e5), "R": (100, 5000)}),
        "diode": ("2.3e-9*(exp(1.602176634e-19*V/(1.8*1.380649e-23*T)) - 1)", 600, {"V": (-0.2, 0.6), "T": (280, 350)}),
        "barometer": ("101325*(1 - 0.0065*h/288.15)**5.2559", 300, {"h": (0, 11000)}),
        "Hazen-Williams": (
            "10.67*L*Q**1.852/(C**1.852*D**4.8704)",
            800,
            {"L": (10, 500), "Q": (0.001, 0.1), "C": (80, 150), "D": (0.05, 0.5)},
        ),
        "Swamee-Jain": (
            "0.25/(log(k/3.7 + 5.74/R**0.9)/log(10))**2",
            800,
            {"k": (1e-5, 0.02), "R": (5e3, 1e7)},
        ),
        "Henderson-Hasselbalch": ("6.1 + log(b/(0.03*p))/log(10)", 400, {"b": (10, 40), "p": (20, 80)}),
        "Cockcroft-Gault": ("(140 - a)*w/(72*s)", 500, {"a": (20, 90), "w": (45, 110), "s": (0.5, 4)}),
        "two prey": ("1.3*N/(1 + 1.3*0.21*N + 0.8*0.35*M)", 600, {"N": (0.1, 20), "M": (0.1, 20)}),
        "Maxwell-Boltzmann": (
            "4*3.141592653589793*(m/(2*3.141592653589793*1.380649e-23*T))**(3/2)*v**2*exp(-m*v**2/(2*1.380649e-23*T))",
            800,
            {"m": (3e-27, 5e-26), "T": (200, 1500), "v": (50, 2000)},
        ),
        "Fermi-Dirac": (
            "1/(exp((E - u)/(8.617333262e-5*T)) + 1)",
            800,
            {"E": (0, 1), "u": (0.3, 0.7), "T": (300, 2000)},
        ),
        "beam": (
            "w*x/(24*E)*(L**3 - 2*L*x**2 + x**3)",
            800,
            {"w": (1, 20), "E": (50, 500), "L": (2, 8), "x": (0, 2)},
        ),
        "rocket": (
            "u*log(m/b) - 9.80665*t",
            600,
            {"u": (2000, 4500), "m": (500, 3000), "b": (100, 450), "t": (10, 200)},
        ),
        "Streeter-Phelps": (
            "0.23*B/(0.46 - 0.23)*(exp(-0.23*t) - exp(-0.46*t)) + D*exp(-0.46*t)",
            800,
            {"B": (5, 30), "D": (0, 4), "t": (0, 15)},
        ),
        "Steinhart-Hart": ("1/(0.001125 + 0.000235*log(R) + 8.6e-8*log(R)**3)", 400, {"R": (300, 1e5)}),
        "Stokes settling": (
            "9.80665*(p - q)*d**2/(18*1.0e-3)",
            600,
            {"p": (1500, 8000), "q": (800, 1200), "d": (1e-6, 1e-4)},
        ),
        "Sutherland": ("1.716e-5*(T/273.15)**1.5*(273.15 + 110.4)/(T + 110.4)", 300, {"T": (200, 1500)}),
        "Penman slope": ("4098*0.6108*exp(17.27*T/(T + 237.3))/(T + 237.3)**2", 300, {"T": (-5, 45)}),
        "Tresca of a shaft": (
            "16/(3.141592653589793*d**3)*sqrt(M**2 + T**2)",
            600,
            {"d": (0.02, 0.1), "M": (50, 2000), "T": (50, 2000)},
        ),
    }
)


@dataclass(frozen=True)
class TextbookLaw:
    """One law: its formula in its inputs, the range of each, and how many rows a table of it has.

    Attributes
    ----------
    name : str
        What textbooks call it.
    formula : str
        In the inputs, with constants as decimals.
    inputs : tuple of str
        Its columns.
    ranges : tuple of pairs
        From where to where each column goes.
    rows : int
        Of the table, a third of them held out.
    """

    name: str
    formula: str
    inputs: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    rows: int

    def truth(self) -> sympy.Expr:
        """The law in real symbols."""
        own = {name: sympy.Symbol(name, real=True) for name in self.inputs}
        return sympy.parse_expr(self.formula, local_dict=own)

    def drawn(self, seed: int) -> tuple[Array, Array]:
        """Rows of the inputs and the output."""
        rng = np.random.default_rng((seed, *self.name.encode()))
        columns = []
        for low, high in self.ranges:
            u = rng.uniform(size=self.rows)
            columns.append(low * (high / low) ** u if low > 0 and high > _LONG * low else low + (high - low) * u)
        x = np.stack(columns, axis=1)
        return x, evaluator(self.truth(), self.inputs)(x)


def textbook_laws() -> tuple[TextbookLaw, ...]:
    """All laws."""
    return tuple(
        TextbookLaw(name, formula, tuple(ranges), tuple((float(a), float(b)) for a, b in ranges.values()), rows)
        for name, (formula, rows, ranges) in _LAWS.items()
    )
