"""From rows of one output and a form to a formula: the constants of the form are fitted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from .._one_thread import on_one_thread
from ._formula import Formula
from ._measured_formula import measured, with_work
from ._rows import Rows
from ._search_options import SearchOptions
from ._searched_rows import column_names
from .search._asked_form import asked_form, fitted_form
from .search._candidate import finish
from .search._given_rows import given_rows


@on_one_thread
def fit_form(
    form: str | sympy.Expr,
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str] | None = None,
    output: str = "y",
    sigma: Float64[np.ndarray, "rows"] | None = None,
    options: SearchOptions | None = None,
    **changes: Any,
) -> Formula:
    """The formula of a given form: its constants are fitted to rows, from many starts.

    Nothing is searched. `verify_formula` judges the result as it judges one that was found.

    Parameters
    ----------
    form : str or sympy.Expr
        Such as ``"a*exp(-b*t) + c"``. Every name in it that is no input is a constant.
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    names : sequence of str, optional
        One name for each column of ``x``, all different; ``x1``, ``x2``, ... if left out.
    output : str, default "y"
        The name of ``y``.
    sigma : array of shape [rows], optional
        The standard error of each ``y``, in its own unit.
    options : SearchOptions, optional
        Time limit, seed and the number of rows; the defaults if left out.
    **changes
        Fields of `SearchOptions` that differ from ``options``.

    Returns
    -------
    Formula
        The form at its least-squares constants, measured on all rows. Constants that are simple numbers within the
        rows' precision are written as these.

    Raises
    ------
    InputError
        For rows, errors or names that do not fit, and for a form that cannot be fitted.

    Examples
    --------
    >>> t = np.linspace(0, 4, 60)[:, None]
    >>> print(fit_form("a*exp(-b*t) + c", t, 40 * np.exp(-1.5 * t[:, 0]) - 12, names=["t"], output="T"))
    T = -12 + 40*exp(-3*t/2)
    """
    names = column_names(x, names)
    chosen = (options or SearchOptions()).with_changes(**changes)
    given = given_rows(x, y, names=names, output=output, sigma=sigma, options=chosen)
    symbols = tuple(sympy.Symbol(name, real=True) for name in names)
    asked = replace(given.judged, x=x[given.every], columns=symbols)
    found = [finish(asked, fitted_form(asked_form(form, symbols), asked))]
    formula = measured(found, Rows(x, y, sigma), names, output, precision=given.precision, budget=given.budget)
    return with_work(formula, given.budget.ledger)
