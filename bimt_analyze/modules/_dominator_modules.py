"""Modules that reach the outputs through one neuron: functions of functions, as a network writes them."""

from dataclasses import dataclass
from typing import Self

import igraph
import numpy as np
from jaxtyping import Bool, Float64, Int64

from ..graph import NeuronGraph
from ._components import kept_edges
from ._leiden_searches import VERSIONS
from ._partition import Partition


def dominator_modules(graph: NeuronGraph, *, depth: int | None = None, leak: float = 0.0) -> Partition:
    """Neurons whose every path to an output leads through one neuron share a module with it.

    So y = f(g(x1, x2), h(x3, x4)) falls into f, g and h if each value has a neuron of its own, although components are
    one; also where g and h are read by several functions, or share inputs. What a network spreads over several neurons
    is not found here: two neurons that add up to |u| have no post-dominator of their own.

    Parameters
    ----------
    graph : NeuronGraph
        With its outputs, or else whatever nothing reads counts as one.
    depth : int, optional
        How many heads a module may have above it on the way out; those further down join the module that reads them.
        Left out, all are modules. A lower depth gives a coarser or an equal partition.
    leak : float, default 0.0
        As in `connected_components`.

    Returns
    -------
    Partition
        The modules. ``quality`` is the share of the neurons between inputs and outputs that have a head or are one:
        where it is low, the modules say little.

    Raises
    ------
    InputError
        A leak outside [0, 1).

    Notes
    -----
    The post-dominator of a neuron is the first neuron that all its paths to the outputs have in common. A neuron that
    post-dominates others is the head of a module: itself, and those of them that head none. A head that post-dominates
    nothing but one other head passes on that one's value, and joins it. A neuron without a post-dominator, such as an
    input that several functions read, goes with the module that reads most of it by weight.

    Examples
    --------
    Two halves with one output each; the output neuron heads its half:

    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> found = dominator_modules(graph)
    >>> len(found.modules), found.quality
    (2, 1.0)
    """
    return DominatorTree.of(graph, leak).modules(depth)


@dataclass(frozen=True, eq=False)
class DominatorTree:
    """What stands above each neuron on all its ways to the outputs, from which modules of any depth are read off.

    Attributes
    ----------
    graph : NeuronGraph
        The graph.
    leak : float
        As in `dominator_modules`.
    kept : array of bool, [edges]
        The edges that are not forgotten.
    above : array of int, [nodes]
        The immediate post-dominator of each node; -1 where its paths have nothing in common, or it has none.
    head : array of int, [nodes]
        The head of each node's module; the node itself where it is one, or belongs to none.
    level : array of int, [nodes]
        How many other heads stand above each node's head.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> tree = DominatorTree.of(neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network), leak=0.0)
    >>> len(tree.modules(None).modules), tree.depth
    (2, 0)
    """

    graph: NeuronGraph
    leak: float
    kept: Bool[np.ndarray, " edges"]
    above: Int64[np.ndarray, " nodes"]
    head: Int64[np.ndarray, " nodes"]
    level: Int64[np.ndarray, " nodes"]

    @classmethod
    def of(cls, graph: NeuronGraph, leak: float) -> Self:
        """The tree of a graph.

        Parameters
        ----------
        graph : NeuronGraph
            Any.
        leak : float
            As in `dominator_modules`.

        Returns
        -------
        DominatorTree
            The tree.
        """
        kept = kept_edges(graph, leak)
        above = _post_dominators(graph, graph.edges.source[kept], graph.edges.target[kept])
        head = _heads(above)
        return cls(graph, leak, kept, above, head, _levels(above, head))

    @property
    def depth(self) -> int:
        """The depth from which on modules no longer differ."""
        return int(self.level.max(initial=0))

    def modules(self, depth: int | None) -> Partition:
        """The modules of a depth, as `dominator_modules` says.

        Parameters
        ----------
        depth : int or None
            How many heads a module may have above it; None for any number.

        Returns
        -------
        Partition
            Of all neurons of the graph.
        """
        graph, head, above = self.graph, self.head, self.above
        ends = (*graph.inputs.split(), *graph.outputs.split())
        inner = np.array([node.group not in ends for node in graph.nodes]) & graph.connected
        under = (head != np.arange(len(head))) | np.isin(np.arange(len(head)), above)
        share = float(under[inner].mean()) if inner.any() else 0.0
        if depth is not None:
            head = np.array([_raised(n, head, above, self.level, depth) for n in head.tolist()], dtype=np.int64)
        labels = _with_readers(graph, head, *(column[self.kept] for column in graph.edges[:3]))
        about = {"leak": self.leak, "depth": depth, "weights": graph.weights}
        return Partition.of(graph, labels, method="dominators", parameters=about, versions=VERSIONS, quality=share)


