"""A table of rows to ask a trained network about, with their targets."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from ..._errors import TaskError
from ...checkpoints._units_in_names import split_unit
from ...showing import Shown
from ._cell_faults import categories_of, cell_faults
from ._faults import TableError
from ._prepare import read_columns
from ._said_units import names_without_units, said_units
from ._table_columns import choose_columns, distinct_labels, error_columns, named
from ._transforms import as_numbers, encoded, imputed, whole_rows
from ._value_faults import error_faults
from .cells._column_reading import ColumnReading, read_plainly
from .column_names import safe_names
from .files._raw_table import Columns
from .files._read_table import read_table
from .table_options import NAMES, TableOptions

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ProbeTable(Shown):
    """Rows to ask a trained network about. Unlike rows to learn from, they may be few, and a column may be constant.

    Attributes
    ----------
    x : array of float, shape (rows, inputs)
        Inputs in the table's units.
    y : array of float, shape (rows, targets), or None
        Targets; None where none were named. One column of texts becomes the numbers of ``classes``.
    inputs : tuple of str
        Names of the inputs, which can stand in a formula.
    outputs : tuple of str
        Names of the targets likewise.
    classes : tuple of str
        What the numbers in y's only column stand for, in alphabetical order; empty where targets are numbers.
    groups : tuple of str
        The label of each row's group; empty where no column of groups was named.
    sigma : array of float, shape (rows, targets), or None
        The standard error of each target; None where none are stated.
    units : mapping of str to str
        The unit of each input and target that has one, by its name.
    notes : tuple of str
        What was done to rows and columns, a sentence each.
    labels : tuple of str
        What the table calls the inputs.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": [0.0, 1.0], "kind": ["dog", "cat"]})
    >>> table = read_probe_table(frame, target="kind")
    >>> table.classes, table.y.tolist()
    (('cat', 'dog'), [[1.0], [0.0]])
    """

    x: Float64[np.ndarray, "rows inputs"]
    y: Float64[np.ndarray, "rows targets"] | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sigma: Float64[np.ndarray, "rows targets"] | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def read_probe_table(
    source: "str | Path | pd.DataFrame",
    *,
    target: str | Sequence[str] = (),
    groups: str | None = None,
    table: Mapping[str, Any] | None = None,
) -> ProbeTable:
    """Read a table of rows to ask a trained network about.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        A file that `table_task` reads, or a DataFrame.
    target : str or sequence of str
        The columns that the network should give; all others are its inputs, in the table's order. Without any, all
        columns are inputs.
    groups : str, optional
        A column of texts or numbers that says which group a row belongs to, and is no input.
    table : mapping of str to object, optional
        How the table is read: what `table_task` takes besides, by name, such as ``{"drop_missing": True}``.

    Returns
    -------
    ProbeTable
        The rows, in their order.

    Raises
    ------
    TaskError
        With file, column and row: a file that cannot be read, names missing, duplicated or absent, and values that are
        missing, infinite or no numbers. Only a single target may hold texts.

    Examples
    --------
    >>> import pandas as pd
    >>> table = read_probe_table(pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 1.0], "y": [2.0, 3.0]}), target="y")
    >>> table.inputs, table.x.shape, table.y.shape
    (('a', 'b'), (2, 2), (2, 1))
    """
    where = str(source) if isinstance(source, str | Path) else type(source).__name__
    said = dict(table or {})
    chosen, stated = said.pop("inputs", None), said.pop("sigma", ())
    options = TableOptions(**said)
    raw = read_table(source, options.encoding)
    labels, faults = distinct_labels([label for label, _ in raw.columns], where)
    raw = replace(raw, columns=[(label, values) for label, (_, values) in zip(labels, raw.columns, strict=True)])
    wanted = (target,) if isinstance(target, str) else tuple(target)
    grouping = () if groups is None else (named(groups, labels, "groups", where),)
    errors = error_columns(labels, (stated,) if isinstance(stated, str) else tuple(stated), wanted, where)
    features, targets = choose_columns(labels, wanted, chosen, where, options.skip, errors, apart=grouping)
    if not raw.rows:
        raise TaskError("a table without rows", where=where, hint="give the network at least one row")
    cells = dict(raw.columns)
    classes = _texts([(label, cells[label]) for label in targets], raw.decimal_commas)
    numeric = (*features, *errors) if classes else (*features, *targets, *errors)
    found, notes = read_columns(raw, numeric, options)
    for note in notes:
        _log.info("%s: %s", where, note)
    known = [fault for label, fault in faults.items() if label in (*numeric, *targets, *grouping)]
    wrong = [*known, *raw.faults, *cell_faults(found, (*targets, *errors), options, least_rows=1)]
    if wrong:
        raise TableError(wrong, where, by_words=table is not None)
    dated, days = as_numbers(found, options)
    filled, fillings = imputed(dated, features, options)
    others = (*grouping, *(targets if classes else ()))
    kept, dropped = whole_rows(filled | {label: _as_texts(cells[label]) for label in others}, options, leave=False)
    inputs, kinds = encoded([(label, kept[label]) for label in features])
    if wrong := error_faults([(label, kept[label].numbers) for label in errors]):
        raise TableError(wrong, where, by_words=table is not None)
    done = tuple(sentence for each in (days, fillings, dropped, kinds) for sentence in each)
    for sentence in done:
        _log.info("%s: %s", where, sentence)
    ends = [label for label, _ in inputs]
    names = safe_names(names_without_units([*ends, *targets]) if options.units == NAMES else (*ends, *targets))
    units = said_units(raw, found, options, where)
    return ProbeTable(
        x=np.stack([values for _, values in inputs], axis=1),
        y=_targets([kept[label] for label in targets], classes),
        inputs=names[: len(inputs)],
        outputs=names[len(inputs) :],
        classes=classes,
        groups=tuple(str(value).strip() for label in grouping for value in kept[label].cells),
        sigma=np.stack([kept[label].numbers for label in errors], axis=1) if errors else None,
        units={
            name: unit
            for name, label in zip(names, (*ends, *targets), strict=True)
            if (unit := units.get(label) or split_unit(label)[1])
        },
        notes=done,
        labels=tuple(ends),
    )


def _targets(columns: Sequence[ColumnReading], classes: Sequence[str]) -> Float64[np.ndarray, "rows targets"] | None:
    """The numbers of the targets, or the number of each row's class; None where there are no targets."""
    if classes:
        places = {name: float(number) for number, name in enumerate(classes)}
        return np.array([[places[str(value).strip()]] for value in columns[0].cells])
    return np.stack([column.numbers for column in columns], axis=1) if columns else None


def _as_texts(cells: np.ndarray) -> ColumnReading:
    """A column of labels, none of which is missing."""
    whole = np.zeros(len(cells), dtype=bool)
    return ColumnReading(cells, whole, np.zeros(len(cells)), whole)


def _texts(found: Columns, decimal_commas: bool) -> tuple[str, ...]:
    """The different texts of a single column that holds nothing but texts; empty for any other columns."""
    if len(found) != 1 or not all(isinstance(value, str) for value in found[0][1]):
        return ()
    column = read_plainly(found[0][1], (), decimal_commas)
    return categories_of(column) if column.strange.all() else ()
