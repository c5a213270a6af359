"""The gated layer in torch."""

from jaxtyping import Float
from torch import Tensor, nn


class GatedModule(nn.Module):
    """``activation(gate(h)) * up(h)``."""

    def __init__(self, gate: nn.Module, up: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.gate, self.up, self.activation = gate, up, activation

    def forward(self, h: Float[Tensor, "_ _"]) -> Float[Tensor, "_ _"]:
        """Multiply the activations of the gate by what the other layer makes of the same ``h``, one row each."""
        product: Float[Tensor, "_ _"] = self.activation(self.gate(h)) * self.up(h)
        return product
