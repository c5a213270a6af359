"""Modules by description length in place of modularity."""

import igraph

from ..graph import NeuronGraph
from ._community_methods import COMMUNITY_METHODS
from ._leiden_searches import VERSIONS, igraph_random
from ._partition import Partition


@COMMUNITY_METHODS.register(
    "infomap",
    label="Infomap",
    sentence="The partition that shortens the description of a random walk the most; no resolution is to be chosen.",
)
def infomap(graph: NeuronGraph, *, trials: int = 10, seed: int = 0) -> Partition:
    """The partition that shortens the description of a random walk the most.

    Directions are ignored, as a walk along the layers of a network would end at its outputs. ``quality`` is the length
    in bits a step.

    Seeded, and repeatable with one version of igraph.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    trials : int, default 10
        Searches, of which the best counts.
    seed : int, default 0
        Of the searches.

    Returns
    -------
    Partition
        The modules; ``quality`` is the description length, the smaller the better.

    Notes
    -----
    The method is that of [1]_. The number of modules follows from the principle: nothing is to be chosen, and so it
    does not depend on resolutions. It has a scale that it prefers all the same: networks whose modules are large and
    loosely wired are cut up further, and small ones in a dense whole are not seen.

    References
    ----------
    .. [1] Rosvall and Bergstrom, "Maps of random walks on complex networks reveal community structure",
       arXiv 0707.0609.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, scale=1.0, seed=0).network)
    >>> len(infomap(graph).modules)
    2
    """
    source, target, weight, _ = graph.edges
    whole = igraph.Graph(len(graph.nodes), list(zip(source.tolist(), target.tolist(), strict=True)))
    with igraph_random(seed):
        found = whole.community_infomap(edge_weights=weight.tolist(), trials=trials)
    parameters = {"trials": trials, "weights": graph.weights}
    return Partition.of(
        graph, found.membership, method="infomap", parameters=parameters, seed=seed, versions=VERSIONS,
        quality=float(found.codelength),
    )  # fmt: skip
