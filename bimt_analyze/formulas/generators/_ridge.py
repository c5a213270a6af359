"""One function of one argument, y = h(u): an input, a weighted sum, a product, a ratio or a sum of squares."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import least_squares

from ..curves._curve_shapes import curve_shapes
from ..problem._inner import Inner, inners, weighted
from ..problem._search_problem import SearchProblem
from ..problem._smooth import best_smooth, direction
from ..problem._template import Template

_SPREAD = 0.15  # of the gradient across a proposed direction, above which there is no one direction
_LOOSE = 0.2  # leave-one-out error of y as a smooth function of u, above which u is dropped


def single_functions(problem: SearchProblem, *, most: int = 6) -> Iterator[Template]:
    """The library of one variable, on every u that y could be a function of, the best u first.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    most : int
        How many shapes are given for each u.
    """
    found: list[tuple[float, Inner]] = []
    for place, inner in enumerate([*inners(problem), *ridges(problem)]):
        if problem.budget.over():
            return
        smooth = best_smooth(inner.values[:, None], problem.y, [(0,)], budget=problem.budget)
        if smooth is not None and smooth.error < (_LOOSE if problem.width > 1 else 10.0):
            found.append((np.log10(max(smooth.error, 1e-9, problem.tolerance)) + 0.02 * place, inner))
    for _, inner in sorted(found, key=lambda pair: pair[0])[:3]:
        if problem.budget.over():
            return
        for shape in curve_shapes(
            inner, problem.y, tolerance=problem.tolerance, budget=problem.budget, most=most, matched=False
        ):
            yield shape.whole()


def ridges(problem: SearchProblem) -> Iterator[Inner]:
    """A weighted sum read from the data's own gradients, refined until y is as smooth a function of it as can be.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    seen = direction(problem.x, problem.y, budget=problem.budget)
    if seen is None or seen[1] > _SPREAD:
        return
    weights = np.array(seen[0])
    weights[
        np.abs(weights) * np.ptp(problem.x, axis=0) < 0.01 * np.max(np.abs(weights) * np.ptp(problem.x, axis=0))
    ] = 0
    used = tuple(int(i) for i in np.flatnonzero(weights))
    if len(used) > 1:
        yield sharpened(problem, used, tuple(float(w) for w in weights[list(used)]))


def sharpened(problem: SearchProblem, columns: tuple[int, ...], weights: tuple[float, ...]) -> Inner:
    """The direction near a given one along which a Legendre series of u leaves least of y.

    Parameters
    ----------
    problem : SearchProblem
        The rows.
    columns : tuple of int
        The inputs that are summed.
    weights : tuple of float
        Where the direction starts.
    """
    start = np.asarray(weights) / np.asarray(weights)[int(np.argmax(np.abs(weights)))]
    pivot = int(np.argmax(np.abs(start)))
    others = [i for i in range(len(start)) if i != pivot]
    degree = int(min(12, problem.rows // 4))

    def build(free: np.ndarray) -> Inner:
        full = start.copy()
        full[others] = free
        return weighted(problem, columns, tuple(float(v) for v in full))

    def residual(free: np.ndarray) -> np.ndarray:
        u = build(free).values
        low, high = float(np.min(u)), float(np.max(u))
        columns_ = np.polynomial.legendre.legvander((2 * u - low - high) / max(high - low, 1e-300), degree)
        q = np.linalg.qr(columns_)[0]
        problem.budget.charge("decompose", problem.rows * (degree + 1) ** 2)
        return np.asarray((problem.y - q @ (q.T @ problem.y)) / problem.unit)

    fit = least_squares(residual, start[others], max_nfev=20, x_scale=np.maximum(np.abs(start[others]), 1e-3))
    return build(fit.x)
