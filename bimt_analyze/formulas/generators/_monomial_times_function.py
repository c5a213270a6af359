"""Products y = m F: m a product of powers of some columns, F a function of the others, which are fewer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from ..problem._monomials import Exponents, expression, value
from ..problem._polynomial import count, powers
from ..problem._search_problem import SearchProblem
from ..problem._smooth import centred, legendre
from ..problem._template import Template
from .decompositions._similarity import left_out_error

Rows = Float64[np.ndarray, "rows"]

_MOST_LEFT = 3  # columns of F
_HIGHEST = 12  # degree, and
_COLUMNS = 60  # of the polynomial that stands for log F
_SUBSETS = 400  # choices of the columns of F of one size, at most: each takes one QR decomposition
_NEAR = 0.06  # a power this near to a half is taken for it
_SEEN = 0.3  # of log|y|'s deviation left, above which no factor is taken off
_TOLERABLE = 3.0  # times the least error: fewer columns left are preferred within it
_CLEAR = 1e-4  # or below: as good as the best
_SHARE = 0.4  # of the time
_ASKED = 2  # factorisations whose F is searched for


@dataclass(frozen=True)
class _Factorisation:
    """One choice of columns.

    Attributes
    ----------
    left : tuple of int
        The columns of F.
    exponents : tuple of Fraction
        The powers of all other columns, zero for those of F.
    error : float
        What the fit leaves of log|y|, over its deviation.
    """

    left: tuple[int, ...]
    exponents: Exponents
    error: float


def monomial_times_function(
    problem: SearchProblem, stages: Sequence[Callable[[SearchProblem], Iterator[Template]]]
) -> Iterator[Template]:
    """Templates m F, with F from generators that are asked about y / m over the columns that are left.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    stages : sequence of callables
        The generators that are asked about the smaller problem, in their order.
    """
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    if problem.depth < 1:
        return
    asked = [(factorisation, _question(problem, factorisation)) for factorisation in _factorisations(problem)[:_ASKED]]
    for generate in stages:
        for factorisation, question in asked:
            multiple = expression(problem.columns, factorisation.exponents)
            for template in generate(question):
                yield Template(multiple * template.expression, template.start, template.error)
            if problem.budget.over():
                return


def _question(problem: SearchProblem, factorisation: _Factorisation) -> SearchProblem:
    """The problem y / m over the columns of F."""
    part = problem.part(
        factorisation.left, problem.y / value(problem.x, factorisation.exponents), tolerance=problem.tolerance
    )
    return replace(part, structure=None)


def _factorisations(problem: SearchProblem) -> list[_Factorisation]:
    """Choices that leave about the least, the fewest columns of F first.

    The fit is log|y| = sum of power * log|x| + a polynomial of the columns of F, where y and the other columns keep
    away from zero.
    """
    if problem.width < 2 or np.any(problem.y == 0):
        return []
    target = np.log(np.abs(problem.y))
    spread = float(np.std(target))
    loggable = {i for i in range(problem.width) if np.all(problem.x[:, i] != 0)}
    if not spread > 0:
        return []
    found: list[_Factorisation] = []
    t = centred(problem.x)
    for many in range(1, min(_MOST_LEFT, problem.width - 1) + 1):
        for left in list(combinations(range(problem.width), many))[:_SUBSETS]:
            off = [i for i in range(problem.width) if i not in left]
            if not set(off) <= loggable or problem.budget.over():
                continue
            affordable = min(_COLUMNS, problem.rows // 5 - len(off))
            degree = max((d for d in range(1, _HIGHEST + 1) if count(many, d) <= affordable), default=0)
            if degree == 0:
                continue
            problem.budget.charge("columns", 10 * problem.rows * (len(off) + count(many, degree)))
            basis = np.column_stack([np.log(np.abs(problem.x[:, off])), legendre(t[:, left], powers(many, degree))])
            error = left_out_error(basis, target, budget=problem.budget) / spread
            if error < _SEEN:
                solved = np.linalg.lstsq(basis, target, rcond=1e-12)[0][: len(off)]
                exponents = _rounded(dict(zip(off, solved.tolist(), strict=True)), problem.width)
                if exponents is not None:
                    found.append(_Factorisation(left, exponents, error))
    if not found:
        return []
    least = min(p.error for p in found)
    near = [p for p in found if p.error <= max(_TOLERABLE * least, _CLEAR)]
    return sorted(near, key=lambda p: (len(p.left), p.error))


def _rounded(solved: dict[int, float], width: int) -> Exponents | None:
    """Halves near the powers found; None where one is near none, or all are zero."""
    near = {i: Fraction(round(2 * power), 2) for i, power in solved.items()}
    if any(abs(float(near[i]) - power) > _NEAR for i, power in solved.items()) or not any(near.values()):
        return None
    return tuple(near.get(i, Fraction(0)) for i in range(width))
