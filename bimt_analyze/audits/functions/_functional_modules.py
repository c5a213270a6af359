"""Modules by what a network does: inputs and outputs that go together, whatever the weights look like."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ...graph import Edges, MeanAblation, NeuronGraph, NodeId
from ...modules import Choice, Hierarchy, Partition, connected_components, modularity
from ...modules._hierarchy import Level
from ._fewer_rows import fewer_rows
from ._module_outputs import RecordedActivations, spread

ROWS, FEWEST_ROWS = 500, 100
"""Rows on which inputs and neurons are held."""

INTERFERENCE = 0.1
"""The share of effects that may come from other groups: features in superposition disturb each other a little."""

MOSTLY = 0.5
"""The share of alive hidden neurons, of all or of a layer, that must serve one group alone to count as separate."""


@dataclass(frozen=True, eq=False, repr=False)
class FunctionalModules(Shown):
    """Groups of inputs and outputs that keep their effects to themselves; defined at `functional_modules`.

    Attributes
    ----------
    partition : Partition
        Inputs, outputs and the hidden neurons that serve one group alone; the rest stands in ``unused``.
    effects : array of float64, shape (outputs, inputs)
        E[k, j], what holding input j changes at output k, as a share of what all inputs change there.
    within : float
        Over outputs of groups, the least share of the effects that comes from inputs of the output's own group.
    alone : float
        Share of the alive hidden neurons that serve one group alone.
    several : tuple of str
        Names of the alive hidden neurons that do not.
    shared : tuple of str
        Layers in which less than half of the alive neurons serve one group alone.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._functional_modules import functional_modules
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> found = functional_modules(planted.network, neuron_graph(planted.network), planted.x)
    >>> found.separate, found.alone, found.effects.round(2).tolist()
    (True, 1.0, [[1.0, 0.0], [0.0, 1.0]])
    """

    partition: Partition
    effects: Float64[np.ndarray, "outputs inputs"]
    within: float
    alone: float
    several: tuple[str, ...]
    shared: tuple[str, ...]

    @property
    def separate(self) -> bool:
        """Whether there is more than one group, and at least half of the alive hidden neurons serve one alone."""
        return len(self.partition.modules) > 1 and self.alone >= MOSTLY

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {name: getattr(self, name) for name in ("within", "alone", "separate")}
        return plain | {
            "groups": len(self.partition.modules),
            "several": list(self.several),
            "shared": list(self.shared),
            "effects": self.effects.tolist(),
        }


def functional_modules(
    network: Network,
    graph: NeuronGraph,
    x: Float[np.ndarray, "rows inputs"],
    *,
    leak: float = INTERFERENCE,
) -> FunctionalModules:
    """Hold each input at its median and see which outputs change; outputs that share no input are of different groups.

    Parameters
    ----------
    network : Network
        A feed-forward network; best a circuit.
    graph : NeuronGraph
        Graph of the network; its nodes are divided.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them; 500 of them, evenly spaced, are used, and of networks of more than 200,000
        weights as many fewer as they have more, but at least 100.
    leak : float, default INTERFERENCE
        Share of the effects, 0 to 1, that may come from other groups.

    Returns
    -------
    FunctionalModules
        The groups, and how much of the network serves one group alone.

    Raises
    ------
    InputError
        There are no rows, or a layer of the network is not read once a row.

    Notes
    -----
    With s_n the value of a neuron (an output, or a hidden neuron's activation), and s_n(j) its value while input j is
    held at its lower median, a value that some row has,

        E[n, j] = mean over rows of (s_n(j) - s_n)^2,    as shares: E[n, :] / sum.

    Each output forgets its weakest inputs, up to the share ``leak`` together; inputs and outputs that are then joined
    are a group. A hidden neuron serves a group alone if at least 1 - ``leak`` of its E comes from the group's inputs,
    and of the variance that outputs lose with it at its mean (`MeanAblation`) at least 1 - ``leak`` is of the group's.

    Features in superposition are found so: each has its own input, reader and output, and a bottleneck that serves all
    of them. So is what a dense network computes side by side, but there hardly any hidden neuron serves one group
    alone; it is then the task that is in parts, not the network. At the median, rather than at the mean, a feature that
    is mostly off is off, and changes nothing that its presence alone would not.

    What this does not show: dependencies that never show when one input alone is held, and those that other rows would
    show.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._functional_modules import functional_modules
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import superposition
    >>> planted = superposition(features=5, hidden=2)
    >>> found = functional_modules(planted.network, neuron_graph(planted.network), planted.x)
    >>> len(found.partition.modules), found.separate, found.shared
    (5, True, ('h1',))
    """
    width = network.layout.sizes.get(network.layout.inputs, 0)
    if x.ndim != 2 or x.shape[1] != width or not len(x):
        hint = "give rows of a network that reads its inputs once a row"
        raise InputError(
            "rows of another kind", where="x", expected=f"[rows, {width}]", got=str(list(x.shape)), hint=hint
        )
    some = fewer_rows(network, x, most=ROWS, fewest=FEWEST_ROWS)
    ablation, whole = MeanAblation(network, some), RecordedActivations(network, some)
    ends = network.layout.inputs, network.layout.outputs
    effects_of_inputs = _effects_of_inputs(network, some, whole)
    effects = _shares(effects_of_inputs[ends[1]])
    kept = _joined(graph, effects, ends, leak)
    groups = [m for m in kept.modules if all(any(node[0] == end for node in m) for end in ends)]
    before = ablation.outputs()
    alone: dict[NodeId, int] = {}
    alive = [node for node in ablation.alive if node in graph.numbers]
    for node in alive:
        from_inputs = effects_of_inputs[node[0]][node[1]]
        fed = [number for number, group in enumerate(groups) if _share(from_inputs, group, ends[0]) >= 1 - leak]
        if not fed:
            continue
        to_outputs = np.asarray(((ablation.outputs([node]) - before) ** 2).mean(axis=0)) / _variance(before)
        for number in fed:
            if _share(to_outputs, groups[number], ends[1]) >= 1 - leak:
                alone[node] = number
    modules = [group | {n for n, of in alone.items() if of == m} for m, group in enumerate(groups)]
    rest = frozenset(node.key for node in graph.nodes).difference(*modules)
    names = {node.key: node.label for node in graph.nodes}
    return FunctionalModules(
        partition=Partition(tuple(map(frozenset, modules)), rest, method="function", parameters={"leak": leak}),
        effects=effects,
        within=min((_share(effects[k], g, ends[0]) for g in groups for end, k in g if end == ends[1]), default=0.0),
        alone=len(alone) / len(alive) if alive else 0.0,
        several=tuple(names[node] for node in alive if node not in alone),
        shared=_shared(alive, alone),
    )


def functional_choice(choice: Choice, levels: Hierarchy, found: FunctionalModules, graph: NeuronGraph) -> Choice:
    """Choose the functional modules where they meet in a shared layer, through which the weights cannot be divided.

    Parameters
    ----------
    choice : Choice
        The level chosen by the weights.
    levels : Hierarchy
        Hierarchy that it was chosen from.
    found : FunctionalModules
        The functional modules of the network.
    graph : NeuronGraph
        Graph of the network, for the modularity of the new level.

    Returns
    -------
    Choice
        The functional modules as a choice, or ``choice`` as it is.

    Notes
    -----
    The modules must be `separate`, they must meet in a shared layer, and the weights must fall into no components that
    lead from inputs to outputs. The known decomposition is not looked at.
    """
    apart = choice.level.kind == "components" and levels.through(choice.level) > 1
    if apart or not found.separate or not found.shared:
        return choice
    level = Level(found.partition, "function", INTERFERENCE, modularity(graph, found.partition))
    return Choice(
        level,
        f"all goes through {' and '.join(found.shared)}; by what the network does, inputs and outputs fall into "
        f"{len(found.partition.modules)} groups, and {found.alone:.0%} of its hidden neurons serve one group alone",
    )


def _shared(alive: Sequence[NodeId], alone: Collection[NodeId]) -> tuple[str, ...]:
    layers = dict.fromkeys(layer for layer, _ in alive)
    shares = {layer: [node in alone for node in alive if node[0] == layer] for layer in layers}
    return tuple(layer for layer, flags in shares.items() if sum(flags) < MOSTLY * len(flags))


def _effects_of_inputs(
    network: Network, x: np.ndarray, whole: RecordedActivations
) -> Mapping[str, Float64[np.ndarray, "neurons inputs"]]:
    """E of every group of neurons but the inputs, each neuron in its own units squared."""
    ends = network.layout.inputs
    found = {group: np.zeros((a.shape[1], x.shape[1])) for group, a in whole.activations.items() if group != ends}
    for j, median in enumerate(np.quantile(x, 0.5, axis=0, method="lower")):
        held = x.copy()
        held[:, j] = median
        now = RecordedActivations(network, held).activations
        for group, effect in found.items():
            effect[:, j] = ((now[group] - whole.activations[group]) ** 2).mean(axis=0)
    return found


def _joined(graph: NeuronGraph, effects: np.ndarray, ends: tuple[str, str], leak: float) -> Partition:
    """Inputs and outputs that effects join, the weakest forgotten."""
    nodes = tuple(node for node in graph.nodes if node.group in ends)
    place = {node.key: n for n, node in enumerate(nodes)}
    k, j = np.nonzero(effects)
    joined = [(place.get((ends[0], b)), place.get((ends[1], a))) for a, b in zip(k.tolist(), j.tolist(), strict=True)]
    known = np.array([None not in pair for pair in joined], dtype=bool)
    source, target = np.array([p for p in joined if None not in p], dtype=np.int64).reshape(-1, 2).T
    edges = Edges(source, target, effects[k, j][known], np.ones(int(known.sum()), dtype=np.int8))
    return connected_components(NeuronGraph(nodes, edges, "effect", *ends), leak=leak)


def _share(values: Float64[np.ndarray, " all"], group: frozenset[NodeId], end: str) -> float:
    """What of the sum belongs to the group's neurons of this end; 0 where there is nothing."""
    total = float(values.sum())
    mine = [index for name, index in group if name == end]
    return float(values[mine].sum()) / total if total > 0 else 0.0


def _shares(effects: Float64[np.ndarray, "outputs inputs"]) -> Float64[np.ndarray, "outputs inputs"]:
    total = effects.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(effects, total, out=np.zeros_like(effects), where=total > 0))


def _variance(outputs: Float64[np.ndarray, "rows outputs"]) -> Float64[np.ndarray, " outputs"]:
    squared = spread(outputs) ** 2
    return np.where(squared > 0, squared, 1.0)
