"""A formula as a value: what it says, how well, and what its verification showed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train.showing import Shown, cut, to_cell

from ._front import SHOWN, ParetoEntry, choice, front_frame
from ._verification import Verification
from .export._cells import in_dollars, set_formulas
from .export._latex import to_latex
from .hints._structural_tests import StructuralTestResult
from .intervals._constant_interval import ConstantInterval
from .intervals._intervals import readable
from .problem._precision import UNKNOWN_PRECISION, RowPrecision
from .problem._snapping import Constant
from .problem._template import numeric
from .symbolic._rounded import written
from .verdicts._data_words import IDENTIFIED, DataWord, cut_short
from .verdicts._stated_errors import ChiSquare

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

Predictor = Callable[[Float64[np.ndarray, "rows inputs"]], Float64[np.ndarray, "rows"]]


@dataclass(frozen=True, repr=False)
class Formula(Shown):
    """One output as an expression in the task's own names.

    The symbols of ``expression`` are real. Residuals are in units of the standard deviation of y. Where errors of the
    rows were stated, rows count in ``r2``, ``residual`` and the errors of the front by 1 / sigma**2.

    Attributes
    ----------
    output : str
        The name of the output.
    expression : sympy.Expr
        The formula's right-hand side.
    inputs : tuple of str
        The columns that it was searched in.
    r2 : float
        1 - residual**2.
    residual : float
        Root mean square of the residual on the training rows.
    worst : float
        The largest residual on the training rows.
    bound : float
        The largest residual that rounding can explain.
    complexity : int
        How many nodes it is written with.
    constants : tuple of Constant
        The numbers that were fitted, with their exact names where they have one.
    rows : int
        How many training rows it was found on.
    shortfall : str
        How far the training rows are missed; empty where they are met.
    exact : bool
        Whether it is the law itself; `verify_formula` alone sets it.
    message : str
        All that speaks against calling it exact.
    verification : Verification or None
        The evidence behind ``exact``; None before `verify_formula`.
    pareto_front : tuple of ParetoEntry
        Other formulas that are shorter, or leave less.
    runners_up : tuple of ParetoEntry
        The other formulas that the search finished, the shortest description first, whether on the front or not: one
        of the same length that leaves a little more is not on it.
    test_results : tuple of StructuralTestResult
        What structural tests of the network showed.
    precision : RowPrecision
        How the rows are written: as doubles, float32, or with a few digits.
    within_precision : bool
        Whether every training row is met to half a unit of its last place, and of that of its inputs.
    distinct_rows : int
        How many different training rows there are.
    withheld : bool
        Whether the network misses the rows, so that a law of theirs is not the network's.
    of_network : Formula or None
        A formula of the network's own answers, where it departs from this one and follows that one better
        (`network_formula`).
    apart : tuple of int
        Numbers of the training rows that stand apart from all others and were left out: what is said of training rows
        is said of the others.
    work : float
        Units of work of search and verification; a unit is what a quiet reference core does in a second.
    cut_after : float or None
        Seconds after which the clock cut these short; None where it did not.
    intervals : tuple of ConstantInterval
        Where the rows are noisy, the interval of every measured constant, at 95 %; see `constant_intervals`.
    chi_square : ChiSquare or None
        Whether the training rows are met within their stated errors; None where none were stated.

    Examples
    --------
    >>> x1 = sympy.Symbol("x1", real=True)
    >>> formula = Formula("y", x1**2, ("x1", "x2"), 1.0, 0.0, 0.0, 1e-11, 3, (), 100)
    >>> print(formula, formula.variables, formula.predict(np.array([[3.0, 0.0]])))
    y = x1**2 ('x1',) [9.]
    >>> formula
    Formula(y = x1**2: not verified, r2 1.0000)
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
    message: str = "not verified yet"
    verification: Verification | None = None
    pareto_front: tuple[ParetoEntry, ...] = ()
    runners_up: tuple[ParetoEntry, ...] = ()
    test_results: tuple[StructuralTestResult, ...] = ()
    precision: RowPrecision = UNKNOWN_PRECISION
    within_precision: bool = False
    distinct_rows: int = 0
    withheld: bool = False
    of_network: "Formula | None" = None
    apart: tuple[int, ...] = ()
    work: float = field(default=0.0, compare=False)
    cut_after: float | None = None
    intervals: tuple[ConstantInterval, ...] = ()
    chi_square: ChiSquare | None = None

    @property
    def readable(self) -> sympy.Expr:
        """The expression with each measured constant to the digits that its interval justifies."""
        return readable(self.expression, self.intervals)

    @property
    def fits(self) -> bool:
        """Whether the training rows are met, to rounding or to the last digit in which they are written."""
        return self.worst <= self.bound or self.within_precision

    @property
    def word(self) -> DataWord:
        """What may be said of it as a law of the data, see `DATA_WORDS`; ``"none"`` before `verify_formula`."""
        return "none" if self.verification is None else self.verification.word

    @property
    def identified(self) -> bool:
        """Whether its form is identified: exactly, within the rows' precision, or within noise."""
        return self.word in IDENTIFIED and not self.withheld

    def verdict(self) -> str:
        """The two verdicts in one line: the word for the law of the data, and how far the network follows it."""
        if self.verification is None:
            return f"not verified, r2 {self.r2:.4f}"
        said = {"interpolation": "an interpolation of the data", "none": "no law of the data"}
        data = said.get(self.word, f"{self.word} on the data")
        if not self.identified:
            data += f", r2 {self.r2:.4f}"
        if self.cut_after is not None:
            data += f"; {cut_short(self.cut_after)}"
        seen = self.verification.network
        return data if seen is None else f"{data}; {seen.words()}"

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
        """The formula's values.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Rows of all ``inputs``, in their order.

        Returns
        -------
        array of shape [rows]
            NaN where the formula is not real.
        """
        return numeric(self.expression, [sympy.Symbol(name, real=True) for name in self.inputs])(x)

    def __str__(self) -> str:
        return f"{self.output} = {written(self.readable)}"

    def _brief(self) -> str:
        return f"{cut(str(self), SHOWN)}: {self.verdict()}"

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.readable, output=self.output)

    def _repr_html_(self) -> str:
        return to_cell(self.verdict(), lines=set_formulas({self.output: self.readable}).values())

    def latex(self) -> str:
        """``output = expression`` in LaTeX, with the digits of `readable`.

        Digits at a name's end are an index, and a name of several letters is set upright.
        """
        return to_latex(self.readable, output=self.output)

    def numpy(self) -> Predictor:
        """A numpy function of [rows, variables], its columns in the order of ``variables``.

        Its values are NaN where the formula is not real.
        """
        return numeric(self.expression, [sympy.Symbol(name, real=True) for name in self.variables])

    def torch(self) -> "nn.Module":
        """A torch module from [..., variables] to [...], whose numbers can be trained.

        Returns
        -------
        FormulaModule
            Its ``sympy()`` gives the expression at the trained numbers.
        """
        from .export._torch_module import FormulaModule

        return FormulaModule(self.expression, self.variables)

    def to_c(self, name: str = "f") -> str:
        """The C99 source of ``double name(double x1, ...)``, its arguments in the order of ``variables``.

        Parameters
        ----------
        name : str, default "f"
            The function's name in C.

        Returns
        -------
        str
            Source that needs <math.h> alone.

        Raises
        ------
        InputError
            For a name that C or <math.h> has taken, and for what C has no function or number for.
        """
        from .export._c_source import c_source

        return c_source(self.expression, self.variables, name=name)

    @property
    def front(self) -> tuple[ParetoEntry, ...]:
        """The front of length against error with the formula itself, which is ``chosen``, the shortest first."""
        own = ParetoEntry(self.readable, self.complexity, self.residual, chosen=True)
        return tuple(sorted((own, *self.pareto_front), key=lambda one: (one.complexity, -one.error)))

    def choice(self) -> str:
        """Why it was chosen of the front, and by which margin, in one sentence."""
        return choice(self.front, met=self.fits)

    def to_frame(self) -> "pd.DataFrame":
        """The front of length against error, the shortest formula first.

        Returns
        -------
        pandas.DataFrame
            ``expression``, ``complexity``, ``error``, ``bits`` more than the formula that was chosen, ``chosen``.
        """
        return front_frame([replace(one, expression=self.expression) if one.chosen else one for one in self.front])

    def to_json(self) -> dict[str, Any]:
        """The fields that report.json publishes."""
        return {
            "expression": str(self.expression),
            "variables": list(self.variables),
            "r2": self.r2,
            "exact": self.exact,
            "complexity": self.complexity,
            "constants": [interval.words() for interval in self.intervals],
        }
