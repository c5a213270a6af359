"""A race of first weights: each seed begins from several of them, and the one that does best goes on."""

from collections.abc import Collection, Sequence
from itertools import groupby

import numpy as np

from ._record import PerSeed, Record

Seat = tuple[int, int]
"""A row of the stack: its seed, and which of the seed's first weights it began from."""


def seats_of(seeds: Sequence[int], starts: int) -> tuple[Seat, ...]:
    """A row for each start of each seed, a seed's starts side by side.

    >>> seats_of([3, 5], 2)
    ((3, 0), (3, 1), (5, 0), (5, 1))
    """
    return tuple((seed, start) for seed in seeds for start in range(starts))


def seeds_of(seats: Sequence[Seat]) -> tuple[int, ...]:
    """The seeds, each once.

    >>> seeds_of([(3, 0), (3, 1), (5, 0)])
    (3, 5)
    """
    return tuple(dict.fromkeys(seed for seed, _ in seats))


def drawing_seed(seat: Seat) -> int:
    """What the first weights of a seat are drawn from; the first start of seed k draws from k itself.

    >>> drawing_seed((7, 0))
    7
    """
    seed, start = seat
    return int(np.random.SeedSequence((seed, start)).generate_state(1)[0]) if start else seed


def leading_rows(seats: Sequence[Seat], train_loss: PerSeed) -> tuple[int, ...]:
    """For each seed the row of the least training loss; of those that are not finite only where there is no other.

    >>> leading_rows([(3, 0), (3, 1), (5, 0), (5, 1)], np.array([0.2, 0.1, 0.3, np.nan]))
    (1, 2)
    """
    ranked = np.where(np.isfinite(train_loss), train_loss, np.inf)
    rows = groupby(range(len(seats)), key=lambda row: seats[row][0])
    return tuple(min(runners, key=lambda row: (ranked[row], row)) for _, runners in rows)


def seeds_out(seats: Sequence[Seat], lost: Collection[int]) -> set[int]:
    """The seeds of which no row is left.

    >>> seeds_out([(3, 0), (3, 1), (5, 0), (5, 1)], [0, 2, 3])
    {5}
    """
    return set(seeds_of(seats)) - {seed for row, (seed, _) in enumerate(seats) if row not in lost}


def record_of(record: Record, rows: Sequence[int]) -> Record:
    """The measurement of these rows."""
    some = list(rows)
    right = None if record.accuracy is None else record.accuracy[some]
    return Record(
        record.step, record.train_loss[some], record.test_loss[some], record.cost[some], record.edges[some], right
    )
