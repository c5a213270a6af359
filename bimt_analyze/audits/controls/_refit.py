"""Some weights of a network, trained briefly, with all others cut."""

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network
from bimt_train.losses import LOSSES

from ._circuit_edges import WeightMasks, only

RATE = 3e-3  # as `bimt_train.prune` has it


def refitted(
    network: Network,
    edges: WeightMasks,
    x: Float[np.ndarray, "rows inputs"],
    y: Float[np.ndarray, "rows targets"],
    *,
    loss: str,
    steps: int,
) -> Network:
    """Cut all weights but some, and refit these as pruning does: Adam, with a rate that falls to nothing.

    Parameters
    ----------
    network : Network
        Any network.
    edges : mapping of str to array of bool
        The weights that stay.
    x : array of float, shape (rows, inputs)
        Rows as the network sees them.
    y : array of float, shape (rows, targets)
        Targets as the loss takes them.
    loss : str
        A name in `bimt_train.losses.LOSSES`.
    steps : int
        Of Adam; 0 refits nothing.

    Returns
    -------
    Network
        The cut network, refitted if that made its loss less.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 1])).with_tensors({"layers.0.weight": np.ones((1, 2))})
    >>> x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> edges = {"layers.0.weight": np.array([[True, False]])}
    >>> refitted(network, edges, x, 1.01 * x[:, :1], loss="mse", steps=50).tensors["layers.0.weight"].round(2).tolist()
    [[1.01, 0.0]]
    """
    import torch

    cut = only(network, edges)
    if steps == 0:
        return cut
    module = cut.module().double()
    module.requires_grad_(True)
    parameters = dict(module.named_parameters())
    given, wanted = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)[None]
    left = {name: torch.tensor(mask, dtype=torch.float64) for name, mask in edges.items() if name in parameters}
    optimiser = torch.optim.Adam(parameters.values(), lr=RATE)
    first = last = float("inf")
    for step in range(steps + 1):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / steps)
        optimiser.zero_grad()
        lost = LOSSES[loss].function(module(given)[None], wanted)[0]
        first, last = (float(lost.detach()), float(lost.detach())) if step == 0 else (first, float(lost.detach()))
        if step == steps:
            break
        lost.backward()
        for name, mask in left.items():
            gradient = parameters[name].grad
            if gradient is not None:
                gradient *= mask
        optimiser.step()
    if not last <= first:
        return cut
    trained = {name: p.detach().numpy().astype(cut.tensors[name].dtype) for name, p in parameters.items()}
    return cut.with_tensors(trained)
