"""Modules by the Leiden method, through igraph, repeatable and without touching the caller's random state."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError

from ..graph import NeuronGraph
from ._community_methods import COMMUNITY_METHODS
from ._leiden_searches import VERSIONS, Ready, Searches
from ._partition import Partition
from ._quality import modularity


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
    return leiden_runs(Searches.of(graph, inside), resolution=resolution, seeds=[seed])[0]


def leiden_runs(searches: Searches, *, resolution: float, seeds: Sequence[int]) -> list[Partition]:
    """What `leiden` finds with each of several seeds, in a graph that is made ready once.

    Parameters
    ----------
    searches : Searches
        The graph, and the modules that no module may cross.
    resolution : float
        As in `leiden`.
    seeds : sequence of int
        One a run.

    Returns
    -------
    list of Partition
        One a seed.
    """
    graph, inside = searches.graph, searches.inside
    parameters = {"resolution": resolution, "weights": graph.weights, "inside": inside.method if inside else None}
    runs = []
    for seed in seeds:
        labels = searches.ready.labels(resolution / 2, seed)
        found = Partition.of(graph, labels, method="leiden", parameters=parameters, seed=seed, versions=VERSIONS)
        # quality needs the modules, and a partition never changes
        quality = modularity(graph, found, resolution=resolution)
        runs.append(Partition(found.modules, found.unused, "leiden", parameters, seed, VERSIONS, quality))
    return runs


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
    return best_modularity_of(source, target, weights[target, source], nodes=len(weights), seed=seed)


def best_modularity_of(
    source: Int64[np.ndarray, " edges"],
    target: Int64[np.ndarray, " edges"],
    weight: Float64[np.ndarray, " edges"],
    *,
    nodes: int,
    seed: int,
) -> float:
    """`best_modularity` of a graph that is given edge by edge.

    Parameters
    ----------
    source : array of int, [edges]
        The nodes that edges leave.
    target : array of int, [edges]
        The nodes that edges lead to.
    weight : array of float, [edges]
        Their weights, at least 0.
    nodes : int
        How many nodes there are.
    seed : int
        Of the run.

    Returns
    -------
    float
        Below 1; 0 for a graph without edges.

    Examples
    --------
    >>> best_modularity_of(np.array([0, 2]), np.array([1, 3]), np.ones(2), nodes=4, seed=0)
    0.5
    """
    total = float(weight.sum())
    if total == 0:
        return 0.0
    weight = weight / total
    strengths = np.bincount(source, weight, nodes) + np.bincount(target, weight, nodes)
    labels = Ready.of(np.stack([source, target], axis=1), weight, strengths).labels(0.5, seed)
    inside = float(weight[labels[source] == labels[target]].sum())
    return inside - float((np.bincount(labels, strengths / 2) ** 2).sum())
