"""One output of a network as a function that can be asked for its gradient and its Hessian."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Checkpoint

if TYPE_CHECKING:
    from torch import Tensor

    Value = Callable[[Tensor], Tensor]

Matrix = Float64[np.ndarray, "rows inputs"]
Rows = Float64[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class Differentiable:
    """The mean over networks of one output, in the task's own units, differentiated by autograd.

    Gradients of a mean are better than the mean network: errors of independent seeds cancel.

    Attributes:
        checkpoints: networks of the same task.
        output: the output's number.
        source: what it is, in a word: ``network`` or ``companion``.
    """

    checkpoints: Sequence[Checkpoint]
    output: int
    source: str = "network"

    def __call__(self, x: Matrix) -> Rows:
        """The function's values."""
        return np.asarray(np.mean([c.predict(x)[:, self.output] for c in self.checkpoints], axis=0))

    def gradient(self, x: Matrix) -> Matrix:
        """df/dx_i for every row; rows do not influence each other, so the gradient of their sum holds all of them."""
        import torch

        rows = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        total = torch.stack([value(rows).sum() for value in self._values()]).mean()
        return np.asarray(torch.autograd.grad(total, rows)[0].numpy())

    def hessian(self, x: Matrix) -> Float64[np.ndarray, "rows inputs inputs"]:
        """d2f/dx_i dx_j for every row."""
        import torch
        from torch.func import grad, jacrev, vmap

        rows = torch.tensor(x, dtype=torch.float64)
        total = np.zeros(())
        for value in self._values():

            def of_row(row: "Tensor", value: "Value" = value) -> "Tensor":
                return value(row[None])[0]

            total = total + vmap(jacrev(grad(of_row)))(rows).detach().numpy() / len(self.checkpoints)
        return total

    def _values(self) -> "Iterator[Value]":
        """Each network as a function of rows: the chain rule through the card's units is left to autograd."""
        import torch

        for checkpoint in self.checkpoints:
            card, module = checkpoint.card, checkpoint.network.module().double()
            shift = torch.tensor(card.input_shift or [0.0] * len(card.inputs), dtype=torch.float64)
            scale = torch.tensor(card.input_scale or [1.0] * len(card.inputs), dtype=torch.float64)
            unit = 1.0 if card.output_scale is None else float(card.output_scale[self.output])

            def value(
                rows: "Tensor", module: torch.nn.Module = module, shift: "Tensor" = shift, scale: "Tensor" = scale,
                unit: float = unit,
            ) -> "Tensor":  # fmt: skip
                outputs: Tensor = module((rows - shift) / scale)[:, self.output] * unit
                return outputs

            yield value
