"""What is known of a law before its rows are seen: which functions may occur in it, how it behaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.showing import Shown

from ._operators import OPERATORS
from ._template import numeric

_POWERS = {"sqrt": (1, 2), "power": None}  # exponents with this denominator, or any
_NAMES = {entry.name for entry in OPERATORS if entry.name.isalpha()} | set(_POWERS) | {"max", "min", "sign", "floor"}
_STEPS = 25  # points along an input
_FAR = (1e2, 1e4, 1e6)  # times an input's range, for its limit
_NEAR = 1e-3  # of y's deviation
_EQUAL = 1e-9


@dataclass(frozen=True, repr=False)
class PriorKnowledge(Shown):
    """What is known of a law: candidates that contradict it are left out.

    How a candidate behaves is looked at on the rows, and at points that they are moved to.

    Attributes
    ----------
    functions : tuple of str or None
        The functions that may occur besides sums, products and whole powers: ``sin``, ``cos``, ``exp``, ``log``,
        ``tanh``, ``atan``, ``abs``, ``max``, ...; ``sqrt`` is half powers, ``power`` any others. None allows all.
    monotone : mapping of str to {"rising", "falling"}
        Inputs along which the law never falls, or never rises, within their range.
    even : tuple of str
        Inputs whose sign does not matter.
    odd : tuple of str
        Inputs whose sign is a sign of the whole law.
    swaps : tuple of (str, str)
        Pairs of inputs that can be exchanged.
    limits : mapping of str to float
        What the law goes to as an input grows without bound.

    Raises
    ------
    InputError
        A function that is not known, or a direction.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> known = PriorKnowledge(functions=("exp",), limits={"x": 0.0})
    >>> rows = np.linspace(0, 3, 20)[:, None]
    >>> [known.allows(f, [x], rows) for f in (sympy.exp(-x), sympy.exp(x), sympy.cos(x))]
    [True, False, False]
    """

    functions: tuple[str, ...] | None = None
    monotone: Mapping[str, str] = field(default_factory=dict)
    even: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    swaps: tuple[tuple[str, str], ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.functions or ()) - _NAMES)
        if unknown:
            raise InputError(
                "a function that is not known", where="functions", expected=", ".join(sorted(_NAMES)), got=unknown[0]
            )
        wrong = sorted(set(self.monotone.values()) - {"rising", "falling"})
        if wrong:
            raise InputError(
                "a direction that is not known", where="monotone", expected="rising or falling", got=str(wrong[0])
            )

    @property
    def inputs(self) -> frozenset[str]:
        """The inputs of which something is known."""
        return frozenset(
            (*self.monotone, *self.even, *self.odd, *(n for pair in self.swaps for n in pair), *self.limits)
        )

    def check_inputs(self, names: Sequence[str]) -> None:
        """Refuse what is known of inputs that are not there.

        Parameters
        ----------
        names : sequence of str
            The inputs.
        """
        unknown = sorted(self.inputs - set(names))
        if unknown:
            raise InputError(
                "knowledge of an unknown input", where="prior", expected=f"inputs among {list(names)}", got=unknown[0]
            )

    def allows_functions(self, expression: sympy.Expr) -> bool:
        """Whether an expression is made of the functions that may occur.

        Parameters
        ----------
        expression : sympy.Expr
            With or without open constants.
        """
        if self.functions is None:
            return True
        used = {type(part).__name__.lower() for part in expression.atoms(sympy.Function)}
        for part in expression.atoms(sympy.Pow):
            if not part.exp.is_Integer and not (part.exp.is_Float and float(part.exp).is_integer()):
                used.add("sqrt" if part.exp.is_Rational and part.exp.q == 2 else "power")
        return used <= set(self.functions)

    def allows(
        self, expression: sympy.Expr, columns: Sequence[sympy.Symbol], x: Float64[np.ndarray, "rows inputs"]
    ) -> bool:
        """Whether an expression agrees with all that is known.

        Parameters
        ----------
        expression : sympy.Expr
            Without open constants.
        columns : sequence of sympy.Symbol
            The symbols of the columns of ``x``.
        x : array of shape [rows, inputs]
            Rows.
        """
        if not self.allows_functions(expression):
            return False
        places = {str(column): place for place, column in enumerate(columns)}
        f = numeric(expression, columns)
        y = f(x)
        unit = float(np.std(y)) or 1.0

        def at(name: str, values: Float64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows"]:
            moved = x.copy()
            moved[:, places[name]] = values
            return f(moved)

        def zero(values: Float64[np.ndarray, "rows"], least: float) -> bool:
            return bool(np.all(np.abs(values) <= least * unit))

        for name in (*self.even, *self.odd):
            if name in places:
                mirrored = at(name, -x[:, places[name]])
                if not zero(mirrored - y if name in self.even else mirrored + y, _EQUAL):
                    return False
        for one, other in self.swaps:
            swapped = x.copy()
            if one in places and other in places:
                swapped[:, [places[one], places[other]]] = x[:, [places[other], places[one]]]
                if not zero(f(swapped) - y, _EQUAL):
                    return False
        for name, direction in self.monotone.items():
            if name in places:
                values = x[:, places[name]]
                path = np.stack([at(name, np.full(len(x), v)) for v in np.linspace(values.min(), values.max(), _STEPS)])
                steps = np.diff(path, axis=0) * (1 if direction == "rising" else -1)
                if not np.all(steps >= -_EQUAL * unit):
                    return False
        for name, limit in self.limits.items():
            if name in places:
                reach = float(np.ptp(x[:, places[name]])) or 1.0
                away = [float(np.max(np.abs(at(name, np.full(len(x), far * reach)) - limit))) for far in _FAR]
                if not (np.isfinite(away[-1]) and away[-1] <= max(_NEAR * unit, 0.5 * away[0])):
                    return False
        return True


NOTHING_KNOWN = PriorKnowledge()
"""Allows every candidate."""
