"""Connected components: exact, up to a leak, and with the upper layers taken away."""

import numpy as np
import scipy
from jaxtyping import Bool, Int64
from scipy.sparse import coo_matrix, csgraph

from bimt_train import InputError

from ..graph import NeuronGraph
from ._partition import Partition

VERSIONS = {"scipy": scipy.__version__}


def connected_components(graph: NeuronGraph, *, leak: float = 0.0) -> Partition:
    """Neurons that edges join, directly or through others, whatever the direction, share a module.

    With a ``leak`` above 0, each neuron first forgets the weakest of what it reads: edge e = (j -> i) is dropped if the
    weights of i's incoming edges that are not heavier than e make up at most this share of all of i's incoming weight.
    So no neuron reads more than this share from outside its module ("near decomposability"): a trained network whose
    blocks are joined by a few stray weights falls apart as its clean copy does, and a dense one stays whole. A neuron
    that nothing reads any more, and that reads nothing itself, stays with the edge that would have been dropped last.

    A greater leak gives a finer or an equal partition. Rescaling all that one neuron reads changes nothing; rescaling
    what it sends does, unless edges are weighted by "activation" or "attribution".

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    leak : float, default 0.0
        The share of its incoming weight, in [0, 1), that each neuron forgets at most.

    Returns
    -------
    Partition
        The components.

    Raises
    ------
    InputError
        A leak outside [0, 1).

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> len(connected_components(graph).modules)
    2
    """
    kept = kept_edges(graph, leak)
    labels = _joined(len(graph.nodes), graph.edges.source[kept], graph.edges.target[kept])
    return Partition.of(graph, labels, method="components", parameters=_about(graph, leak), versions=VERSIONS)


def components_up_to_layer(graph: NeuronGraph, *, depth: int, leak: float = 0.0) -> Partition:
    """Modules as they are before the layers above ``depth`` read them; those layers' neurons go with what they read.

    This finds the parts that a last step combines, as in y = sqrt(a + b), where the components of the whole graph are
    one.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    depth : int
        The highest layer that is looked at first, 0 or more.
    leak : float, default 0.0
        As in `connected_components`.

    Returns
    -------
    Partition
        The components up to this layer.

    Raises
    ------
    InputError
        A negative depth, or a leak outside [0, 1).

    Notes
    -----
    1. The graph of the neurons of depth <= ``depth`` alone falls into components.
    2. Then upwards, layer by layer: a neuron that reads one module only (so far) joins it; neurons that read several
       modules form a new one with all that read exactly the same modules. Upper neurons of equal depth that are joined
       among themselves (recurrent ones) count as one neuron.

    Without a cut (``depth`` at or above the deepest layer) these are the connected components. A lower cut gives a
    finer or an equal partition, so all cuts of one graph are nested.

    Examples
    --------
    Two halves that the output joins:

    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> halves = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> len(components_up_to_layer(halves, depth=0).modules)
    6
    """
    if depth < 0:
        raise InputError("nothing is left below", where="depth", expected="0 or more", got=str(depth))
    kept = kept_edges(graph, leak)
    depths, source, target = graph.depths, graph.edges.source[kept], graph.edges.target[kept]
    low = np.maximum(depths[source], depths[target]) <= depth
    level = ~low & (depths[source] == depths[target])
    unit = _joined(len(depths), source[low | level], target[low | level])
    module = np.arange(len(depths))  # of each unit; of those above the cut once their layer is done
    first: dict[bytes, int] = {}  # of those that read the same modules
    for layer in sorted(set(depths[depths > depth].tolist())):
        read = (depths[target] == layer) & (depths[source] < layer)
        readers_and_read = np.unique(unit[target[read]] * len(depths) + module[unit[source[read]]])
        reader, fed = np.divmod(readers_and_read, len(depths))
        units, starts = np.unique(reader, return_index=True)  # one that reads nothing is a module of its own
        for this, modules in zip(units.tolist(), np.split(fed, starts)[1:], strict=True):
            module[this] = modules[0] if len(modules) == 1 else first.setdefault(modules.tobytes(), this)
    labels = module[unit]
    parameters = {"depth": depth, **_about(graph, leak)}
    return Partition.of(graph, labels, method="components up to layer", parameters=parameters, versions=VERSIONS)


def kept_edges(graph: NeuronGraph, leak: float) -> Bool[np.ndarray, " edges"]:
    """Which edges are not forgotten.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.
    leak : float
        The share of its incoming weight, 0 to below 1, that each neuron may lose; its lightest edges are forgotten
        first.

    Returns
    -------
    array of bool, [edges]
        True for an edge that is kept; every neuron keeps at least one.
    """
    if not 0 <= leak < 1:
        raise InputError("an impossible leak", expected="0 or more, below 1", got=str(leak), hint="use 0.05, say")
    if leak == 0:
        return np.ones(len(graph.edges.weight), dtype=bool)
    weight_up_to = graph.shares_not_heavier
    kept = weight_up_to > leak
    apart = graph.edges.source != graph.edges.target
    ends = np.concatenate([graph.edges.source[kept & apart], graph.edges.target[kept & apart]])
    alone = graph.connected.copy()
    alone[ends] = False
    ends = np.stack(graph.edges[:2])
    at, edge = np.nonzero(alone[ends] & apart)
    node = ends[at, edge]
    order = np.lexsort((edge, -weight_up_to[edge], node))  # of each node first the edge that would go last
    first = np.flatnonzero(np.diff(node[order], prepend=-1))
    kept[edge[order[first]]] = True
    return kept


def _about(graph: NeuronGraph, leak: float) -> dict[str, float | str]:
    return {"leak": leak, "weights": graph.weights} if leak else {}


def _joined(
    nodes: int, source: Int64[np.ndarray, " edges"], target: Int64[np.ndarray, " edges"]
) -> Int64[np.ndarray, " nodes"]:
    joined = coo_matrix((np.ones(len(source)), (source, target)), (nodes, nodes))
    return np.asarray(csgraph.connected_components(joined, directed=False)[1], dtype=np.int64)
