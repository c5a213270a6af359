"""One function as another one with its inputs and its output scaled and shifted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any, NamedTuple

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
    fitted, width = _Fitted.of(f, seen, points, values), points.shape[1]
    two_valued = all(len(np.unique(column)) == 2 for column in seen.T)
    tried: list[_Tried] = []
    for order in permutations(range(width)):
        if tried and tried[-1].r2 > _ENOUGH:
            break
        random = _random(width, 0 if two_valued else _STARTS, np.random.default_rng(seed))
        for one in fitted.tried(order, _whole(width), random):
            tried.append(one)
            if one.r2 > _ENOUGH:
                break
    nearest = max(one.r2 for one in tried)
    same = [one for one in tried if one.r2 >= nearest - _EQUAL]
    best = max(same, key=lambda one: float(np.abs(one.interval[:width]).min()))
    interval, order = best.interval[None], best.order
    return _map(fitted.said(interval, order)[0], fitted.moved(interval, order)[0], points, values, order)


class _Tried(NamedTuple):
    """A map of the arguments, and the r2 that it reaches once the output is scaled and shifted."""

    r2: float
    interval: Interval
    order: tuple[int, ...]


@dataclass(frozen=True)
class _Fitted:
    """A function, the points at which it is asked (from -1 to 1 over their range), and the values to come near to."""

    f: Function
    low: Float64[np.ndarray, " arguments"]
    high: Float64[np.ndarray, " arguments"]
    points: Float64[np.ndarray, "points arguments"]
    values: Float64[np.ndarray, " points"]

    @classmethod
    def of(
        cls,
        f: Function,
        seen: Float64[np.ndarray, "rows arguments"],
        points: Float64[np.ndarray, "points arguments"],
        values: Float64[np.ndarray, " points"],
    ) -> "_Fitted":
        relative = 2 * (points - points.min(axis=0)) / np.ptp(points, axis=0) - 1
        return cls(f, seen.min(axis=0), seen.max(axis=0), relative, values)

    def moved(self, intervals: Intervals, order: tuple[int, ...]) -> Float64[np.ndarray, "starts points arguments"]:
        """The arguments of the function at each point, by each of the ``intervals``, in this ``order``."""
        half, place = (part[:, None, :] for part in np.split(intervals, 2, axis=1))
        relative = half * self.points[:, order] + place * (_BEYOND - np.abs(half))
        return np.asarray(self.low + (self.high - self.low) * (relative + 1) / 2)

    def said(self, intervals: Intervals, order: tuple[int, ...]) -> Float64[np.ndarray, "starts points"]:
        """The values of the function at each point, by each of the ``intervals``, arguments in this ``order``."""
        return self.f(self.moved(intervals, order).reshape(-1, len(order))).reshape(len(intervals), -1)

    def left(self, intervals: Intervals, order: tuple[int, ...]) -> Float64[np.ndarray, "starts points"]:
        """What the best scale and shift of the function leave, by each of the ``intervals`` in this ``order``."""
        rows = self.said(intervals, order)
        rows = rows - rows.mean(axis=1, keepdims=True)
        sizes = (rows**2).sum(axis=1)
        scales = np.divide(rows @ self.values, sizes, out=np.zeros(len(rows)), where=sizes > 0)
        return np.asarray(self.values - self.values.mean() - scales[:, None] * rows)

    def residual(self, interval: Interval, order: tuple[int, ...]) -> Float64[np.ndarray, " points"]:
        """What one ``interval`` leaves of the values, arguments in this ``order``."""
        return np.asarray(self.left(interval[None], order)[0])

    def slopes(self, interval: Interval, order: tuple[int, ...]) -> Float64[np.ndarray, "points _"]:
        """The derivatives of the residual by the ``interval``, by finite differences, arguments in this ``order``."""
        size = len(interval)
        rows = self.left(interval + np.vstack([np.zeros(size), _STEP * np.eye(size)]), order)
        return np.asarray((rows[1:] - rows[0]).T / _STEP)

    def tried(
        self, order: tuple[int, ...], whole: Intervals, random: Float64[np.ndarray, "others _"]
    ) -> Iterator[_Tried]:
        """For an ``order``, the best of ``whole`` ranges, then what least squares make of it and of ``random`` ones."""
        starts = np.concatenate([whole, random])
        fits = np.array([squared_correlation(row, self.values) for row in self.said(starts, order)])
        best = int(np.argmax(fits[: len(whole)]))
        yield _Tried(float(fits[best]), whole[best], order)
        follow = len(whole) + np.argsort(-fits[len(whole) :], kind="stable")[:_REFINED]
        for start in starts[[best, *follow] if len(random) else []]:
            found: Any = least_squares(
                self.residual, start, jac=self.slopes, bounds=_bounds(start), args=(order,), max_nfev=_EVALUATIONS
            )
            yield _Tried(squared_correlation(self.said(found.x[None], order)[0], self.values), found.x, order)


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
