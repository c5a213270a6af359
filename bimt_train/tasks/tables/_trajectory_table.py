"""Trajectories in a table: one row a time, one column a variable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import InputError
from ...showing import Shown
from ...trajectories import Trajectory
from ...trajectories.split import split_trajectories
from ._probe_table import read_probe_table
from ._table_columns import named

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
    time : str
        What the times are called.
    assumed : tuple of str
        What was inferred, a sentence each.
    notes : tuple of str
        What was done to rows and columns, a sentence each.
    units : mapping of str to str
        The unit of each variable that has one, and of the times by their name.

    Examples
    --------
    >>> times = np.arange(12.0)
    >>> TrajectoryTable((Trajectory(times, np.sin(times)[:, None]),), ("height",), "t")
    TrajectoryTable(1 trajectory of height)
    """

    trajectories: tuple[Trajectory, ...]
    names: tuple[str, ...]
    time: str
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def _brief(self) -> str:
        count = len(self.trajectories)
        return f"{count} trajector{'y' if count == 1 else 'ies'} of {', '.join(self.names)}"


def read_trajectories(
    source: "str | Path | pd.DataFrame",
    *,
    time: str,
    trajectory: str | None = None,
    table: Mapping[str, Any] | None = None,
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
    table : mapping of str to object, optional
        How the table is read: what `table_task` takes besides, by name. ``inputs`` are the variables.

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
    said = None if table is None else dict(table)
    if said and said.get("inputs"):
        said["inputs"] = [time, *said["inputs"]]
    read = read_probe_table(source, groups=trajectory, table=said)
    place = read.labels.index(named(time, read.labels, "time", where))
    column = read.inputs[place]
    names = tuple(name for name in read.inputs if name != column)
    if not names:
        raise InputError("no variable", where=where, expected="a column besides the times", got=column)
    times, values = np.ascontiguousarray(read.x[:, place]), np.delete(read.x, place, axis=1)
    runs = split_trajectories(times, values, read.groups or None, where=where)
    assumed: tuple[str, ...] = ()
    if not read.groups and len(runs) > 1:
        assumed = (f"a new trajectory begins wherever {time} goes back: {len(runs)} in all",)
    return TrajectoryTable(
        trajectories=runs,
        names=names,
        time=column,
        assumed=assumed,
        notes=read.notes,
        units=read.units,
    )
