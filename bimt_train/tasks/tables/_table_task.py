"""A table with named columns as a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from ..._errors import TaskError
from ...checkpoints._task_spec import TaskSpec
from .._task import Dataset, Task, mlp
from ._column_names import safe_names
from ._read_table import read_table
from ._table_columns import check_names, choose_columns, listed, numbers_of

LEAST_ROWS = 10
TEST_SHARE = 0.2
HIDDEN = (20, 20, 20)


@dataclass(frozen=True, eq=False)
class TableSampler:
    """The rows of a table, a fifth of them set aside for testing, by the seed.

    Seed s tests on the first round(rows / 5) rows of ``np.random.default_rng(s).permutation(rows)``.

    Attributes
    ----------
    x : array of float, [rows, inputs]
        Inputs, in the table's units.
    y : array of float, [rows, outputs]
        Outputs, in the table's units.
    """

    x: Float64[np.ndarray, "rows inputs"]
    y: Float64[np.ndarray, "rows outputs"]

    def __call__(self, seed: int) -> Dataset:
        order = np.random.default_rng(seed).permutation(len(self.x))
        test, train = np.split(order, [round(TEST_SHARE * len(order))])
        return Dataset(self.x[train], self.y[train], self.x[test], self.y[test])


def table_task(
    source: str | Path | pd.DataFrame,
    *,
    target: str | Sequence[str],
    inputs: Sequence[str] | None = None,
    widths: Sequence[int] | None = None,
    name: str | None = None,
) -> Task:
    """Some columns of a table, learned from others.

    Columns get names that can stand in a formula ("mass (kg)" becomes mass_kg); the spec keeps the labels. The network
    sees each input's range mapped on [-1, 1] and gives standardised outputs. Ranges and deviations are measured on the
    whole table, so that the units are the same for every seed. No decomposition is known.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        A CSV file (UTF-8, a row of names first; separated by comma, semicolon or tab), a Parquet file, a NumPy file
        (.npz with one array a column, .npy with a structured array) or a DataFrame. True and false count as 1 and 0.
    target : str or sequence of str
        The columns to predict.
    inputs : sequence of str or None
        The columns to predict from; None takes all others.
    widths : sequence of int or None
        Neurons of each layer, inputs and outputs included; None takes three hidden layers of 20.
    name : str or None
        Name of the task; None takes the file's name without its suffix.

    Returns
    -------
    Task
        The task; a fifth of the rows is set aside for testing, by the seed.

    Raises
    ------
    TaskError
        With file, column and row, for: a file that cannot be read; names missing or duplicated; a target that is
        absent, or an input too; fewer than 10 rows; values missing, infinite or no numbers; constant columns; an input
        that is a copy of a target.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"mass (kg)": range(10), "force (N)": [2.0 * k for k in range(9)] + [17.0]})
    >>> task = table_task(frame, target="force (N)")
    >>> task.spec.inputs, len(task.data(0).x_test)
    (('mass_kg',), 2)
    """
    where = source.__class__.__name__ if isinstance(source, pd.DataFrame) else str(source)
    columns = read_table(source)
    check_names([label for label, _ in columns], where)
    targets = (target,) if isinstance(target, str) else tuple(target)
    features = choose_columns([label for label, _ in columns], targets, inputs, where)
    chosen = dict(columns)
    labels = (*features, *targets)
    rows = len(columns[0][1])
    if rows < LEAST_ROWS:
        raise TaskError("too few rows", where=where, expected=f"at least {LEAST_ROWS}", got=str(rows))
    table = numbers_of([(label, chosen[label]) for label in labels], where)
    constant = [label for label, values in zip(labels, table.T, strict=True) if (values == values[0]).all()]
    if constant:
        got = listed([f"{label!r} (always {table[0, labels.index(label)]:g})" for label in constant])
        hint = "drop it: there is nothing to learn from it"
        raise TaskError("a constant column", where=where, got=f"column {got}", hint=hint)
    x, y = table[:, : len(features)], table[:, len(features) :]
    for at, label in enumerate(targets):
        for feature, values in zip(features, x.T, strict=True):
            if np.array_equal(values, y[:, at]):
                place = f"{where}, columns {label!r} and {feature!r}"
                hint = f"leave {feature!r} out of the inputs"
                raise TaskError("an input that is a copy of the target", where=place, hint=hint)
    title = name or ("table" if isinstance(source, pd.DataFrame) else Path(source).stem)
    spec = _spec(title, features, targets, x, y)
    network = (len(features), *HIDDEN, len(targets)) if widths is None else tuple(widths)
    return Task(spec, mlp(network), TableSampler(x, y))


def _spec(
    name: str,
    features: Sequence[str],
    targets: Sequence[str],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows outputs"],
) -> TaskSpec:
    low, high = x.min(axis=0), x.max(axis=0)
    names = safe_names((*features, *targets))
    inputs, outputs = names[: len(features)], names[len(features) :]
    with np.errstate(over="ignore"):  # the spec refuses scales that are not finite
        return TaskSpec(
            name,
            inputs,
            outputs,
            tuple(zip(low.tolist(), high.tolist(), strict=True)),
            input_shift=tuple(((high + low) / 2).tolist()),
            input_scale=tuple(((high - low) / 2).tolist()),
            output_shift=tuple(y.mean(axis=0).tolist()),
            output_scale=tuple(y.std(axis=0).tolist()),
            input_labels=None if inputs == tuple(features) else tuple(features),
            output_labels=None if outputs == tuple(targets) else tuple(targets),
        )
