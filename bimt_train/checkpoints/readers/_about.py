"""What a file of weights does not say: rows, names and the decomposition, which make a checkpoint of a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias, TypedDict

import numpy as np
from jaxtyping import Float, Float64

from ..._errors import CheckpointError
from ...expressions._decomposition import Decomposition
from ...models._contract import Ends
from .._checkpoint import Checkpoint, Probe
from .._network import Network
from .._task_spec import TaskSpec
from ..own_outputs import OWN_OUTPUTS
from ._judging import AUTO, Judging, choose, judged, judgings, standardized, with_judging
from ._targets import numbered_classes, targets_of

Rows: TypeAlias = Float64[np.ndarray, "_ _"]

SAMPLED_ROWS = 1000
"""Rows drawn, for training and for testing each, where ranges are given in place of a table."""


class AboutTask(TypedDict, total=False):
    """What neither weights nor rows say. Each may be left out.

    Attributes
    ----------
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
    final : str
        What follows the last layer: "none", "softmax" or a name in `ACTIVATIONS`. Left out or "auto", what fits y best.
    loss : str
        A name in `LOSSES` by which the outputs are judged. Left out or "auto", the one that fits y best.
    standardize : str
        Which columns the network saw with mean 0 and deviation 1 over x: "raw" (the default: none), "inputs",
        "outputs" or "both".
    """

    y: Rows | None
    ranges: Sequence[Any]
    inputs: Sequence[str]
    outputs: Sequence[str]
    decomposition: Decomposition | None
    final: str
    loss: str
    standardize: str


class About(AboutTask, total=False):
    """What a file of weights does not say. One of x and ranges must be given; the others may be left out.

    Attributes
    ----------
    x : array of float, shape (rows, inputs)
        Rows to probe the network on, in the units it was trained in; every fifth is kept as a test row.
    """

    x: Rows


@dataclass(frozen=True)
class _Given:
    """The fields of `About`, each present."""

    # Shapes are compared with the network's in every run, with errors of our own.
    x: Any = None
    y: Float[np.ndarray, "..."] | None = None
    ranges: Sequence[Any] | None = None
    inputs: Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    decomposition: Decomposition | None = None
    final: str = AUTO
    loss: str = AUTO
    standardize: str = "raw"


def checkpoint_of(network: Network, adapter: str, about: About, assumed: Sequence[str] = ()) -> Checkpoint:
    """Make a checkpoint of a network of which only the weights were in the file.

    Parameters
    ----------
    network : Network
        A network of a kind in `bimt_train.models.MODELS` that reads numbers or tokens and gives numbers.
    adapter : str
        What read the file; the checkpoint's config says it.
    about : About
        What the file does not say.
    assumed : sequence of str
        What the reader decided, each in a few words.

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
    from ...models.from_spec import options_of  # brings torch

    layout, options = network.layout, options_of(network.model)
    ends = Ends(inputs=layout.columns, outputs=layout.sizes[layout.outputs]) if options is None else options.ends
    targets, words = targets_of(about.get("y"))
    if about.get("loss", AUTO) != "mse":
        targets, more = numbered_classes(targets, ends.outputs)
        words += more
    numbered: About = {**about, "y": targets}
    given = _Given(**numbered)
    inputs = _names(given.inputs, "x", ends.inputs, "inputs")
    outputs = _names(_one_a_class(given, ends.outputs), "y", ends.outputs, "outputs")
    if given.x is not None and given.ranges is None:
        x = _table(given.x, "x", len(inputs))
        _split_rows(x, x if given.y is None else _targets(given.y, len(outputs)))  # rows that cannot be used
        task = TaskSpec("foreign", inputs, outputs, _spans(x), decomposition=given.decomposition)
        task = standardized(task, x, given.y, given.standardize)
        if given.y is None:
            found = _unjudged(network, task, given)
            y = found.predict(x)
        else:
            found = _judged(network, task, x, _targets(given.y, len(outputs)), given)
            y = _targets(given.y, len(outputs))
        probe = _split_rows(x, y)
    elif given.ranges is not None and given.x is None and given.y is None:
        task = TaskSpec(
            "foreign", inputs, outputs, _pairs(given.ranges, len(inputs)), decomposition=given.decomposition
        )
        low, high = np.array(task.ranges).T
        train, tests = np.random.default_rng(0).uniform(low, high, (2, SAMPLED_ROWS, len(inputs)))
        task = standardized(task, np.concatenate([train, tests]), None, given.standardize)
        found = _unjudged(network, task, given)
        probe = Probe(train, found.predict(train), tests, found.predict(tests))
    else:
        hint = "give x (and y), on the command line --probe and --target, or ranges, --range -1 1"
        what = "no inputs on which to sample the network"
        raise CheckpointError(what, expected="either a table or ranges", hint=hint)
    labelled = layout.with_groups(
        replace(layout.group(group), labels=names)
        for group, names, order in (
            (layout.inputs, inputs, layout.input_neurons),
            (layout.outputs, outputs, tuple(range(layout.sizes.get(layout.outputs, 0)))),
        )
        if group and order == tuple(range(len(names))) and layout.sizes[group] == len(names)
    )
    config = {"adapter": adapter, "assumed": [*assumed, *words, *found.assumed]}
    if given.y is None:
        config["targets"] = OWN_OUTPUTS
    return Checkpoint(replace(found.network, layout=labelled), found.task, probe, config)


