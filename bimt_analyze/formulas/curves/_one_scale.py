"""Short functions of one argument with at most one constant in them: a scale of the argument."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

Array = NDArray[np.float64]

_POWERS = (1, 2, -1, -2)  # of the argument, within the function
_FACTORS = (0, 1, -1, 2, -2)  # powers of the argument, by which the function is multiplied
_ALONE = ("1/2", "-1/2", "1", "-1", "3/2", "-3/2", "2", "-2", "3", "-3", "4", "-4")  # powers without a function
_SIZES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of the largest scaled argument, where the scale is free, and then
_FEWER_FACTORS = (0, 1, -1)

_FUNCTIONS: tuple[tuple[Callable[[Array], Array], Callable[[sympy.Expr], sympy.Expr], int], ...] = (
    (np.exp, sympy.exp, 1),
    (lambda t: np.exp(-t), lambda t: sympy.exp(-t), 2),
    (np.sin, sympy.sin, 1),
    (np.cos, sympy.cos, 1),
    (np.tanh, sympy.tanh, 1),
    (np.log, sympy.log, 1),
    (np.sinh, sympy.sinh, 1),
    (np.cosh, sympy.cosh, 1),
    (np.tan, sympy.tan, 1),
    (np.arcsin, sympy.asin, 1),
    (np.arctan, sympy.atan, 1),
    (lambda t: np.sin(t) ** 2, lambda t: sympy.sin(t) ** 2, 3),
    (lambda t: np.sin(t) * np.cos(t), lambda t: sympy.sin(t) * sympy.cos(t), 4),
    (lambda t: np.log(1 + t), lambda t: sympy.log(1 + t), 3),
    (lambda t: 1 + t, lambda t: 1 + t, 2),
    (lambda t: 1 - t, lambda t: 1 - t, 2),
    (lambda t: 1 / (1 + t), lambda t: 1 / (1 + t), 4),
    (lambda t: 1 / (1 - t), lambda t: 1 / (1 - t), 4),
    (lambda t: (1 - t) ** -2.0, lambda t: (1 - t) ** -2, 4),
    (lambda t: (1 + t) ** -2.0, lambda t: (1 + t) ** -2, 4),
    (lambda t: np.sqrt(1 + t), lambda t: sympy.sqrt(1 + t), 3),
    (lambda t: np.sqrt(1 - t), lambda t: sympy.sqrt(1 - t), 3),
    (lambda t: 1 / np.sqrt(1 + t), lambda t: 1 / sympy.sqrt(1 + t), 4),
    (lambda t: 1 / np.sqrt(1 - t), lambda t: 1 / sympy.sqrt(1 - t), 4),
    (lambda t: 1 / np.expm1(t), lambda t: 1 / (sympy.exp(t) - 1), 5),
    (lambda t: 1 / (np.exp(t) + 1), lambda t: 1 / (sympy.exp(t) + 1), 5),
    (lambda t: -np.expm1(-t), lambda t: 1 - sympy.exp(-t), 4),
)


@dataclass(frozen=True)
class ScaledFunction:
    """u**k f(b u**p).

    Attributes
    ----------
    build : callable
        The expression, of u and b.
    nodes : int
        How long it is, roughly.
    scale : float or None
        Where b starts; None for 1.
    """

    build: Callable[[sympy.Expr, sympy.Expr], sympy.Expr]
    nodes: int
    scale: float | None


@dataclass(frozen=True, eq=False)
class ScaledFunctions:
    """Functions, and their values.

    Attributes
    ----------
    functions : tuple of ScaledFunction
        Those that are finite.
    values : array of shape [functions, rows]
        On the rows.
    """

    functions: tuple[ScaledFunction, ...]
    values: Float64[np.ndarray, "functions rows"]


def scaled_functions(u: Float64[np.ndarray, "rows"]) -> ScaledFunctions:
    """The functions that are finite on all rows: powers, and powers times functions of powers.

    Parameters
    ----------
    u : array of shape [rows]
        The argument.

    Examples
    --------
    >>> table = scaled_functions(np.array([0.5, 0.7]))
    >>> u, b = sympy.symbols("u b")
    >>> [str(one.build(u, b)) for one in table.functions if one.scale is None][:3]
    ['sqrt(u)', '1/sqrt(u)', 'u']
    """
    functions: list[ScaledFunction] = []
    values: list[Array] = []

    def add(build: Callable[[sympy.Expr, sympy.Expr], sympy.Expr], found: Array, nodes: int, b: float | None) -> None:
        if np.isfinite(found).all():
            functions.append(ScaledFunction(build, nodes, b))
            values.append(found)

    with np.errstate(all="ignore"):
        for text in _ALONE:
            power = sympy.Rational(text)
            if power.is_Integer or np.min(u) > 0:
                add(_power(power), u ** float(power), 1 if power == 1 else 3, None)
        for p in _POWERS:
            raised = u ** float(p)
            peak = float(np.max(np.abs(raised)))
            if not (np.isfinite(peak) and peak > 0):
                continue
            for b in (None, *(size / peak for size in _SIZES)):
                for f, written, nodes in _FUNCTIONS:
                    inner = f(raised if b is None else b * raised)
                    length = nodes + (1 if p == 1 else 3) + (0 if b is None else 2)
                    for k in _FACTORS if b is None else _FEWER_FACTORS:
                        add(_built(written, p, k), u ** float(k) * inner, length + (0 if k == 0 else 4), b)
    return ScaledFunctions(tuple(functions), np.array(values).reshape(len(functions), len(u)))


def _power(power: sympy.Rational) -> Callable[[sympy.Expr, sympy.Expr], sympy.Expr]:
    return lambda u, b: u**power


def _built(
    written: Callable[[sympy.Expr], sympy.Expr], p: int, k: int
) -> Callable[[sympy.Expr, sympy.Expr], sympy.Expr]:
    return lambda u, b: u**k * written(b * u**p)
