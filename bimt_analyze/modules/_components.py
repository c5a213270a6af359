"""Connected components, of the whole graph and with its upper layers taken away."""

from collections.abc import Sequence

import igraph
import numpy as np
from jaxtyping import Int64

from bimt_train import InputError

from ..graph import NeuronGraph
from ._partition import Partition


def connected_components(graph: NeuronGraph) -> Partition:
    """Neurons that edges join, directly or through others, whatever the direction, share a module.

    Unconnected neurons are unused.
    """
    labels = _joined(len(graph.nodes), graph.edges.source, graph.edges.target)
    return Partition.of(graph, labels, method="components", versions={"igraph": igraph.__version__})


def peeled_components(graph: NeuronGraph, *, depth: int) -> Partition:
    """Modules as they are before the layers above ``depth`` read them; those layers' neurons go with what they read.

    1. The graph of the neurons of depth <= ``depth`` alone falls into components.
    2. Then upwards, layer by layer: a neuron that reads one module only (so far) joins it; neurons that read several
       modules form a new one with all that read exactly the same modules. Upper neurons of equal depth that are joined
       among themselves (recurrent ones) count as one neuron.

    Without a cut (``depth`` at or above the deepest layer) these are the connected components. A lower cut gives a
    finer or an equal partition, so all cuts of one graph are nested. This finds the parts that a last step combines,
    as in y = sqrt(a + b), where the components of the whole graph are one.

    Raises:
        InputError: a negative depth.
    """
    if depth < 0:
        raise InputError("nothing is left below", where="depth", expected="0 or more", got=str(depth))
    depths, (source, target, _, _) = graph.depths, graph.edges
    low = np.maximum(depths[source], depths[target]) <= depth
    level = ~low & (depths[source] == depths[target])
    unit = _joined(len(depths), source[low | level], target[low | level])
    module = {int(unit[n]): int(unit[n]) for n in np.flatnonzero(depths <= depth)}
    readers: dict[frozenset[int], int] = {}
    for layer in sorted(set(depths[depths > depth].tolist())):
        for this in sorted(set(unit[depths == layer].tolist())):
            read = source[(unit[target] == this) & (depths[source] < layer)]
            fed = frozenset(module[int(unit[n])] for n in read)
            if len(fed) == 1:
                module[this] = min(fed)
            else:
                # one that reads nothing has nothing in common with others that read nothing
                module[this] = readers.setdefault(fed, this) if fed else this
    labels = np.array([module[int(u)] for u in unit], dtype=np.int64)
    about = {"method": "peeled", "parameters": {"depth": depth}, "versions": {"igraph": igraph.__version__}}
    return Partition.of(graph, labels, **about)


def _joined(
    nodes: int, source: Sequence[int] | Int64[np.ndarray, " edges"], target: Sequence[int] | Int64[np.ndarray, " edges"]
) -> Int64[np.ndarray, " nodes"]:
    pairs = np.stack([np.asarray(source), np.asarray(target)], axis=1)
    return np.array(igraph.Graph(nodes, pairs.tolist()).connected_components().membership, dtype=np.int64)
