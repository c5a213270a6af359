"""Trajectories cut into pieces, which are integrated side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from bimt_train.trajectories.smoothed import Smoothed

from ...formulas.problem._budget import Budget

MET = 1e-6  # of a variable's deviation: what is integrated does not come nearer to values without noise
_QUIETEST = 0.2  # of the mean noise: a trajectory counts as no more quiet than that
_SUBSTEPS = 40, 12  # of a step between two times, at most: with noise, and without it
_LOUD = 2e-3  # of a variable's deviation: noise that a rough integration does not add to
_PACES = 4.0, 3.0  # substeps in which a variable moves by its own deviation
_FEWEST = 2, 1  # substeps at least
_LENGTHS = 25, 13  # times of a piece


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of trajectories, all of as many times.

    Attributes
    ----------
    times : array of shape [times, pieces]
        When.
    values : array of shape [times, variables, pieces]
        What was measured.
    starts : array of shape [variables, pieces]
        The smooth state at the first time of each piece.
    unit : array of shape [variables, pieces]
        In which a residual is counted: each variable's noise, or a small part of its deviation.
    least : array of shape [variables]
        What may be left of each variable, in its own unit, before it counts: a part of its deviation.
    substeps : array of int of shape [times - 1]
        Steps of the integration between two times.
    fine : bool
        Whether some variable has no noise, so that steps are of order eight.
    budget : Budget
        What may be spent on fits to them.
    """

    times: Float64[np.ndarray, "times pieces"]
    values: Float64[np.ndarray, "times variables pieces"]
    starts: Float64[np.ndarray, "variables pieces"]
    unit: Float64[np.ndarray, "variables pieces"]
    least: Float64[np.ndarray, "variables"]
    substeps: NDArray[np.int64]
    fine: bool
    budget: Budget

    @property
    def rows(self) -> int:
        """How many measurements of one variable there are."""
        return int(self.times.size)

    def weighted(self, missed: Float64[np.ndarray, "variables"]) -> "Pieces":
        """The pieces with residuals counted in what a fit misses of each variable.

        Parameters
        ----------
        missed : array of shape [variables]
            Root mean squares, each in the variable's own unit; what was never measured keeps its unit.
        """
        unit = np.broadcast_to(np.maximum(missed, self.least)[:, None], self.unit.shape)
        return replace(self, unit=np.where(np.isfinite(self.unit), unit, self.unit))


def pieces_of(curves: Sequence[Smoothed], *, budget: Budget) -> Pieces:
    """Trajectories cut into pieces that meet at their ends; the last of each overlaps the one before.

    Parameters
    ----------
    curves : sequence of Smoothed
        The trajectories.
    budget : Budget
        What may be spent on fits to them.
    """
    fine = not all(np.all(one.noise > _LOUD * np.std(one.trajectory.values, axis=0)) for one in curves)
    clean = not any(np.any(np.isfinite(one.noise) & (one.noise > 0)) for one in curves)
    length = min(_LENGTHS[clean], *(len(one.trajectory.times) for one in curves))
    noise = np.sqrt(np.mean([one.noise**2 for one in curves], axis=0))
    least = MET * np.maximum(np.std(np.concatenate([one.trajectory.values for one in curves]), axis=0), 1e-300)
    times, values, starts, units, fastest = [], [], [], [], []
    for one in curves:
        known, count = one.trajectory.times, len(one.trajectory.times)
        places = list(range(0, count - length + 1, max(length - 1, 1)))
        places += [] if places[-1] + length >= count else [count - length]
        smooth, slopes = one.at(known), one.at(known, 1)
        spread = np.std(smooth, axis=0) + 1e-300
        fast = np.maximum(np.abs(slopes[:-1]), np.abs(slopes[1:]))
        moved = np.max(fast * np.diff(known)[:, None] / spread, axis=1)
        for place in places:
            times.append(known[place : place + length])
            values.append(one.trajectory.values[place : place + length])
            starts.append(smooth[place])
            units.append(np.maximum(np.maximum(one.noise, _QUIETEST * noise), least))
            fastest.append(moved[place : place + length - 1])
    steps = np.ceil(_PACES[fine] * np.max(fastest, axis=0))
    substeps = np.clip(steps, _FEWEST[fine], _SUBSTEPS[fine]).astype(np.int64)
    tables = np.stack(times, 1), np.stack(values, 2), np.stack(starts, 1), np.stack(units, 1)
    return Pieces(*tables, least, substeps, fine, budget)
