"""The one table of functions of one variable: value, slope, inverse and sympy expression of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sympy
from numpy.typing import NDArray

from bimt_train.showing import Shown

Array = NDArray[np.float64]
Elementwise = Callable[[Array], Array]
Family = Literal["wave", "growth", "edge", "sigmoid", "kink"]


@dataclass(frozen=True, repr=False)
class Operator(Shown):
    """One function f of one variable.

    Attributes
    ----------
    name : str
        Its name, such as ``"sin"``.
    value : callable
        f, elementwise on arrays.
    slope : callable
        f', elementwise on arrays.
    build : callable
        f of a sympy expression.
    family : str
        Which constants of ``a*f(b*u + c) + d`` can be told apart from data, and so which a fit looks for: ``wave`` (b
        and the phase c), ``growth`` (b alone: c is absorbed by a), ``edge`` (c alone: b is absorbed by a or d; the
        domain ends, or has a pole, at b*u + c = 0), ``sigmoid`` (b and c, smooth everywhere it is defined), ``kink`` (c
        alone).
    inverse : callable or None
        Solves f(z) = y for z on one branch, and gives NaN elsewhere; None where no branch is of use.

    Examples
    --------
    >>> sine = next(entry for entry in OPERATORS if entry.name == "sin")
    >>> float(sine(np.array([0.0]))[0]), sine.build(sympy.Symbol("u")), sine.family
    (0.0, sin(u), 'wave')
    """

    name: str
    value: Elementwise
    slope: Elementwise
    build: Callable[[sympy.Expr], sympy.Expr]
    family: Family
    inverse: Elementwise | None = None

    def __call__(self, u: Array) -> Array:
        """The value f(u), NaN or infinite without a warning where f is not defined.

        Parameters
        ----------
        u : array
            Arguments, of any shape.
        """
        with np.errstate(all="ignore"):
            return np.asarray(self.value(u), dtype=np.float64)

    def __reduce__(self) -> tuple[Any, ...]:
        return operator, (self.name,)  # functions made here cannot be pickled


def _half(u: sympy.Expr, power: sympy.Expr) -> sympy.Expr:
    """A power that is a multiple of one half."""
    return sympy.Pow(u, power)


def _cut(low: float, high: float, f: Elementwise) -> Elementwise:
    """The function f on [low, high] and NaN outside, so that an inverse never leaves its branch."""

    def inside(y: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(np.where((y >= low) & (y <= high), f(y), np.nan), dtype=np.float64)

    return inside


_HALF = sympy.Rational(1, 2)
_INF = float("inf")

OPERATORS: tuple[Operator, ...] = (
    Operator("sin", np.sin, np.cos, sympy.sin, "wave", _cut(-1.0, 1.0, np.arcsin)),
    Operator("cos", np.cos, lambda u: -np.sin(u), sympy.cos, "wave", _cut(-1.0, 1.0, np.arccos)),
    Operator("exp", np.exp, np.exp, sympy.exp, "growth", _cut(0.0, _INF, np.log)),
    Operator("log", np.log, lambda u: 1 / u, sympy.log, "edge", _cut(-_INF, 700.0, np.exp)),
    Operator("sqrt", np.sqrt, lambda u: 0.5 / np.sqrt(u), sympy.sqrt, "edge", _cut(0.0, _INF, np.square)),
    Operator("reciprocal", lambda u: 1 / u, lambda u: -1 / u**2, lambda u: 1 / u, "edge", lambda y: 1 / y),
    Operator(
        "inverse square", lambda u: u**-2.0, lambda u: -2 * u**-3.0, lambda u: u**-2, "edge",
        _cut(0.0, _INF, lambda y: 1 / np.sqrt(y)),
    ),
    Operator(
        "inverse root", lambda u: 1 / np.sqrt(u), lambda u: -0.5 * u**-1.5, lambda u: _half(u, -_HALF), "edge",
        _cut(0.0, _INF, lambda y: y**-2.0),
    ),
    Operator(
        "three halves", lambda u: u * np.sqrt(u), lambda u: 1.5 * np.sqrt(u), lambda u: _half(u, 3 * _HALF), "edge",
        _cut(0.0, _INF, lambda y: np.cbrt(y) ** 2),
    ),
    Operator(
        "inverse three halves", lambda u: 1 / (u * np.sqrt(u)), lambda u: -1.5 / (u**2 * np.sqrt(u)),
        lambda u: _half(u, -3 * _HALF), "edge", _cut(0.0, _INF, lambda y: 1 / np.cbrt(y) ** 2),
    ),
    Operator("tanh", np.tanh, lambda u: 1 - np.tanh(u) ** 2, sympy.tanh, "sigmoid", _cut(-1.0, 1.0, np.arctanh)),
    Operator("atan", np.arctan, lambda u: 1 / (1 + u**2), sympy.atan, "sigmoid", _cut(-1.57, 1.57, np.tan)),
    Operator("asin", np.arcsin, lambda u: 1 / np.sqrt(1 - u**2), sympy.asin, "sigmoid", _cut(-1.57, 1.57, np.sin)),
    Operator("tan", np.tan, lambda u: 1 + np.tan(u) ** 2, sympy.tan, "sigmoid", np.arctan),
    Operator("sinh", np.sinh, np.cosh, sympy.sinh, "sigmoid", np.arcsinh),
    Operator("cosh", np.cosh, np.sinh, sympy.cosh, "sigmoid", _cut(1.0, _INF, np.arccosh)),
    Operator("abs", np.abs, np.sign, sympy.Abs, "kink"),
)  # fmt: skip
# Of a line it grows as Gompertz has it, of a logarithm it is Weibull's; it is asked for as such alone.
OUTGROWN = Operator(
    "exp of minus exp", lambda u: np.exp(-np.exp(u)), lambda u: -np.exp(u - np.exp(u)),
    lambda u: sympy.exp(-sympy.exp(u)), "sigmoid",
)  # fmt: skip
# Shares, of occupied states or of what has happened; they are undone around sums and products alone.
SHARES: tuple[Operator, ...] = (
    Operator(
        "logistic", lambda u: 1 / (1 + np.exp(u)), lambda u: -0.25 / np.cosh(u / 2) ** 2,
        lambda u: 1 / (1 + sympy.exp(u)), "sigmoid", _cut(0.0, 1.0, lambda y: np.log(1 / y - 1)),
    ),
    Operator(
        "exp minus one", np.expm1, np.exp, lambda u: sympy.exp(u) - 1, "growth", _cut(-1.0, _INF, np.log1p),
    ),
    Operator(
        "one minus exp", lambda u: -np.expm1(u), lambda u: -np.exp(u), lambda u: 1 - sympy.exp(u), "growth",
        _cut(-_INF, 1.0, lambda y: np.log1p(-y)),
    ),
    Operator(
        "one over exp minus one", lambda u: 1 / np.expm1(u), lambda u: -np.exp(u) / np.expm1(u) ** 2,
        lambda u: 1 / (sympy.exp(u) - 1), "edge", _cut(0.0, _INF, lambda y: np.log1p(1 / y)),
    ),
)  # fmt: skip
# Dictionaries hold these of plain arguments alone, and not within other functions: few laws have them.
SELDOM = ("atan", "asin", "tan", "sinh", "cosh", "abs")


def operator(name: str) -> Operator:
    """The operator of a name.

    Parameters
    ----------
    name : str
        One of the names in `OPERATORS`, that of `OUTGROWN`, or one of those in `SHARES`.

    Examples
    --------
    >>> operator("sqrt").family
    'edge'
    """
    return next(entry for entry in (*OPERATORS, OUTGROWN, *SHARES) if entry.name == name)


def finite(values: Any) -> bool:
    """Whether every entry is an ordinary number.

    Parameters
    ----------
    values : array
        Of any shape.
    """
    return bool(np.all(np.isfinite(values)))
