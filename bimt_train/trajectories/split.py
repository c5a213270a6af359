"""Rows of one table split into trajectories."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64

from .._errors import InputError
from .trajectory import Trajectory


def split_trajectories(
    times: Float64[np.ndarray, "rows"],
    values: Float64[np.ndarray, "rows variables"],
    labels: Sequence[object] | None = None,
    *,
    where: str = "",
) -> tuple[Trajectory, ...]:
    """The trajectories of a table of rows, in the order in which they begin.

    Parameters
    ----------
    times : array of shape [rows]
        The time of each row.
    values : array of shape [rows, variables]
        The state at that time.
    labels : sequence of objects, optional
        To which trajectory each row belongs; its rows may then be in any order. If left out, a new trajectory begins
        wherever time goes back.
    where : str
        What messages call the table.

    Returns
    -------
    tuple of Trajectory
        One for each label.

    Raises
    ------
    InputError
        Rows make up no trajectory, as fewer than 12 times do not.

    Examples
    --------
    >>> times = np.tile(np.arange(12.0), 2)
    >>> split_trajectories(times, np.sin(times)[:, None])
    (Trajectory(12 times from 0 to 11, 1 variable), Trajectory(12 times from 0 to 11, 1 variable))
    """
    if labels is None:
        runs = np.split(np.arange(len(times)), np.flatnonzero(np.diff(times) < 0) + 1)
    else:
        _, first, of = np.unique(np.array([str(label) for label in labels]), return_index=True, return_inverse=True)
        runs = [np.flatnonzero(of == number) for number in np.argsort(first)]
        runs = [rows[np.argsort(times[rows], kind="stable")] for rows in runs]
    return tuple(_checked(runs, times, values, where))


def _checked(
    runs: Sequence[np.ndarray],
    times: Float64[np.ndarray, "rows"],
    values: Float64[np.ndarray, "rows variables"],
    where: str,
) -> Iterator[Trajectory]:
    for number, rows in enumerate(runs, 1):
        try:
            yield Trajectory(times[rows], values[rows])
        except InputError as error:
            raise InputError(f"trajectory {number}: {error}", where=where) from error
