"""Which weights of a network are its circuit's, and the network cut to some of its weights."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool

from bimt_train.checkpoints import Network
from bimt_train.layouts.fold import fold, spread
from bimt_train.pruning import Circuit

WeightMasks = Mapping[str, Bool[np.ndarray, "..."]]
"""Weight tensor -> which of its entries are meant, in its own shape."""


def circuit_edges(network: Network, circuit: Circuit) -> WeightMasks:
    """Find the weights of a network that its circuit kept.

    Parameters
    ----------
    network : Network
        The network before pruning.
    circuit : Circuit
        What pruning left of it; neurons may have been taken out, and weights refitted.

    Returns
    -------
    mapping of str to array of bool
        For every weight tensor of the network, which entries are in the circuit. Biases and embeddings stay whole: what
        reads a cut dimension of an embedding is no part of the circuit.

    Examples
    --------
    >>> from bimt_train import prune
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 1])).with_tensors({"layers.0.weight": np.array([[1.0, 1e-3]])})
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> circuit = prune(network, x, network.predict(x), refit_steps=0, allowance=0.01)
    >>> circuit_edges(network, circuit)["layers.0.weight"].tolist()
    [[True, False]]
    """
    sizes, small = network.layout.sizes, circuit.network
    found = {}
    for name in network.layout.weights():
        plan, tensor = network.layout.tensors[name].plan, network.tensors[name]
        target, source = plan.groups
        left = fold((small.tensors[name] != 0).astype(float), small.layout.tensors[name].plan, small.layout.sizes)
        joined = np.zeros((sizes[target], sizes[source]))
        joined[np.ix_(circuit.kept[target], circuit.kept[source])] = left
        found[name] = (spread(joined, plan, tensor.shape, sizes) > 0) & (np.abs(tensor) > circuit.threshold)
    return found


def strongest_edges(network: Network, count: int) -> WeightMasks:
    """Find the weights that are left when pruning leaves so many.

    Parameters
    ----------
    network : Network
        Any network.
    count : int
        How many weights are left; all where there are no more. Of equal ones as many more as it takes.

    Returns
    -------
    mapping of str to array of bool
        The greatest in magnitude.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([3, 1])).with_tensors({"layers.0.weight": np.array([[0.5, -2.0, 1.0]])})
    >>> strongest_edges(network, 2)["layers.0.weight"].tolist()
    [[False, True, True]]
    """
    weights = {name: np.abs(network.tensors[name]) for name in network.layout.weights()}
    every = np.concatenate([array.ravel() for array in weights.values()])
    if count < 1:
        return {name: np.zeros(array.shape, dtype=bool) for name, array in weights.items()}
    least = np.partition(every, len(every) - count)[len(every) - count] if count < len(every) else 0.0
    return {name: (array >= least) & (array > 0) for name, array in weights.items()}


def only(network: Network, edges: WeightMasks) -> Network:
    """Cut all weights of a network but some, and leave these as they are.

    Parameters
    ----------
    network : Network
        Any network.
    edges : mapping of str to array of bool
        The weights that stay.

    Returns
    -------
    Network
        A network of the same shapes.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([3, 1])).with_tensors({"layers.0.weight": np.array([[0.5, -2.0, 1.0]])})
    >>> only(network, strongest_edges(network, 1)).tensors["layers.0.weight"].tolist()
    [[0.0, -2.0, 0.0]]
    """
    cut = {name: np.where(mask, network.tensors[name], 0) for name, mask in edges.items()}
    return network.with_tensors({name: array.astype(network.tensors[name].dtype) for name, array in cut.items()})
