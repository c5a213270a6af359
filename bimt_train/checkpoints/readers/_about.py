"""What a file of weights does not say: rows, names and the decomposition, which make a checkpoint of a network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypedDict

import numpy as np
from jaxtyping import Float, Float64

from ..._errors import CheckpointError
from ...expressions._decomposition import Decomposition
from .._checkpoint import Checkpoint, Probe
from .._network import Network
from .._task_spec import TaskSpec

Rows: TypeAlias = Float64[np.ndarray, "rows columns"]

SAMPLED_ROWS = 1000
"""Rows drawn, for training and for testing each, where ranges are given in place of a table."""


class About(TypedDict, total=False):
    """What a file of weights does not say. One of x and ranges must be given; the others may be left out.

    Attributes
    ----------
    x : array of float, shape (rows, inputs)
        Rows to probe the network on, in the units it was trained in; every fifth is kept as a test row.
    y : array of float, shape (rows, outputs)
        Their targets; left out, the network's own outputs take their place.
    ranges : sequence
        In place of x, (lowest, highest) for all inputs, or one such pair for each; rows are drawn between.
    inputs : sequence of str
        Names of the inputs, else x1, x2, ...
    outputs : sequence of str
        Names of the outputs, else y1, y2, ...
    decomposition : Decomposition
        What is known of how the task is built, over these names.
    """

    x: Rows
    y: Rows | None
    ranges: Sequence[Any]
    inputs: Sequence[str]
    outputs: Sequence[str]
    decomposition: Decomposition | None


@dataclass(frozen=True)
class _Given:
    """The fields of `About`, each present."""

    # Shapes are compared with the network's in every run, with errors of our own.
    x: Float[np.ndarray, "..."] | None = None
    y: Float[np.ndarray, "..."] | None = None
    ranges: Sequence[Any] | None = None
    inputs: Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    decomposition: Decomposition | None = None


def checkpoint_of(network: Network, adapter: str, about: About) -> Checkpoint:
    """Make a checkpoint of a network of which only the weights were in the file.

    Parameters
    ----------
    network : Network
        A network with the groups x and y at its ends.
    adapter : str
        What read the file; the checkpoint's config says it.
    about : About
        What the file does not say.

    Returns
    -------
    Checkpoint
        With a probe of the rows in ``about``, or of rows drawn from its ranges.

    Raises
    ------
    CheckpointError
        The rows, ranges or names do not fit the network.
    TaskError
        Names cannot stand in a formula, or an input never changes.
    """
    given, layout = _Given(**about), network.layout
    inputs = _names(given.inputs, "x", layout.sizes["x"], "inputs")
    outputs = _names(given.outputs, "y", layout.sizes["y"], "outputs")
    if given.x is not None and given.ranges is None:
        x = _table(given.x, "x", len(inputs))
        y = network.predict(x) if given.y is None else _table(given.y, "y", len(outputs))
        probe = _split_rows(x, y)
        ranges = tuple(zip(x.min(0).tolist(), x.max(0).tolist(), strict=True))
        task = TaskSpec("foreign", inputs, outputs, ranges, decomposition=given.decomposition)
    elif given.ranges is not None and given.x is None and given.y is None:
        ranges = _pairs(given.ranges, len(inputs))
        task = TaskSpec("foreign", inputs, outputs, ranges, decomposition=given.decomposition)
        low, high = np.array(task.ranges).T
        train, tests = np.random.default_rng(0).uniform(low, high, (2, SAMPLED_ROWS, len(inputs)))
        probe = Probe(train, network.predict(train), tests, network.predict(tests))
    else:
        hint = "give x (and y), on the command line --probe and --target, or ranges, --range -1 1"
        what = "no inputs on which to sample the network"
        raise CheckpointError(what, expected="either a table or ranges", hint=hint)
    labelled = layout.with_groups(replace(layout.group(g), labels=n) for g, n in (("x", inputs), ("y", outputs)))
    return Checkpoint(replace(network, layout=labelled), task, probe, {"adapter": adapter})


def _split_rows(x: Rows, y: Float64[np.ndarray, "_ targets"]) -> Probe:
    """Keep every fifth row for testing: a table that is sorted is split as fairly as any other."""
    test = np.arange(len(x)) % 5 == 4
    if not test.any() or len(y) != len(x):
        got, hint = f"{len(x)} rows of x, {len(y)} of y", "give a target row for each of at least five rows"
        what = "a table that cannot be split into training and test rows"
        raise CheckpointError(what, where="x and y", got=got, hint=hint)
    return Probe(x[~test], y[~test], x[test], y[test])


def _names(given: Sequence[str] | None, letter: str, size: int, what: str) -> tuple[str, ...]:
    names = tuple(given) if given is not None else tuple(f"{letter}{i + 1}" for i in range(size))
    if len(names) != size:
        expected, hint = f"{size}, as many as the network has", "name each column"
        raise CheckpointError("a wrong number of names", where=what, expected=expected, got=str(len(names)), hint=hint)
    return names


def _table(rows: np.ndarray, name: str, columns: int) -> Rows:
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != columns:
        expected, got = f"[rows, {columns}]", str(list(table.shape))
        hint = "give one column for each neuron of that end of the network"
        raise CheckpointError("a table of the wrong shape", where=name, expected=expected, got=got, hint=hint)
    return table


def _pairs(ranges: Sequence[Any], size: int) -> tuple[tuple[float, float], ...]:
    try:
        array = np.asarray(ranges, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    array = np.tile(array, (size, 1)) if array.shape == (2,) else array
    if array.shape != (size, 2):
        expected, got = f"one pair, or one for each of {size} inputs", str(ranges)[:60]
        raise CheckpointError(
            "ranges that do not fit", where="ranges", expected=expected, got=got, hint="write for instance (-1, 1)"
        )
    return tuple((float(low), float(high)) for low, high in array)
