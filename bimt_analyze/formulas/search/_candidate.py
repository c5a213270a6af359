"""A finished formula: its constants named, its expression tidied, its residual and its length."""

from dataclasses import dataclass
from math import log2

import numpy as np
import sympy

from ..problem._constants import Fit
from ..problem._search_problem import SearchProblem
from ..problem._snapping import Constant, snap
from ..problem._template import node_count, numeric
from ..symbolic._tidy import complexity, tidy

UNEXPLAINED = 3  # constants without a simple name that a formula may have and still be called exact without a truth
# Of rows that are known to a tolerance only, a formula may have fewer: each such constant lets another form fit them.
_UNEXPLAINED_COARSE = ((1e-7, UNEXPLAINED), (1e-5, 2), (1e-3, 1))
_KNOWN = 30.0  # times the tolerance: the relative error of a constant that coarse rows fix


@dataclass(frozen=True)
class Candidate:
    """A finished formula: its expression, what it leaves of y, and its length.

    Attributes
    ----------
    expression : sympy.Expr
        Over the problem's columns, without open constants.
    constants : tuple of Constant
        The numbers that were fitted.
    error : float
        Root mean square of the residual, over y's deviation.
    worst : float
        The largest residual, over y's deviation.
    explained : bool
        Whether the residual is no more than rounding, or than the tolerance of approximate rows.
    complexity : int
        Nodes of the expression.
    bits : float
        The description length.
    tolerance : float
        Root mean square that the rows' own rounding leaves, over y's deviation, as rows count; 0 for doubles.
    """

    expression: sympy.Expr
    constants: tuple[Constant, ...]
    error: float
    worst: float
    explained: bool
    complexity: int
    bits: float
    tolerance: float = 0.0

    @property
    def unexplained(self) -> int:
        """How many of its constants have no simple name."""
        return sum(constant.exact is None for constant in self.constants)

    @property
    def settled(self) -> bool:
        """Whether the search may end: it explains y, and all but three of its constants have names.

        On rows that are known to a tolerance only, fewer constants may be without a name: 2 from a tolerance of 1e-7
        on, 1 from 1e-5, none from 1e-3.
        """
        most = next((count for limit, count in _UNEXPLAINED_COARSE if self.tolerance <= limit), 0)
        error = _KNOWN * self.tolerance
        known = all(c.known or c.error <= error * abs(c.value) for c in self.constants)
        return self.explained and self.unexplained <= most and known


def description_length(error: float, size: int, names: float, rows: int, floor: float) -> float:
    """Bits for the rows given the formula, rows * log2(error / floor), and for the formula itself.

    Parameters
    ----------
    error : float
        Root mean square of the residual, over y's deviation.
    size : int
        Nodes of the formula, three bits each.
    names : float
        Bits of its constants.
    rows : int
        How many rows there are.
    floor : float
        The least error that counts.
    """
    return rows * log2(max(error, floor) / floor) + 3.0 * size + names


def order(candidate: Candidate) -> tuple[bool, float]:
    """The sort key of a candidate: settled ones first, then the shortest description.

    Parameters
    ----------
    candidate : Candidate
        What is sorted.
    """
    return (not candidate.settled, candidate.bits)


def without_bars(expression: sympy.Expr, problem: SearchProblem) -> sympy.Expr:
    """The expression with |a| written as a or -a where a keeps one sign on the rows.

    Parameters
    ----------
    expression : sympy.Expr
        Over the problem's columns, without open constants.
    problem : SearchProblem
        The rows.
    """
    for bars in sorted(expression.atoms(sympy.Abs), key=sympy.default_sort_key):
        values = numeric(bars.args[0], problem.columns)(problem.x)
        if np.all(values >= 0) or np.all(values <= 0):
            expression = expression.xreplace({bars: bars.args[0] if np.all(values >= 0) else -bars.args[0]})
    return expression


def _out_of_roots(expression: sympy.Expr, problem: SearchProblem) -> sympy.Expr:
    """The expression with inputs that are positive on the rows taken out of roots, where that is shorter."""
    least = np.min(problem.x, axis=0) if problem.rows else np.zeros(problem.width)
    positive = {c: sympy.Dummy(str(c), positive=True) for c, low in zip(problem.columns, least, strict=True) if low > 0}
    powers = sorted(expression.atoms(sympy.Pow), key=sympy.default_sort_key)
    roots = [p for p in powers if p.exp.is_Rational and not p.exp.is_Integer and p.base.is_Add]
    if not positive or not roots:
        return expression
    back = {dummy: column for column, dummy in positive.items()}
    taken = {root: sympy.factor_terms(root.base.xreplace(positive)) ** root.exp for root in roots}
    shorter = expression.xreplace({root: new.xreplace(back) for root, new in taken.items()})
    return shorter if complexity(shorter) < complexity(expression) else expression


def finish(problem: SearchProblem, fit: Fit) -> Candidate:
    """A fit as a finished formula: constants snapped, the expression tidied, and checked once more on the rows.

    Parameters
    ----------
    problem : SearchProblem
        The rows that the formula is checked on.
    fit : Fit
        A template at its least-squares values.
    """
    snapped = snap(fit)
    return finished(problem, snapped.expression, snapped.constants, explained=fit.explained())


def finished(
    problem: SearchProblem, plain: sympy.Expr, constants: tuple[Constant, ...], *, explained: bool
) -> Candidate:
    """An expression as a finished formula: tidied, and checked once more on the rows.

    Parameters
    ----------
    problem : SearchProblem
        The rows that the formula is checked on.
    plain : sympy.Expr
        Over the problem's columns, without open constants.
    constants : tuple of Constant
        The numbers in it that were fitted.
    explained : bool
        Whether it explained the rows when it was fitted; one that did not is never called explained.
    """
    expression = without_bars(tidy(without_bars(plain, problem)), problem)
    expression = _out_of_roots(expression, problem)
    values = numeric(expression, problem.columns)(problem.x)
    problem.budget.charge("tidy", node_count(plain))
    if explained and not problem.explained(problem.residual(values)):
        untidied = numeric(plain, problem.columns)(problem.x)
        if problem.explained(problem.residual(untidied)):
            expression, values = plain, untidied
    residual = problem.residual(values)
    error = problem.relative(residual)
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(residual))) / problem.unit
    size = complexity(expression)
    names = sum((constant.bits for constant in constants), 0.0)
    return Candidate(
        expression,
        constants,
        error,
        worst if np.isfinite(worst) else float("inf"),
        problem.explained(residual),
        size,
        description_length(error, size, names, problem.rows, max(problem.least, 1e-12)),
        problem.least,
    )
