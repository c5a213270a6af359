"""What is smoothed as states of a first-order system: of order two, the speeds are states that nobody measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .smoothed import Smoothed, Times
from .trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class _Speed:
    """The derivative of a curve, as a curve."""

    curve: Callable[[Times, int], Times]

    def __call__(self, times: Times, order: int) -> Times:
        return self.curve(times, order + 1)


def with_speeds(curves: Sequence[Smoothed]) -> tuple[Smoothed, ...]:
    """Smoothed trajectories with the speed of each variable as a further variable, its noise infinite.

    Parameters
    ----------
    curves : sequence of Smoothed
        The trajectories.

    Returns
    -------
    tuple of Smoothed
        One for each trajectory, of twice as many variables.

    Examples
    --------
    >>> from bimt_train.trajectories.smoothed import smoothed_each
    >>> times = np.linspace(0, 5, 40)
    >>> (both,) = with_speeds(smoothed_each([Trajectory(times, np.sin(times)[:, None])]))
    >>> both.at(np.array([0.0]), 0).round(3).tolist()
    [[0.0, 1.0]]
    """
    found = []
    for one in curves:
        times = one.trajectory.times
        slopes, bends = one.at(times, 1), one.at(times, 2)
        doubt = one.error * (np.std(bends, axis=0) / (np.std(slopes, axis=0) + 1e-300))  # one order further on
        found.append(
            replace(
                one,
                trajectory=Trajectory(times, np.concatenate([one.trajectory.values, slopes], axis=1)),
                noise=np.concatenate([one.noise, np.full(len(one.noise), np.inf)]),
                curves=(*one.curves, *(_Speed(curve) for curve in one.curves)),
                error=np.concatenate([one.error, doubt], axis=1),
            )
        )
    return tuple(found)
