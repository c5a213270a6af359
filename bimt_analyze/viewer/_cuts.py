"""What a network loses when its weak edges are cut."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.layouts.fold import spread
from bimt_train.losses import LOSSES
from bimt_train.showing import Shown

from ..graph import NeuronGraph

CUTS = 24  # thresholds that are tried
MOST_WORK = 2e9  # weights times rows times cuts, beyond which nothing is tried


@dataclass(frozen=True, repr=False)
class Cut(Shown):
    """A network without its weak edges.

    Attributes
    ----------
    edges : int
        How many edges are left, the strongest.
    threshold : float
        The weight of the weakest edge left.
    loss : float
        The loss of the network with these edges alone; nothing is trained afterwards.

    Examples
    --------
    >>> Cut(edges=12, threshold=0.1, loss=0.002).edges
    12
    """

    edges: int
    threshold: float
    loss: float


def cut_losses(
    network: Network,
    graph: NeuronGraph,
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows *places outputs"],
    *,
    loss: str,
) -> tuple[Cut, ...]:
    """The loss of a network that keeps the strongest edges of its graph, for several numbers of these.

    Weights between neurons that no kept edge joins are 0; biases stay.

    Parameters
    ----------
    network : Network
        The network, which must run.
    graph : NeuronGraph
        Its graph, by whose edge weights is cut.
    x : array of shape (rows, inputs)
        Inputs in the network's own units.
    y : array of shape (rows, ..., outputs)
        Targets in the network's own units.
    loss : str
        One of `LOSSES`.

    Returns
    -------
    tuple of Cut
        From all edges to none. Empty where it would take long, or the graph is not all of the network's.
    """
    import torch

    count, targets = len(graph.edges.weight), torch.tensor(y, dtype=torch.float64)[None]
    if not count or graph.left_out or count * len(x) * CUTS > MOST_WORK:
        return ()
    order = np.argsort(-graph.edges.weight, kind="stable")
    found = []
    for edges in sorted({count, 0, *np.geomspace(1, count, CUTS).round().astype(int).tolist()}, reverse=True):
        outputs = torch.tensor(_keeping(network, graph, order[:edges]).predict(x))[None]
        value = float(LOSSES[loss].function(outputs, targets)[0])
        threshold = float(graph.edges.weight[order[edges - 1]]) if edges else float("inf")
        found.append(Cut(edges, threshold, value))
    return tuple(found)


def _keeping(network: Network, graph: NeuronGraph, kept: np.ndarray) -> Network:
    """The network with the weights of some edges of its graph alone."""
    layout = network.layout
    source, target = graph.edges.source[kept], graph.edges.target[kept]
    groups = np.array([node.group for node in graph.nodes])
    index = np.array([node.index for node in graph.nodes])
    tensors = {}
    for connection in network.connections():
        own = (groups[source] == connection.source) & (groups[target] == connection.target)
        joined = np.zeros(connection.matrix.shape)
        joined[index[target[own]], index[source[own]]] = 1.0
        tensor = network.tensors[connection.tensor]
        plan = layout.tensors[connection.tensor].plan
        tensors[connection.tensor] = np.where(spread(joined, plan, tensor.shape, layout.sizes) > 0, tensor, 0)
    return network.with_tensors(tensors)
