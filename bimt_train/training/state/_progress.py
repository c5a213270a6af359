"""Everything that changes during a run, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from ...layouts import Placement
from .._random_restarts import Replica
from .._record import Record
from ..engines._engine import Moments


@dataclass(frozen=True, eq=False)
class Ahead:
    """Where a run stands between two measurements.

    Attributes
    ----------
    step : int
        Steps done.
    moments : Moments
        Weights and Adam's moments, row by row.
    placements : tuple of Placement
        One for each row.
    """

    step: int
    moments: Moments
    placements: tuple[Placement, ...]


@dataclass(frozen=True, eq=False)
class Progress:
    """Everything that changes during a run, as it was when last measured, and how far the run has gone on since.

    Attributes
    ----------
    step : int
        Steps done when last measured.
    replicas : tuple of (int, int)
        Seed and replica of each row; before restarts end, several of one seed.
    leaders : tuple of int
        For each seed, the row of least training loss when last measured.
    moments : Moments
        Weights and Adam's moments, row by row.
    placements : tuple of Placement
        One for each row.
    records : tuple of Record
        The leaders' measurements so far.
    diverged : tuple of (int, int)
        Row and step, for each row that is no longer trained.
    seconds : float
        Time spent so far.
    ahead : Ahead or None
        The steps since the last measurement, where the run was stopped or saved between two. A row that turns out to
        have diverged goes back to `moments`, so both are kept.
    """

    step: int
    replicas: tuple[Replica, ...]
    leaders: tuple[int, ...]
    moments: Moments
    placements: tuple[Placement, ...]
    records: tuple[Record, ...] = ()
    diverged: tuple[tuple[int, int], ...] = ()
    seconds: float = 0.0
    ahead: Ahead | None = None

    @property
    def steps_done(self) -> int:
        """Steps done, measured or not."""
        return self.step if self.ahead is None else self.ahead.step

    @property
    def now(self) -> Ahead:
        """Where the run stands, with moments that may be written into."""
        stands = self.ahead or Ahead(self.step, self.moments, self.placements)
        return replace(stands, moments=stands.moments.clone())

    def to(self, device: str) -> Self:
        """A copy of the progress on another device.

        Parameters
        ----------
        device : str
            Where to compute, as torch names it.
        """
        ahead = self.ahead and replace(self.ahead, moments=self.ahead.moments.each(lambda tensor: tensor.to(device)))
        return replace(self, moments=self.moments.each(lambda tensor: tensor.to(device)), ahead=ahead)

    def only(self, rows: Sequence[int]) -> Self:
        """The progress, as last measured, of one row of each seed.

        Parameters
        ----------
        rows : sequence of int
            Numbers of the rows to keep, one a seed.
        """
        some = list(rows)
        return replace(
            self,
            replicas=tuple(self.replicas[row] for row in some),
            leaders=tuple(range(len(some))),
            moments=self.moments.each(lambda tensor: tensor[some]),
            placements=tuple(self.placements[row] for row in some),
            diverged=tuple((some.index(row), step) for row, step in self.diverged if row in some),
            ahead=None,
        )
