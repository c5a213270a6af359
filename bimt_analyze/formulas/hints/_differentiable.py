"""One output of a network as a function that can be asked for its gradient and its Hessian."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Checkpoint
from bimt_train.showing import Shown

if TYPE_CHECKING:
    from torch import Tensor

    Value = Callable[[Tensor], Tensor]

Matrix = Float64[np.ndarray, "rows inputs"]
Rows = Float64[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False, repr=False)
class Differentiable(Shown):
    """The mean over networks of one output, in the task's own units, differentiated by autograd.

    Gradients of a mean are better than those of one network: errors of independent seeds cancel.

    Attributes
    ----------
    checkpoints : sequence of Checkpoint
        Networks of one task.
    output : int
        The number of the output.
    source : str
        What the function is: ``"network"`` or ``"surrogate"``.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.array([[2.0, 3.0]])}, activation="relu", ranges=(-1, 1))
    >>> function = Differentiable([checkpoint], output=0)
    >>> function.gradient(np.zeros((1, 2)))
    array([[2., 3.]])
    """

    checkpoints: Sequence[Checkpoint]
    output: int
    source: str = "network"

    def __call__(self, x: Matrix) -> Rows:
        """The function's values.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Inputs in the task's own units.

        Returns
        -------
        array of shape [rows]
            The output in the task's own unit.
        """
        return np.asarray(np.mean([c.predict(x)[:, self.output] for c in self.checkpoints], axis=0))

    def gradient(self, x: Matrix) -> Matrix:
        """The first derivatives df/dx_i for every row.

        Rows do not influence each other, so the gradient of their sum holds those of all rows.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Inputs in the task's own units.

        Returns
        -------
        array of shape [rows, inputs]
            In units of the output over those of the input.
        """
        import torch

        rows = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        total = torch.stack([value(rows).sum() for value in self._values()]).mean()
        return np.asarray(torch.autograd.grad(total, rows)[0].numpy())

    def hessian(self, x: Matrix) -> Float64[np.ndarray, "rows inputs inputs"]:
        """The second derivatives d2f/dx_i dx_j for every row.

        Rows do not influence each other, so the gradient of the sum of df/dx_i holds those of all rows.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Inputs in the task's own units.

        Returns
        -------
        array of shape [rows, inputs, inputs]
            Zero everywhere for a piecewise linear network.
        """
        import torch

        rows = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        total = torch.stack([value(rows).sum() for value in self._values()]).mean()
        (slopes,) = torch.autograd.grad(total, rows, create_graph=True)
        found = torch.zeros(*x.shape, x.shape[1], dtype=torch.float64)
        for i in range(x.shape[1] if slopes.requires_grad else 0):  # no slope of a linear network depends on x
            (second,) = torch.autograd.grad(slopes[:, i].sum(), rows, retain_graph=True, allow_unused=True)
            if second is not None:
                found[:, i] = second
        return np.asarray(found.numpy())

    def _values(self) -> "Iterator[Value]":
        """Each network as a function of rows in the task's units: autograd sees through the scaling."""
        import torch

        for checkpoint in self.checkpoints:
            task, module = checkpoint.task, checkpoint.network.module().double()
            shift = torch.tensor(task.input_shift or [0.0] * len(task.inputs), dtype=torch.float64)
            scale = torch.tensor(task.input_scale or [1.0] * len(task.inputs), dtype=torch.float64)
            unit = 1.0 if task.output_scale is None else float(task.output_scale[self.output])

            def value(
                rows: "Tensor", module: torch.nn.Module = module, shift: "Tensor" = shift, scale: "Tensor" = scale,
                unit: float = unit,
            ) -> "Tensor":  # fmt: skip
                outputs: Tensor = module((rows - shift) / scale)[:, self.output] * unit
                return outputs

            yield value
