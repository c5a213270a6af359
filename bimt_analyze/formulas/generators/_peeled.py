"""y = m(columns taken off) F(the others), m a product of powers: the powers are solved for, F is a smaller question."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from ..problem._monomials import Exponents, expression, value
from ..problem._polynomial import count, powers
from ..problem._search_problem import Problem
from ..problem._smooth import centred, legendre
from ..problem._template import Form
from ._similarity import left_out_error

Rows = Float64[np.ndarray, "rows"]

_MOST_LEFT = 3  # columns of F
_HIGHEST = 12  # degree, and
_COLUMNS = 60  # of the polynomial that stands for log F
_SUBSETS = 400
_NEAR = 0.06  # a power this near to a half is taken for it
_SEEN = 0.3  # of log|y|'s deviation left, above which nothing is peeled
_TOLERABLE = 3.0  # times the least error: fewer columns left are preferred within it
_CLEAR = 1e-4
_SHARE = 0.4  # of the time
_ASKED = 2


@dataclass(frozen=True)
class _Peeling:
    """Which columns F keeps, the powers of all others (zero for those), and what the fit leaves of log|y|."""

    left: tuple[int, ...]
    exponents: Exponents
    error: float


def peeled(problem: Problem, stages: Sequence[Callable[[Problem], Iterator[Form]]]) -> Iterator[Form]:
    """Forms m F, F from generators that are asked about y / m over the columns that are left."""
    problem = replace(problem, clock=problem.clock.share(_SHARE))
    if problem.depth < 1:
        return
    asked = [(peeling, _question(problem, peeling)) for peeling in _peelings(problem)[:_ASKED]]
    for generate in stages:
        for peeling, question in asked:
            multiple = expression(problem.columns, peeling.exponents)
            for form in generate(question):
                yield Form(multiple * form.expression, form.start, form.error)
            if problem.clock.over():
                return


def _question(problem: Problem, peeling: _Peeling) -> Problem:
    part = problem.part(peeling.left, problem.y / value(problem.x, peeling.exponents), tolerance=problem.tolerance)
    return replace(part, structure=None)


def _peelings(problem: Problem) -> list[_Peeling]:
    """The fewest columns that F needs, best first: log|y| = sum of power * log|x| + a polynomial of those columns.

    Only where y and the columns taken off keep away from zero.
    """
    if problem.width < 2 or np.any(problem.y == 0):
        return []
    target = np.log(np.abs(problem.y))
    spread = float(np.std(target))
    loggable = {i for i in range(problem.width) if np.all(problem.x[:, i] != 0)}
    if not spread > 0:
        return []
    found: list[_Peeling] = []
    t = centred(problem.x)
    for many in range(1, min(_MOST_LEFT, problem.width - 1) + 1):
        for left in list(combinations(range(problem.width), many))[:_SUBSETS]:
            off = [i for i in range(problem.width) if i not in left]
            if not set(off) <= loggable or problem.clock.over():
                continue
            affordable = min(_COLUMNS, problem.rows // 5 - len(off))
            degree = max((d for d in range(1, _HIGHEST + 1) if count(many, d) <= affordable), default=0)
            if degree == 0:
                continue
            basis = np.column_stack([np.log(np.abs(problem.x[:, off])), legendre(t[:, left], powers(many, degree))])
            error = left_out_error(basis, target) / spread
            if error < _SEEN:
                solved = np.linalg.lstsq(basis, target, rcond=1e-12)[0][: len(off)]
                exponents = _rounded(dict(zip(off, solved.tolist(), strict=True)), problem.width)
                if exponents is not None:
                    found.append(_Peeling(left, exponents, error))
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
