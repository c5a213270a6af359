"""All trajectories of a search, smoothed, and what that tells of their noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.trajectories.smoothed import Smoothed, smoothed_each

from ._asked_motion import Asked


@dataclass(frozen=True)
class SmoothedRuns:
    """The trajectories that are searched, and those that are only predicted, smoothed.

    Attributes
    ----------
    searched : tuple of Smoothed
        One for each trajectory that is searched.
    held_out : tuple of Smoothed
        One for each that is only predicted.
    """

    searched: tuple[Smoothed, ...]
    held_out: tuple[Smoothed, ...]

    @classmethod
    def of(cls, asked: Asked) -> "SmoothedRuns":
        """Smooth all trajectories of what is asked."""
        every: Sequence[Smoothed] = smoothed_each([*asked.trajectories, *asked.held_out])
        count = len(asked.trajectories)
        return cls(tuple(every[:count]), tuple(every[count:]))

    @property
    def noise(self) -> Float64[np.ndarray, " variables"]:
        """The standard deviation of each variable's noise, estimated."""
        return np.asarray(np.sqrt(np.mean([one.noise**2 for one in self.searched], axis=0)))

    @property
    def spread(self) -> Float64[np.ndarray, " variables"]:
        """The standard deviation of each variable over all times; 1 for one that stays the same."""
        deviation = np.std(np.concatenate([one.trajectory.values for one in self.searched]), axis=0)
        return np.where(deviation > 0, deviation, 1.0)
