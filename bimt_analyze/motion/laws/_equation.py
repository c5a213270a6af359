"""One law of motion: the derivative of one variable as an expression in all."""

from dataclasses import dataclass
from typing import Any

import sympy

from bimt_train.showing import Shown, cut

from ...formulas.export._cells import in_dollars
from ...formulas.export._latex import latex_name, to_latex
from ...formulas.problem._snapping import Constant
from ...formulas.symbolic._rounded import DIGITS, written
from ...formulas.symbolic._tidy import complexity

_SHOWN = 110  # characters at a prompt


@dataclass(frozen=True, repr=False)
class Equation(Shown):
    r"""One law of motion: the derivative of one variable as an expression in all.

    Attributes
    ----------
    variable : str
        The variable that moves.
    expression : sympy.Expr
        The right-hand side; its symbols are real. Of order two, ``x_dot`` is the speed of ``x``.
    constants : tuple of Constant
        Its numbers as they were fitted, with their standard errors, and their names where they are simple.
    order : int
        Which derivative it is, by time.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> equation = Equation("x", -2 * x, (Constant(-2.0, 1e-9, sympy.Integer(-2)),))
    >>> equation
    Equation(x' = -2*x)
    >>> equation.latex(), equation.drivers
    ('\\dot{x} = - 2 x', ('x',))
    >>> equation._repr_latex_()
    '$\\dot{x} = - 2 x$'
    """

    variable: str
    expression: sympy.Expr
    constants: tuple[Constant, ...]
    order: int = 1

    @property
    def drivers(self) -> tuple[str, ...]:
        """The variables that it depends on, by name."""
        return tuple(sorted(str(symbol) for symbol in self.expression.free_symbols))

    @property
    def complexity(self) -> int:
        """How many nodes it is written with."""
        return complexity(self.expression)

    @property
    def left(self) -> str:
        """The left side: ``x'``, or ``x''`` of order two."""
        return self.variable + "'" * self.order

    def latex(self) -> str:
        """The equation in LaTeX, derivatives as dots."""
        return f"{self._dotted()} = {to_latex(self.expression)}"

    def _dotted(self) -> str:
        return rf"\{'d' * self.order}ot{{{latex_name(self.variable)}}}"

    def __str__(self) -> str:
        return f"{self.left} = {written(self.expression, DIGITS)}"

    def _brief(self) -> str:
        return cut(str(self), _SHOWN)

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.expression, left=self._dotted())

    def to_json(self) -> dict[str, Any]:
        """The equation as plain values."""
        return {
            "variable": self.variable,
            "order": self.order,
            "expression": str(self.expression),
            "drivers": list(self.drivers),
            "complexity": self.complexity,
        }
