"""Whether groups of inputs and outputs are more than chance: the network's own table against tables in random order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product
from math import comb, log2, prod
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.showing import Shown

from ..._circuit_of import all_rows
from ..chance._significance import Significance
from ._decided_values import decided_values
from ._input_and_output_groups import SAME, Groups, InputAndOutputGroups, same_functions

MOST_INPUTS = 12
"""Inputs of a table of all their values, at most: 4,096 rows."""

MOST_GROUPINGS = 20_000
"""Ways to put inputs into groups of the given sizes, at most, as each table is searched for the best of them."""

_SHUFFLED = "values of the table in random order"
_FEWEST_TABLES = 200
_NUMBERS = 4e6  # in one stack of tables

Tables = Int64[np.ndarray, "tables functions *values"]


@dataclass(frozen=True, repr=False)
class GroupSignificance(Shown):
    """Tests of `InputAndOutputGroups` on what the network computes; defined at `group_significance`.

    Attributes
    ----------
    inputs : Significance or None
        Of the groups of inputs; None where there are no two of them, or the table is too large.
    outputs : Significance or None
        Of the groups of outputs; None where all outputs are alike, or all differ, or the table is too large.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._group_significance import GroupSignificance
    >>> GroupSignificance(inputs=None, outputs=None).tests
    ()
    """

    inputs: Significance | None
    outputs: Significance | None

    @property
    def tests(self) -> tuple[Significance, ...]:
        """The tests that were made."""
        return tuple(test for test in (self.inputs, self.outputs) if test is not None)

    def to_json(self) -> dict[str, Any]:
        """The two tests as plain values."""
        return {"inputs": self.inputs and self.inputs.to_json(), "outputs": self.outputs and self.outputs.to_json()}


def group_significance(
    network: Network,
    groups: InputAndOutputGroups,
    x: Float[np.ndarray, "rows inputs"],
    *,
    targets: Float[np.ndarray, "rows outputs"] | None = None,
    samples: int = 200,
    seed: int = 0,
) -> GroupSignificance:
    """How often a table without structure has groups as good as those of a network of logic.

    The network is run on every combination of the values that its inputs take. That table is complete, so that nothing
    depends on the wiring, nor on which rows were given. Nothing is tested unless inputs and outputs take two values
    each. Where one of them is a quantity, the functions of an untrained network are smooth, and smooth functions are
    alike and save bits as no table in random order does.

    Parameters
    ----------
    network : Network
        The network, best a circuit.
    groups : InputAndOutputGroups
        Its groups.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them, which show what values each input takes.
    targets : array of float, shape (rows, outputs), or None
        What the outputs should be; where they have two values, the outputs are decisions (`decided_values`).
    samples : int, default 200
        Random tables.
    seed : int, default 0
        Of everything random.

    Returns
    -------
    GroupSignificance
        One test for the inputs and one for the outputs, where there is something to test.

    Notes
    -----
    1. Inputs. For a function f and a group G of inputs, c(f, G) is how many different functions of the other inputs f
       becomes as those of G take all their values: the column multiplicity of Ashenhurst [1]_. Whoever computes f needs
       log2 c(f, G) bits of G. The statistic is what all groups save, the sum over groups and functions of
       log2(values of G) - log2 c(f, G). Outputs that compute one function count once. The rows of the table are put
       in random order, for all functions alike; every table, the network's own too, has the value of its best grouping
       of the sizes that were found. Values are told apart in steps of a tenth of the output's deviation, the root of
       what `input_and_output_groups` tolerates.
    2. Outputs. The statistic is how many outputs there are beyond the number of functions. Each output's values are put
       in random order by themselves. An output of one input is given another input instead, as more of them than there
       are inputs are alike anyway. A network of a single function has nothing to test: it has no groups.

    What a small p does not say: that the groups lie apart in the weights. That two functions read the same inputs, and
    differ, is no evidence of structure, and is not tested.

    References
    ----------
    .. [1] R. L. Ashenhurst, "The decomposition of switching functions", Annals of the Harvard Computation Laboratory
       29, 1959.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._group_significance import group_significance
    >>> from bimt_analyze.audits.functions._input_and_output_groups import input_and_output_groups
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import boolean_hierarchy
    >>> planted = boolean_hierarchy(outputs=2, seed=0)
    >>> levels = hierarchy(neuron_graph(planted.network), runs=2, resolutions=(1.0,))
    >>> groups = input_and_output_groups(planted.network, levels, planted.x)
    >>> found = group_significance(planted.network, groups, planted.x, samples=19)
    >>> found.inputs.p, found.outputs
    (0.05, None)
    """
    values = _values(x)
    sizes = tuple(map(len, values))
    if not groups.outputs or not _few(sizes):
        return GroupSignificance(None, None)
    rows = np.array(list(product(*values)))
    decide = decided_values(network.predict(x), None if targets is None or len(targets) != len(x) else targets)
    outputs = decide(network.predict(rows))
    if not _two_valued(outputs[:, sorted(k for group in groups.outputs for k in group)]):
        return GroupSignificance(None, None)
    tested = None
    if len(groups.inputs) > 1:
        functions = outputs[:, [group[0] for group in groups.outputs]]
        tested = _input_test(functions, sizes, groups.inputs, samples, seed)
    several = 1 < len(groups.outputs) < sum(map(len, groups.outputs))
    return GroupSignificance(tested, _output_test(outputs, sizes, groups.outputs, samples, seed) if several else None)


def has_small_table(checkpoint: Checkpoint) -> bool:
    """Whether the inputs of a network take two values each, and are so few that all combinations can be run.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network and its rows.

    Returns
    -------
    bool
        True for at most `MOST_INPUTS` inputs of at most two values.
    """
    ends_are_neurons = checkpoint.network.layout.ends_are_neurons
    return ends_are_neurons and _few(tuple(map(len, _values(all_rows(checkpoint)[0]))))


def significance_of_groups(
    circuit: Network, checkpoint: Checkpoint, groups: InputAndOutputGroups | None, *, samples: int, seed: int
) -> GroupSignificance:
    """`group_significance` of a circuit, on all rows of its checkpoint.

    Parameters
    ----------
    circuit : Network
        The pruned network.
    checkpoint : Checkpoint
        Gives rows and targets.
    groups : InputAndOutputGroups or None
        The circuit's groups; None where it has none.
    samples : int
        How many null networks were asked for. Tables take milliseconds, so there are 200 at least, enough to stand the
        correction for several tests; 0 tests nothing.
    seed : int
        Of everything random.

    Returns
    -------
    GroupSignificance
        The tests that could be made.
    """
    if groups is None or not samples:
        return GroupSignificance(None, None)
    x, y = all_rows(checkpoint)
    inputs, tables = checkpoint.task.to_network_inputs(x), max(samples, _FEWEST_TABLES)
    return group_significance(circuit, groups, inputs, targets=y, samples=tables, seed=seed)


def _values(x: Float[np.ndarray, "rows inputs"]) -> list[np.ndarray]:
    """The values that each input takes."""
    return [np.unique(column) for column in x.T]


def _few(sizes: tuple[int, ...]) -> bool:
    return max(sizes, default=0) <= 2 and sizes.count(2) <= MOST_INPUTS


def _output_test(
    outputs: Float64[np.ndarray, "rows outputs"], sizes: tuple[int, ...], groups: Groups, samples: int, seed: int
) -> Significance:
    """Outputs beyond the number of functions, against outputs whose values are in random order."""
    moving = outputs[:, sorted(k for group in groups for k in group)]
    table = moving.reshape(*sizes, -1)
    of_one_input = _inputs_that_matter(table).sum(axis=0) <= 1
    single = np.stack([axis.ravel() for axis in np.indices(sizes)], axis=1)[:, np.array(sizes) > 1]
    rng = np.random.default_rng(seed)

    def drawn() -> Float64[np.ndarray, "rows outputs"]:
        """Values in random order, but the input of an output of one input drawn anew."""
        others = single[:, rng.integers(single.shape[1], size=moving.shape[1])]
        return np.where(of_one_input, others, rng.permuted(moving, axis=0))

    null = [moving.shape[1] - len(same_functions(drawn())) for _ in range(samples)]
    return Significance.of(
        float(moving.shape[1] - len(same_functions(moving))), np.array(null, dtype=np.float64),
        statistic="equal outputs", null_model=_SHUFFLED, weights="none", seed=seed,
    )  # fmt: skip


def _two_valued(outputs: Float64[np.ndarray, "rows outputs"]) -> bool:
    """Whether two values describe each output, as closely as two outputs of one function describe each other."""
    middle = (outputs.max(axis=0) + outputs.min(axis=0)) / 2
    high = outputs > middle
    sizes = np.stack([high.sum(axis=0), (~high).sum(axis=0)])
    means = np.stack([np.where(side, outputs, 0.0).sum(axis=0) for side in (high, ~high)]) / np.maximum(sizes, 1)
    left = (outputs - np.where(high, *means)) ** 2
    return bool((left.mean(axis=0) <= (1 - SAME) * outputs.var(axis=0)).all())


def _inputs_that_matter(table: Float64[np.ndarray, "*values outputs"]) -> Bool[np.ndarray, "inputs outputs"]:
    """Whether each output changes with each input, by more than a tenth of its deviation."""
    least = np.sqrt(1 - SAME) * table.reshape(-1, table.shape[-1]).std(axis=0)
    changes = [np.ptp(table, axis=axis).reshape(-1, table.shape[-1]) for axis in range(table.ndim - 1)]
    return np.stack([change.max(axis=0) > least for change in changes])


def _input_test(
    functions: Float64[np.ndarray, "rows functions"], sizes: tuple[int, ...], groups: Groups, samples: int, seed: int
) -> Significance | None:
    """Bits that the best grouping saves, against tables whose rows are in random order."""
    widths = sorted(map(len, groups), reverse=True)
    if _count(len(sizes), widths) > MOST_GROUPINGS:
        return None
    step = np.sqrt(1 - SAME) * np.maximum(functions.std(axis=0), np.finfo(np.float64).tiny)
    table = np.rint(functions / step).astype(np.int64).T
    rng = np.random.default_rng(seed)
    orders = [np.arange(table.shape[1]), *(rng.permutation(table.shape[1]) for _ in range(samples))]
    keys = rng.integers(1, 2**40, table.shape[1])
    together = max(1, int(_NUMBERS / table.size))
    saved = np.concatenate(
        [
            _best_saving(np.stack([table[:, order] for order in orders[k : k + together]]), sizes, widths, keys)
            for k in range(0, len(orders), together)
        ]
    )
    return Significance.of(
        float(saved[0]), saved[1:], statistic="bits saved", null_model=_SHUFFLED, weights="none", seed=seed
    )


def _best_saving(
    tables: Int64[np.ndarray, "tables functions rows"],
    sizes: tuple[int, ...],
    widths: Sequence[int],
    keys: Int64[np.ndarray, " rows"],
) -> Float64[np.ndarray, " tables"]:
    """For each table, the bits that its best grouping saves."""
    shaped = tables.reshape(*tables.shape[:2], *sizes)
    saving: Mapping[tuple[int, ...], Float64[np.ndarray, " tables"]] = {
        group: _saving(shaped, group, keys) for width in set(widths) for group in combinations(range(len(sizes)), width)
    }
    every = (sum(saving[group] for group in grouping) for grouping in _groupings(range(len(sizes)), widths))
    return np.asarray(reduce(np.maximum, every))


def _saving(tables: Tables, group: tuple[int, ...], keys: Int64[np.ndarray, " rows"]) -> Float64[np.ndarray, " tables"]:
    """The bits that a group of inputs saves, for each table: of every function, values less columns."""
    own = [2 + j for j in group]
    others = [axis for axis in range(2, tables.ndim) if axis not in own]
    values = prod(tables.shape[axis] for axis in own)
    columns = tables.transpose(0, 1, *own, *others).reshape(*tables.shape[:2], values, -1)
    marks = np.sort(columns @ keys[: columns.shape[-1]], axis=-1)  # equal columns have equal marks, others hardly ever
    different = 1 + (np.diff(marks, axis=-1) != 0).sum(axis=-1)
    return np.asarray((log2(values) - np.log2(different)).sum(axis=1))


def _count(inputs: int, widths: Sequence[int]) -> int:
    """At most how many groupings there are: as if groups of one size could be told apart."""
    left, found = inputs, 1
    for width in widths:
        found, left = found * comb(left, width), left - width
    return found


def _groupings(
    inputs: Sequence[int], widths: Sequence[int], before: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Every choice of separate groups of these widths; groups of one width in growing order."""
    if not widths:
        yield ()
        return
    for group in combinations(inputs, widths[0]):
        if len(group) == len(before) and group < before:
            continue
        left = [j for j in inputs if j not in group]
        yield from ((group, *others) for others in _groupings(left, widths[1:], group))
