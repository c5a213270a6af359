"""Sums of modes, a function of one input times an exponential of the other each: the exponents come first."""

from collections.abc import Iterator
from dataclasses import replace
from heapq import nsmallest
from itertools import product as choices_of

import numpy as np
import sympy
from jaxtyping import Float64

from ...curves._curve_shapes import curve_shapes
from ...problem._inner import single
from ...problem._search_problem import SearchProblem
from ...problem._smooth import centred
from ...problem._template import Template, constant, total

Rates = Float64[np.ndarray, " modes"]

_FEWEST, _MOST = 2, 3  # modes; one is a product, which others find
_ORDERS = (11, 9)  # of the series of the function's input and of the exponential's
_SHIFT, _POINTS = 0.5, 40  # of t mapped to [-1, 1]
_SHARE = 0.45  # terms a row
_CLEAR = 3.0  # times the tolerance: what modes may leave
_LEFT = 0.02  # of y's deviation, that modes may leave however little y is known
_SHARE_OF_WORK = 0.1
_NUMBER = 0.2  # of a shape's rank, for a number less
_COMBINATIONS = 8


def modes(problem: SearchProblem) -> Iterator[Template]:
    """Templates ``c + g_1(x) exp(r_1 t) + g_2(x) exp(r_2 t) + ...`` of two inputs, such as solutions of diffusion.

    A double Legendre series of y has as many singular values as there are modes. What its right vectors span, a
    shift in t maps to itself; the eigenvalues of that map are exp(r_k shift) (Prony's method, as a matrix pencil). With
    the rates known, each g_k is a series by least squares, and then a function of one input that the library names.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if problem.width != 2:
        return
    short = replace(problem, budget=problem.budget.share(_SHARE_OF_WORK))
    for time in (1, 0):
        for rates in _rates(short, time):
            if short.budget.over():
                return
            found = list(_of_rates(short, time, rates))
            yield from found
            if found:  # more modes would follow what is not the law
                return


def _rates(problem: SearchProblem, time: int) -> Iterator[Rates]:
    """Rates of two modes and more, a unit of t each; those that are real and differ."""
    x, t = centred(problem.x)[:, 1 - time], centred(problem.x)[:, time]
    across, along = (order + 1 for order in _ORDERS)
    if across * along > _SHARE * problem.rows:
        return
    design = _vander(x, across)[:, :, None] * _vander(t, along)[:, None, :]
    design = design.reshape(len(x), -1)
    problem.budget.charge("solve", design.size * design.shape[1])
    found = np.linalg.lstsq(design, problem.y / problem.unit, rcond=1e-10)[0]
    if problem.relative(problem.y - design @ found * problem.unit) > _limit(problem):
        return
    norms = np.sqrt(2 / (2 * np.arange(along) + 1))  # of Legendre polynomials
    _, _, right = np.linalg.svd(found.reshape(across, along) * norms, full_matrices=False)
    points = np.linspace(-1, 1 - _SHIFT, _POINTS)
    half = float(np.ptp(problem.x[:, time])) / 2 or 1.0
    for count in range(_FEWEST, _MOST + 1):
        now, then = (_vander(at, along) @ (right[:count] / norms).T for at in (points, points + _SHIFT))
        grown = np.linalg.eigvals(np.linalg.lstsq(now, then, rcond=None)[0])
        if not np.iscomplexobj(grown) and np.all((grown > 0) & np.isfinite(grown)):
            yield np.sort(np.log(grown)) / (_SHIFT * half)


def _vander(t: Float64[np.ndarray, " rows"], orders: int) -> Float64[np.ndarray, "rows orders"]:
    return np.polynomial.legendre.legvander(t, orders - 1)


def _limit(problem: SearchProblem) -> float:
    return min(_LEFT, max(_CLEAR * problem.tolerance, 1e-6))


def _of_rates(problem: SearchProblem, time: int, rates: Rates) -> Iterator[Template]:
    """Templates of modes with these rates, where they leave little."""
    basis, t = _vander(centred(problem.x)[:, 1 - time], _ORDERS[0] + 1), problem.x[:, time]
    with np.errstate(all="ignore"):
        waves = np.exp(rates * (t - t.mean())[:, None])
    if not np.isfinite(waves).all():
        return
    design = (waves[:, :, None] * basis[:, None, :]).reshape(len(t), -1)
    problem.budget.charge("solve", design.size * design.shape[1])
    found = np.linalg.lstsq(design, problem.y, rcond=1e-10)[0].reshape(len(rates), -1)
    error = problem.relative(problem.y - design @ found.ravel())
    if error > _limit(problem):
        return
    inner, options = single(problem, 1 - time), []
    for rate, series in zip(rates.tolist(), found, strict=True):
        values = basis @ series
        tolerance = max(error, problem.tolerance) * problem.unit / max(float(np.std(values)), 1e-12 * problem.unit)
        shaped = curve_shapes(inner, values, tolerance=min(tolerance, 1.0), budget=problem.budget, most=3)
        options.append([
            (one.rank(tolerance) + extra, _mode(problem, time, rate, template))
            for one in shaped
            for extra, template in ((-_NUMBER, one.added()), (0.0, one.whole()))  # rows tell whether the offset is any
        ])  # fmt: skip
    joins = ((sum(rank for rank, _ in chosen), [one for _, one in chosen]) for chosen in choices_of(*options))
    for _, templates in nsmallest(_COMBINATIONS, joins, key=lambda both: both[0]):
        yield replace(total(templates, None), error=error)


def _mode(problem: SearchProblem, time: int, rate: float, template: Template) -> Template:
    """A function of the other input, times an exponential with an open rate."""
    r, middle = constant(), sympy.Float(float(problem.x[:, time].mean()))
    wave = sympy.exp(r * (problem.columns[time] - middle))
    return Template(template.expression * wave, {**template.start, r: rate}, template.error)
