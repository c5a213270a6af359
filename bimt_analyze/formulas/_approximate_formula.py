"""A short formula for rows that obey none exactly, such as the output of a neuron or a module."""

from collections.abc import Sequence

import numpy as np
import sympy
from jaxtyping import Float64

from .._one_thread import on_one_thread
from ._formula import Formula
from ._measured_formula import measured, with_work
from ._rows import Rows
from ._search_options import SearchOptions
from ._searched_rows import candidate_columns, check_rows, column_names, searched_rows
from .problem._budget import Budget
from .problem._constants import Fit, refine
from .problem._precision import row_precision
from .problem._search_problem import SearchProblem
from .search._candidate import finish
from .search._search import parts
from .search._stages import BRIEF, QUICK
from .symbolic._tidy import complexity


@on_one_thread
def approximate_formula(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str] | None = None,
    output: str = "y",
    within: float = 0.05,
    time_limit: float = 30.0,
    seed: int = 0,
) -> Formula:
    """The shortest formula of a brief search that leaves no more than ``within`` of y's deviation.

    `find_formula` looks for the law behind the rows and goes on until one explains them to rounding. Here any short
    formula that comes near will do, and where none does, the nearest. The search ends by itself, most often within two
    seconds; ``time_limit`` only guards against rows on which it does not.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        What to explain.
    names : sequence of str, optional
        One name for each column of ``x``; ``x1``, ``x2``, ... if left out.
    output : str, default "y"
        The name of ``y``.
    within : float, default 0.05
        Root mean square of the residual that may be left, over y's deviation; 0.05 is an r2 of 0.9975.
    time_limit : float, default 30.0
        Seconds of a reference core, as in `SearchOptions`, after whose work the search ends at the latest.
    seed : int, default 0
        Of everything random in the search.

    Returns
    -------
    Formula
        With a ``shortfall`` that says how far the rows are missed.

    Raises
    ------
    InputError
        For rows that are no finite numbers, or names that do not fit the columns.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> y = x[:, 0] + 0.01 * np.sin(40 * x[:, 0])
    >>> formula = approximate_formula(x, y, names=["a"], output="signal", time_limit=0.5)
    >>> print(formula.variables, formula.r2 > 0.99, formula.exact)
    ('a',) True False
    """
    names = column_names(x, names)
    check_rows(x, y, names, where=f"rows of {output!r}", fewest=1)
    kept = candidate_columns(x, y)
    columns = tuple(sympy.Symbol(names[i], real=True) for i in kept)
    some = searched_rows(len(y), seed)
    asked = SearchOptions(time_limit=time_limit)
    budget = Budget.of(asked.time_limit, seconds=asked.hard_limit)
    problem = SearchProblem(x[some][:, list(kept)], y[some], columns, budget, tolerance=within, seed=seed)
    stages = BRIEF if kept else QUICK[:1]
    templates = (template for stage in stages for template in stage(problem, parts) if not problem.budget.over())
    fits = [fit for template in templates if (fit := refine(template, problem)) is not None]
    near = [fit for fit in fits if fit.error <= within]
    best = min(near, key=_length) if near else min(fits, key=lambda fit: fit.error, default=None)
    found = [] if best is None else [finish(problem, best)]
    formula = measured(found, Rows(x, y), names, output, precision=row_precision(x, y), budget=budget.apart(0.0))
    return with_work(formula, budget.ledger)


def _length(fit: Fit) -> tuple[int, float]:
    """The length of a fit's expression, then its error."""
    return complexity(fit.model.template.expression), fit.error
