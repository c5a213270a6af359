"""Products of functions of separate inputs, by alternating least squares on Legendre series."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import product as choices_of

import numpy as np
from jaxtyping import Float64

from ...curves._curve_shapes import curve_shapes
from ...problem._inner import single
from ...problem._polynomial import powers
from ...problem._search_problem import SearchProblem
from ...problem._smooth import Group, centred, legendre, size
from ...problem._template import Template, constant, numeric, product

Rows = Float64[np.ndarray, "rows"]
Basis = Float64[np.ndarray, "rows _"]
Propose = Callable[[SearchProblem], list[Template]]

_SWEEPS = 40  # at most; they end where the error falls by less than 2 %
_COMBINATIONS = 8  # of factors' shapes, the best by rank: each is refined on the rows
_SPLIT = 0.05  # relative error of a product of smooth factors, above which there is no such product
_LOW_ERROR = 1e-3  # and below which there is no doubt
_NAMED = 0.3  # share of the time for products beyond doubt


def separable(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Products over groups of inputs: all inputs apart, then each input against all others together.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem, the best first.
    """
    if problem.width < 2:
        return
    splits = [_apart(problem)]
    if problem.width > 2 and problem.depth > 0:
        for i in range(problem.width):
            splits.append(((i,), tuple(j for j in range(problem.width) if j != i)))
    for groups in splits:
        if problem.budget.over():
            return
        yield from _over(problem, groups, propose, worst=_SPLIT)


def low_error_products(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Products with all inputs apart, where smooth factors leave less than 0.1 % of y.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem, the best first.
    """
    if problem.width > 1:
        short = replace(problem, budget=problem.budget.share(_NAMED))
        yield from _over(short, _apart(problem), propose, worst=_LOW_ERROR)


def _apart(problem: SearchProblem) -> tuple[Group, ...]:
    """Every input as a group of its own."""
    return tuple((i,) for i in range(problem.width))


def _over(problem: SearchProblem, groups: Sequence[Group], propose: Propose, *, worst: float) -> Iterator[Template]:
    """Products over these groups, unless smooth factors of them leave more than ``worst``."""
    found = factors(problem, groups)
    if found is None or found[2] > worst:
        return
    values, offset, error = found
    tolerance = max(error, problem.tolerance)
    options = [_options(problem, group, h, tolerance, propose) for group, h in zip(groups, values, strict=True)]
    joins = ((sum(o[0] for o in chosen), [o[1] for o in chosen]) for chosen in choices_of(*options))
    for _, templates in nsmallest(_COMBINATIONS, joins, key=lambda pair: pair[0]):
        yield _scaled(problem, templates, offset)


def factors(problem: SearchProblem, groups: Sequence[Group]) -> tuple[list[Rows], float, float] | None:
    """The best offset + product of one smooth factor for each group; None where there are too few rows.

    The factors have mean square one; they come with the offset and the relative error. The offset is there because a
    part of a sum is known only up to a constant.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    groups : sequence of tuples of int
        The columns of each factor.
    """
    t = centred(problem.x)
    degree = 0
    while degree < 10 and 2 + sum(size(g, degree + 1) for g in groups) <= 0.45 * problem.rows:
        degree += 1
    if degree < 2:
        return None
    bases = [legendre(t[:, list(g)], powers(len(g), degree)) for g in groups]
    rng = np.random.default_rng(problem.seed)
    best: tuple[list[Rows], float, float] | None = None
    for attempt in range(3):
        start = [np.ones(problem.rows) if not attempt else b[:, :3] @ rng.normal(size=3) for b in bases]
        found = _alternate(problem, bases, start)
        if best is None or found[2] < best[2]:
            best = found
        if best[2] < 1e-4 or problem.budget.over():
            break
    return best


def _alternate(
    problem: SearchProblem, bases: Sequence[Basis], start: Sequence[Rows]
) -> tuple[list[Rows], float, float]:
    """Sweeps of least squares, one factor at a time: the factors, the offset and the relative error."""
    target = problem.y / problem.unit
    ones = np.ones((problem.rows, 1))
    values = list(start)
    error, offset = float("inf"), 0.0
    for _ in range(_SWEEPS):
        for k, basis in enumerate(bases):
            others = np.prod([v for i, v in enumerate(values) if i != k], axis=0)
            columns = np.column_stack([ones, basis * others[:, None]])
            coefficients = np.linalg.lstsq(columns, target, rcond=1e-10)[0]
            problem.budget.charge("solve", problem.rows * columns.shape[1] ** 2)
            offset = float(coefficients[0])
            values[k] = basis @ coefficients[1:]
            if k < len(bases) - 1:
                values[k] = _normed(values[k])
        before, error = error, float(np.sqrt(np.mean((offset + np.prod(values, axis=0) - target) ** 2)))
        if not error < 0.98 * before:
            break
    return [_normed(value) for value in values], offset * problem.unit, error


def _normed(values: Rows) -> Rows:
    """The values scaled to mean square one."""
    return values / (float(np.sqrt(np.mean(values**2))) or 1.0)


def _options(
    problem: SearchProblem, group: Group, values: Rows, tolerance: float, propose: Propose
) -> list[tuple[float, Template]]:
    """Templates for one factor with their ranks; the number 1 where the factor does not vary."""
    spread = float(np.std(values))
    if spread < max(1e-6, 2 * tolerance):
        return [(0.0, Template(1 + 0 * problem.columns[0], {}, 0.0))]
    tolerance = tolerance / spread
    if len(group) == 1:
        found = curve_shapes(single(problem, group[0]), values, tolerance=tolerance, budget=problem.budget, most=4)
        return [(shape.rank(tolerance), shape.factor()) for shape in found]
    templates = propose(problem.part(group, values, tolerance=tolerance))
    return [(float(np.log10(max(f.error, tolerance, 1e-12))) + 0.1 * len(f.start), f) for f in templates[:4]]


def _scaled(problem: SearchProblem, templates: list[Template], offset: float) -> Template:
    """An open offset plus the product times an open amplitude, started at its best value."""
    joined = product(templates)
    problem.budget.charge("lambdify")
    value = numeric(joined.filled(), problem.columns)(problem.x)
    with np.errstate(all="ignore"):
        amplitude = float(value @ (problem.y - offset) / max(float(value @ value), 1e-300))
        error = problem.relative(problem.residual(offset + amplitude * value))
    c = constant()
    start = {**joined.start, c: amplitude if np.isfinite(amplitude) else 1.0}
    return Template(c * joined.expression, start, error).shifted(offset)
