"""The weighted graph of a network: neurons, and the connections between them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64

from bimt_train import InputError
from bimt_train.extras import need
from bimt_train.showing import ROWS, Shown, one_line, to_cell

if TYPE_CHECKING:
    import pandas as pd

NodeId = tuple[str, int]
"""A neuron's identity: its group and its index there."""


class GraphError(InputError):
    """A graph contradicts itself, or a file or foreign graph cannot be read as one.

    Examples
    --------
    >>> nothing = np.zeros(0, dtype=np.int64)
    >>> try:
    ...     NeuronGraph((Neuron("x", 0, "x1", (0.0,), 0),) * 2, Edges(nothing, nothing, nothing, nothing))
    ... except GraphError as error:
    ...     print(error.what)
    a neuron occurs twice
    """


@dataclass(frozen=True, repr=False)
class Neuron(Shown):
    """A node of a `NeuronGraph`.

    Attributes
    ----------
    group : str
        The group's name.
    index : int
        The neuron's number in its group; (group, index) is its identity.
    label : str
        Its own name, "x3" or "h1.7".
    coordinates : tuple of float
        Where it sits, in units of the layer's width.
    depth : int
        The layer number of its group, 0 for what nothing leads to.

    Examples
    --------
    >>> Neuron("h1", 7, "h1.7", (0.5,), depth=1).key
    ('h1', 7)
    """

    group: str
    index: int
    label: str
    coordinates: tuple[float, ...]
    depth: int

    @property
    def key(self) -> NodeId:
        """The neuron's identity: (group, index)."""
        return self.group, self.index


class Edges(NamedTuple):
    """Connections as parallel arrays; nodes are numbers into `NeuronGraph.nodes`.

    Attributes
    ----------
    source : array [edges] of int
        The neuron that is read.
    target : array [edges] of int
        The neuron that reads it.
    weight : array [edges] of float
        Strengths, above 0.
    sign : array [edges] of int
        -1, 0 or 1.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP((2, 1))).with_tensors({"layers.0.weight": np.array([[0.5, -2.0]])})
    >>> edges = neuron_graph(network).edges
    >>> edges.weight.tolist(), edges.sign.tolist()
    ([0.5, 2.0], [1, -1])
    """

    source: Int64[np.ndarray, " edges"]
    target: Int64[np.ndarray, " edges"]
    weight: Float64[np.ndarray, " edges"]
    sign: Int8[np.ndarray, " edges"]

    def __repr__(self) -> str:
        return one_line(self, f"{len(self.source)} edges")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edges) and all(map(np.array_equal, self, other))

    def __ne__(self, other: object) -> bool:  # a tuple's own would compare arrays
        return not self == other


