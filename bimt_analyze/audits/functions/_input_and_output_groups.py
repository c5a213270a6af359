"""Inputs by the sub-function that reads them, outputs by the function that they compute: each where it is sharpest."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.sparse.csgraph import connected_components

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.showing import Shown

from ..._circuit_of import all_rows
from ...modules import Hierarchy
from ._decided_values import Decide, Outputs, decided_values
from ._module_outputs import RecordedActivations, spread
from ._sub_function_parts import sub_function_parts

SAME = 0.99
"""The r2 from which two outputs compute one function; the rest is the share of its strongest input's effect
up to which an output does not use an input."""

ROWS = 500
"""Rows on which inputs are held."""

_HELD = (0.25, 0.75)  # quantiles at which an input is held: both values of one that has two, equally often
_STACKED = 2e6  # numbers in one batch of rows

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, repr=False)
class InputAndOutputGroups(Shown):
    """Inputs and outputs in groups, judged at different levels; defined at `input_and_output_groups`.

    Attributes
    ----------
    inputs : tuple of tuple of int
        For each sub-function, the numbers of the inputs that it alone reads.
    outputs : tuple of tuple of int
        For each function, the numbers of the outputs that compute it.
    shared : tuple of int
        Inputs that several sub-functions read: they belong to no group.
    level : str
        The level of the hierarchy at which the inputs fall apart.
    reason : str
        Why that level.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._input_and_output_groups import InputAndOutputGroups
    >>> found = InputAndOutputGroups(((0,), (2,)), ((0,), (1,)), shared=(1,), level="", reason="one part")
    >>> found.named(["a", "b", "c"], ["u", "v"])
    ([['a'], ['c']], [['u'], ['v']])
    """

    inputs: Groups
    outputs: Groups
    shared: tuple[int, ...]
    level: str
    reason: str

    def named(self, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
        """The groups by names.

        Parameters
        ----------
        inputs, outputs : sequence of str
            Names in the network's order.

        Returns
        -------
        input_groups, output_groups : list of list of str
            The names of each group.
        """
        return [[inputs[j] for j in g] for g in self.inputs], [[outputs[k] for k in g] for g in self.outputs]

    def to_json(self) -> dict[str, Any]:
        """Plain values; inputs and outputs by their numbers."""
        groups = {name: [list(group) for group in getattr(self, name)] for name in ("inputs", "outputs")}
        return groups | {"shared": list(self.shared), "level": self.level, "reason": self.reason}


def input_and_output_groups(
    network: Network,
    levels: Hierarchy,
    x: Float[np.ndarray, "rows inputs"],
    *,
    targets: Float[np.ndarray, "rows outputs"] | None = None,
) -> InputAndOutputGroups:
    """Group outputs that compute one function, and inputs that one sub-function reads and no other.

    Outputs belong together if each is the other's affine function on the rows, whatever the wiring. Inputs belong
    together if they lie in one part at the highest cut of the network at which at least two parts each send on fewer
    signals than they read inputs, and no other input of that part serves only some of the functions that they serve.

    Parameters
    ----------
    network : Network
        A feed-forward network, best a circuit: every weight that is not 0 is a connection.
    levels : Hierarchy
        Hierarchy of its graph.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them; 500 of them, evenly spaced, are used.
    targets : array of float, shape (rows, outputs), or None
        What the outputs should be. An output whose targets have two values is a decision (`decided_values`): that, and
        not how sure the network is, is then its value.

    Returns
    -------
    InputAndOutputGroups
        The groups.

    Raises
    ------
    InputError
        There are no rows, or a layer of the network is not read once a row.

    Notes
    -----
    1. Outputs whose values have a squared correlation of at least 0.99 are a group: equal, complementary or scaled
       functions. Outputs that never change are in none.
    2. An input serves a function if an output of it changes while the input is held at its quartiles, in mean square
       by more than 1 % of what its strongest input changes. What the weights join but no row shows does not count.
    3. The parts are the components from inputs to outputs where there are several (up to a leak of 5 %), else those
       below the highest cut between layers (`components_up_to_layer`) at which at least two of them send on fewer
       signals than they have inputs. Signals are the principal components that hold 99 % of what a part's neurons add
       to the neurons that read them, each reader in its own units: a part that hands on all it reads is a piece of a
       function, not a sub-function. Without such a cut, all inputs are one part.
    4. In a part, inputs that serve the same functions are a group. Where some serve fewer functions than others, the
       former are read by one sub-function alone and the latter by several: these are shared, and in no group.

    What this cannot show: if two functions read exactly the same inputs and no cut parts them, it is one group, which
    both functions reuse, also where the task has two unrelated functions of these inputs. Sub-functions that share an
    input, and are both read by the same functions, are one part. Of a function of functions of functions, the highest
    cut is told; the hierarchy has the others.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._input_and_output_groups import input_and_output_groups
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> levels = hierarchy(neuron_graph(planted.network), runs=2, resolutions=(1.0,))
    >>> found = input_and_output_groups(planted.network, levels, planted.x)
    >>> found.inputs, found.outputs
    (((0, 2), (1, 3)), ((0,), (1,)))
    """
    width = network.layout.sizes.get(network.layout.inputs, 0)
    if x.ndim != 2 or x.shape[1] != width or not len(x):
        hint = "give rows of a network that reads its inputs once a row"
        raise InputError(
            "rows of another kind", where="x", expected=f"[rows, {width}]", got=str(list(x.shape)), hint=hint
        )
    some = np.linspace(0, len(x) - 1, min(ROWS, len(x))).astype(np.int64)
    rows = x[some]
    recorded = RecordedActivations(network, rows)
    before = recorded.activations[network.layout.outputs]
    known = None if targets is None or targets.shape != (len(x), before.shape[1]) else targets[some]
    decide = decided_values(before, known)
    values = decide(before)
    outputs, used = same_functions(values), _used(network, rows, decide, values)
    serves = [frozenset(k for k, group in enumerate(outputs) if used[list(group), j].any()) for j in range(width)]
    parts, level, reason = sub_function_parts(levels, recorded, share=SAME)
    groups = sorted(group for part in parts for group in _own_inputs(part, serves))
    grouped = {j for group in groups for j in group}
    shared = tuple(j for j in range(width) if serves[j] and j not in grouped)
    return InputAndOutputGroups(tuple(groups), outputs, shared, level, reason)


def groups_of_circuit(circuit: Network, checkpoint: Checkpoint, levels: Hierarchy) -> InputAndOutputGroups | None:
    """`input_and_output_groups` of a circuit, on all rows of its checkpoint.

    Parameters
    ----------
    circuit : Network
        The pruned network.
    checkpoint : Checkpoint
        Gives rows and targets.
    levels : Hierarchy
        Hierarchy of the circuit's graph.

    Returns
    -------
    InputAndOutputGroups or None
        The groups; None where inputs are tokens, or a layer is read other than once a row.
    """
    if not circuit.layout.ends_are_neurons:
        return None
    x, y = all_rows(checkpoint)
    try:
        return input_and_output_groups(circuit, levels, checkpoint.task.to_network_inputs(x), targets=y)
    except InputError:
        return None


def same_functions(values: Outputs) -> Groups:
    """Outputs that explain each other, directly or through others.

    Parameters
    ----------
    values : array of float64, shape (rows, outputs)
        Their values; those that never change are in no group.

    Returns
    -------
    tuple of tuple of int
        The numbers of the outputs of each group.
    """
    moving = np.flatnonzero(spread(values) > 0)
    if not len(moving):
        return ()
    r2 = np.atleast_2d(np.corrcoef(values[:, moving], rowvar=False)) ** 2
    count, labels = connected_components(r2 >= SAME)
    return tuple(sorted(tuple(moving[labels == n].tolist()) for n in range(count)))


def _used(
    network: Network, x: Float64[np.ndarray, "rows inputs"], decide: Decide, values: Outputs
) -> Bool[np.ndarray, "outputs inputs"]:
    """Which outputs change with which inputs, by more than a tolerated share of what its strongest changes."""
    changed = np.zeros((values.shape[1], x.shape[1]))
    held_at = np.quantile(x, _HELD, axis=0, method="lower")
    together = max(1, int(_STACKED / x.size))
    for first in range(0, x.shape[1], together):
        held = range(first, min(first + together, x.shape[1]))
        for row in held_at:
            stacked = np.repeat(x[None], len(held), axis=0)
            for place, j in enumerate(held):
                stacked[place, :, j] = row[j]
            now = decide(network.predict(stacked.reshape(-1, x.shape[1]))).reshape(len(held), *values.shape)
            changed[:, first : first + len(held)] += ((now - values) ** 2).mean(axis=1).T / len(held_at)
    return np.asarray(changed > (1 - SAME) * changed.max(axis=1, initial=0.0, keepdims=True))


def _own_inputs(part: Iterable[int], serves: Sequence[frozenset[int]]) -> Iterator[tuple[int, ...]]:
    """For each sub-function of a part, the inputs that no other sub-function of the part reads."""
    found: dict[frozenset[int], list[int]] = {}
    for j in sorted(part):
        if serves[j]:
            found.setdefault(serves[j], []).append(j)
    return (tuple(group) for functions, group in found.items() if not any(other < functions for other in found))
