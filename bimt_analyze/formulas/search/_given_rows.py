"""The rows that a search is given, and the problems that they pose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64

from .._search_options import SearchOptions
from .._searched_rows import best_known, candidate_columns, check_rows, check_sigma, searched_rows
from ..dimensions._known import Known, known_units
from ..problem._budget import Budget
from ..problem._precision import RowPrecision, counted_errors, rounding_of, row_precision, tolerance_of
from ..problem._prior_knowledge import NOTHING_KNOWN, PriorKnowledge
from ..problem._search_problem import SearchProblem, weights_of

SEARCHING = 0.9  # share of the time for the search; the rest is for finishing


@dataclass(frozen=True)
class GivenRows:
    """Rows of one output, checked, and what a search is asked of them.

    Attributes
    ----------
    x : array of shape [rows, inputs]
        All inputs of all rows.
    y : array of shape [rows]
        The output.
    sigma : array of shape [rows] or None
        The standard error of each ``y``.
    names : tuple of str
        The columns of ``x``.
    output : str
        The name of ``y``.
    precision : RowPrecision
        The digits in which the rows are written.
    some : array of shape [some]
        The numbers of the rows from which forms are proposed.
    every : array of shape [every]
        The numbers of the rows that forms are fitted to and compared on: more only where ``sigma`` is known.
    problem : SearchProblem
        The rows ``some``, and the columns that y may depend on.
    judged : SearchProblem
        The rows ``every``, and those columns.
    units : Known or None
        The units of the columns, where they are known.
    """

    x: Float64[np.ndarray, "rows inputs"]
    y: Float64[np.ndarray, "rows"]
    sigma: Float64[np.ndarray, "rows"] | None
    names: tuple[str, ...]
    output: str
    precision: RowPrecision
    some: np.ndarray
    every: np.ndarray
    problem: SearchProblem
    judged: SearchProblem
    units: Known | None

    @property
    def budget(self) -> Budget:
        """The work that the search may do."""
        return self.problem.budget


def given_rows(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str],
    output: str,
    options: SearchOptions,
    units: Mapping[str, str] | None = None,
    sigma: Float64[np.ndarray, "rows"] | None = None,
    prior: PriorKnowledge | None = None,
) -> GivenRows:
    """Check rows, and pose the problem that they are.

    Parameters
    ----------
    x, y, names, output, sigma, prior
        As of `find_formula`.
    units : mapping of str to str, optional
        As of `Hints`.
    options : SearchOptions
        Seed, time limit, tolerance and the number of rows.

    Raises
    ------
    InputError
        For rows that are no finite numbers, errors that are not positive, names that do not fit the columns, and units
        or knowledge of other inputs.
    """
    check_rows(x, y, names, where=f"rows of {output!r}", fewest=1)
    if sigma is not None:
        check_sigma(sigma, len(y), where=f"rows of {output!r}")
    if prior is not None:
        prior.check_inputs(names)
    budget = Budget.of(SEARCHING * options.time_limit, seconds=options.hard_limit)
    precision = row_precision(x, y)
    counted = None if sigma is None else counted_errors(sigma, y, precision.output)
    some = every = searched_rows(len(y), options.seed, most=options.rows)
    if counted is not None:
        some = some[best_known(counted[some])]
    kept = list(candidate_columns(x, y))
    known = None if units is None else known_units(units, names, output)
    rounded = rounding_of(precision, x[some], y[some], budget=budget) if kept else None
    digits = tolerance_of(rounded, y[some])
    # nothing is coarser than the digits
    by_row = rounded is not None and counted is None and options.tolerance <= digits
    errors = rounded if by_row else None if counted is None else counted[some]
    problem = SearchProblem(
        x[some][:, kept],
        y[some],
        tuple(sympy.Symbol(names[i], real=True) for i in kept),
        budget,
        tolerance=max(options.tolerance, digits) if kept else 0.0,
        seed=options.seed,
        weights=None if errors is None else weights_of(errors),
    )
    problem = judged = replace(problem, prior=prior or NOTHING_KNOWN)
    if counted is not None:
        judged = replace(problem, x=x[every][:, kept], y=y[every], weights=weights_of(counted[every]))
    return GivenRows(x, y, sigma, tuple(names), output, precision, some, every, problem, judged, known)
