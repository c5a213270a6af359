"""A table with named columns as a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from ..._errors import TaskError
from ...checkpoints._task_spec import TaskSpec
from .._task import Dataset, Task, mlp
from ._prepare import Prepared, prepare
from ._said_units import names_without_units
from ._table_columns import choose_columns, distinct_labels, error_columns
from .column_names import safe_names
from .files._read_table import read_table
from .table_options import NAMES, TableOptions

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
    sigma : array of float, [rows, outputs], or None
        The standard error of each output.
    """

    x: Float64[np.ndarray, "rows inputs"]
    y: Float64[np.ndarray, "rows outputs"]
    sigma: Float64[np.ndarray, "rows outputs"] | None = None

    def __call__(self, seed: int) -> Dataset:
        order = np.random.default_rng(seed).permutation(len(self.x))
        test, train = np.split(order, [round(TEST_SHARE * len(order))])
        errors = () if self.sigma is None else (self.sigma[train], self.sigma[test])
        return Dataset(self.x[train], self.y[train], self.x[test], self.y[test], *errors)


def table_task(
    source: str | Path | pd.DataFrame,
    *,
    target: str | Sequence[str],
    inputs: Sequence[str] | None = None,
    widths: Sequence[int] | None = None,
    name: str | None = None,
    skip: Sequence[str] = (),
    missing: Sequence[str] = (),
    drop_missing: bool = False,
    impute: str | None = None,
    categories: str | None = None,
    dates: str | None = None,
    decimal: str | None = None,
    units: str | Mapping[str, str] | None = None,
    encoding: str | None = None,
    sigma: str | Sequence[str] = (),
) -> Task:
    """Some columns of a table, learned from others.

    Columns get names that can stand in a formula ("mass (kg)" becomes mass_kg); the spec keeps the labels. The network
    sees each input's range mapped on [-1, 1] and gives standardised outputs. Ranges and deviations are measured on the
    whole table, so that the units are the same for every seed. No decomposition is known.

    What was inferred of the file (separators, comments, decimal commas, a row of units) is logged, a line each; so is
    what was done to rows and columns, which the spec keeps too, in ``notes``.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        A CSV file (UTF-8, a row of names first; separated by comma, semicolon, tab, bar or spaces), a Parquet,
        Feather, Arrow or Excel file (its first sheet), an HDF5 file (one dataset a column, or a structured one), a
        NumPy file (.npz with one array a column, .npy with a structured array) or a DataFrame. True and false count as
        1 and 0.
    target : str or sequence of str
        The columns to predict. A single one may hold texts, which ``categories`` makes classes.
    inputs : sequence of str or None
        The columns to predict from; None takes all others.
    widths : sequence of int or None
        Neurons of each layer, inputs and outputs included; None takes three hidden layers of 20.
    name : str or None
        Name of the task; None takes the file's name without its suffix.
    skip : sequence of str
        Columns to leave out, in the place of ``inputs``.
    missing : sequence of str
        Words and numbers that stand for a missing cell, beside those that are known (NA, n/a, -, ?, ...).
    drop_missing : bool, default False
        Whether rows leave in which a column that is used has a missing or infinite value.
    impute : "median", "mean" or None
        What missing or infinite inputs become: the column's own, over all rows.
    categories : "one-hot" or None
        How columns of texts become numbers: one column a category, 1 or 0.
    dates : "years", "days", "hours", "minutes", "seconds" or None
        The unit in which dates become the time since the first of them; a year is 365.25 days.
    decimal : "point", "comma" or None
        The decimal mark, where the numbers do not tell: 1,234 may be either.
    units : "names", mapping of str to str, or None
        ``"names"`` takes units out of names: "v [m/s]" becomes v, in m/s. A mapping gives the unit of each column.
    encoding : str or None
        How a file of text is written, such as "latin-1"; None takes UTF-8.
    sigma : str or sequence of str
        The columns that hold the standard error of each target, in the order of ``target``. They are no inputs. The
        search for formulas counts rows by them; the network is trained on all rows alike.

    Returns
    -------
    Task
        The task; a fifth of the rows is set aside for testing, by the seed.

    Raises
    ------
    TableError
        With all faults of the table, each with column and row, and with what mends it: names missing or duplicated;
        fewer than 10 rows; values missing, infinite or no numbers; constant columns; an input that is a copy of a
        target.
    TaskError
        A file cannot be read; a target is absent, or an input too; an option is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"mass (kg)": range(10), "force (N)": [2.0 * k for k in range(9)] + [17.0]})
    >>> task = table_task(frame, target="force (N)")
    >>> task.spec.inputs, len(task.data(0).x_test)
    (('mass_kg',), 2)
    >>> table_task(frame, target="force", units="names").spec.units
    {'mass': 'kg', 'force': 'N'}
    """
    where = source.__class__.__name__ if isinstance(source, pd.DataFrame) else str(source)
    options = TableOptions(
        tuple(skip), tuple(missing), drop_missing, impute, categories, dates, decimal, units, encoding
    )
    raw = read_table(source, encoding)
    labels, faults = distinct_labels([label for label, _ in raw.columns], where)
    raw = replace(raw, columns=[(label, values) for label, (_, values) in zip(labels, raw.columns, strict=True)])
    wanted = (target,) if isinstance(target, str) else tuple(target)
    errors = error_columns(labels, (sigma,) if isinstance(sigma, str) else tuple(sigma), wanted, where)
    features, targets = choose_columns(labels, wanted, inputs, where, options.skip, errors)
    used = (*features, *targets, *errors)
    known = [faults[label] for label in used if label in faults]
    found = prepare(raw, features, targets, options, where, known, errors)
    if found.classes and errors:
        raise TaskError(
            "errors of measurement of classes", where=where, got=f"--sigma {errors[0]}", hint="leave --sigma out"
        )
    title = name or ("table" if isinstance(source, pd.DataFrame) else Path(source).stem)
    spec, x, y = _spec(title, found, found.units, options.units == NAMES)
    network = (len(spec.inputs), *HIDDEN, len(spec.outputs)) if widths is None else tuple(widths)
    stated = np.stack([values for _, values in found.errors], axis=1) if errors else None
    return Task(spec, mlp(network), TableSampler(x, y, stated))


