"""Right-hand sides that are proposed for one variable: sums by the weak form, and formulas of its derivative."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, log2

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train.trajectories.smoothed import Smoothed

from ...formulas import SearchOptions, find_formula
from ...formulas._search_options import _GRACE
from ...formulas.problem._budget import Budget
from ...formulas.symbolic._open_numbers import Form, skeleton, with_open_numbers
from ...formulas.symbolic._tidy import complexity
from ._weak_form import WeakForm

_NODE, _CONSTANT = 3.0, 8.0  # bits
_MET = 1e-6  # of a variable's change: the weak form does not see less
_SMALL = 5  # constants
_TRUSTED = 0.8  # share of the rows that are searched: those whose derivative is known best
_SAFETY, _LEAST = 2.0, 1e-6  # times the derivative's error, and the least of its deviation that is asked for
FINISHING = 0.7  # units that a search takes beyond its limit: its last step, and finishing


@dataclass(frozen=True)
class Proposal:
    """A right-hand side of one variable.

    Attributes
    ----------
    expression : sympy.Expr
        At the constants that the weak form likes best.
    bits : float
        The length of its description, as the weak form sees it.
    """

    expression: sympy.Expr
    bits: float


def told(found: Iterable[tuple[sympy.Expr, float]], rows: int) -> tuple[Proposal, ...]:
    """Right-hand sides with their description lengths, the shortest first.

    Parameters
    ----------
    found : iterable of (sympy.Expr, float)
        Right-hand sides, and what each misses of the variable's change, over its size.
    rows : int
        How many measurements there are.
    """
    proposals = []
    for expression, error in found:
        if not isfinite(error) or expression.has(sympy.nan, sympy.zoo):
            continue
        bits = rows * log2(max(error, _MET)) + _NODE * complexity(expression)
        proposals.append(Proposal(expression, bits + _CONSTANT * len(expression.atoms(sympy.Float, sympy.Rational))))
    return tuple(sorted(proposals, key=lambda one: one.bits))


def forms(proposals: Iterable[Proposal], most: int) -> tuple[Form, ...]:
    """The likeliest forms with their constants open, then the likeliest of each small number of constants.

    Parameters
    ----------
    proposals : iterable of Proposal
        For one variable.
    most : int
        How many come first.
    """
    first: dict[sympy.Expr, Form] = {}
    small: dict[int, Form] = {}
    for one in sorted(proposals, key=lambda one: one.bits):
        if len(first) < most:
            first.setdefault(skeleton(one.expression), with_open_numbers(one.expression))
        elif len(form := with_open_numbers(one.expression).values) <= _SMALL:
            small.setdefault(len(form), with_open_numbers(one.expression))
    return (*first.values(), *(form for form in small.values() if skeleton(form.filled()) not in first))


def formulas(
    curves: Sequence[Smoothed],
    weak: WeakForm,
    variables: Sequence[sympy.Symbol],
    place: int,
    options: SearchOptions,
    budget: Budget,
) -> tuple[Proposal, ...]:
    """Formulas of one variable's derivative: the best, and the others of the front.

    Parameters
    ----------
    curves : sequence of Smoothed
        The trajectories.
    weak : WeakForm
        What the formulas are held against.
    variables : sequence of sympy.Symbol
        The variables.
    place : int
        The number of the variable.
    options : SearchOptions
        Of the search.
    budget : Budget
        What may be spent on it.
    """
    seconds = min(options.time_limit, max(budget.left - FINISHING, 0.0))
    x, y, tolerance = _rows(curves, place)
    patience = budget.left / (seconds + _GRACE)
    within = options.with_changes(time_limit=seconds, patience=patience, tolerance=tolerance)
    names = [str(variable) for variable in variables]
    found = find_formula(x, y, names=names, output="slope", options=within)
    budget.ledger.spend(found.work)
    others = (entry.expression for entry in found.pareto_front if entry.searched)
    every = list(dict.fromkeys([found.expression, *others]))
    return told(zip(every, weak.errors(every, variables, place), strict=True), weak.times)


def _rows(
    curves: Sequence[Smoothed], place: int
) -> tuple[Float64[np.ndarray, "rows variables"], Float64[np.ndarray, "rows"], float]:
    """Smooth states, the derivative of one variable, and how well that is known, where it is known well."""
    x = np.concatenate([one.at(one.inner) for one in curves])
    y = np.concatenate([one.at(one.inner, 1)[:, place] for one in curves])
    error = np.concatenate([one.inner_error[:, place] for one in curves])
    kept = error <= np.quantile(error, _TRUSTED)
    return x[kept], y[kept], slope_tolerance(y[kept], error[kept])


def slope_tolerance(slopes: Float64[np.ndarray, "rows"], error: Float64[np.ndarray, "rows"]) -> float:
    """How nearly a formula is to meet derivatives, in units of their deviation: twice their standard error.

    Parameters
    ----------
    slopes : array of shape [rows]
        The derivatives of one variable.
    error : array of shape [rows]
        Their standard errors.
    """
    size = float(np.std(slopes)) or 1.0
    return max(_SAFETY * float(np.sqrt(np.mean(error**2))) / size, _LEAST)
