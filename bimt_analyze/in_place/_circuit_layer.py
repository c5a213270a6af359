"""A compact network as a layer that reads all columns, in the place's precision."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..export import CompactNetwork


class CircuitLayer(nn.Module):
    """What is left of a network, which reads some of the columns. Its weights can be trained, those that are 0 too.

    Parameters
    ----------
    network : CompactNetwork
        What `bimt_analyze.export.compact` gives.

    Examples
    --------
    >>> from bimt_analyze.export import compact
    >>> from bimt_analyze.synthetic import block_network
    >>> layer = CircuitLayer(compact(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network))
    >>> layer(torch.ones(5, 7, 4)).shape
    torch.Size([5, 7, 2])
    """

    def __init__(self, network: CompactNetwork) -> None:
        super().__init__()
        self.reads: Tensor
        self.register_buffer("reads", torch.tensor(network.reads, dtype=torch.int64))
        self.layers = network.to_torch().requires_grad_()

    def forward(self, x: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows outputs"]:
        """The outputs.

        Parameters
        ----------
        x : tensor of shape [..., columns]
            Any number of leading axes.
        """
        found: Tensor = self.layers(x.index_select(-1, self.reads).flatten(0, -2))
        return found.reshape(*x.shape[:-1], found.shape[-1])
