"""Random restarts: each seed trains several replicas at first, and the one that does best goes on."""

from collections.abc import Collection, Sequence
from itertools import groupby

import numpy as np

from ._record import PerSeed, Record

Replica = tuple[int, int]
"""A row of the stack: its seed, and which of the seed's first weights it has."""


def replicas_of(seeds: Sequence[int], replicas: int) -> tuple[Replica, ...]:
    """A row for each replica of each seed, a seed's replicas side by side.

    Parameters
    ----------
    seeds : sequence of int
        The seeds.
    replicas : int
        How many replicas each seed has.

    Returns
    -------
    tuple of (int, int)
        Rows as (seed, replica).

    Examples
    --------
    >>> replicas_of([3, 5], 2)
    ((3, 0), (3, 1), (5, 0), (5, 1))
    """
    return tuple((seed, replica) for seed in seeds for replica in range(replicas))


def seeds_of(rows: Sequence[Replica]) -> tuple[int, ...]:
    """The seeds, each once.

    Parameters
    ----------
    rows : sequence of (int, int)
        Rows as (seed, replica).

    Returns
    -------
    tuple of int
        The seeds in the order in which they come first.

    Examples
    --------
    >>> seeds_of([(3, 0), (3, 1), (5, 0)])
    (3, 5)
    """
    return tuple(dict.fromkeys(seed for seed, _ in rows))


def drawing_seed(row: Replica) -> int:
    """What the first weights of a replica are drawn from; the first replica of seed k draws from k itself.

    Parameters
    ----------
    row : (int, int)
        A row as (seed, replica).

    Returns
    -------
    int
        A seed for the generator.

    Examples
    --------
    >>> drawing_seed((7, 0))
    7
    """
    seed, replica = row
    return int(np.random.SeedSequence((seed, replica)).generate_state(1)[0]) if replica else seed


def leading_rows(rows: Sequence[Replica], train_loss: PerSeed) -> tuple[int, ...]:
    """For each seed the row of the least training loss; a loss that is not finite counts as the greatest.

    Parameters
    ----------
    rows : sequence of (int, int)
        Rows as (seed, replica), a seed's side by side.
    train_loss : array of float, [rows]
        The training loss of each row.

    Returns
    -------
    tuple of int
        Numbers of rows, one a seed.

    Examples
    --------
    >>> leading_rows([(3, 0), (3, 1), (5, 0), (5, 1)], np.array([0.2, 0.1, 0.3, np.nan]))
    (1, 2)
    """
    ranked = np.where(np.isfinite(train_loss), train_loss, np.inf)
    grouped = groupby(range(len(rows)), key=lambda row: rows[row][0])
    return tuple(min(candidates, key=lambda row: (ranked[row], row)) for _, candidates in grouped)


def seeds_out(rows: Sequence[Replica], lost: Collection[int]) -> set[int]:
    """The seeds of which no row is left.

    Parameters
    ----------
    rows : sequence of (int, int)
        Rows as (seed, replica).
    lost : collection of int
        Numbers of the rows that are lost.

    Returns
    -------
    set of int
        The seeds.

    Examples
    --------
    >>> seeds_out([(3, 0), (3, 1), (5, 0), (5, 1)], [0, 2, 3])
    {5}
    """
    return set(seeds_of(rows)) - {seed for row, (seed, _) in enumerate(rows) if row not in lost}


def record_of(record: Record, rows: Sequence[int]) -> Record:
    """The measurement of these rows.

    Parameters
    ----------
    record : Record
        The measurement of all rows.
    rows : sequence of int
        Numbers of the rows to keep, in their new order.

    Returns
    -------
    Record
        The measurement of these.
    """
    some = list(rows)
    right = None if record.accuracy is None else record.accuracy[some]
    return Record(
        record.step, record.train_loss[some], record.test_loss[some], record.cost[some], record.edges[some], right
    )
