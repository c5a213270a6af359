"""A graph made ready for many runs of igraph's Leiden."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

import igraph
import numpy as np
from jaxtyping import Float64, Int64

from ..graph import NeuronGraph
from ._partition import Partition
from ._quality import check_covers

VERSIONS = {"igraph": igraph.__version__}

_ONE_SEARCH_AT_A_TIME = threading.RLock()

GAIN = 1e-12
"""Of the quality of weights that add up to 1: an iteration that brings less has found nothing but rounding."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A weighted graph for igraph's Leiden on the constant Potts model, with node weights.

    Attributes
    ----------
    graph : igraph.Graph
        The graph.
    weights : list of float
        The edges' weights.
    strengths : list of float
        The nodes' weights.

    Examples
    --------
    >>> pairs, strengths = np.array([[0, 1], [2, 3]]), np.full(4, 0.5)
    >>> labels = Ready.of(pairs, np.full(2, 0.5), strengths).labels(0.5, seed=0)
    >>> (labels[:, None] == labels).sum(axis=1).tolist()
    [2, 2, 2, 2]
    """

    graph: igraph.Graph
    weights: list[float]
    strengths: list[float]

    @classmethod
    def of(
        cls,
        pairs: Int64[np.ndarray, "edges 2"],
        weight: Float64[np.ndarray, " edges"],
        strengths: Float64[np.ndarray, " nodes"],
    ) -> Self:
        """Of arrays.

        Parameters
        ----------
        pairs : array of int, [edges, 2]
            The two nodes of each edge.
        weight : array of float, [edges]
            The edges' weights.
        strengths : array of float, [nodes]
            The nodes' weights.
        """
        # pairs as tuples: igraph reads an array one number at a time, and the collector of garbage looks at each list
        graph = igraph.Graph(len(strengths), list(zip(*pairs.T.tolist(), strict=True)))
        return cls(graph, weight.tolist(), strengths.tolist())

    def labels(self, resolution: float, seed: int) -> Int64[np.ndarray, " nodes"]:
        """Labels of one run.

        Iterated here, not by igraph's ``n_iterations=-1``, which never ends where a node has equal gains on two sides:
        it goes to and fro for ever.

        Parameters
        ----------
        resolution : float
            Of the constant Potts model: half of modularity's.
        seed : int
            Of the run.

        Returns
        -------
        array of int, [nodes]
            One label a node.
        """
        with igraph_random(seed):
            found, further = None, self._iterated(resolution, None)
            while found is None or further.quality > found.quality + GAIN:
                found, further = further, self._iterated(resolution, further.membership)
        return np.array(found.membership, dtype=np.int64)

    def _iterated(self, resolution: float, membership: list[int] | None) -> igraph.VertexClustering:
        return self.graph.community_leiden(
            objective_function="CPM",
            weights=self.weights,
            resolution=resolution,
            node_weights=self.strengths,
            n_iterations=1,
            initial_membership=membership,
        )


@dataclass(frozen=True, eq=False)
class Searches:
    """A graph for many runs, whose nodes of different modules never share one.

    Modularity is the constant Potts model with node strengths as node weights and resolution / 2m as its resolution; in
    that form it can be maximised on a part of the graph. The first move starts from the singletons.

    Attributes
    ----------
    graph : NeuronGraph
        The graph; directions are ignored.
    inside : Partition or None
        The modules inside which nodes are searched.
    ready : Ready
        What igraph takes; weights are in units of their total.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> searches = Searches.of(neuron_graph(block_network(seed=0).network), None)
    >>> searches.within(None) is searches
    True
    """

    graph: NeuronGraph
    inside: Partition | None
    ready: Ready

    @classmethod
    def of(cls, graph: NeuronGraph, inside: Partition | None) -> Self:
        """Of a graph.

        Parameters
        ----------
        graph : NeuronGraph
            The graph.
        inside : Partition or None
            Modules that no module may cross.

        Raises
        ------
        NotAPartition
            ``inside`` is of other neurons.
        """
        if inside is not None:
            check_covers(graph, inside)
        source, target, weight = graph.edges.source, graph.edges.target, graph.edges.weight
        total, nodes = float(weight.sum()) or 1.0, len(graph.nodes)
        within = np.zeros(nodes, dtype=np.int64) if inside is None else inside.labels(graph.nodes)
        strengths = np.bincount(source, weight, nodes) + np.bincount(target, weight, nodes)
        kept = within[source] == within[target]
        pairs = np.stack([source[kept], target[kept]], axis=1)
        # in units of the total weight, so that igraph's tolerances mean the same for every network
        return cls(graph, inside, Ready.of(pairs, weight[kept] / total, strengths / total))

    def within(self, inside: Partition | None) -> Self:
        """The searches of this graph that stay inside other modules.

        Parameters
        ----------
        inside : Partition or None
            Modules that no module may cross.

        Returns
        -------
        Searches
            Itself, where these are its modules already.
        """
        if inside is self.inside:
            return self
        if inside is not None and self.inside is not None and inside.same_modules(self.inside):
            return replace(self, inside=inside)
        return self.of(self.graph, inside)


@contextmanager
def igraph_random(seed: int) -> Iterator[None]:
    """While inside, igraph draws from a generator of this seed; after, from Python's ``random`` module, its default.

    igraph has one generator a process and does not tell which: a caller's own choice of igraph generator is replaced by
    the default, and threads wait for each other.
    """
    with _ONE_SEARCH_AT_A_TIME:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)
