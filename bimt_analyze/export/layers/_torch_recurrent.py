"""A state that reads a sequence, in torch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class RecurrentModule(nn.Module):
    """The state after the last step."""

    def __init__(self, read: nn.Module, recur: nn.Linear, activation: nn.Module, steps: int) -> None:
        super().__init__()
        self.read, self.recur, self.activation, self.steps = read, recur, activation, steps

    def forward(self, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "rows state"]:
        """The last state: all steps of ``x`` are read at once, then gone through.

        The product of the state before begins with what is read.
        """
        first, *later = self.read(x.reshape(-1, self.steps, x.shape[1] // self.steps)).unbind(1)
        state: Tensor = self.activation(first)
        for driven in later:
            state = self.activation(torch.addmm(driven, state, self.recur.weight.t()))
        return state