def _spec(
    name: str, found: Prepared, units: Mapping[str, str], short: bool
) -> tuple[TaskSpec, Float64[np.ndarray, "rows inputs"], Float64[np.ndarray, "rows outputs"]]:
    """The task's description, and its rows."""
    x, y = (np.stack([values for _, values in columns], axis=1) for columns in (found.inputs, found.outputs))
    features, targets = ([label for label, _ in columns] for columns in (found.inputs, found.outputs))
    low, high = x.min(axis=0), x.max(axis=0)
    names = safe_names(names_without_units([*features, *targets]) if short else (*features, *targets))
    inputs, outputs = names[: len(features)], names[len(features) :]
    ends = {"input_labels": (inputs, features), "output_labels": (outputs, targets)}
    said: dict[str, Any] = {field: None if list(own) == given else tuple(given) for field, (own, given) in ends.items()}
    for field, given in (("input_units", features), ("output_units", targets)):
        known = tuple(units.get(label, "") for label in given)
        said[field] = known if any(known) else None
    if found.classes:
        said["loss"] = "cross-entropy"
    with np.errstate(over="ignore"):  # the spec refuses scales that are not finite
        if not found.classes:
            said |= {"output_shift": tuple(y.mean(axis=0).tolist()), "output_scale": tuple(y.std(axis=0).tolist())}
        spec = TaskSpec(
            name, inputs, outputs, tuple(zip(low.tolist(), high.tolist(), strict=True)),
            input_shift=tuple(((high + low) / 2).tolist()), input_scale=tuple(((high - low) / 2).tolist()),
            notes=found.done, **said,
        )  # fmt: skip
    return spec, x, y