@dataclass(frozen=True, eq=False, repr=False)
class NeuronGraph(Shown):
    """A directed graph, from the neuron that is read to the neuron that reads it. Asking it never changes it.

    Two graphs are equal if all attributes are.

    Attributes
    ----------
    nodes : tuple of Neuron
        The neurons, each once.
    edges : Edges
        At most one a pair of neurons and direction, sorted by source, then target; ``weight`` is positive, ``sign`` is
        that of the underlying weight (0 where it is no single weight's and cancels).
    weights : str
        What the weights are: the name of an edge weight in `EDGE_WEIGHTS`, or a caller's own word.
    inputs : str
        The group of the inputs, or several with spaces between, or empty.
    outputs : str
        The group of the outputs, or several with spaces between, or empty.
    left_out : int
        How many weaker edges there are besides, of which this graph is the backbone.

    Raises
    ------
    GraphError
        A neuron twice, a pair twice, an edge to nowhere, or a weight that is not positive and finite.

    Examples
    --------
    Two inputs, of which one neuron reads the first:

    >>> nodes = (*(Neuron("x", i, f"x{i + 1}", (0.0,), 0) for i in range(2)), Neuron("y", 0, "y1", (0.0,), 1))
    >>> edges = Edges(np.array([0]), np.array([2]), np.array([0.5]), np.array([-1], dtype=np.int8))
    >>> graph = NeuronGraph(nodes, edges, inputs="x", outputs="y")
    >>> graph.groups, graph.unused
    (('x', 'y'), frozenset({('x', 1)}))
    """

    nodes: tuple[Neuron, ...]
    edges: Edges
    weights: str = "magnitude"
    inputs: str = ""
    outputs: str = ""
    left_out: int = 0

    def _brief(self) -> str:
        left_out = f", {self.left_out} weaker ones left out" if self.left_out else ""
        return f"{len(self.nodes)} nodes, {len(self.edges.weight)} edges by {self.weights}{left_out}"

    def _repr_html_(self) -> str:
        heaviest = np.argsort(-self.edges.weight, kind="stable")[:ROWS]
        source, target, weight, sign = (column[heaviest].tolist() for column in self.edges)
        ends = ((self.nodes[a].label, self.nodes[b].label) for a, b in zip(source, target, strict=True))
        rows = [(*pair, w, s) for pair, w, s in zip(ends, weight, sign, strict=True)]
        columns = ("source", "target", "weight", "sign")
        return to_cell(f"Graph: {self._brief()}", columns=columns, rows=rows, of=len(self.edges.weight))

    def to_frame(self) -> "pd.DataFrame":
        """One row an edge.

        Returns
        -------
        pandas.DataFrame
            ``source`` and ``target``, as the neurons' labels say, ``weight`` and ``sign``.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        labels = np.array([node.label for node in self.nodes], dtype=object)
        source, target, weight, sign = self.edges
        return pd.DataFrame({"source": labels[source], "target": labels[target], "weight": weight, "sign": sign})

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
            hint = "leave out what is no edge, and keep the sign in sign"
            raise GraphError(
                "an impossible edge weight", expected="a positive finite number", got=str(worst), hint=hint
            )
        arrays = _sorted(self.edges)
        if not _rising(arrays[0], arrays[1]).all():
            raise GraphError("a pair of neurons is joined twice", hint="add the weights up")
        for array in arrays:
            array.setflags(write=False)
        object.__setattr__(self, "edges", Edges(*arrays))

    @property
    def is_backbone(self) -> bool:
        """Whether there are weaker edges that this graph does not have."""
        return self.left_out > 0

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

    @cached_property
    def shares_not_heavier(self) -> Float64[np.ndarray, " edges"]:
        """For each edge, the share of its target's incoming weight in edges not heavier; equal edges fare alike."""
        share = np.zeros(len(self.edges.weight))
        order = np.lexsort((self.edges.weight, self.edges.target))
        for own in np.split(order, np.flatnonzero(np.diff(self.edges.target[order])) + 1):
            weight = self.edges.weight[own]
            up_to = np.concatenate([[0.0], np.cumsum(weight)])
            not_heavier = np.searchsorted(weight, weight * (1 + 1e-12), side="right")
            share[own] = up_to[not_heavier] / up_to[-1]
        return share

    @property
    def unused(self) -> frozenset[NodeId]:
        """The neurons that no edge joins to another."""
        return frozenset(node.key for node, joined in zip(self.nodes, self.connected, strict=True) if not joined)

    @property
    def has_ends(self) -> bool:
        """Whether it is known where the network begins and ends."""
        groups = set(self.groups)
        return all(end and set(end.split()) <= groups for end in (self.inputs, self.outputs))

    def members(self, group: str) -> Int64[np.ndarray, " members"]:
        """The node numbers of a group, or of several.

        Parameters
        ----------
        group : str
            A group's name, or several with spaces between; one that has no neurons gives none.

        Returns
        -------
        array [members] of int
            Numbers into ``nodes``.
        """
        named = group.split()
        return np.array([number for number, node in enumerate(self.nodes) if node.group in named], dtype=np.int64)

    def adjacency(self) -> Float64[np.ndarray, "nodes nodes"]:
        """Dense weights [target, source]."""
        matrix = np.zeros((len(self.nodes), len(self.nodes)))
        matrix[self.edges.target, self.edges.source] = self.edges.weight
        return matrix

    def restricted(self, keep: Callable[[Neuron], bool]) -> Self:
        """The graph of some of the neurons, and the edges between them.

        Parameters
        ----------
        keep : callable
            Takes a `Neuron`; true for those that stay.

        Returns
        -------
        NeuronGraph
            With fewer nodes, in their order.
        """
        kept = np.array([keep(node) for node in self.nodes], dtype=bool)
        renumbered = np.cumsum(kept) - 1
        both = kept[self.edges.source] & kept[self.edges.target]
        source, target, weight, sign = (column[both] for column in self.edges)
        nodes = tuple(node for node, stays in zip(self.nodes, kept, strict=True) if stays)
        edges = Edges(renumbered[source], renumbered[target], weight, sign)
        return replace(self, nodes=nodes, edges=edges)

    def without(self, groups: Iterable[str]) -> Self:
        """The graph with whole groups taken away.

        Parameters
        ----------
        groups : str or iterable of str
            The groups to leave out.

        Returns
        -------
        NeuronGraph
            What is left.

        Raises
        ------
        GraphError
            There is no such group.
        """
        gone = {groups} if isinstance(groups, str) else set(groups)
        if strange := sorted(gone.difference(self.groups)):
            raise GraphError("no such group", expected=", ".join(self.groups), got=", ".join(strange))
        return self.restricted(lambda node: node.group not in gone)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NeuronGraph):
            return NotImplemented
        mine, theirs = ((g.nodes, g.weights, g.inputs, g.outputs, g.left_out, g.edges) for g in (self, other))
        return mine == theirs

    def __hash__(self) -> int:
        return hash((self.nodes, self.weights, self.inputs, self.outputs, self.edges.weight.tobytes()))


def _sorted(edges: Edges) -> tuple[np.ndarray, ...]:
    """Copies of the columns, by source and then by target."""
    if _rising(edges.source, edges.target).all():
        return tuple(np.array(column) for column in edges)
    order = np.lexsort((edges.target, edges.source))
    return tuple(np.array(column[order]) for column in edges)


def _rising(source: Int64[np.ndarray, " edges"], target: Int64[np.ndarray, " edges"]) -> Bool[np.ndarray, "_"]:
    """Whether each edge comes after the one before it."""
    further = np.diff(source)
    return np.asarray((further > 0) | ((further == 0) & (np.diff(target) > 0)))


def _first_repeated(keys: Iterable[NodeId]) -> str:
    seen: set[NodeId] = set()
    for key in keys:
        if key in seen:
            return str(key)
        seen.add(key)
    return "none"