def _post_dominators(
    graph: NeuronGraph, source: Int64[np.ndarray, " edges"], target: Int64[np.ndarray, " edges"]
) -> Int64[np.ndarray, " nodes"]:
    """For each node its immediate post-dominator; -1 where its paths have nothing in common, or it has none."""
    nodes = len(graph.nodes)
    unread = np.flatnonzero(np.bincount(source[source != target], minlength=nodes) == 0)
    own = graph.members(graph.outputs)
    ends = own if len(own) else unread
    pairs = np.concatenate([np.stack([source, target], axis=1), np.stack([ends, np.full(len(ends), nodes)], axis=1)])
    read = igraph.Graph(nodes + 1, list(zip(*pairs.T.tolist(), strict=True)), directed=True)
    found = read.dominator(nodes, mode="in")
    above = np.nan_to_num(np.array(found[:nodes], dtype=np.float64), nan=-1).astype(np.int64)
    return np.where((above < 0) | (above == nodes), -1, above)


def _heads(above: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, " nodes"]:
    """For each node the head of its module; itself where it is one, or belongs to none."""
    is_head = np.zeros(len(above), dtype=bool)
    is_head[above[above >= 0]] = True
    head = np.where(is_head | (above < 0), np.arange(len(above)), above)
    children = {h: np.flatnonzero(above == h) for h in np.flatnonzero(is_head)}
    for h, own in children.items():
        if len(own) == 1 and is_head[own[0]]:
            head[head == h] = own[0]  # h passes on
    while (head[head] != head).any():
        head = head[head]
    return head


def _levels(above: Int64[np.ndarray, " nodes"], head: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, " nodes"]:
    """How many other heads stand above each node's head."""
    level = np.zeros(len(above), dtype=np.int64)
    for node in range(len(above)):
        here, seen = node, {int(head[node])}
        while above[here] >= 0:
            here = int(above[here])
            seen.add(int(head[here]))
        level[node] = len(seen) - 1
    return level


def _raised(
    node: int,
    head: Int64[np.ndarray, " nodes"],
    above: Int64[np.ndarray, " nodes"],
    level: Int64[np.ndarray, " nodes"],
    depth: int,
) -> int:
    """The head at this level or higher that reads a node's module."""
    here = node
    while level[here] > depth and above[here] >= 0:
        here = int(above[here])
    return int(head[here])


def _with_readers(
    graph: NeuronGraph,
    head: Int64[np.ndarray, " nodes"],
    source: Int64[np.ndarray, " edges"],
    target: Int64[np.ndarray, " edges"],
    weight: Float64[np.ndarray, " edges"],
) -> Int64[np.ndarray, " nodes"]:
    """Nodes alone in their module go with the module that reads most of them.

    Deepest first, so that readers are settled.
    """
    labels = head.copy()
    counts = np.bincount(labels, minlength=len(labels))
    for node in sorted(np.flatnonzero(counts[labels] == 1).tolist(), key=lambda n: -graph.depths[n]):
        own = slice(*np.searchsorted(source, (node, node + 1)))  # edges lie in the order of their sources
        read = target[own] != node
        if read.any():
            shares = np.bincount(labels[target[own][read]], weight[own][read], len(labels))
            labels[node] = int(np.argmax(shares))
    return labels
