"""Trajectories in a table: one row a time, one column a variable."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.showing import Shown
from bimt_train.tasks import read_probe_table, safe_names

from ._trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False, eq=False)
class TrajectoryTable(Shown):
    """What a table of trajectories holds.

    Attributes
    ----------
    trajectories : tuple of Trajectory
        In the table's order.
    names : tuple of str
        The variables, as they can stand in a formula.
    assumed : tuple of str
        What was inferred, a sentence each.

    Examples
    --------
    >>> times = np.arange(12.0)
    >>> TrajectoryTable((Trajectory(times, np.sin(times)[:, None]),), ("height",))
    TrajectoryTable(1 trajectory of height)
    """

    trajectories: tuple[Trajectory, ...]
    names: tuple[str, ...]
    assumed: tuple[str, ...] = ()

    def _brief(self) -> str:
        count = len(self.trajectories)
        return f"{count} trajector{'y' if count == 1 else 'ies'} of {', '.join(self.names)}"


def read_trajectories(
    source: "str | Path | pd.DataFrame", *, time: str, trajectory: str | None = None
) -> TrajectoryTable:
    """Read trajectories from a table: a column of times, and one for each variable.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        A file that `table_task` reads, or a DataFrame.
    time : str
        The column of times, in the user's own unit. Rows of a trajectory may be in any order if ``trajectory`` is
        given.
    trajectory : str, optional
        The column that says to which trajectory a row belongs, by numbers or texts. If left out, a new trajectory
        begins wherever time goes back.

    Returns
    -------
    TrajectoryTable
        The trajectories, and the names of their variables.

    Raises
    ------
    InputError
        For columns that are not there, no column besides, values that are no finite numbers, and fewer than 12 times.

    Examples
    --------
    >>> import pandas as pd
    >>> times = np.tile(np.arange(12.0), 2)
    >>> read_trajectories(pd.DataFrame({"t": times, "height": np.sin(times)}), time="t")
    TrajectoryTable(2 trajectories of height)
    """
    where = str(source) if isinstance(source, str | Path) else type(source).__name__
    table = read_probe_table(source, target=[] if trajectory is None else [trajectory])
    (column,) = safe_names([time])
    if column not in table.inputs:
        raise InputError(
            "no such column", where=f"{where}, --time", expected=f"one of {', '.join(table.inputs)}", got=time
        )
    names = tuple(name for name in table.inputs if name != column)
    if not names:
        raise InputError("no variable", where=where, expected="a column besides the times", got=column)
    times = table.x[:, table.inputs.index(column)]
    values = np.delete(table.x, table.inputs.index(column), axis=1)
    assumed = []
    if table.y is not None:
        _, first, of = np.unique(table.y[:, 0], return_index=True, return_inverse=True)
        runs = [np.flatnonzero(of == number) for number in np.argsort(first)]
        runs = [rows[np.argsort(times[rows], kind="stable")] for rows in runs]
    else:
        starts = np.flatnonzero(np.diff(times) < 0) + 1
        runs = np.split(np.arange(len(times)), starts)
        if len(runs) > 1:
            assumed.append(f"a new trajectory begins wherever {time} goes back: {len(runs)} in all")
    return TrajectoryTable(tuple(_checked(runs, times, values, where)), names, tuple(assumed))


def _checked(
    runs: list[np.ndarray],
    times: Float64[np.ndarray, "rows"],
    values: Float64[np.ndarray, "rows variables"],
    where: str,
) -> Iterator[Trajectory]:
    for number, rows in enumerate(runs, 1):
        try:
            yield Trajectory(times[rows], values[rows])
        except InputError as error:
            raise InputError(f"trajectory {number}: {error}", where=where) from error
