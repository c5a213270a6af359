"""The intervals of the constants of a formula, on rows of one's own choice."""

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from .._one_thread import on_one_thread
from ._formula import Formula
from ._searched_rows import check_rows, check_sigma
from .intervals._constant_interval import ConstantInterval
from .intervals._intervals import intervals_of
from .problem._budget import Budget
from .problem._precision import column_precision, counted_errors
from .problem._search_problem import SearchProblem, mean_sigma, weights_of

_WORK = 60.0  # units


@on_one_thread
def constant_intervals(
    formula: Formula,
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    level: float = 0.95,
    sigma: Float64[np.ndarray, "rows"] | None = None,
) -> tuple[ConstantInterval, ...]:
    """The interval of every measured constant of a formula, by profile likelihood.

    Measured are the decimals of the expression, and the simple numbers that took the place of fitted constants.
    Decimals that are equal but for their sign are one constant.

    Parameters
    ----------
    formula : Formula
        Its form is taken as right; its constants are fitted again to these rows.
    x : array of shape [rows, inputs]
        The rows, their columns in the order of ``formula.inputs``.
    y : array of shape [rows]
        The output.
    level : float, default 0.95
        The confidence, between 0 and 1.
    sigma : array of shape [rows], optional
        The standard error of each ``y``, in its own unit. Left out, the noise is taken as equal on all rows, and as
        large as the residual tells.

    Returns
    -------
    tuple of ConstantInterval
        In the order in which the formula is written. None where it has no measured constant, more than twenty, fewer
        than two rows more than constants, or is not real on the rows.

    Raises
    ------
    InputError
        For rows that are no finite numbers or do not fit, a ``sigma`` that is not positive, and a ``level`` beyond 0
        and 1.

    Notes
    -----
    The constant is held at trial values, all others are fitted again, and the interval ends where the sum of squares S
    exceeds its least value S0 by t**2 S0 / (rows - constants), t the quantile of Student's distribution [1]_. With
    ``sigma``, S is in units of it, and the interval ends where S - S0 is the square of the normal quantile; but where
    the rows are missed by more than ``sigma`` allows (p below 0.01 by chi-square), only its ratios count. Where the
    trials come to no end, the interval is the value and t standard errors to both sides, and ``method`` says so.

    The noise is taken as independent from row to row and close to normal, and the inputs as exact.

    References
    ----------
    .. [1] D. M. Bates, D. G. Watts, "Nonlinear Regression Analysis and Its Applications", 1988, chapter 6.

    Examples
    --------
    >>> from bimt_analyze.formulas import find_formula
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(size=(80, 1))
    >>> y = 2.37 * x[:, 0] ** 2 + rng.normal(scale=0.05, size=80)
    >>> formula = find_formula(x, y, names=["x1"], output="y", time_limit=1)
    >>> print(formula)
    y = 2.362*x1**2
    >>> print([interval.words() for interval in constant_intervals(formula, x, y)])
    ['2.362 ± 0.022']
    """
    where = f"constants of {formula.output!r}"
    check_rows(x, y, formula.inputs, where=where, fewest=0)
    if not 0 < level < 1:
        raise InputError("no confidence", where=where, expected="0 < level < 1", got=f"{level:g}", hint="level=0.95")
    weights = scale = None
    if sigma is not None:
        check_sigma(sigma, len(y), where=where)
        counted = counted_errors(sigma, y, column_precision(y))
        weights, scale = weights_of(counted), mean_sigma(counted)
    symbols = tuple(sympy.Symbol(name, real=True) for name in formula.inputs)
    problem = SearchProblem(x, y, symbols, Budget.of(_WORK), weights=weights)
    simple = [constant.exact for constant in formula.constants if constant.exact is not None]
    return intervals_of(formula.expression, problem, level=level, simple=simple, sigma=scale)
