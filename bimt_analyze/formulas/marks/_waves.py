"""Waves of any frequency, of one argument or across two inputs: the peaks of a periodogram."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._inner import Inner, single
from ..problem._search_problem import SearchProblem
from ._mark import LINEAR, Ground, Mark, Numbers, refined

Rows = Float64[np.ndarray, "rows"]
Peak = tuple[float, tuple[Inner, ...], Numbers]  # its height, the arguments, and the frequency along each

_STEP = 0.7  # radians over half of the argument's range: a peak is about pi wide
_FASTEST, _FASTEST_PAIR = 250.0, 60.0  # radians over half of the range
_ROWS_A_RADIAN, _ROWS_A_RADIAN_PAIR = 2.0, 4.0  # rows for each
_PEAKS = 2  # that are refined
_ONE_PHASE = 0.99  # of the squares: a wave of one phase that explains so much is no pair
_APART = 0.2  # of what one wave leaves: so little must a sine and a cosine leave to be two
_SEEN = 0.05  # share of the residual's squares, below which a peak is not looked at


def waves(problem: SearchProblem, ground: Ground, known: Sequence[Mark]) -> Iterator[tuple[float, tuple[Mark, ...]]]:
    """The best waves in what is left of y, each with the share of its squares that is explained.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain.
    ground : Ground
        What is left of y.
    known : sequence of Mark
        Those found so far; waves do not depend on them.
    """
    weighted = ground.residual[:, None] * ground.amplitudes[LINEAR]
    inputs = [single(problem, i) for i in range(problem.width)]
    of_one = [peak for one in (*inputs, *_products(problem)) for peak in _peaks_of_one(problem, one, weighted)]
    of_two = [peak for pair in combinations(inputs, 2) for peak in _peaks_of_two(problem, pair, weighted)]
    size = problem.rows * max(ground.size, 1e-300) / 2
    for peaks in (of_one, of_two):
        for power, parts, start in sorted(peaks, key=lambda peak: -peak[0])[:_PEAKS]:
            if power > _SEEN * size and not problem.budget.over():
                yield _refined(problem, ground, parts, start)


def _products(problem: SearchProblem) -> Iterator[Inner]:
    """Squares and products of two inputs."""
    for i in range(problem.width):
        for j in range(i, problem.width):
            values = problem.x[:, i] * problem.x[:, j]
            if np.all(np.isfinite(values)) and np.ptp(values) > 0:
                yield Inner((problem.columns[i] * problem.columns[j],), (1.0,), values)


def _half(values: Rows) -> float:
    """Half of the range, not zero."""
    return 0.5 * float(np.ptp(values)) or 1.0


def _peaks_of_one(problem: SearchProblem, argument: Inner, weighted: Float64[np.ndarray, "rows factors"]) -> list[Peak]:
    """The highest peaks of the periodogram along one argument."""
    half = _half(argument.values)
    grid = np.arange(2.0, min(_FASTEST, problem.rows / _ROWS_A_RADIAN), _STEP) / half
    if len(grid) < 3:
        return []
    turned = np.exp(1j * np.outer(argument.values, grid))
    problem.budget.charge("shapes", turned.size)
    power = np.sum(np.abs(turned.T @ weighted) ** 2, axis=1)
    best = np.argsort(power)[::-1][:_PEAKS]
    return [(float(power[k]), (argument,), (float(grid[k]),)) for k in best]


def _peaks_of_two(
    problem: SearchProblem, pair: tuple[Inner, Inner], weighted: Float64[np.ndarray, "rows factors"]
) -> list[Peak]:
    """The highest peaks of the periodogram over the frequencies along two inputs."""
    fastest = min(_FASTEST_PAIR, problem.rows / _ROWS_A_RADIAN_PAIR)
    one = np.arange(_STEP, fastest, _STEP) / _half(pair[0].values)
    other = np.arange(-fastest, fastest, _STEP) / _half(pair[1].values)
    if len(one) < 3:
        return []
    left, right = np.exp(1j * np.outer(pair[0].values, one)), np.exp(1j * np.outer(pair[1].values, other))
    problem.budget.charge("shapes", left.size + right.size)
    problem.budget.charge("decompose", problem.rows * len(one) * len(other) * weighted.shape[1] / 100)
    power = sum(np.abs((left * factor[:, None]).T @ right) ** 2 for factor in weighted.T)
    best = np.argsort(np.asarray(power), axis=None)[::-1][:_PEAKS]
    return [
        (float(np.asarray(power).flat[k]), pair, (float(one[k // len(other)]), float(other[k % len(other)])))
        for k in map(int, best)
    ]


def _refined(
    problem: SearchProblem, ground: Ground, parts: tuple[Inner, ...], start: Numbers
) -> tuple[float, tuple[Mark, ...]]:
    """The wave of a peak, refined: one of a certain phase if that does, else a sine and a cosine."""
    values = np.stack([part.values for part in parts], axis=1)
    expressions = tuple(part.parts[0] for part in parts)

    def charge(times: int) -> None:
        problem.budget.charge("decompose", 10 * problem.rows * ground.smooth.shape[1] * times, calls=times)

    begun = _wave(values, expressions, (*start, _phase(ground, values @ np.array(start))))
    scale = (*(0.3 / _half(part.values) for part in parts), 0.3)
    share, one = refined(ground, begun, scale=scale, charge=charge)
    if share > _ONE_PHASE:
        return share, (one,)
    both = tuple(replace(one, numbers=(*one.numbers[:-1], shift)) for shift in (0.0, np.pi / 2))
    columns = np.hstack([ground.multiples(mark.values(mark.numbers), len(ground.amplitudes) - 1) for mark in both])
    left = ground.left_by(columns)
    apart = 1 - float(left @ left) / max(ground.size, 1e-300)
    if 1 - apart < _APART * (1 - share):
        return apart, tuple(replace(mark, amplitude=len(ground.amplitudes) - 1) for mark in both)
    return share, (one,)


def _phase(ground: Ground, angle: Rows) -> float:
    """The phase of a wave whose amplitude may vary with the inputs."""
    multiples = np.hstack([ground.multiples(np.sin(angle), LINEAR), ground.multiples(np.cos(angle), LINEAR)])
    rest = multiples - ground.smooth @ (ground.smooth.T @ multiples)
    found = np.linalg.lstsq(rest, ground.residual, rcond=1e-10)[0].reshape(2, -1)
    left = np.linalg.svd(found)[0][:, 0]
    return float(np.arctan(left[1] / left[0])) if left[0] else 0.5 * float(np.pi)


def _wave(values: Float64[np.ndarray, "rows parts"], parts: tuple[sympy.Expr, ...], numbers: Numbers) -> Mark:
    """The mark sin(frequencies . parts + phase)."""

    def build(given: tuple[sympy.Expr, ...]) -> sympy.Expr:
        angle = sympy.Add(*(f * part for f, part in zip(given, parts, strict=False)))
        return sympy.sin(angle + given[-1])

    count = len(numbers)

    def wave(given: Numbers) -> Rows:
        return np.asarray(np.sin(values @ np.array(given[:-1]) + given[-1]))

    return Mark(wave, build, numbers, exact=(None,) * count, opened=(True,) * count)
