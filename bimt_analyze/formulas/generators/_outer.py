"""One function around a polynomial: the function is undone, and what is left is linear algebra."""

from collections.abc import Iterator, Sequence

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ..problem._least_squares import lengths, usable
from ..problem._operators import OPERATORS, Operator, finite
from ..problem._polynomial import Powers, count, evaluate, exact, powers, sparse
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant
from ._rational import rationals

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_DEGREE = 4  # of the inner polynomial; with many inputs the rows end it sooner
_OUTER_DEGREE = 2  # of numerator and denominator within a function
_SLACK = 1e-7  # what undoing a function may cost in accuracy: its own rounding, and a scanned constant's
_SCANNED = 1e-2  # relative error of the polynomial, above which a scanned constant is dropped
_AMPLITUDES = ("log", "sin", "cos", "tanh", "atan", "asin", "tan", "sinh")  # whose amplitude p cannot take up
_OFFSETS = ("exp", "sqrt", "reciprocal", "inverse square", "inverse root", "cosh")  # d is sought beyond y's range


def inverses(y: Rows, entries: Sequence[Operator] = OPERATORS) -> Iterator[tuple[Operator, Rows]]:
    """Every function g with an inverse that takes all of y, and z = g^-1(y).

    Parameters
    ----------
    y : array of shape [rows]
        The values of g.
    entries : sequence of Operator
        The functions that are asked.
    """
    for entry in entries:
        if entry.inverse is None:
            continue
        with np.errstate(all="ignore"):
            z = np.asarray(entry.inverse(y), dtype=np.float64)
        if finite(z) and np.ptp(z) > 1e-12 * (peak := np.max(np.abs(z))) and peak < 1e150:
            yield entry, z


def undone(problem: SearchProblem, entries: Sequence[Operator] = OPERATORS) -> Iterator[tuple[Operator, SearchProblem]]:
    """For every function g with an inverse that takes all of y: g, and the problem of z = g^-1(y).

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    entries : sequence of Operator
        The functions that are asked.
    """
    for entry, z in inverses(problem.y, entries):
        yield entry, problem.target(z, tolerance=max(problem.tolerance, _SLACK))


def outer_polynomials(problem: SearchProblem) -> Iterator[Template]:
    """Templates y = g(p(x)) with p a sparse polynomial.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    found: list[tuple[float, Template]] = []
    for entry, inverted in undone(problem):
        if problem.budget.over():
            break
        for exponents in _degrees(inverted):
            template = exact(inverted, exponents)
            if template is not None:
                if (
                    len(template.start) > 1 or entry.family != "edge" or entry.name == "log"
                ):  # else a power, which other generators give
                    found.append((_rank(template), _around(entry, template)))
                break
    yield from (template for _, template in sorted(found, key=lambda pair: pair[0]))


def outer_rationals(problem: SearchProblem) -> Iterator[Template]:
    """Templates y = g(p(x) / q(x)) with p and q of degree two at most.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    for entry, inverted in undone(problem):
        if problem.budget.over():
            return
        if entry.name != "reciprocal":
            for template in rationals(inverted.target(inverted.y, tolerance=problem.tolerance), highest=_OUTER_DEGREE):
                yield _around(entry, template)


