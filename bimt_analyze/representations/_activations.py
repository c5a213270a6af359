"""Signals of a classifier's hidden neurons, and its modules as they are before the classes read them."""

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ..graph import NeuronGraph, neuron_graph
from ..modules import Partition, connected_components

LEAK = 0.1  # share of what a neuron reads that may come from outside its module


def module_graph(network: Network) -> NeuronGraph:
    """The network's graph, edges weighed by |w|, without its outputs and without neurons that nothing joins."""
    graph = neuron_graph(network).without([network.layout.outputs])
    alive = {node.key for node, joined in zip(graph.nodes, graph.connected, strict=True) if joined}
    return graph.restricted(lambda neuron: neuron.key in alive)


def module_partition(network: Network, *, leak: float = LEAK) -> Partition:
    """Modules without the output layer, which joins all of them: connected components up to a leak.

    A neuron may read up to this share of its incoming weight from outside its module (see `connected_components`).
    """
    return connected_components(module_graph(network), leak=leak)


def last_hidden(network: Network) -> str:
    """The group that the outputs read.

    Raises:
        InputError: there is none, or several.
    """
    outputs = network.layout.outputs
    sources = {c.source for c in network.connections() if c.target == outputs}
    if len(sources) != 1:
        expected, got = "one group that the outputs read", ", ".join(sorted(sources)) or "none"
        raise InputError("no last hidden layer", where="layout", expected=expected, got=got)
    return sources.pop()


def all_pairs(n: int) -> Float64[np.ndarray, "pairs 2"]:
    """(a, b) for all a, b below n, a slowest."""
    return np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), axis=2).reshape(-1, 2).astype(np.float64)


def activations(network: Network, x: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows neurons"]:
    """What the outputs read, row by row: the activations of the last hidden layer."""
    return _reads(network, x)[0]


def outputs_of(
    network: Network, hidden: Float64[np.ndarray, "rows neurons"], x: Float64[np.ndarray, "rows columns"]
) -> Float64[np.ndarray, "rows classes"]:
    """The outputs for given activations of the last hidden layer: the output layer is affine."""
    read, weight = _reads(network, x[:1])
    bias = network.predict(x[:1])[0] - weight @ read[0]
    return np.asarray(hidden @ weight.T + bias)


def _reads(
    network: Network, x: Float64[np.ndarray, "rows columns"]
) -> tuple[Float64[np.ndarray, "rows neurons"], Float64[np.ndarray, "classes neurons"]]:
    from ..graph import Trace

    last_hidden(network)
    (name,) = [c.tensor for c in network.connections() if c.target == network.layout.outputs]
    trace = Trace(network, x, tensors=[name])
    return trace.sources(name), network.tensors[name].astype(np.float64)
