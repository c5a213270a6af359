"""From the candidates of a search to a formula: measured on all rows, with the front of length against error."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy
from jaxtyping import Float64

from ._formula import Formula
from ._front import ParetoEntry
from ._row_bounds import distinct_rows, row_fit
from ._rows import Rows
from ._searched_rows import distinct, searched_rows
from .intervals._constant_interval import ConstantInterval
from .intervals._intervals import intervals_of
from .problem._budget import Budget, Ledger
from .problem._precision import RowPrecision, counted_errors
from .problem._search_problem import SearchProblem, mean_sigma, weights_of
from .problem._smooth import noise_level
from .problem._snapping import Constant
from .problem._template import numeric
from .search._candidate import Candidate
from .verdicts._data_words import cut_short
from .verdicts._stated_errors import ChiSquare, chi_square

FEWEST_FOR_NOISE = 20  # rows below which a smooth fit says nothing about noise
_INTERVALS_WORK = 0.5  # units
_RUNNERS_UP = 6  # other formulas that are kept
_NOISE = 1.5  # a residual within this factor of what smooth fits leave may be noise


def measured(
    found: list[Candidate],
    rows: Rows,
    names: Sequence[str],
    output: str,
    *,
    precision: RowPrecision,
    budget: Budget,
    plainer: Sequence[Candidate] = (),
) -> Formula:
    """The best candidate of a search as a formula, measured on all rows.

    Parameters
    ----------
    found : list of Candidate
        What the search found, the best first, the others for the front; where it is empty, the mean of the output is
        the formula.
    rows : Rows
        All rows, all inputs.
    names : sequence of str
        The names of the inputs.
    output : str
        The name of the output.
    precision : RowPrecision
        How the rows are written.
    budget : Budget
        For estimating the noise and the intervals of constants, which is done where the formula does not meet the rows.
    plainer : sequence of Candidate
        Plainer forms for the front, which the search did not find.
    """
    x, y, sigma = rows.x, rows.y, rows.sigma
    counted = Rows(x, y, None if sigma is None else counted_errors(sigma, y, precision.output))
    best, error = _better_than_the_mean(found, counted, names)
    budget.charge("lambdify", calls=8)
    fit = row_fit(best.expression, names, x, y, precision=precision)
    tested = None if sigma is None else _tested(best, x, y, names, sigma)
    shortfall = "" if fit.within_precision else _shortfall(x, y, error, budget, tested)
    met = fit.worst <= fit.bound or fit.within_precision
    return Formula(
        output=output,
        expression=best.expression,
        inputs=tuple(names),
        r2=1.0 - error**2,
        residual=error,
        worst=fit.worst,
        bound=fit.bound,
        complexity=best.complexity,
        constants=best.constants,
        rows=len(y),
        shortfall=shortfall,
        message=shortfall or "meets the training rows to rounding; not verified yet",
        pareto_front=front([one for one in found if one is not best], best, plainer),
        runners_up=_runners_up(found, best),
        precision=fit.precision,
        within_precision=fit.within_precision,
        distinct_rows=distinct_rows(x),
        intervals=() if met else _intervals(best, counted, names, budget),
        chi_square=tested,
    )


def _intervals(best: Candidate, rows: Rows, names: Sequence[str], budget: Budget) -> tuple[ConstantInterval, ...]:
    """The intervals of the constants on the rows that a search looks at."""
    some = searched_rows(len(rows.y), 0)
    symbols = tuple(sympy.Symbol(name, real=True) for name in names)
    sigma = None if rows.sigma is None else rows.sigma[some]
    weights, scale = (None, None) if sigma is None else (weights_of(sigma), mean_sigma(sigma))
    problem = SearchProblem(rows.x[some], rows.y[some], symbols, budget.apart(_INTERVALS_WORK), weights=weights)
    simple = [constant.exact for constant in best.constants if constant.exact is not None]
    return intervals_of(best.expression, problem, simple=simple, sigma=scale)


def _tested(
    best: Candidate,
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    names: Sequence[str],
    sigma: Float64[np.ndarray, "rows"],
) -> ChiSquare:
    """Chi-square on all rows."""
    symbols = tuple(sympy.Symbol(name, real=True) for name in names)
    return chi_square(y - numeric(best.expression, symbols)(x), sigma, constants=len(best.constants))


def with_work(formula: Formula, ledger: Ledger) -> Formula:
    """The formula with the work that went into it, and with the remark that the clock cut it short where it did.

    Parameters
    ----------
    formula : Formula
        What was found.
    ledger : Ledger
        Of the search, or of the verification.
    """
    formula = replace(formula, work=formula.work + ledger.spent)
    if not ledger.cut or formula.cut_after is not None:
        return formula
    return replace(formula, cut_after=ledger.seconds, message=f"{formula.message}; {cut_short(ledger.seconds)}")


def _better_than_the_mean(found: list[Candidate], rows: Rows, names: Sequence[str]) -> tuple[Candidate, float]:
    """The first candidate, and what it leaves of y; the mean where that is better on all rows."""
    symbols = tuple(sympy.Symbol(name, real=True) for name in names)
    weights = None if rows.sigma is None else weights_of(rows.sigma)
    whole = SearchProblem(rows.x, rows.y, symbols, Budget.of(0.0), weights=weights)

    def left(candidate: Candidate) -> float:
        with np.errstate(all="ignore"):
            return whole.relative(whole.residual(numeric(candidate.expression, symbols)(rows.x)))

    best = min([*found[:1], _mean(rows.y, weights)], key=left)
    return best, left(best)


def _shortfall(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    error: float,
    budget: Budget,
    tested: ChiSquare | None,
) -> str:
    """How far the rows are missed, and whether noise may be the reason."""
    said = f"not exact: residual {error:.1e} of y's deviation"
    if tested is not None:
        return f"{said}; {tested.words()}"
    some = searched_rows(len(y), 0)
    level = (
        noise_level(x[some][:, list(distinct(x[some]))], y[some], budget=budget) if len(y) >= FEWEST_FOR_NOISE else 1.0
    )
    if level / _NOISE <= error <= _NOISE * level and level < 1.0:
        said += f" (smooth fits leave {level:.1e}: the rest may be noise, or what so few rows do not resolve)"
    return said


def front(
    candidates: Sequence[Candidate], best: Candidate, plainer: Sequence[Candidate] = ()
) -> tuple[ParetoEntry, ...]:
    """The Pareto front beside the best formula: what is shorter or leaves less, and is not beaten in both.

    Parameters
    ----------
    candidates : sequence of Candidate
        The other formulas of the search.
    best : Candidate
        The formula that was chosen.
    plainer : sequence of Candidate
        Forms that the search did not find.
    """
    pareto_front: list[Candidate] = []
    for one in sorted([*candidates, *plainer], key=lambda c: (c.complexity, c.error)):
        ahead = one.complexity < best.complexity or one.error < best.error
        if ahead and one.expression != best.expression and all(one.error < other.error for other in pareto_front):
            pareto_front.append(one)
    made = {id(one) for one in plainer}
    return tuple(_entry(one, best, searched=id(one) not in made) for one in pareto_front)


def _runners_up(found: Sequence[Candidate], best: Candidate) -> tuple[ParetoEntry, ...]:
    """The other formulas of the search, the shortest description first."""
    others = {one.expression: one for one in found if one.expression != best.expression}
    return tuple(_entry(one, best) for one in sorted(others.values(), key=lambda one: one.bits)[:_RUNNERS_UP])


def _entry(one: Candidate, best: Candidate, *, searched: bool = True) -> ParetoEntry:
    return ParetoEntry(one.expression, one.complexity, one.error, one.bits - best.bits, searched=searched)


def _mean(y: Float64[np.ndarray, "rows"], weights: Float64[np.ndarray, "rows"] | None) -> Candidate:
    """The mean as a formula, for want of any other; each row counts by the square of its weight."""
    value = float(np.average(y, weights=None if weights is None else weights**2))
    return Candidate(sympy.Float(value), (Constant(value, 0.0, None),), 1.0, 1.0, False, 1, 0.0)
