"""A second opinion on the modules: description length in place of modularity."""

import igraph
import numpy as np

from ..graph import NeuronGraph
from ._leiden import VERSIONS, igraph_random
from ._partition import Partition


def infomap(graph: NeuronGraph, *, trials: int = 10, seed: int = 0) -> Partition:
    """The partition that shortens the description of a random walk the most (Rosvall and Bergstrom, arXiv 0707.0609).

    Directions are ignored, as a walk along the layers of a network would end at its outputs. ``quality`` is the length
    in bits a step. The number of modules follows from the principle: nothing is to be chosen, and so it is an opinion
    independent of resolutions. It has a grain of its own all the same: networks whose modules are large and loosely
    wired are cut up further, and small ones in a dense whole are not seen.

    Seeded, and repeatable with one version of igraph.
    """
    pairs = np.stack([graph.edges.source, graph.edges.target], axis=1)
    whole = igraph.Graph(len(graph.nodes), pairs.tolist())
    with igraph_random(seed):
        found = whole.community_infomap(edge_weights=graph.edges.weight.tolist(), trials=trials)
    parameters = {"trials": trials, "weights": graph.weights}
    return Partition.of(
        graph, found.membership, method="infomap", parameters=parameters, seed=seed, versions=VERSIONS,
        quality=float(found.codelength),
    )  # fmt: skip
