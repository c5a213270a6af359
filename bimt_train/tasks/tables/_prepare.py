"""From the columns of a file to the numbers that a network learns from, as the options say, or all faults at once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from ._cell_faults import LEAST_ROWS, categories_of, cell_faults
from ._faults import Fault, TableError, clipped, listed
from ._said_units import said_units
from ._transforms import as_numbers, classes_of, encoded, imputed, whole_rows
from ._value_faults import error_faults, value_faults
from .cells._column_reading import ColumnReading, read_column
from .cells._number_texts import Decimal, readings
from .files._raw_table import Columns, RawTable
from .table_options import TableOptions

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Columns of finite numbers, inputs first.

    Attributes
    ----------
    inputs : list of (str, array)
        Label and numbers of each input.
    outputs : list of (str, array)
        Label and numbers of each target.
    units : dict of str to str
        The unit of each label that has one.
    done : tuple of str
        What was done to rows and columns, a sentence each.
    classes : bool
        Whether the outputs are the classes of one column of texts.
    errors : list of (str, array)
        Label and numbers of the standard error of each target; empty where none are stated.
    """

    inputs: Columns
    outputs: Columns
    units: dict[str, str]
    done: tuple[str, ...]
    classes: bool = False
    errors: Columns = field(default_factory=list)


def read_columns(
    raw: RawTable, labels: Sequence[str], options: TableOptions
) -> tuple[dict[str, ColumnReading], tuple[str, ...]]:
    """The columns that are used, read as numbers where they are any, and how that was done.

    Where a column alone does not tell decimal marks from thousands separators, the others do, if they agree.

    Parameters
    ----------
    raw : RawTable
        The table, its labels all different.
    labels : sequence of str
        The columns to read.
    options : TableOptions
        What is known of them.

    Returns
    -------
    readings : dict of str to ColumnReading
        The columns.
    notes : tuple of str
        What was inferred of the file, and of how numbers are written, a clause each.
    """
    cells = dict(raw.columns)
    known = cast("Decimal | None", options.decimal)
    found = {
        label: read_column(
            cells[label], missing=options.missing, decimal=known, decimal_commas=raw.decimal_commas and known is None
        )
        for label in labels
    }
    if any(column.decimals for column in found.values()):
        marks = {mark for column in found.values() for mark in _mark(column)}
        if len(marks) == 1:
            (mark,) = marks
            found = {k: column.with_decimal(mark) if mark in column.decimals else column for k, column in found.items()}
    notes: dict[str, list[str]] = {}
    for label, column in found.items():
        for note in column.notes:
            notes.setdefault(note, []).append(repr(clipped(label)))
    return found, (*raw.notes, *(f"{note} in {listed(names)}" for note, names in notes.items()))


def _mark(column: ColumnReading) -> tuple[Decimal, ...]:
    """The decimal mark that a column has for certain."""
    if column.decimals or column.dates is not None or column.strange.any():
        return ()
    texts = [text for text in column.texts if "." in text or "," in text]
    found = readings(texts)
    return found if len(found) == 1 else ()


def prepare(
    raw: RawTable,
    features: Sequence[str],
    targets: Sequence[str],
    options: TableOptions,
    where: str,
    faults: Sequence[Fault] = (),
    errors: Sequence[str] = (),
) -> Prepared:
    """Inputs and targets as finite numbers.

    Parameters
    ----------
    raw : RawTable
        The table, its labels all different.
    features : sequence of str
        The columns to learn from.
    targets : sequence of str
        The columns to predict.
    options : TableOptions
        What is done about missing cells, texts and dates.
    where : str
        What messages call the table.
    faults : sequence of Fault
        What is known to be wrong.
    errors : sequence of str
        The columns that hold the standard errors of the targets.

    Returns
    -------
    Prepared
        The columns.

    Raises
    ------
    TableError
        Something is wrong, with all of it.
    """
    found, notes = read_columns(raw, (*features, *targets, *errors), options)
    for note in notes:
        _log.info("%s: %s", where, note)
    wrong = [*faults, *raw.faults]
    if raw.rows < LEAST_ROWS:
        wrong.append(Fault("too few rows", (), f"at least {LEAST_ROWS}", str(raw.rows), advice="add rows"))
    wrong += cell_faults(found, (*targets, *errors), options) if raw.rows else []
    dated, days = as_numbers(found, replace(options, dates=options.dates or "days") if wrong else options)
    filled, fillings = imputed(dated, features, options)
    kept, dropped = whole_rows(filled, options, leave=bool(wrong))
    if wrong:
        numbers = {label: one.numbers for label, one in kept.items() if not one.strange.any()}
        ends = [[(label, numbers[label]) for label in end if label in numbers] for end in (features, targets)]
        stated = [(label, numbers[label]) for label in errors if label in numbers]
        raise TableError(_typed([*wrong, *value_faults(*ends), *error_faults(stated)], features), where)
    inputs, names = encoded([(label, kept[label]) for label in features])
    outputs, classes = classes_of([(label, kept[label]) for label in targets])
    owners = [label for label in features for _ in (categories_of(kept[label]) if kept[label].holds_texts else [label])]
    stated = [(label, kept[label].numbers) for label in errors]
    owned = [(owner, values) for owner, (_, values) in zip(owners, inputs, strict=True)]
    if wrong := [*value_faults(owned, outputs), *error_faults(stated)]:
        raise TableError(_typed(wrong, features), where)
    done = tuple(sentence for each in (days, fillings, dropped, names, classes) for sentence in each)
    for sentence in done:
        _log.info("%s: %s", where, sentence)
    return Prepared(inputs, outputs, said_units(raw, found, options, where), done, bool(classes), stated)


def _typed(faults: Sequence[Fault], features: Sequence[str]) -> list[Fault]:
    """The faults, without the advice to skip columns where that would leave none to learn from."""
    left_out = TableError(faults, "").asked.get("--skip", [])
    if not set(left_out) >= set(features):
        return list(faults)
    return [replace(each, mends=tuple(mend for mend in each.mends if "--skip" not in mend)) for each in faults]
