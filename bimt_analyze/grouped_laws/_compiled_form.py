"""A form made ready to run on the rows of all groups at once, with its derivatives by the constants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

from ..formulas.problem._budget import Budget
from ..formulas.problem._constants import model
from ..formulas.problem._search_problem import SearchProblem
from ..formulas.problem._template import Template
from ._grouped_rows import GroupedRows
from ._open_form import OpenForm

FAR = 1e3  # a row where the form is not defined counts as this many deviations off

Constants = Float64[np.ndarray, "groups constants"]


@dataclass(frozen=True)
class CompiledForm:
    """A form on rows: residuals in units of each group's deviation, and their derivatives.

    Attributes
    ----------
    form : OpenForm
        What was compiled.
    linear : tuple of int
        The numbers of constants in which it is linear, all together.
    both : callable
        Values and derivatives, from columns and constants.
    """

    form: OpenForm
    linear: tuple[int, ...]
    both: Callable[..., Any]

    @staticmethod
    def of(form: OpenForm, columns: Sequence[sympy.Symbol], budget: Budget) -> "CompiledForm":
        """Compile a form.

        Parameters
        ----------
        form : OpenForm
            An expression with open constants.
        columns : sequence of sympy.Symbol
            The symbols of the inputs.
        budget : Budget
            Is charged.
        """
        nothing = SearchProblem(np.zeros((1, len(columns))), np.ones(1), tuple(columns), budget)
        ready = model(Template(form.expression, form.start), nothing)
        return CompiledForm(form, _linear(form), ready.both)

    @property
    def count(self) -> int:
        """How many constants it has."""
        return len(self.form.start)

    def evaluate(
        self, rows: GroupedRows, values: Constants, units: Float64[np.ndarray, "groups"]
    ) -> tuple[Float64[np.ndarray, "groups rows"], Float64[np.ndarray, "groups rows constants"]]:
        """(form - y) / unit and its derivatives; 0 on filled-up rows.

        Parameters
        ----------
        rows : GroupedRows
            The rows.
        values : array of shape [groups, constants]
            The constants of each group.
        units : array of shape [groups]
            The unit of each group.
        """
        columns = np.moveaxis(rows.x, 2, 0)
        with np.errstate(all="ignore"):
            outputs = self.both(list(columns), [values[:, k, None] for k in range(self.count)])
            table = np.stack([_array(output, rows.y.shape) for output in outputs], axis=2)
            residual = (table[..., 0] - rows.y) / units[:, None]
            jacobian = table[..., 1:] / units[:, None, None]
        lost = ~np.isfinite(residual) | (np.abs(residual) > 1e100)
        bad = lost | ~np.all(np.isfinite(jacobian) & (np.abs(jacobian) < 1e100), axis=2)
        residual = np.where(lost, FAR, residual)
        return np.where(rows.real, residual, 0.0), np.where((rows.real & ~bad)[..., None], jacobian, 0.0)


def _array(output: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    values = np.asarray(output)
    if values.dtype.kind not in "fiub":
        return np.full(shape, np.nan)
    return np.broadcast_to(values.astype(np.float64), shape)


def _linear(form: OpenForm) -> tuple[int, ...]:
    """Constants in which the form is linear, all together: the first of them that can be."""
    found: list[int] = []
    taken: set[sympy.Dummy] = set()
    for place, constant in enumerate(form.constants):
        if not form.expression.diff(constant).free_symbols & (taken | {constant}):
            found.append(place)
            taken.add(constant)
    return tuple(found)
