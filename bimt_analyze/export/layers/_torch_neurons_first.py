"""Layers in torch with a row for each neuron: the many rows of a batch lie side by side, where products are faster."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..c_code._products import Matrix, Vector
from ._torch_parts import constant


class NeuronsFirst(nn.Module):
    """A module that reads and gives a row for each neuron, for rows of inputs.

    Parameters
    ----------
    module : torch.nn.Module
        From ``[inputs, rows]`` to ``[outputs, rows]``.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "rows outputs"]:
        """Turn ``x`` so that neurons come first, run, and turn back; no number is moved for it."""
        outputs: Float[Tensor, "rows outputs"] = self.module(x.t()).t()
        return outputs


class Product(nn.Module):
    """``weight h + bias``."""

    def __init__(self, weight: Matrix, bias: Vector) -> None:
        super().__init__()
        self.weight, self.bias = constant(weight), constant(bias[:, None])

    def forward(self, h: Float[Tensor, "inputs rows"]) -> Float[Tensor, "outputs rows"]:
        """One product of the weights with ``h``, one column a row of data, which begins with the bias."""
        return torch.addmm(self.bias, self.weight, h)


class Picked(nn.Module):
    """Each output is one entry of the vector of one of the tokens."""

    def __init__(self, table: np.ndarray, reader: np.ndarray, column: np.ndarray) -> None:
        super().__init__()
        self.table = constant(table.T)
        self.reader: Tensor
        self.starts: Tensor
        self.register_buffer("reader", torch.tensor(reader))
        self.register_buffer("starts", torch.tensor(column[:, None] * len(table)))

    def forward(self, tokens: Float[Tensor, "tokens rows"]) -> Float[Tensor, "outputs rows"]:
        """Take the entries of ``tokens``, one column a row of data, out of the table as it lies."""
        return self.table.take(tokens.long().index_select(0, self.reader) + self.starts)


class State(nn.Module):
    """The state after the last step."""

    def __init__(self, read: Matrix, bias: Vector, recur: Matrix, activation: nn.Module, steps: int) -> None:
        super().__init__()
        self.read, self.bias, self.recur = constant(read), constant(bias[:, None]), constant(recur)
        self.activation, self.steps = activation, steps

    def forward(self, x: Float[Tensor, "inputs rows"]) -> Float[Tensor, "state rows"]:
        """The last state: all steps of ``x`` are read at once, then gone through.

        The product of the state before begins with what is read.
        """
        first, *later = (self.read @ x.reshape(self.steps, -1, x.shape[1]) + self.bias).unbind(0)
        state: Tensor = self.activation(first)
        for driven in later:
            state = self.activation(torch.addmm(driven, self.recur, state))
        return state