def scaled_polynomials(problem: SearchProblem) -> Iterator[Template]:
    """Templates y = a g(p(x)) and y = g(p(x)) + d.

    The constant a or d is scanned for: the value after which y is most nearly a polynomial.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    found: list[tuple[float, Template]] = []
    for exponents in list(_degrees(problem))[:2]:
        projector = _Projector(problem.x, exponents)
        problem.budget.charge("decompose", problem.rows * len(exponents) ** 2)
        for entry in OPERATORS:
            if problem.budget.over() or not projector.valid:
                return
            if entry.name in _AMPLITUDES:
                found += _scan(problem, entry, projector, _amplitudes(problem, entry), offset=False)
            elif entry.name in _OFFSETS:
                for sign in (1.0, -1.0):
                    found += _scan(problem, entry, projector, _offsets(problem, sign), offset=True, sign=sign)
    yield from (template for _, template in sorted(found, key=lambda pair: pair[0])[:6])


def _around(entry: Operator, template: Template) -> Template:
    """The function around a polynomial; the constant in an exponential is written as its amplitude."""
    if entry.name == "exp":
        for c, value in template.start.items():
            if template.expression.coeff(c) == 1 and abs(value) < 700:
                rest = {**template.start, c: float(np.exp(value))}
                return Template(c * sympy.exp(template.expression - c), rest, template.error)
    return Template(entry.build(template.expression), template.start, template.error)


def _rank(template: Template) -> float:
    """Decades of error and a third of a decade for each constant."""
    return float(np.log10(max(template.error, 1e-9))) + 0.3 * len(template.start)


def _degrees(problem: SearchProblem) -> Sequence[tuple[Powers, ...]]:
    """Monomials of degree 1 to 4 that leave three rows a column."""
    options = [degree for degree in range(1, _DEGREE + 1) if 3 * count(problem.width, degree) < problem.rows]
    return [powers(problem.width, degree) for degree in options]


class _Projector:
    """A polynomial space, and what is left of a target without its part in that space."""

    def __init__(self, x: Matrix, exponents: tuple[Powers, ...]) -> None:
        columns = evaluate(x, exponents)
        self.exponents = exponents
        self.valid = len(usable(columns)) == len(exponents)
        self.basis = np.linalg.qr(columns / lengths(columns))[0] if self.valid else columns[:, :0]

    def miss(self, z: NDArray[np.float64]) -> float:
        """The relative error of the best polynomial for z; infinite where z is not finite or constant.

        Parameters
        ----------
        z : array of shape [rows]
            The target.
        """
        with np.errstate(all="ignore"):
            spread = float(np.std(z))
            if not np.isfinite(spread) or spread <= 1e-9 * float(np.max(np.abs(z))):
                return float("inf")
            return float(np.sqrt(np.mean((z - self.basis @ (self.basis.T @ z)) ** 2))) / spread


def _amplitudes(problem: SearchProblem, entry: Operator) -> NDArray[np.float64]:
    """Candidates for a in y = a g(p): both signs, four decades around y's size."""
    peak = float(np.max(np.abs(problem.y))) or 1.0
    inside = entry.name in ("sin", "cos", "tanh")
    sizes = peak * np.geomspace(1.0 + 1e-9, 30.0, 24) if inside else peak * np.geomspace(0.02, 50.0, 32)
    return np.concatenate([sizes, -sizes]) if entry.name in ("log", "cos") else sizes


def _offsets(problem: SearchProblem, sign: float) -> NDArray[np.float64]:
    """Candidates for d in y = +-g(p) + d, beyond the end of y's range that g must stay away from."""
    span = float(np.ptp(problem.y)) or 1.0
    end = float(np.min(problem.y)) if sign > 0 else float(np.max(problem.y))
    return end - sign * span * np.concatenate([[1e-9], np.geomspace(1e-4, 100.0, 30)])


def _scan(
    problem: SearchProblem,
    entry: Operator,
    projector: _Projector,
    candidates: NDArray[np.float64],
    *,
    offset: bool,
    sign: float = 1.0,
) -> list[tuple[float, Template]]:
    """The candidate after which y is most nearly a polynomial, refined; nothing where it is not nearly one."""

    def undo(value: float) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            inner = sign * (problem.y - value) if offset else problem.y / value
            assert entry.inverse is not None
            return np.asarray(entry.inverse(inner), dtype=np.float64)

    misses = [projector.miss(undo(value)) for value in candidates]
    size = problem.rows * (10 + len(projector.exponents))
    problem.budget.charge("columns", size * len(candidates), calls=len(candidates))
    best = int(np.argmin(misses))
    if not misses[best] < 0.3:
        return []
    near = sorted((candidates[max(best - 1, 0)], candidates[min(best + 1, len(candidates) - 1)]))
    refined = minimize_scalar(
        lambda value: min(projector.miss(undo(value)), 10.0), bounds=near, method="bounded", options={"xatol": 1e-12}
    )
    problem.budget.charge("columns", size * int(refined.nfev), calls=int(refined.nfev))
    value = float(refined.x) if refined.fun < misses[best] else float(candidates[best])
    miss = projector.miss(undo(value))
    if miss > max(_SCANNED, 3 * problem.tolerance):
        return []
    inverted = problem.target(undo(value), tolerance=max(problem.tolerance, _SLACK, 3 * miss))
    template = sparse(inverted, projector.exponents)
    if template is None:
        return []
    c = constant()
    inner: sympy.Expr = entry.build(template.expression)
    expression = (sympy.Integer(int(sign)) * inner + c) if offset else c * inner
    return [(_rank(template), Template(expression, {**template.start, c: value}, template.error))]
