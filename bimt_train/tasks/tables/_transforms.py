"""What is done to columns on request: dates become numbers, gaps are filled, rows leave, texts become columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from ._cell_faults import LEAST_ROWS, Readings, categories_of
from ._faults import clipped, listed
from .cells._column_reading import ColumnReading
from .files._raw_table import Columns
from .table_options import DATES, TableOptions

Done = list[str]
"""Sentences of what was done."""


def as_numbers(readings: Readings, options: TableOptions) -> tuple[dict[str, ColumnReading], Done]:
    """Dates as the time since the first of them, where that is asked for.

    Parameters
    ----------
    readings : mapping of str to ColumnReading
        The columns.
    options : TableOptions
        ``dates`` is the unit.

    Returns
    -------
    readings : dict of str to ColumnReading
        The columns; the numbers of a missing date are nan.
    done : list of str
        A sentence each column.
    """
    found, done = dict(readings), []
    for label, column in readings.items():
        if column.dates is None or options.dates is None or np.isnat(column.dates).all():
            continue
        first = column.dates[~np.isnat(column.dates)].min()
        days = (column.dates - first) / np.timedelta64(1, "D")
        numbers = np.asarray(days, dtype=np.float64) / DATES[options.dates]
        found[label] = replace(column, numbers=numbers, dates=None)
        done.append(f"{clipped(label)!r} is in {options.dates} since {str(first).removesuffix('T00:00:00.000000000')}")
    return found, done


def imputed(
    readings: Mapping[str, ColumnReading], features: Sequence[str], options: TableOptions
) -> tuple[dict[str, ColumnReading], Done]:
    """Inputs with their gaps filled, where that is asked for.

    Parameters
    ----------
    readings : mapping of str to ColumnReading
        The columns.
    features : sequence of str
        The inputs among them.
    options : TableOptions
        ``impute`` says how.

    Returns
    -------
    readings : dict of str to ColumnReading
        The columns.
    done : list of str
        A sentence each column that had gaps.
    """
    found, done = dict(readings), []
    for label in features if options.impute else ():
        column = readings[label]
        finite = np.isfinite(column.numbers)
        if column.strange.any() or column.dates is not None or finite.all() or not finite.any():
            continue
        known = column.numbers[finite]
        middle = float(np.median(known) if options.impute == "median" else np.mean(known))
        numbers = np.where(finite, column.numbers, middle)
        found[label] = replace(column, numbers=numbers, absent=np.zeros(len(numbers), dtype=bool))
        count = int((~finite).sum())
        gaps = "1 missing value" if count == 1 else f"{count} missing values"
        done.append(f"{gaps} of {clipped(label)!r} put at the {options.impute}, {middle:.6g}")
    return found, done


def whole_rows(
    readings: Mapping[str, ColumnReading], options: TableOptions, *, leave: bool
) -> tuple[dict[str, ColumnReading], Done]:
    """The rows in which no column lacks a value.

    Parameters
    ----------
    readings : mapping of str to ColumnReading
        The columns.
    options : TableOptions
        ``drop_missing`` says whether others leave.
    leave : bool
        Whether they leave anyhow where enough rows are left, as for columns of numbers that have other faults.

    Returns
    -------
    readings : dict of str to ColumnReading
        The columns.
    done : list of str
        A sentence, where rows leave.
    """
    bad = {label: column.lacking for label, column in readings.items() if not column.lacking.all()}
    whole = ~np.any(list(bad.values()), axis=0) if bad else np.ones(0, dtype=bool)
    if whole.all() or not (options.drop_missing or (leave and whole.sum() >= LEAST_ROWS)):
        return dict(readings), []
    found = {label: column.rows(whole) for label, column in readings.items()}
    return found, [f"{(~whole).sum()} of {len(whole)} rows left out: a value is missing or not finite"]


def encoded(columns: Sequence[tuple[str, ColumnReading]]) -> tuple[Columns, Done]:
    """Columns of texts as one column a category, 1 where a row has it and else 0; all others as their numbers.

    Parameters
    ----------
    columns : sequence of (str, ColumnReading)
        Labels and columns.

    Returns
    -------
    columns : list of (str, array)
        Labels and numbers.
    done : list of str
        A sentence each column of texts.
    """
    found: Columns = []
    done = []
    for label, column in columns:
        if not column.holds_texts:
            found.append((label, column.numbers))
            continue
        categories = categories_of(column)
        found += [(f"{label}={name}", one) for name, one in zip(categories, _one_hot(column).T, strict=True)]
        done.append(
            f"{clipped(label)!r} is {len(categories)} columns, 1 or 0: {listed(list(map(clipped, categories)))}"
        )
    return found, done


def classes_of(columns: Sequence[tuple[str, ColumnReading]]) -> tuple[Columns, Done]:
    """The targets: numbers, or the classes of a single column of texts.

    Parameters
    ----------
    columns : sequence of (str, ColumnReading)
        Labels and columns.

    Returns
    -------
    columns : list of (str, array)
        Labels and numbers; one column a class, 1 where a row is of it.
    done : list of str
        A sentence, where they are classes.
    """
    label, column = columns[0]
    if len(columns) > 1 or not column.holds_texts:
        return [(label, column.numbers) for label, column in columns], []
    classes = categories_of(column)
    said = f"{clipped(label)!r} gives {len(classes)} classes: {listed(list(map(clipped, classes)))}"
    return list(zip(classes, _one_hot(column).T, strict=True)), [said]


def _one_hot(column: ColumnReading) -> Float64[np.ndarray, "rows categories"]:
    names = categories_of(column)
    return np.array([[float(text == name) for name in names] for text in column.texts])
