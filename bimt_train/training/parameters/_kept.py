"""Parameters of which some stay as they are: the neurons of a network that training goes on from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ._parameters import Arrays, Shapes, Tensors


@dataclass(frozen=True)
class Kept:
    """The parameters are the tensors of the network; some entries never change, and pay nothing.

    Attributes
    ----------
    shapes : mapping of str to tuple of int
        Tensor name -> shape.
    kept : mapping of str to array of bool
        Tensor name -> which entries stay.
    """

    shapes: Shapes
    kept: Mapping[str, np.ndarray]
    direct: bool = False

    def tensors(self, trained: Tensors) -> Tensors:
        """The parameters themselves; no gradient reaches entries that stay."""
        return {
            name: torch.where(torch.from_numpy(self.kept[name]).to(tensor.device), tensor.detach(), tensor)
            for name, tensor in trained.items()
        }

    def start(self, drawn: Arrays, rng: np.random.Generator) -> Arrays:
        """What was drawn or taken over."""
        return drawn

    def prices(self, network: Arrays) -> Arrays:
        """The prices of the weights that may change."""
        return {name: np.where(self.kept[name], 0.0, price) for name, price in network.items()}

    def generator(self, trained: Arrays) -> Arrays:
        """Nothing: the tensors are the network's own."""
        return {}
