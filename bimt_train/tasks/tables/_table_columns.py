"""The columns of a table that somebody chose, as finite numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from ..._errors import TaskError, did_you_mean
from ._read_table import Columns

MISSING = "drop these rows, or fill them in (impute) first"
SHOWN = 5


def check_names(labels: Sequence[str], where: str) -> None:
    """Refuse names that are missing, numbers or duplicated.

    Parameters
    ----------
    labels : sequence of str
        The row of names.
    where : str
        What messages call the table.

    Raises
    ------
    TaskError
        The first name that cannot be used.
    """
    if not labels:
        raise TaskError("a table without columns", where=where)
    for at, label in enumerate(labels):
        if not label.strip():
            hint = "name it, or write the table without its index column"
            raise TaskError("a column without a name", where=f"{where}, column {at + 1}", hint=hint)
    if all(_is_number(label) for label in labels):
        got = ", ".join(labels[:SHOWN])
        raise TaskError("numbers where names belong", where=f"{where}, first row", got=got, hint="add a row of names")
    for label in labels:
        places = [str(at + 1) for at, other in enumerate(labels) if other == label]
        if len(places) > 1:
            got = f"columns {' and '.join(places)}"
            raise TaskError("a duplicated column name", where=f"{where}, {label!r}", got=got, hint="rename one of them")


def choose_columns(
    labels: Sequence[str], targets: Sequence[str], inputs: Sequence[str] | None, where: str
) -> tuple[str, ...]:
    """The labels of the inputs, once all names are known to be there and each has one part to play.

    Parameters
    ----------
    labels : sequence of str
        The table's columns.
    targets : sequence of str
        The columns to predict.
    inputs : sequence of str or None
        The columns to predict from; None takes all others.
    where : str
        What messages call the table.

    Returns
    -------
    tuple of str
        The labels of the inputs.

    Raises
    ------
    TaskError
        A name is not there, is given twice, or is both; or nothing is left.
    """
    if not targets:
        raise TaskError(
            "no target named", where=where, got=f"columns {', '.join(labels)}", hint="name one: --target NAME"
        )
    for role, wanted in (("target", targets), ("input", inputs or ())):
        for label in wanted:
            if label not in labels:
                hint = did_you_mean(repr(label), map(repr, labels))  # a label may have spaces
                expected = "one of " + ", ".join(map(repr, labels))
                raise TaskError(f"no such {role} column", where=where, expected=expected, got=repr(label), hint=hint)
            if list(wanted).count(label) > 1:
                raise TaskError(f"a column is named twice as {role}", where=f"{where}, column {label!r}")
    both = [label for label in targets if label in (inputs or ())]
    if both:
        raise TaskError(
            "a column is both input and target", where=f"{where}, column {both[0]!r}", hint="leave it out of one"
        )
    features = tuple(label for label in labels if label not in targets) if inputs is None else tuple(inputs)
    if not features:
        raise TaskError("no column is left to learn from", where=where, hint="name fewer targets, or add inputs")
    return features


def numbers_of(columns: Columns, where: str) -> Float64[np.ndarray, "rows columns"]:
    """The columns as one array of finite numbers.

    Parameters
    ----------
    columns : list of (str, array)
        Labels and values.
    where : str
        What messages call the table.

    Returns
    -------
    array of float, shape (rows, columns)
        The numbers; true and false are 1 and 0.

    Raises
    ------
    TaskError
        A value is missing, infinite or no number; column and row are named.
    """
    read = [_read(values) for _, values in columns]
    labels = [label for label, _ in columns]
    texts = [
        (label, values[bad], bad) for (label, values), (_, bad) in zip(columns, read, strict=True) if bad is not None
    ]
    if texts:
        got = listed([f"{label!r} (row {bad + 1}: {str(value)[:30]!r})" for label, value, bad in texts])
        hint = "drop these columns, choose others as inputs, or encode them as numbers"
        raise TaskError("values that are no numbers", where=where, got=f"column {got}", hint=hint)
    table = np.stack([numbers for numbers, _ in read], axis=1)
    _refuse_where(np.isnan, table, labels, "missing values", where, MISSING)
    _refuse_where(np.isinf, table, labels, "infinite values", where, "drop these rows, or put a finite number there")
    return table


def _refuse_where(
    test: Callable[[Any], Any],
    table: Float64[np.ndarray, "rows columns"],
    labels: Sequence[str],
    what: str,
    where: str,
    hint: str,
) -> None:
    found = test(table)
    bad = [(label, np.flatnonzero(hit)) for label, hit in zip(labels, found.T, strict=True) if hit.any()]
    if bad:
        got = listed([f"{label!r} ({len(hits)}, first in row {hits[0] + 1})" for label, hits in bad])
        raise TaskError(what, where=where, got=f"column {got}", hint=hint)


def _read(values: np.ndarray) -> tuple[Float64[np.ndarray, " rows"], int | None]:
    """The numbers, nan where a value is missing, and the first row that holds something else."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64), None
    numbers = np.full(len(values), np.nan)
    words = {"true": 1.0, "false": 0.0}
    for row, value in enumerate(values):
        if pd.isna(value) or (isinstance(value, str) and not value.strip()):
            continue
        if isinstance(value, np.datetime64 | np.timedelta64 | complex):
            return numbers, row
        try:
            word = value.strip().lower() if isinstance(value, str) else ""
            numbers[row] = words[word] if word in words else float(value)
        except (TypeError, ValueError):
            return numbers, row
    return numbers, None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def listed(pieces: Sequence[str]) -> str:
    """The first few of many, and how many more there are.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(pieces) - SHOWN} more" if len(pieces) > SHOWN else ""
    return ", ".join(pieces[:SHOWN]) + more
