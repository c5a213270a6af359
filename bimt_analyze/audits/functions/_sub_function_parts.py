"""Parts of a network that compute sub-functions of their inputs: they send on less than they read."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ...graph import NodeId
from ...modules import Hierarchy
from ...modules._hierarchy import Level
from ._module_outputs import RecordedActivations, spread

TOLERABLE_LEAK = 0.05
"""The greatest leak up to which components count as separate."""


class Parts(NamedTuple):
    """Inputs in the parts of one level.

    Attributes
    ----------
    inputs : tuple of frozenset of int
        For each part, the numbers of its inputs.
    level : str
        Name of the level; empty where all inputs are one part.
    reason : str
        Why that level.

    Examples
    --------
    >>> Parts((frozenset({0, 1}),), "", "no cut").inputs
    (frozenset({0, 1}),)
    """

    inputs: tuple[frozenset[int], ...]
    level: str
    reason: str


def sub_function_parts(levels: Hierarchy, recorded: RecordedActivations, *, share: float) -> Parts:
    """The parts at the highest level at which at least two are sub-functions.

    Parameters
    ----------
    levels : Hierarchy
        Hierarchy of the network's graph.
    recorded : RecordedActivations
        Activations of the network.
    share : float
        The share of the variance of what a part sends that its signals hold, as `signals` takes it.

    Returns
    -------
    Parts
        The inputs of each part; inputs that a level leaves unused are in none.

    Notes
    -----
    The components from inputs to outputs, exact or up to a leak of 5 %, are sub-functions if there are several. So are
    parts below a cut between layers if at least two of them send on fewer `signals` than they read inputs.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> levels = hierarchy(neuron_graph(planted.network), runs=2, resolutions=(1.0,))
    >>> parts = sub_function_parts(levels, RecordedActivations(planted.network, planted.x), share=0.99)
    >>> sorted(map(sorted, parts.inputs)), parts.level
    ([[0, 2], [1, 3]], 'components')
    """
    entry = recorded.network.layout.inputs
    for level in (levels.components, *reversed(levels.leaks)):
        if level.parameter <= TOLERABLE_LEAK and levels.through(level) > 1:
            return Parts(_inputs(level, entry), level.name, "the network falls into parts from inputs to outputs")
    for level in reversed(levels.up_to_layer):
        fewer = [m for m in level.partition.modules if signals(recorded, m, share=share) < _count(m, entry)]
        if level.parameter >= 1 and len(fewer) > 1:
            said = f"{len(fewer)} parts below it send on fewer signals than they read inputs"
            return Parts(_inputs(level, entry), level.name, said)
    whole = frozenset(j for module in levels.components.partition.modules for name, j in module if name == entry)
    return Parts((whole,) if whole else (), "", "no cut leaves two parts that send on less than they read")


def signals(recorded: RecordedActivations, module: frozenset[NodeId], *, share: float) -> int:
    """How many numbers a part sends on: principal components of what its neurons add to those that read them.

    Parameters
    ----------
    recorded : RecordedActivations
        Activations of the network.
    module : frozenset of (str, int)
        Neurons of the part, inputs too.
    share : float
        Of the variance, 0 to 1, that the components must hold.

    Returns
    -------
    int
        The fewest components that do.

    Notes
    -----
    What a neuron outside reads of the part is a column, in units of the deviation of all that this neuron reads; so is
    each output in the part, in units of its own deviation.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> signals(RecordedActivations(planted.network, planted.x), planted.partition.modules[0], share=0.99)
    1
    """
    outputs = recorded.network.layout.outputs
    own = [k for name, k in sorted(module) if name == outputs]
    columns = [_in_units(recorded.activations[outputs][:, own], recorded.activations[outputs][:, own])]
    received: dict[str, Float64[np.ndarray, "rows targets"]] = {}
    sent: dict[str, Float64[np.ndarray, "rows targets"]] = {}
    for c in recorded.connections:
        mine = np.array([(c.source, j) in module for j in range(c.matrix.shape[1])])
        values = recorded.activations[c.source]
        received[c.target] = received.get(c.target, 0.0) + values @ c.matrix.T
        sent[c.target] = sent.get(c.target, 0.0) + (values * mine) @ c.matrix.T
    for target, added in sent.items():
        outside = [i for i in range(added.shape[1]) if (target, i) not in module]
        columns.append(_in_units(added[:, outside], received[target][:, outside]))
    held = np.concatenate(columns, axis=1)
    sizes = np.linalg.svd(held - held.mean(axis=0), compute_uv=False) ** 2
    total = float(sizes.sum())
    return int((np.cumsum(sizes) < share * total).sum()) + 1 if total > 0 else 0


def _in_units(columns: np.ndarray, of: np.ndarray) -> Float64[np.ndarray, "rows targets"]:
    units = spread(of)
    return np.asarray(np.divide(columns, units, out=np.zeros(columns.shape), where=units > 0))


def _count(module: frozenset[NodeId], entry: str) -> int:
    return sum(1 for name, _ in module if name == entry)


def _inputs(level: Level, entry: str) -> tuple[frozenset[int], ...]:
    parts = (frozenset(j for name, j in module if name == entry) for module in level.partition.modules)
    return tuple(part for part in parts if part)
