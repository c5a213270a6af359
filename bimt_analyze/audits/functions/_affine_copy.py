"""One function as another one with its inputs and its output scaled and shifted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.optimize import least_squares

from bimt_train.showing import Shown

from ._module_outputs import squared_correlation

Function = Callable[[Float64[np.ndarray, "points arguments"]], Float64[np.ndarray, " points"]]

Interval = Float64[np.ndarray, " _"]  # half widths, then places, of a range from -1 to 1
Intervals = Float64[np.ndarray, "starts _"]

_LEAST, _BEYOND = 1 / 2, 1.1  # of the range on which a function was seen: what a map must cover, how far it may go
_STARTS, _REFINED, _EVALUATIONS = 60, 4, 30  # random starts, how many of them are followed, and how far
_STEP = 1e-6  # of finite differences
_ENOUGH, _EQUAL = 1 - 1e-4, 1e-3  # the r2 that ends the search, and what makes no difference


@dataclass(frozen=True, repr=False)
class AffineMap(Shown):
    """``g(z) = output_scale f(u) + output_shift`` with ``u_i = scale_i z_(source_i) + shift_i``.

    Attributes
    ----------
    sources : tuple of int
        For each argument of f, the number of the argument of g that it is.
    scales : tuple of float
        For each argument of f, the factor by which that argument of g is multiplied.
    shifts : tuple of float
        For each argument of f, what is added then.
    output_scale : float
        Factor of f.
    output_shift : float
        What is added to that.
    r2 : float
        r2 of the mapped f as a prediction of g, on g's own rows.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._affine_copy import AffineMap
    >>> AffineMap((0,), (-2.0,), (1.0,), 0.5, 3.0, r2=1.0).words(["x1"])
    '0.5 f(-2 x1 + 1) + 3'
    """

    sources: tuple[int, ...]
    scales: tuple[float, ...]
    shifts: tuple[float, ...]
    output_scale: float
    output_shift: float
    r2: float

    def words(self, names: Sequence[str]) -> str:
        """The map as text, for instance "0.5 f(-2 x1 + 1) + 3".

        Parameters
        ----------
        names : sequence of str
            Names of the arguments of g.

        Returns
        -------
        str
            The map, numbers to three digits.

        Examples
        --------
        >>> from bimt_analyze.audits.functions._affine_copy import AffineMap
        >>> AffineMap((0,), (-2.0,), (1.0,), 0.5, 3.0, r2=1.0).words(["x1"])
        '0.5 f(-2 x1 + 1) + 3'
        """
        inner = ", ".join(
            _linear(scale, names[k], shift)
            for k, scale, shift in zip(self.sources, self.scales, self.shifts, strict=True)
        )
        return _linear(self.output_scale, f"f({inner})", self.output_shift)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}


def affine_copy(
    f: Function,
    seen: Float64[np.ndarray, "rows arguments"],
    points: Float64[np.ndarray, "points arguments"],
    values: Float64[np.ndarray, " points"],
    *,
    seed: int = 0,
) -> AffineMap:
    """Find the map by which one function comes nearest to given values; arguments may change places.

    Parameters
    ----------
    f : Function
        The function that is mapped.
    seen : array of float64, shape (rows, arguments)
        Rows on which ``f`` was seen; they give the range of each of its arguments.
    points : array of float64, shape (points, arguments)
        Where the values were taken, as many arguments as ``f`` has.
    values : array of float64, shape (points,)
        Values to come near to.
    seed : int, default 0
        Seed of the random starts.

    Returns
    -------
    AffineMap
        The nearest map, and its r2.

    Notes
    -----
    For every order of the arguments, the interval to which each argument's range goes, kept or turned around, is
    searched by nonlinear least squares (trust region, bounded, `scipy.optimize.least_squares`), from the whole range
    and from the best four of 60 random starts; scale and shift of the output are solved for at each step. The interval
    has at least half of the range on which f was ``seen``, and may go 10 % beyond it. If all arguments of f were seen
    at two values only, these go to these, since nothing is known of f in between.

    The map is not unique: with f(x) = x**2, scales of input and output say the same thing twice. Of maps within 0.001
    of the best r2, the one with the widest interval is taken.
    """
    width = points.shape[1]
    low, high = seen.min(axis=0), seen.max(axis=0)
    here = 2 * (points - points.min(axis=0)) / np.ptp(points, axis=0) - 1  # from -1 to 1
    two_valued = all(len(np.unique(column)) == 2 for column in seen.T)

    def moved(intervals: Intervals, order: tuple[int, ...]) -> Float64[np.ndarray, "starts points arguments"]:
        half, place = (part[:, None, :] for part in np.split(intervals, 2, axis=1))
        relative = half * here[:, order] + place * (_BEYOND - np.abs(half))
        return np.asarray(low + (high - low) * (relative + 1) / 2)

    def said(intervals: Intervals, order: tuple[int, ...]) -> Float64[np.ndarray, "starts points"]:
        return f(moved(intervals, order).reshape(-1, width)).reshape(len(intervals), -1)

    def left(intervals: Intervals, order: tuple[int, ...]) -> Float64[np.ndarray, "starts points"]:
        rows = said(intervals, order)
        rows = rows - rows.mean(axis=1, keepdims=True)
        sizes = (rows**2).sum(axis=1)
        scales = np.divide(rows @ values, sizes, out=np.zeros(len(rows)), where=sizes > 0)
        return np.asarray(values - values.mean() - scales[:, None] * rows)

    def residual(interval: Interval, order: tuple[int, ...]) -> Float64[np.ndarray, " points"]:
        return np.asarray(left(interval[None], order)[0])

    def slopes(interval: Interval, order: tuple[int, ...]) -> Float64[np.ndarray, "points _"]:
        steps = np.vstack([np.zeros(2 * width), _STEP * np.eye(2 * width)])
        rows = left(interval + steps, order)
        return np.asarray((rows[1:] - rows[0]).T / _STEP)

    tried: list[tuple[float, Interval, tuple[int, ...]]] = []
    for order in permutations(range(width)):
        if tried and tried[-1][0] > _ENOUGH:
            break
        whole, some = _whole(width), _random(width, 0 if two_valued else _STARTS, np.random.default_rng(seed))
        starts = np.concatenate([whole, some])
        fits = np.array([squared_correlation(row, values) for row in said(starts, order)])
        best = int(np.argmax(fits[: len(whole)]))
        tried.append((float(fits[best]), whole[best], order))
        follow = len(whole) + np.argsort(-fits[len(whole) :], kind="stable")[:_REFINED]
        for start in starts[[] if two_valued else [best, *follow]]:
            if tried[-1][0] > _ENOUGH:
                break
            found: Any = least_squares(
                residual, start, jac=slopes, bounds=_bounds(start), args=(order,), max_nfev=_EVALUATIONS
            )
            tried.append((squared_correlation(said(found.x[None], order)[0], values), found.x, order))
    nearest = max(fit for fit, _, _ in tried)
    same = [(interval, order) for fit, interval, order in tried if fit >= nearest - _EQUAL]
    interval, order = max(same, key=lambda one: float(np.abs(one[0][:width]).min()))
    return _map(said(interval[None], order)[0], moved(interval[None], order)[0], points, values, order)


def _map(
    said: Float64[np.ndarray, " points"],
    moved: Float64[np.ndarray, "points arguments"],
    points: Float64[np.ndarray, "points arguments"],
    values: Float64[np.ndarray, " points"],
    order: tuple[int, ...],
) -> AffineMap:
    lines = [_line(points[:, source], moved[:, k]) for k, source in enumerate(order)]
    scale, shift = _line(said, values)
    scales, shifts = zip(*lines, strict=True)
    return AffineMap(order, scales, shifts, scale, shift, squared_correlation(said, values))


def _whole(width: int) -> Intervals:
    """Whole range to whole range, each argument kept or turned around."""
    signs = np.array(list(product((1.0, -1.0), repeat=width)))
    return np.concatenate([signs, np.zeros_like(signs)], axis=1)


def _random(width: int, starts: int, generator: np.random.Generator) -> Intervals:
    half = generator.uniform(_LEAST, _BEYOND, (starts, width)) * generator.choice([1.0, -1.0], (starts, width))
    return np.concatenate([half, generator.uniform(-1, 1, (starts, width))], axis=1)


def _bounds(start: Interval) -> tuple[Interval, Interval]:
    """A half width keeps its sign."""
    half, place = start.reshape(2, -1)
    ones = np.ones_like(place)
    least, most = np.where(half > 0, _LEAST, -_BEYOND), np.where(half > 0, _BEYOND, -_LEAST)
    return np.concatenate([least, -ones]), np.concatenate([most, ones])


def _line(x: Float64[np.ndarray, " points"], y: Float64[np.ndarray, " points"]) -> tuple[float, float]:
    """Slope and offset of least squares; no slope where x is constant."""
    centred = x - x.mean()
    size = float(centred @ centred)
    slope = float(centred @ y) / size if size > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())


def _linear(scale: float, name: str, shift: float) -> str:
    return f"{scale:.3g} {name} {'-' if shift < 0 else '+'} {abs(shift):.3g}"
