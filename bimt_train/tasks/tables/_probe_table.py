"""A table of rows to ask a trained network about, with their targets."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from ..._errors import TaskError
from ...showing import Shown
from ._cell_faults import categories_of, cell_faults
from ._column_names import safe_names
from ._faults import Fault, TableError
from ._prepare import read_columns
from ._table_columns import choose_columns, distinct_labels, named
from ._table_options import TableOptions
from .cells._column_reading import read_plainly
from .files._raw_table import Columns, RawTable
from .files._read_table import read_table

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


def read_probe_table(
    source: "str | Path | pd.DataFrame", *, target: str | Sequence[str] = (), groups: str | None = None
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
    raw = read_table(source)
    labels, faults = distinct_labels([label for label, _ in raw.columns], where)
    wrong = [*faults.values(), *raw.faults]
    raw = replace(raw, columns=[(label, values) for label, (_, values) in zip(labels, raw.columns, strict=True)])
    wanted = (target,) if isinstance(target, str) else tuple(target)
    grouping = None if groups is None else named(groups, labels, "groups", where)
    apart = () if grouping is None else (grouping,)
    features, targets = choose_columns(labels, wanted, None, where, apart) if wanted else (labels, ())
    features = tuple(label for label in features if label != grouping)
    if not raw.rows:
        raise TaskError("a table without rows", where=where, hint="give the network at least one row")
    chosen = dict(raw.columns)
    classes = _texts([(label, chosen[label]) for label in targets], raw.decimal_commas)
    numeric = features if classes else (*features, *targets)
    numbers = _numbers(raw, numeric, where, wrong)
    names = safe_names((*features, *targets))
    inputs, outputs = names[: len(features)], names[len(features) :]
    x = numbers[:, : len(features)]
    members = () if grouping is None else tuple(str(value).strip() for value in chosen[grouping])
    if not targets:
        return ProbeTable(x, None, inputs, outputs, groups=members)
    if classes:
        places = {name: number for number, name in enumerate(classes)}
        y = np.array([[float(places[str(value).strip()])] for value in chosen[targets[0]]])
        return ProbeTable(x, y, inputs, outputs, classes, members)
    return ProbeTable(x, numbers[:, len(features) :], inputs, outputs, groups=members)


def _numbers(
    raw: RawTable, labels: Sequence[str], where: str, wrong: Sequence[Fault]
) -> Float64[np.ndarray, "rows columns"]:
    """The columns as finite numbers, or all that is wrong with them."""
    found, notes = read_columns(raw, labels, TableOptions())
    for note in notes:
        _log.info("%s: %s", where, note)
    faults = [*wrong, *cell_faults(found, labels, TableOptions(), least_rows=1)]
    if faults:
        raise TableError(faults, where, by_words=False)
    return np.stack([found[label].numbers for label in labels], axis=1)


def _texts(found: Columns, decimal_commas: bool) -> tuple[str, ...]:
    """The different texts of a single column that holds nothing but texts; empty for any other columns."""
    if len(found) != 1 or not all(isinstance(value, str) for value in found[0][1]):
        return ()
    column = read_plainly(found[0][1], (), decimal_commas)
    return categories_of(column) if column.strange.all() else ()
