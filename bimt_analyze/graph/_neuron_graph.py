"""The weighted graph of a network: neurons, and the connections between them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64

from bimt_train import InputError

NodeId = tuple[str, int]
"""A neuron's identity: its group and its index there."""


class GraphError(InputError):
    """A graph contradicts itself, or a file or foreign graph cannot be read as one."""


@dataclass(frozen=True)
class Neuron:
    """A node.

    Attributes:
        group: the group's name.
        index: the neuron's number in its group; (group, index) is its identity.
        label: its own name, "x3" or "h1.7".
        coordinates: where it sits, in units of the layer's width.
        depth: the layer number of its group, 0 for what nothing leads to.
    """

    group: str
    index: int
    label: str
    coordinates: tuple[float, ...]
    depth: int

    @property
    def key(self) -> NodeId:
        """Its identity."""
        return self.group, self.index


class Edges(NamedTuple):
    """Connections as parallel arrays; nodes are numbers into `NeuronGraph.nodes`."""

    source: Int64[np.ndarray, " edges"]
    target: Int64[np.ndarray, " edges"]
    weight: Float64[np.ndarray, " edges"]
    sign: Int8[np.ndarray, " edges"]


@dataclass(frozen=True, eq=False)
class NeuronGraph:
    """A directed graph, from the neuron that is read to the neuron that reads it. Asking it never changes it.

    Attributes:
        nodes: the neurons, each once.
        edges: at most one a pair of neurons and direction, sorted by source, then target; ``weight`` is positive,
            ``sign`` is that of the underlying weight (0 where it is no single weight's and cancels).
        weights: what the weights are: "magnitude", "activation", "attribution", or a caller's own word.
        inputs: the group of the inputs, or empty.
        outputs: the group of the outputs, or empty.

    Raises:
        GraphError: a neuron twice, a pair twice, an edge to nowhere, or a weight that is not positive and finite.

    Two graphs are equal if all of this is.
    """

    nodes: tuple[Neuron, ...]
    edges: Edges
    weights: str = "magnitude"
    inputs: str = ""
    outputs: str = ""

    def __post_init__(self) -> None:
        source, target, weight, sign = self.edges
        if not len(source) == len(target) == len(weight) == len(sign):
            raise GraphError("edge arrays of unequal length", got=str([len(column) for column in self.edges]))
        if len(self.numbers) < len(self.nodes):
            raise GraphError("a neuron occurs twice", got=_first_repeated(node.key for node in self.nodes))
        ends = np.concatenate([source, target])
        if ends.size and (ends.min() < 0 or ends.max() >= len(self.nodes)):
            raise GraphError("an edge to a node that is not there", expected=f"0..{len(self.nodes) - 1}")
        if not (np.isfinite(weight) & (weight > 0)).all():
            worst = weight[~(np.isfinite(weight) & (weight > 0))][0]
            mend = "leave out what is no edge, and keep the sign in sign"
            raise GraphError(
                "an impossible edge weight", expected="a positive finite number", got=str(worst), mend=mend
            )
        order = np.lexsort((target, source))
        arrays = tuple(np.array(column[order]) for column in self.edges)
        if ((np.diff(arrays[0]) == 0) & (np.diff(arrays[1]) == 0)).any():
            raise GraphError("a pair of neurons is joined twice", mend="add the weights up")
        for array in arrays:
            array.setflags(write=False)
        object.__setattr__(self, "edges", Edges(*arrays))

    @cached_property
    def numbers(self) -> dict[NodeId, int]:
        """Identity -> place in ``nodes``."""
        return {node.key: number for number, node in enumerate(self.nodes)}

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that have neurons, in the order of ``nodes``."""
        return tuple(dict.fromkeys(node.group for node in self.nodes))

    @cached_property
    def depths(self) -> Int64[np.ndarray, " nodes"]:
        """The depth of every node."""
        return np.array([node.depth for node in self.nodes], dtype=np.int64)

    @cached_property
    def connected(self) -> Bool[np.ndarray, " nodes"]:
        """Which nodes have an edge to or from another node."""
        found = np.zeros(len(self.nodes), dtype=bool)
        apart = self.edges.source != self.edges.target
        found[self.edges.source[apart]] = True
        found[self.edges.target[apart]] = True
        return found

    @property
    def unused(self) -> frozenset[NodeId]:
        """The neurons that no edge joins to another."""
        return frozenset(node.key for node, joined in zip(self.nodes, self.connected, strict=True) if not joined)

    def members(self, group: str) -> Int64[np.ndarray, " members"]:
        """The node numbers of a group."""
        return np.array([number for number, node in enumerate(self.nodes) if node.group == group], dtype=np.int64)

    def adjacency(self) -> Float64[np.ndarray, "nodes nodes"]:
        """Dense weights [target, source]."""
        matrix = np.zeros((len(self.nodes), len(self.nodes)))
        matrix[self.edges.target, self.edges.source] = self.edges.weight
        return matrix

    def restricted(self, keep: Callable[[Neuron], bool]) -> Self:
        """The graph of the neurons for which ``keep`` is true, and the edges between them."""
        kept = np.array([keep(node) for node in self.nodes], dtype=bool)
        renumbered = np.cumsum(kept) - 1
        both = kept[self.edges.source] & kept[self.edges.target]
        source, target, weight, sign = (column[both] for column in self.edges)
        nodes = tuple(node for node, stays in zip(self.nodes, kept, strict=True) if stays)
        edges = Edges(renumbered[source], renumbered[target], weight, sign)
        return type(self)(nodes, edges, self.weights, self.inputs, self.outputs)

    def without(self, groups: Iterable[str]) -> Self:
        """The graph with whole groups taken away.

        Raises:
            GraphError: there is no such group.
        """
        gone = {groups} if isinstance(groups, str) else set(groups)
        if strange := sorted(gone.difference(self.groups)):
            raise GraphError("no such group", expected=", ".join(self.groups), got=", ".join(strange))
        return self.restricted(lambda node: node.group not in gone)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NeuronGraph):
            return NotImplemented
        mine, theirs = ((g.nodes, g.weights, g.inputs, g.outputs) for g in (self, other))
        return mine == theirs and all(np.array_equal(a, b) for a, b in zip(self.edges, other.edges, strict=True))

    def __hash__(self) -> int:
        return hash((self.nodes, self.weights, self.inputs, self.outputs, self.edges.weight.tobytes()))


def _first_repeated(keys: Iterable[NodeId]) -> str:
    seen: set[NodeId] = set()
    for key in keys:
        if key in seen:
            return str(key)
        seen.add(key)
    return "none"
