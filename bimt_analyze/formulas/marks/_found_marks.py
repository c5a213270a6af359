"""The marks of y, found one by one, refined together, and their numbers made simple where nothing is lost."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import sympy
from jaxtyping import Float64
from scipy.optimize import least_squares

from ..problem._polynomial import count, powers
from ..problem._search_problem import SearchProblem
from ..problem._smooth import centred, fit_smooth, legendre
from ._kinks import kinks
from ._mark import FACTOR, Ground, Mark
from ._waves import waves

Matrix = Float64[np.ndarray, "rows columns"]

FAMILIES = (waves, kinks)
"""Everything that finds marks: a further kind of mark is one more function here."""

_LEAST, _DEGREE, _SHARE = 2, 8, 0.15  # of the smooth part: its total degree, and columns a row
_FALLS = 0.48  # of what polynomials of two degrees less leave: a kink leaves more than that, an analytic function less
_FINE = 2e-3  # of y's deviation: a polynomial that leaves less follows y
_MOST = 4  # marks that are found
_GAIN = 0.12  # share of the squares left that the next mark must explain; chance alone gives a twentieth
_MOSTLY, _LAST_GAIN = 0.05, 0.9  # once so little is left, a further mark must explain nearly all of that
_TOGETHER = 0.2  # share of the squares that all marks together may leave of what no smooth function explains
_AMPLITUDE = 0.05  # factors a row
_SEEN = 1e-4  # share of what no smooth function explains: less may be what the smooth part cannot follow
_DONE = 1e-22  # share of y's squares: nothing is left
_NUMBER = 0.3  # decades of what is left that one more open number of a mark is worth
_WORSE = 1.05  # times what is left: so much may a simple number cost
_DENOMINATOR, _DECIMALS = 12, 3


def found_marks(problem: SearchProblem) -> tuple[tuple[Mark, ...], float]:
    """The marks of y, and the root mean square that they leave with a smooth part, over y's deviation.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.

    Returns
    -------
    tuple of Mark
        Empty where marks explain too little of what no smooth function does.
    float
        What is left.
    """
    degree = _affordable(problem)
    if degree < _LEAST or _follows(problem, degree):
        return (), 1.0
    exponents = powers(problem.width, degree)
    smooth = np.asarray(legendre(centred(problem.x), exponents))
    problem.budget.charge("decompose", problem.rows * len(exponents) ** 2)
    amplitudes = _amplitudes(problem)
    begun = ground = Ground.of(smooth, amplitudes, problem.y)
    whole = problem.rows * problem.unit**2
    marks: tuple[Mark, ...] = ()
    while len(marks) < _MOST and ground.size > max(_DONE * whole, _SEEN * begun.size) and not problem.budget.over():
        offers = [offer for family in FAMILIES for offer in family(problem, ground, marks)]
        share, more = min(offers, key=partial(_rank, ground), default=(0.0, ()))
        if share < (_GAIN if ground.size > _MOSTLY * begun.size else _LAST_GAIN):
            break
        marks = _refined(problem, begun, marks + more)
        ground = Ground.of(np.hstack([smooth, *_columns(begun, marks)]), amplitudes, problem.y)
    if not marks or ground.size > _TOGETHER * begun.size:
        return (), 1.0
    marks = _simplified(begun, marks)
    return marks, float(np.sqrt(_left(begun, marks) / whole))


def _affordable(problem: SearchProblem) -> int:
    """The largest total degree that the rows afford."""
    most = int(_SHARE * problem.rows)
    return max((d for d in range(1, _DEGREE + 1) if count(problem.width, d) <= most), default=0)


def _follows(problem: SearchProblem, degree: int) -> bool:
    """Whether polynomials follow y: what they leave falls quickly with their degree, as beside a kink it does not."""
    everything = [tuple(range(problem.width))]
    degrees = (max(degree - 2, 1), degree)
    before, after = (fit_smooth(problem.x, problem.y, everything, [d], budget=problem.budget).error for d in degrees)
    return after < _FALLS * before or after < _FINE


def _amplitudes(problem: SearchProblem) -> tuple[Matrix, ...]:
    """What marks may be multiplied by: a number; one and each input; polynomials of degree 2 and 3."""
    t = centred(problem.x)
    most = max(_AMPLITUDE * problem.rows, problem.width + 1)
    degrees = [d for d in (0, 1, 2, 3) if count(problem.width, d) <= most]
    found = [legendre(t, powers(problem.width, d)) for d in degrees]
    return tuple(np.asarray(columns / np.sqrt(np.mean(columns**2, axis=0))) for columns in found)


def _columns(ground: Ground, marks: Sequence[Mark]) -> list[Matrix]:
    """Every mark times its factors."""
    return [ground.multiples(mark.values(mark.numbers), mark.amplitude) for mark in marks]


def _rank(ground: Ground, offer: tuple[float, tuple[Mark, ...]]) -> float:
    """What sorts offers: decades of what is left, a third of one for each open number, and a little for each factor."""
    share, marks = offer
    factors = sum(ground.amplitudes[mark.amplitude].shape[1] for mark in marks)
    opened = sum(sum(mark.opened) or len(mark.opened) for mark in marks)
    return float(np.log10(max(1 - share, 1e-12)) + _NUMBER * opened + FACTOR * factors)


def _left(ground: Ground, marks: Sequence[Mark]) -> float:
    """The sum of squares that marks leave."""
    left = ground.left_by(np.hstack(_columns(ground, marks)))
    return float(left @ left)


def _refined(problem: SearchProblem, ground: Ground, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """The marks with all open numbers refined together."""
    opened = [(k, n) for k, mark in enumerate(marks) for n, free in enumerate(mark.opened) if free]
    if not opened:
        return marks
    start = np.array([marks[k].numbers[n] for k, n in opened])
    scale = np.maximum(np.abs(start), 0.1)

    def moved(steps: Float64[np.ndarray, "numbers"]) -> tuple[Mark, ...]:
        numbers = [list(mark.numbers) for mark in marks]
        for (k, n), value in zip(opened, start + steps * scale, strict=True):
            numbers[k][n] = float(value)
        return tuple(replace(mark, numbers=tuple(new)) for mark, new in zip(marks, numbers, strict=True))

    def left(steps: Float64[np.ndarray, "numbers"]) -> Float64[np.ndarray, "rows"]:
        return ground.left_by(np.hstack(_columns(ground, moved(steps)))) / problem.unit

    fit = least_squares(left, np.zeros(len(opened)), xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=30)
    problem.budget.charge("decompose", 20 * len(opened) * problem.rows * ground.smooth.shape[1] * fit.nfev)
    return moved(fit.x)


def _simplified(ground: Ground, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """The marks with each open number replaced by a simple one, where no more is left of y."""
    best = _left(ground, marks)
    for k in range(len(marks)):
        for n, known in enumerate(marks[k].exact):
            if known is not None:
                continue
            for simple in _simple(marks[k].numbers[n]):
                trial = _with(marks, k, n, simple)
                left = _left(ground, trial)
                if left <= _WORSE * best + 1e-24 * ground.size:
                    marks, best = trial, max(left, best)
                    break
    return marks


def _simple(value: float) -> list[sympy.Expr]:
    """Simple numbers near a value."""
    near = Fraction(value).limit_denominator(_DENOMINATOR)
    quarter = sympy.pi * round(2 * value / np.pi) / 2
    return [
        *([quarter] if quarter else []),
        sympy.Rational(near.numerator, near.denominator),
        sympy.Rational(str(round(value, _DECIMALS))),
    ]


def _with(marks: tuple[Mark, ...], k: int, n: int, number: sympy.Expr) -> tuple[Mark, ...]:
    """The marks with one number known."""
    mark = marks[k]
    numbers = (*mark.numbers[:n], float(number), *mark.numbers[n + 1 :])
    exact = (*mark.exact[:n], number, *mark.exact[n + 1 :])
    return (*marks[:k], replace(mark, numbers=numbers, exact=exact), *marks[k + 1 :])
