"""A trajectory without its noise: values and derivatives as functions of time, and how well they are known.

Noise and smoothness are those of the Gaussian process of the largest likelihood. Where that sees no noise, a spline of
degree seven goes through all values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import make_interp_spline

from ..showing import Shown
from .trajectory import Trajectory

Times = Float64[np.ndarray, "times"]
Square = Float64[np.ndarray, "rows columns"]

CLEAN = 1e-3  # of a variable's deviation: a process cannot tell less noise from none
_SCALES = np.geomspace(0.01, 1.0, 15)  # of the duration: correlation times that are tried
_RATIOS = np.geomspace(1e-9, 1e1, 41)  # noise variance over the process's own
_DEGREE, _LOWER = 7, 5  # of the spline, and of the one that it is compared with
_ENOUGH = 400  # times that tell the correlation
_ENDS = 3  # times at each end at which a derivative is not to be trusted


def _bell(d: Square) -> tuple[Square, Square, Square]:
    """exp(-d**2 / 2), and its first two derivatives."""
    k = np.exp(-(d**2) / 2)
    return k, -d * k, (d**2 - 1) * k


def _rougher(d: Square) -> tuple[Square, Square, Square]:
    """Matern's correlation of order 7/2, which follows a fast start and a slow end better; its derivatives."""
    a = np.sqrt(7.0)
    r = a * np.abs(d)
    e = np.exp(-r)
    return (
        (1 + r + 2 / 5 * r**2 + r**3 / 15) * e,
        -a * np.sign(d) * r * (1 / 5 + r / 5 + r**2 / 15) * e,
        (-(a**2) * (1 / 5 + r / 5 - r**3 / 15) * e),
    )


_CORRELATIONS: tuple[Callable[[Square], tuple[Square, Square, Square]], ...] = (_bell, _rougher)


@dataclass(frozen=True, eq=False, repr=False)
class Smoothed(Shown):
    """A trajectory without its noise.

    Attributes
    ----------
    trajectory : Trajectory
        What was measured.
    noise : array of shape [variables]
        The standard deviation of each variable's noise, in its own unit; 0 where none is seen.
    curves : tuple of callables
        For each variable: times and 0, 1 or 2 -> the smooth values, or their derivative of that order.
    error : array of shape [times, variables]
        How far each derivative may be off, a standard error.

    Examples
    --------
    >>> times = np.linspace(0, 5, 40)
    >>> curve = smoothed_each([Trajectory(times, np.exp(-times)[:, None])])[0]
    >>> curve
    Smoothed(40 times from 0 to 5, 1 variable; noise 0)
    >>> curve.at(np.array([1.0]), 1).round(4).tolist()
    [[-0.3679]]
    """

    trajectory: Trajectory
    noise: Float64[np.ndarray, "variables"]
    curves: tuple[Callable[[Times, int], Times], ...]
    error: Float64[np.ndarray, "times variables"]

    def _brief(self) -> str:
        return f"{self.trajectory._brief()}; noise {', '.join(f'{one:.2g}' for one in self.noise)}"

    def at(self, times: Times, order: int = 0) -> Float64[np.ndarray, "times variables"]:
        """Smooth values, or their derivatives.

        Parameters
        ----------
        times : array of shape [times]
            Within the trajectory's own.
        order : int
            0 for values, 1 and 2 for derivatives by time.
        """
        return np.stack([curve(times, order) for curve in self.curves], axis=1)

    @cached_property
    def inner(self) -> Times:
        """The times without the ends, where derivatives are known worst."""
        return self.trajectory.times[_ENDS:-_ENDS]

    @property
    def inner_error(self) -> Float64[np.ndarray, "inner variables"]:
        """The derivatives' errors at the inner times."""
        return self.error[_ENDS:-_ENDS]


def smoothed_each(trajectories: Sequence[Trajectory]) -> list[Smoothed]:
    """Trajectories without their noise; those of the same times share what takes longest.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        What was measured.

    Returns
    -------
    list of Smoothed
        One for each trajectory.

    Examples
    --------
    >>> times = np.linspace(0, 5, 60)
    >>> noisy = np.sin(times) + 0.1 * np.random.default_rng(0).normal(size=60)
    >>> bool(0.07 < smoothed_each([Trajectory(times, noisy[:, None])])[0].noise[0] < 0.13)
    True
    """
    known: dict[bytes, tuple[_Correlation, ...]] = {}
    found = []
    for one in trajectories:
        apart = one.times - one.times[0]
        key = f"{apart[-1]:.9g}".encode() + np.round(apart / apart[-1], 9).tobytes()
        if key not in known:
            known[key] = _Correlation.every(one.times[:: _step(one.times)])
        found.append(_smoothed(one, known[key]))
    return found


def smoothed(trajectory: Trajectory) -> Smoothed:
    """A trajectory without its noise.

    Parameters
    ----------
    trajectory : Trajectory
        What was measured.
    """
    return smoothed_each([trajectory])[0]


