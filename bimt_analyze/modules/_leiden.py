"""The Leiden method, through igraph, repeatable and without touching the caller's random state."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import igraph
import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError

from ..graph import NeuronGraph
from ._community_methods import COMMUNITY_METHODS
from ._partition import Partition
from ._quality import check_covers, modularity

VERSIONS = {"igraph": igraph.__version__}

_ONE_SEARCH_AT_A_TIME = threading.RLock()

GAIN = 1e-12
"""Of the quality of weights that add up to 1: an iteration that brings less has found nothing but rounding."""


@COMMUNITY_METHODS.register(
    "leiden", label="Leiden", sentence="The partition of greatest modularity that one run of Leiden finds."
)
def leiden(graph: NeuronGraph, *, resolution: float = 1.0, seed: int, inside: Partition | None = None) -> Partition:
    """The best partition that one run of Leiden finds for `modularity` at this resolution.

    Directions are ignored. Runs until an iteration gains nothing. With ``inside``, each of that partition's modules is
    searched on its own, but against the whole graph's strengths, so that the sum is still that modularity, maximised
    over the refinements of ``inside``.

    Seeded: one seed always gives the same modules (with one version of igraph). Python's and NumPy's global random
    states are left as they were.

    A single run at a single resolution is no evidence: on the task of the BIMT paper, resolution 1 finds 3 to 5 modules
    where 2 are true. `hierarchy` compares many runs.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    resolution : float, default 1.0
        Above 0; the higher, the smaller the modules.
    seed : int
        Of the run.
    inside : Partition, optional
        Modules that no module may cross.

    Returns
    -------
    Partition
        The modules; ``quality`` is their modularity at this resolution.

    Raises
    ------
    InputError
        A resolution that is not positive and finite.
    NotAPartition
        ``inside`` is of other neurons.

    References
    ----------
    .. [1] Traag, Waltman and van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
       arXiv 1810.08473.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, scale=1.0, seed=0).network)
    >>> found = leiden(graph, seed=0)
    >>> len(found.modules), found.quality > 0.3
    (2, True)
    """
    if not (np.isfinite(resolution) and resolution > 0):
        raise InputError("an impossible resolution", expected="a positive number", got=str(resolution), hint="use 1.0")
    if inside is not None:
        check_covers(graph, inside)
    within = np.zeros(len(graph.nodes), dtype=np.int64) if inside is None else inside.labels(graph.nodes)
    labels = search(graph, within, resolution=resolution, seed=seed)
    parameters = {"resolution": resolution, "weights": graph.weights, "inside": inside.method if inside else None}
    found = Partition.of(graph, labels, method="leiden", parameters=parameters, seed=seed, versions=VERSIONS)
    # quality needs the modules, and a partition never changes
    quality = modularity(graph, found, resolution=resolution)
    return Partition(found.modules, found.unused, "leiden", parameters, seed, VERSIONS, quality)


def best_modularity(weights: Float64[np.ndarray, "nodes nodes"], *, seed: int) -> float:
    """The modularity of the best partition that one run of Leiden at resolution 1 finds, directions ignored.

    Parameters
    ----------
    weights : array [nodes, nodes]
        [target, source], at least 0.
    seed : int
        Of the run.

    Returns
    -------
    float
        Below 1; 0 for a graph without edges.

    Examples
    --------
    Two pairs of nodes that are joined with nothing else:

    >>> weights = np.zeros((4, 4))
    >>> weights[1, 0] = weights[3, 2] = 1.0
    >>> best_modularity(weights, seed=0)
    0.5
    """
    target, source = np.nonzero(weights)
    total = float(weights.sum())
    if total == 0:
        return 0.0
    weight = weights[target, source] / total
    strengths = (weights.sum(0) + weights.sum(1)) / total
    labels = run(np.stack([source, target], axis=1), weight, strengths, resolution=0.5, seed=seed)
    inside = float(weight[labels[source] == labels[target]].sum())
    return inside - float((np.bincount(labels, strengths / 2) ** 2).sum())


def search(
    graph: NeuronGraph, within: Int64[np.ndarray, " nodes"], *, resolution: float, seed: int
) -> Int64[np.ndarray, " nodes"]:
    """Labels of one run; nodes of different ``within`` never share one.

    Modularity is the constant Potts model with node strengths as node weights and resolution / 2m as its resolution;
    in that form it can be maximised on a part of the graph. The first move starts from the singletons.

    Parameters
    ----------
    graph : NeuronGraph
        The graph; directions are ignored.
    within : array of int, [nodes]
        The module inside which each node is searched.
    resolution : float
        The resolution of modularity.
    seed : int
        Of the run.

    Returns
    -------
    array of int, [nodes]
        Labels.
    """
    source, target, weight = graph.edges.source, graph.edges.target, graph.edges.weight
    total = float(weight.sum())
    if total == 0:
        return np.arange(len(graph.nodes), dtype=np.int64)
    strengths = np.bincount(source, weight, len(graph.nodes)) + np.bincount(target, weight, len(graph.nodes))
    kept = within[source] == within[target]
    pairs = np.stack([source[kept], target[kept]], axis=1)
    # in units of the total weight, so that igraph's tolerances mean the same for every network
    return run(pairs, weight[kept] / total, strengths / total, resolution=resolution / 2, seed=seed)


def run(
    pairs: Int64[np.ndarray, "edges 2"],
    weight: Float64[np.ndarray, " edges"],
    strengths: Float64[np.ndarray, " nodes"],
    *,
    resolution: float,
    seed: int,
) -> Int64[np.ndarray, " nodes"]:
    """Run igraph's Leiden on the constant Potts model, with node weights.

    Iterated here, not by igraph's ``n_iterations=-1``, which never ends where a node has equal gains on two sides: it
    goes to and fro for ever.

    Parameters
    ----------
    pairs : array of int, [edges, 2]
        The two nodes of each edge.
    weight : array of float, [edges]
        The edges' weights.
    strengths : array of float, [nodes]
        The nodes' weights.
    resolution : float
        Of the constant Potts model.
    seed : int
        Of the run.

    Returns
    -------
    array of int, [nodes]
        Labels.
    """
    graph = igraph.Graph(len(strengths), pairs)
    edge_weights, node_weights = weight.tolist(), strengths.tolist()

    def iterated(membership: list[int] | None) -> igraph.VertexClustering:
        return graph.community_leiden(
            objective_function="CPM",
            weights=edge_weights,
            resolution=resolution,
            node_weights=node_weights,
            n_iterations=1,
            initial_membership=membership,
        )

    with igraph_random(seed):
        found, further = None, iterated(None)
        while found is None or further.quality > found.quality + GAIN:
            found, further = further, iterated(further.membership)
    return np.array(found.membership, dtype=np.int64)


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
