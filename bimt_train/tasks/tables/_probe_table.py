"""A table of rows to ask a trained network about, with their targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from ..._errors import TaskError
from ...showing import Shown
from ._column_names import safe_names
from ._read_table import Columns, read_table
from ._table_columns import check_names, choose_columns, numbers_of

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


def read_probe_table(source: "str | Path | pd.DataFrame", *, target: str | Sequence[str] = ()) -> ProbeTable:
    """Read a table of rows to ask a trained network about.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        A CSV, Parquet or NumPy file with named columns, or a DataFrame.
    target : str or sequence of str
        The columns that the network should give; all others are its inputs, in the table's order. Without any, all
        columns are inputs.

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
    columns = read_table(source)
    labels = [label for label, _ in columns]
    check_names(labels, where)
    targets = (target,) if isinstance(target, str) else tuple(target)
    features = choose_columns(labels, targets, None, where) if targets else tuple(labels)
    chosen = dict(columns)
    if not len(columns[0][1]):
        raise TaskError("a table without rows", where=where, hint="give the network at least one row")
    x = numbers_of([(label, chosen[label]) for label in features], where)
    names = safe_names((*features, *targets))
    inputs, outputs = names[: len(features)], names[len(features) :]
    if not targets:
        return ProbeTable(x, None, inputs, outputs)
    found = [(label, chosen[label]) for label in targets]
    classes = _texts(found)
    if classes:
        numbers = {name: number for number, name in enumerate(classes)}
        y = np.array([[float(numbers[str(value).strip()])] for value in found[0][1]])
        return ProbeTable(x, y, inputs, outputs, classes)
    return ProbeTable(x, numbers_of(found, where), inputs, outputs)


def _texts(found: Columns) -> tuple[str, ...]:
    """The different texts of a single column that holds nothing but texts; empty for any other columns."""
    if len(found) != 1:
        return ()
    values = found[0][1]
    texts = values.dtype.kind in "OU" and all(isinstance(value, str) and value.strip() for value in values)
    if not texts or any(_plain(value) for value in values):
        return ()
    return tuple(sorted({value.strip() for value in values}))


def _plain(text: str) -> bool:
    """Whether a text is a number or a truth value."""
    if text.strip().lower() in ("true", "false"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True
