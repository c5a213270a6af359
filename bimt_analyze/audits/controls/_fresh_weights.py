"""Untrained networks of the same architecture."""

import math

import numpy as np

from bimt_train.checkpoints import Network
from bimt_train.models.from_spec import build_model

DRAWN = ("weight", "bias", "embedding")  # roles of what training moves far; norms and buffers stay


def untrained(network: Network, *, seed: int) -> Network:
    """Draw the weights of a network anew, as its kind of model draws its first.

    Norms and buffers stay as they are. Where a kind does not draw a weight tensor, its entries are drawn uniformly
    between -1/sqrt(n) and 1/sqrt(n), n entries being read by each target, as torch.nn.Linear does.

    Parameters
    ----------
    network : Network
        A network of any kind.
    seed : int
        Of the draws.

    Returns
    -------
    Network
        A network of the same layout and placement.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([4, 9, 1]))
    >>> fresh = untrained(network, seed=0)
    >>> fresh.edges(), bool(abs(fresh.tensors["layers.1.weight"]).max() <= 1 / 3)
    (45, True)
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    state = build_model(network.model, generator=generator).state_dict()
    fresh = {}
    for name, spec in network.layout.tensors.items():
        tensor = network.tensors[name]
        if spec.role not in DRAWN or not np.issubdtype(tensor.dtype, np.floating):
            continue
        drawn = state[name].detach().cpu().numpy() if name in state else tensor
        if spec.role == "weight" and (name not in state or np.ptp(drawn) == 0):
            reads = tensor.shape[0] if spec.plan.source_first else math.prod(tensor.shape[1:])
            drawn = rng.uniform(-1, 1, tensor.shape) / math.sqrt(max(reads, 1))
        fresh[name] = drawn.astype(tensor.dtype)
    return network.with_tensors(fresh)