class _Found(NamedTuple):
    """The network with its end, the task with its loss, and what was decided."""

    network: Network
    task: TaskSpec
    assumed: tuple[str, ...]

    def predict(self, x: Rows) -> Rows:
        """Compute what the network gives, in the task's units.

        Parameters
        ----------
        x : array of float, shape (rows, inputs)
            Inputs in the task's units.

        Returns
        -------
        array of float, shape (rows, outputs)
            The outputs.
        """
        return self.task.from_network_outputs(self.network.predict(self.task.to_network_inputs(x)))


def _judged(network: Network, task: TaskSpec, x: Rows, y: Rows, given: _Given) -> _Found:
    """Choose the end and the loss by which the network fits its targets best, among those that were allowed."""
    ways = judgings(y, task.outputs, final=given.final, loss=given.loss)
    tried = judged(network.predict(task.to_network_inputs(x)), task, y, ways)
    best = choose(tried)
    way = best.judging
    others = "".join(f"; {each.judging} {_removes(each.gain)}" for each in tried if each is not best)
    said = f"loss {way}: {way.reason}; it {_removes(best.gain)} of a constant's loss{others}"
    return _Found(way.network(network), with_judging(task, way), (*_units(given), said))


def _removes(gain: float) -> str:
    return f"removes {gain:.1%}" if gain > 0 else "removes nothing"


def _unjudged(network: Network, task: TaskSpec, given: _Given) -> _Found:
    """Without targets, the end that was named is the network's own."""
    if given.loss not in (AUTO, "mse"):
        raise CheckpointError(
            "a loss without targets", where="loss", got=given.loss, hint="give y, on the command line --target"
        )
    before = given.final in ("sigmoid", "softmax")
    way = Judging("none" if before or given.final == AUTO else given.final, "mse", "no targets")
    said = ["targets: none were given, so the network's own outputs stand for them"]
    if before:
        said.append(f"outputs: the numbers before {given.final} (logits)")
    return _Found(way.network(network), task, (*_units(given), *said))


def _units(given: _Given) -> tuple[str, ...]:
    if given.standardize == "raw":
        return ()
    return (f"units: {given.standardize} standardised by the mean and deviation of the rows given",)


def _one_a_class(given: _Given, outputs: int) -> Sequence[str] | None:
    """Names of the outputs; a single name for several classes becomes one for each."""
    names = given.outputs
    if names is None or len(names) != 1 or outputs == 1 or given.y is None or given.y.shape[1:] != (1,):
        return names
    return [f"{names[0]}_{number}" for number in range(outputs)]


def _targets(y: np.ndarray, outputs: int) -> Rows:
    """Targets as a table of one column an output, or of a single column."""
    return _table(y, "y", 1 if np.shape(y)[1:] == (1,) else outputs)


def _spans(x: Rows) -> tuple[tuple[float, float], ...]:
    """The range of each column; that of a column which never changes is made one wide."""
    low, high = x.min(0).tolist(), x.max(0).tolist()
    return tuple((a, b if b > a else a + 1.0) for a, b in zip(low, high, strict=True))


def _split_rows(x: Rows, y: Float64[np.ndarray, "_ targets"]) -> Probe:
    """Keep every fifth row for testing, or the last of fewer: a sorted table is split as fairly as any other."""
    test = np.arange(1, len(x) + 1) % min(5, max(len(x), 1)) == 0
    if len(x) < 2 or len(y) != len(x):
        got, hint = f"{len(x)} rows of x, {len(y)} of y", "give a target row for each of at least two rows"
        what = "a table that cannot be split into training and test rows"
        raise CheckpointError(what, where="x and y", got=got, hint=hint)
    return Probe(x[~test], y[~test], x[test], y[test])


def _names(given: Sequence[str] | None, letter: str, size: int, what: str) -> tuple[str, ...]:
    names = tuple(given) if given is not None else tuple(f"{letter}{i + 1}" for i in range(size))
    if len(names) != size:
        expected, got = f"{size}, as many as the network has", f"{len(names)}: {', '.join(names[:8])}"
        way = "say which columns it reads: --inputs, or --skip" if what == "inputs" else "name them with --target"
        hint = f"name each column; of a table, {way}"
        raise CheckpointError("a wrong number of names", where=what, expected=expected, got=got, hint=hint)
    return names


def _table(rows: Any, name: str, columns: int) -> Rows:
    if isinstance(rows, Mapping):
        expected, got = f"one table, [rows, {columns}]", f"{len(rows)}: {', '.join(map(str, rows))}"[:80]
        hint = f"give one array, called {name}, with a column for each neuron of that end of the network"
        raise CheckpointError(
            "several arrays for one end of a network", where=name, expected=expected, got=got, hint=hint
        )
    try:
        table = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        got, hint = str(error)[:80], "encode words as numbers, as the network saw them"
        raise CheckpointError("a table that holds no plain numbers", where=name, got=got, hint=hint) from None
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