def _smoothed(trajectory: Trajectory, correlations: "Sequence[_Correlation]") -> Smoothed:
    times, values = trajectory.times, trajectory.values
    step = _step(times)
    every = [_Process.likeliest(times[::step], column[::step], correlations) for column in values.T]
    if step > 1:  # every few times tell the correlation; then all of them count
        chosen = {(one.shape, one.scale): _Correlation.of(times, one.shape, one.scale) for one in every if one}
        every = [
            one and _Process.likeliest(times, column, [chosen[one.shape, one.scale]])
            for one, column in zip(every, values.T, strict=True)
        ]
    noise, curves, errors = [], [], []
    for process, column in zip(every, values.T, strict=True):
        clean = process is None or process.noise < CLEAN * float(np.std(column))
        if process is None or clean:
            curve, error = _through(times, column)
        else:
            curve, error = process, process.error()
        noise.append(0.0 if clean or process is None else process.noise)
        curves.append(curve)
        errors.append(error)
    return Smoothed(trajectory, np.array(noise), tuple(curves), np.stack(errors, axis=1))


def _through(times: Times, values: Times) -> tuple[Callable[[Times, int], Times], Times]:
    """A curve through all values, and how far its derivative lies from that of a curve of lower degree."""
    high, low = (make_interp_spline(times, values, k=degree) for degree in (_DEGREE, _LOWER))
    error = np.abs(high(times, nu=1) - low(times, nu=1))
    return _Spline(high), error + 1e-12 * float(np.max(np.abs(high(times, nu=1))))


@dataclass(frozen=True, eq=False)
class _Spline:
    spline: Any

    def __call__(self, times: Times, order: int) -> Times:
        return np.asarray(self.spline(times, nu=order), np.float64)


@dataclass(frozen=True, eq=False)
class _Process:
    """A Gaussian process that was fitted to the values of one variable."""

    times: Times
    weights: Times
    mean: float
    size: float
    scale: float
    ratio: float
    shape: Callable[[Square], tuple[Square, Square, Square]]

    @property
    def noise(self) -> float:
        """The noise's standard deviation, in the variable's own unit."""
        return self.size * float(np.sqrt(self.ratio))

    def __call__(self, times: Times, order: int) -> Times:
        parts = self.shape((times[:, None] - self.times[None, :]) / self.scale)
        found = parts[order] @ self.weights / self.scale**order
        return np.asarray(found + (self.mean if order == 0 else 0.0), np.float64)

    def error(self) -> Times:
        """The standard error of the derivative at the times of the values."""
        k, slope, bend = self.shape((self.times[:, None] - self.times[None, :]) / self.scale)
        seen = k + self.ratio * np.eye(len(k))
        variance = -np.diag(bend) - np.sum(slope * np.linalg.solve(seen, slope.T).T, axis=1)
        return np.asarray(self.size / self.scale * np.sqrt(np.maximum(variance, 0.0)), np.float64)

    @staticmethod
    def likeliest(times: Times, values: Times, correlations: Sequence["_Correlation"]) -> "_Process | None":
        """The process of one of the ``correlations`` that makes values at ``times`` likeliest; None if all equal."""
        mean = float(np.mean(values))
        y = values - mean
        if float(np.std(y)) <= 1e-13 * float(np.max(np.abs(values), initial=0.0)):
            return None
        best: tuple[float, _Process] | None = None
        for one in correlations:
            turned = one.vectors.T @ y
            spread = one.roots[None, :] + _RATIOS[:, None]
            size = np.mean(turned**2 / spread, axis=1)
            likely = -0.5 * len(y) * np.log(size) - 0.5 * np.sum(np.log(spread), axis=1)
            place = int(np.argmax(likely))
            if best is None or likely[place] > best[0]:
                weights = one.vectors @ (turned / spread[place])
                deviation, ratio = float(np.sqrt(size[place])), float(_RATIOS[place])
                best = float(likely[place]), _Process(times, weights, mean, deviation, one.scale, ratio, one.shape)
        assert best is not None
        return best[1]


@dataclass(frozen=True, eq=False)
class _Correlation:
    """The correlation of values at given times, taken apart: the same for all variables of a trajectory."""

    shape: Callable[[Square], tuple[Square, Square, Square]]
    scale: float
    roots: Times
    vectors: Square

    @staticmethod
    def every(times: Times) -> "tuple[_Correlation, ...]":
        """One for each shape and each correlation time that are tried, which follow from the ``times``."""
        found = []
        for shape in _CORRELATIONS:
            for scale in _SCALES * float(times[-1] - times[0]):
                found.append(_Correlation.of(times, shape, float(scale)))
        return tuple(found)

    @staticmethod
    def of(times: Times, shape: Callable[[Square], tuple[Square, Square, Square]], scale: float) -> "_Correlation":
        """The correlation between all ``times`` of one shape, with ``scale`` as its correlation time."""
        roots, vectors = np.linalg.eigh(shape((times[:, None] - times[None, :]) / scale)[0])
        return _Correlation(shape, scale, np.maximum(roots, 0.0), vectors)


def _step(times: Times) -> int:
    """Every how many-th time is enough to tell the correlation."""
    return -(-len(times) // _ENOUGH)
