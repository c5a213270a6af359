"""The mean squared error."""

from typing import TYPE_CHECKING

from ._loss import LOSSES

if TYPE_CHECKING:  # the description of a task does without torch
    from torch import Tensor


def mean_target(targets: "Tensor", count: int) -> "Tensor":
    """The mean of the targets.

    Parameters
    ----------
    targets : Tensor of shape (rows, outputs)
        What outputs should be.
    count : int
        The number of outputs.

    Returns
    -------
    Tensor of shape (outputs,)
        The means.
    """
    return targets.mean(0)


@LOSSES.register(
    "mse",
    label="mean squared error",
    sentence="Mean squared difference of outputs and targets, which are numbers.",
    constant=mean_target,
    targets="numbers",
)
def mean_squared_error(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """Mean over rows and outputs, one number a seed.

    Parameters
    ----------
    outputs : Tensor of shape (seeds, rows, outputs)
        What the networks give.
    targets : Tensor of shape (seeds, rows, outputs)
        What they should give.

    Returns
    -------
    Tensor of shape (seeds,)
        The losses.
    """
    import torch

    return torch.square(outputs - targets).mean(dim=(1, 2))
