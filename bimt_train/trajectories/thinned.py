"""Long trajectories made short: many values of one block count as one, or else only some stretches are looked at.

To smooth a trajectory takes time that grows with the cube of its length.
"""

import numpy as np
from jaxtyping import Float64

from .smoothed import CLEAN
from .trajectory import Trajectory

MOST_TIMES = 1000  # of a trajectory that is taken as it is
_KEPT = 500  # times that are left of a longer one, at most, but for short blocks
_BLOCK = 8  # times of a block, at least
_DEGREE = 3  # of the polynomial that is fitted to a block
_AS_NOISE = 1.1  # times the variance between neighbours: what polynomials leave where blocks are short enough
_LARGE = 0.25  # of a variable's variance: no noise, but a trajectory that turns between its times
_STRETCHES, _LONG = 3, 200  # stretches, and times of each

Times = Float64[np.ndarray, "times"]
Values = Float64[np.ndarray, "times variables"]


def thinned(one: Trajectory) -> tuple[Trajectory, ...]:
    """A trajectory of at most 1,000 times as it is, a longer one thinned out.

    Where polynomials of degree three leave no more of each block than the noise between neighbours, each block becomes
    one time, with the polynomial's value at its middle (without noise, with the measured value). Else the trajectory
    turns too often for that, and three stretches of 200 times are taken, each as a trajectory of its own.

    Parameters
    ----------
    one : Trajectory
        What was measured.

    Examples
    --------
    >>> times = np.linspace(0, 10, 10_000)
    >>> thinned(Trajectory(times, np.sin(times)[:, None]))
    (Trajectory(500 times from 0.010001 to 9.991, 1 variable),)
    >>> [len(part.times) for part in thinned(Trajectory(times, np.sin(2000 * times)[:, None]))]
    [200, 200, 200]
    """
    count = len(one.times)
    if count <= MOST_TIMES:
        return (one,)
    size = max(_BLOCK, -(-count // _KEPT))
    blocks = count // size
    times = one.times[: blocks * size].reshape(blocks, size)
    values = one.values[: blocks * size].reshape(blocks, size, one.width)
    middle = size // 2
    fitted, left = _at_middle(times, values, middle)
    noise = _between_neighbours(one.times, one.values)
    variance = np.var(one.values, axis=0)
    clean = noise <= CLEAN**2 * variance
    resolved = np.where(clean, left <= CLEAN**2 * variance, (left <= _AS_NOISE * noise) & (left < _LARGE * variance))
    if np.all(resolved):
        return (Trajectory(times[:, middle], np.where(clean, values[:, middle], fitted)),)
    begins = np.linspace(0, count - _LONG, _STRETCHES).astype(int).tolist()
    return tuple(Trajectory(one.times[k : k + _LONG], one.values[k : k + _LONG]) for k in begins)


def _at_middle(
    times: Float64[np.ndarray, "blocks size"], values: Float64[np.ndarray, "blocks size variables"], middle: int
) -> tuple[Float64[np.ndarray, "blocks variables"], Float64[np.ndarray, "variables"]]:
    """Each block's polynomial at its middle, and the variance of what polynomials leave of each variable."""
    apart = times - times[:, middle : middle + 1]
    powers = (apart / np.max(np.abs(apart), axis=1, keepdims=True))[:, :, None] ** np.arange(_DEGREE + 1)
    weights = np.linalg.pinv(powers) @ values
    left = values - powers @ weights
    freedom = left.shape[0] * (left.shape[1] - _DEGREE - 1)
    return weights[:, 0], np.sum(left**2, axis=(0, 1)) / freedom


def _between_neighbours(times: Times, values: Values) -> Float64[np.ndarray, "variables"]:
    """The variance of the noise, by what a line between its neighbours misses of each value."""
    share = ((times[2:] - times[1:-1]) / (times[2:] - times[:-2]))[:, None]
    missed = values[1:-1] - share * values[:-2] - (1 - share) * values[2:]
    return np.asarray(np.mean(missed**2 / (1 + share**2 + (1 - share) ** 2), axis=0))
