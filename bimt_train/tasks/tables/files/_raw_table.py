"""A table as its file has it: labels, columns, units of a row below the names, and what was said about reading it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ....checkpoints._units_in_names import is_unit
from .._faults import Fault, clipped

COMMENTS = ("#", "%")
"""How a line begins that is no row."""

# (label, values): one-dimensional arrays of one length, of whatever kind the file holds.
Columns: TypeAlias = list[tuple[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class RawTable:
    """Columns that nobody has judged yet.

    Attributes
    ----------
    columns : list of (str, array)
        Label and values of each column, in order, duplicated labels and all.
    units : mapping of int to str
        The unit of each column that a row of units gives one, by the column's number.
    notes : tuple of str
        What was inferred about the file, a clause each.
    faults : tuple of Fault
        What is wrong with the file, though columns could be read.
    decimal_commas : bool
        Whether 1,5 is a number whatever stands in other cells, as where semicolons separate the columns.
    """

    columns: Columns
    units: dict[int, str]
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    decimal_commas: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0][1]) if self.columns else 0


def tidied(found: RawTable) -> RawTable:
    """The table without a row of units and without empty columns that have no name.

    Parameters
    ----------
    found : RawTable
        What stands in a file of texts, or in a sheet.

    Returns
    -------
    RawTable
        The table, with the units and the notes.
    """
    columns, notes = found.columns, list(found.notes)
    kept = [(label, values) for label, values in columns if label.strip() or not all(map(is_missing, values))]
    if kept and len(kept) < len(columns):
        count = len(columns) - len(kept)
        notes.append(f"{count} empty {'column' if count == 1 else 'columns'} without a name left out")
        columns = kept
    units = _units_row([values for _, values in columns])
    if units:
        told = ", ".join(f"{clipped(columns[at][0])} in {unit}" for at, unit in list(units.items())[:4])
        notes.append(f"the first row holds units: {told}{', ...' * (len(units) > 4)}")
        columns = [(label, values[1:]) for label, values in columns]
    return replace(found, columns=columns, units=units, notes=tuple(notes))


def _units_row(columns: Sequence[np.ndarray]) -> dict[int, str]:
    """The units in the first cells, where every one of them is a unit or nothing, and numbers follow."""
    found: dict[int, str] = {}
    for at, values in enumerate(columns):
        if len(values) < 2:
            return {}
        first = "" if is_missing(values[0]) else str(values[0]).strip()
        bare = first.removeprefix("[").removesuffix("]").strip()
        bracketed = first != bare and first[:1] == "[" and first[-1:] == "]" and bare != ""
        if first.startswith("(") and first.endswith(")"):
            bare = first[1:-1].strip()
        if first in ("", "-", "--", "[]", "[-]"):
            continue
        if _is_number(first) or not (bracketed or is_unit(bare)) or not _begins_with_number(values[1:]):
            return {}
        found[at] = bare
    return found


def _begins_with_number(values: np.ndarray) -> bool:
    """Whether the first cell that holds anything begins as a number does."""
    first = next((str(value).strip() for value in values if not is_missing(value)), "")
    return first.lstrip("+-−.,$€£ ")[:1].isdigit() or first.lower() in ("inf", "-inf", "nan", "?", "-")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing.

    Parameters
    ----------
    value : object
        The cell.

    Returns
    -------
    bool
        Whether it is missing, or blank.
    """
    if isinstance(value, str):
        return not value.strip()
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))
