"""Activations of a classifier's hidden neurons, and its modules as they are before the output layer."""

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ..graph import NeuronGraph, neuron_graph
from ..modules import Partition, connected_components

LEAK = 0.1  # share of what a neuron reads that may come from outside its module


def module_graph(network: Network) -> NeuronGraph:
    """The network's graph with edge weights |w|, without its outputs and without neurons that nothing joins.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    NeuronGraph
        The graph of inputs and hidden neurons that are left.
    """
    graph = neuron_graph(network).without([network.layout.outputs])
    alive = {node.key for node, joined in zip(graph.nodes, graph.connected, strict=True) if joined}
    return graph.restricted(lambda neuron: neuron.key in alive)


def module_partition(network: Network, *, leak: float = LEAK) -> Partition:
    """Modules without the output layer, which joins all of them: connected components up to a leak.

    Parameters
    ----------
    network : Network
        The network, usually a circuit.
    leak : float, default LEAK
        Share, 0 to 1, of a neuron's incoming weight that may come from outside its module (see `connected_components`).

    Returns
    -------
    Partition
        The modules.

    Examples
    --------
    >>> from bimt_analyze.representations import module_partition
    >>> from bimt_analyze.synthetic import block_network
    >>> len(module_partition(block_network(seed=1).network).modules)
    3
    """
    return connected_components(module_graph(network), leak=leak)


def last_hidden(network: Network) -> str:
    """The group that the outputs read.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    str
        Name of the group.

    Raises
    ------
    InputError
        There is none, or several.
    """
    outputs = network.layout.outputs
    sources = {c.source for c in network.connections() if c.target == outputs}
    if len(sources) != 1:
        expected, got = "one group that the outputs read", ", ".join(sorted(sources)) or "none"
        raise InputError("no last hidden layer", where="layout", expected=expected, got=got)
    return sources.pop()


def all_pairs(n: int) -> Float64[np.ndarray, "pairs 2"]:
    """(a, b) for all a, b below n, a slowest.

    Parameters
    ----------
    n : int
        How many numbers there are.

    Returns
    -------
    array of float64, shape (pairs, 2)
        One pair a row.
    """
    return np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), axis=2).reshape(-1, 2).astype(np.float64)


def activations(network: Network, x: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows neurons"]:
    """Activations of the last hidden layer, which the outputs read.

    Parameters
    ----------
    network : Network
        The network.
    x : array of float64, shape (rows, columns)
        Input rows as the network sees them.

    Returns
    -------
    array of float64, shape (rows, neurons)
        One row a row of ``x``.
    """
    return _reads(network, x)[0]


def can_be_followed(network: Network, x: Float64[np.ndarray, "rows columns"]) -> bool:
    """Whether a network has one last hidden layer whose activations can be told on these rows, one a row.

    Parameters
    ----------
    network : Network
        Any network.
    x : array of float64, shape (rows, columns)
        A few rows as the network sees them.

    Returns
    -------
    bool
        False too where the network cannot run on the rows.
    """
    try:
        return last_hidden(network) != network.layout.inputs and len(activations(network, x)) == len(x)
    except (ValueError, RuntimeError, IndexError):  # our own errors are ValueErrors; the others are torch's
        return False


def outputs_of(
    network: Network, hidden: Float64[np.ndarray, "rows neurons"], x: Float64[np.ndarray, "rows columns"]
) -> Float64[np.ndarray, "rows classes"]:
    """Outputs for given activations of the last hidden layer; the output layer is affine.

    Parameters
    ----------
    network : Network
        The network.
    hidden : array of float64, shape (rows, neurons)
        Activations of the last hidden layer.
    x : array of float64, shape (rows, columns)
        Input rows as the network sees them; the first one gives the bias.

    Returns
    -------
    array of float64, shape (rows, classes)
        One row of outputs a row of ``hidden``.
    """
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
