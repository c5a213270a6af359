"""A table with named columns as a task."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from .._errors import TaskError
from ..checkpoints._task_spec import TaskSpec
from ._column_names import safe_names
from ._read_table import Columns, read_table
from ._task import Dataset, Task, mlp

LEAST_ROWS = 10
TEST_SHARE = 0.2
HIDDEN = (20, 20, 20)
MISSING = "drop these rows, or fill them in (impute) first"
SHOWN = 5


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
    _check_names([label for label, _ in columns], where)
    targets = (target,) if isinstance(target, str) else tuple(target)
    features = _choose([label for label, _ in columns], targets, inputs, where)
    chosen = dict(columns)
    labels = (*features, *targets)
    table = _numbers([(label, chosen[label]) for label in labels], where)
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


def _check_names(labels: Sequence[str], where: str) -> None:
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


def _choose(labels: Sequence[str], targets: Sequence[str], inputs: Sequence[str] | None, where: str) -> tuple[str, ...]:
    """The inputs' labels, once all names are known to be there and each has one part to play."""
    if not targets:
        raise TaskError(
            "no target named", where=where, got=f"columns {', '.join(labels)}", hint="name one: --target NAME"
        )
    for role, wanted in (("target", targets), ("input", inputs or ())):
        for label in wanted:
            if label not in labels:
                near = difflib.get_close_matches(label, labels, n=1)
                hint = f"did you mean {near[0]!r}?" if near else ""
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


def _numbers(columns: Columns, where: str) -> Float64[np.ndarray, "rows columns"]:
    """The columns as one array of finite numbers that vary."""
    rows = len(columns[0][1])
    if rows < LEAST_ROWS:
        raise TaskError("too few rows", where=where, expected=f"at least {LEAST_ROWS}", got=str(rows))
    read = [_read(values) for _, values in columns]
    labels = [label for label, _ in columns]
    texts = [
        (label, values[bad], bad) for (label, values), (_, bad) in zip(columns, read, strict=True) if bad is not None
    ]
    if texts:
        got = _listed([f"{label!r} (row {bad + 1}: {str(value)[:30]!r})" for label, value, bad in texts])
        hint = "drop these columns, choose others as inputs, or encode them as numbers"
        raise TaskError("values that are no numbers", where=where, got=f"column {got}", hint=hint)
    table = np.stack([numbers for numbers, _ in read], axis=1)
    _refuse_where(np.isnan, table, labels, "missing values", where, MISSING)
    _refuse_where(np.isinf, table, labels, "infinite values", where, "drop these rows, or put a finite number there")
    constant = [label for label, values in zip(labels, table.T, strict=True) if (values == values[0]).all()]
    if constant:
        got = _listed([f"{label!r} (always {table[0, labels.index(label)]:g})" for label in constant])
        hint = "drop it: there is nothing to learn from it"
        raise TaskError("a constant column", where=where, got=f"column {got}", hint=hint)
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
        got = _listed([f"{label!r} ({len(hits)}, first in row {hits[0] + 1})" for label, hits in bad])
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


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(pieces: Sequence[str]) -> str:
    more = f" and {len(pieces) - SHOWN} more" if len(pieces) > SHOWN else ""
    return ", ".join(pieces[:SHOWN]) + more
