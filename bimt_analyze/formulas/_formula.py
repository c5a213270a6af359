"""A formula as a value: what it says, how well, and why that is believed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from jaxtyping import Float64
from sympy.printing.latex import greek_letters_set

from ._fidelity import Divergence
from .hints._structural_tests import Evidence
from .problem._snapping import Constant
from .problem._template import numeric

if TYPE_CHECKING:
    from torch import nn

Predictor = Callable[[Float64[np.ndarray, "rows inputs"]], Float64[np.ndarray, "rows"]]


@dataclass(frozen=True)
class Agreement:
    """Formula against truth on fresh points: how many counted, how many were left out, the largest relative error.

    Left out are points where the truth is not a finite real number. A point where only the formula is not counts as
    an infinite error.
    """

    points: int
    left_out: int
    worst: float


@dataclass(frozen=True)
class Proof:
    """The evidence behind ``exact``, each piece by itself; None where there was nothing to hold against.

    ``train`` and ``held``: largest residual over y's deviation; ``bound``: what rounding can explain of it.
    ``canonical``: "equal" or "different" (formula minus truth, by ``method``), "undecided", or "no truth".
    ``network``: r2 of the formula against the network's own prediction, on fresh points inside the range.
    ``divergence``: where that is below 0.999 and the formula not exact, the part of the network that it misses most.
    """

    train: float
    held: float
    bound: float
    canonical: str
    method: str
    inside: Agreement | None
    outside: Agreement | None
    network: float | None
    statement: str
    divergence: Divergence | None = None


@dataclass(frozen=True)
class Rival:
    """Another formula from the front of length against error."""

    expression: sympy.Expr
    complexity: int
    error: float


@dataclass(frozen=True)
class Formula:
    """One output as an expression in the task's own names (symbols real).

    ``inputs`` names the columns it was searched in, ``variables`` those of them that it uses.
    ``residual`` is the root mean square, ``worst`` the largest residual on the training rows, both over y's
    deviation; ``r2`` is 1 - residual**2; ``bound`` is the largest residual that rounding can explain. ``exact`` is
    given by `prove` alone. ``shortfall`` says how far the training rows are missed (empty where they are met), and
    ``message`` all that speaks against calling it exact. ``evidence`` is what probes of the network showed.
    """

    output: str
    expression: sympy.Expr
    inputs: tuple[str, ...]
    r2: float
    residual: float
    worst: float
    bound: float
    complexity: int
    constants: tuple[Constant, ...]
    rows: int
    shortfall: str = ""
    exact: bool = False
    message: str = "not proven yet"
    proof: Proof | None = None
    rivals: tuple[Rival, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the training rows are met to rounding."""
        return self.worst <= self.bound

    @property
    def variables(self) -> tuple[str, ...]:
        """The inputs that the expression uses, in the order of ``inputs``."""
        used = {str(symbol) for symbol in self.expression.free_symbols}
        return tuple(name for name in self.inputs if name in used)

    @property
    def unexplained(self) -> int:
        """How many of its constants have no simple name."""
        return sum(constant.exact is None for constant in self.constants)

    def predict(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows"]:
        """The formula's value for rows of all ``inputs``; NaN where it is not real."""
        return numeric(self.expression, [sympy.Symbol(name, real=True) for name in self.inputs])(x)

    def __str__(self) -> str:
        return f"{self.output} = {self.expression}"

    def latex(self) -> str:
        r"""``output = expression`` in LaTeX; digits at a name's end are an index.

        A name of several letters is set upright.
        """
        names = {symbol: _latex_name(str(symbol)) for symbol in self.expression.free_symbols}
        return f"{_latex_name(self.output)} = {sympy.latex(self.expression, symbol_names=names)}"

    def numpy(self) -> Predictor:
        """A function of [rows, variables], columns in the order of ``variables``; NaN where it is not real."""
        return numeric(self.expression, [sympy.Symbol(name, real=True) for name in self.variables])

    def torch(self) -> "nn.Module":
        """A module from [..., variables] to [...], the formula's numbers trainable; ``.sympy()`` reads it back."""
        from .export._torch_module import FormulaModule

        return FormulaModule(self.expression, self.variables)

    def to_c(self, name: str = "f") -> str:
        """The source in C99 of ``double name(double x1, ...)``, its arguments in the order of ``variables``.

        It needs <math.h> alone. Raises InputError for a name that C has taken, and for what C cannot say.
        """
        from .export._c_source import c_source

        return c_source(self.expression, self.variables, name=name)

    def as_dict(self) -> dict[str, Any]:
        """The fields that report.json publishes."""
        return {
            "expression": str(self.expression),
            "variables": list(self.variables),
            "r2": self.r2,
            "exact": self.exact,
            "complexity": self.complexity,
        }


def _latex_name(name: str) -> str:
    stem = name.rstrip("0123456789").rstrip("_")
    index = name[len(stem) :].lstrip("_")
    if not stem:
        return name
    if stem.lower() in greek_letters_set:
        shown = str(sympy.latex(sympy.Symbol(stem)))
    else:
        shown = stem if len(stem) == 1 else r"\mathrm{" + stem.replace("_", r"\_") + "}"
    return f"{shown}_{{{index}}}" if index else shown
