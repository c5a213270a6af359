"""The units of columns, as cells, names and the caller say."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ...checkpoints._units_in_names import split_unit
from ._cell_faults import Readings
from ._table_columns import named
from .files._raw_table import RawTable
from .table_options import NAMES, TableOptions


def said_units(raw: RawTable, readings: Readings, options: TableOptions, where: str) -> dict[str, str]:
    """The unit of each label that has one; the caller has the last word, then cells and a row of units, then names.

    Parameters
    ----------
    raw : RawTable
        The table, its labels all different.
    readings : mapping of str to ColumnReading
        The columns that are used, as they stand in the file.
    options : TableOptions
        ``units`` is what the caller says, ``dates`` the unit of those columns that hold dates.
    where : str
        What messages call the table.

    Returns
    -------
    dict of str to str
        Label -> unit.

    Raises
    ------
    TaskError
        The caller names a column that is not there.
    """
    labels = [label for label, _ in raw.columns]
    units = {label: unit for label in labels if (unit := _in_name(label))} if options.units == NAMES else {}
    units |= {raw.columns[at][0]: unit for at, unit in raw.units.items()}
    units |= {label: column.unit for label, column in readings.items() if column.unit}
    units |= {label: options.dates or "" for label, column in readings.items() if column.dates is not None}
    if isinstance(options.units, Mapping):
        units |= {named(name, labels, "measured", where): unit for name, unit in options.units.items()}
    return units


def _in_name(label: str) -> str:
    return split_unit(label, any_unit=True)[1]


def names_without_units(labels: Sequence[str]) -> list[str]:
    """Names without the units behind them, where they still differ.

    Parameters
    ----------
    labels : sequence of str
        What the columns are called.

    Returns
    -------
    list of str
        One name for each label.

    Examples
    --------
    >>> names_without_units(["v [m/s]", "T [K]", "T (C)"])
    ['v', 'T [K]', 'T (C)']
    """
    short = [split_unit(label, any_unit=True)[0] for label in labels]
    times = Counter(short)
    return [one if times[one] == 1 else label for one, label in zip(short, labels, strict=True)]
