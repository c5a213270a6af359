"""The cross-entropy of one class a row, and the share of classes that are right."""

from typing import TYPE_CHECKING

from ._loss import LOSSES, RAREST

if TYPE_CHECKING:  # the description of a task does without torch
    from torch import Tensor


def accuracy(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """The share of classes that are the largest output's, one number a seed.

    Parameters
    ----------
    outputs : Tensor of shape (seeds, rows, ..., classes)
        What the networks give.
    targets : Tensor
        One-hot, in the shape of the outputs, or numbers of classes, without the last axis.

    Returns
    -------
    Tensor of shape (seeds,)
        Shares, 0 to 1.
    """
    classes = targets.argmax(-1) if targets.ndim == outputs.ndim else targets
    return (outputs.argmax(-1) == classes).double().flatten(1).mean(1)


def class_log_shares(targets: "Tensor", count: int) -> "Tensor":
    """The logarithm of each class's share of the rows.

    Parameters
    ----------
    targets : Tensor of shape (rows, classes)
        1 at the row's class, 0 elsewhere.
    count : int
        The number of outputs.

    Returns
    -------
    Tensor of shape (classes,)
        Logits.
    """
    return targets.mean(0).clamp(min=RAREST).log()


@LOSSES.register(
    "cross-entropy",
    label="cross-entropy",
    sentence="Mean -log softmax of the outputs at the row's class.",
    constant=class_log_shares,
    targets="class",
    right=accuracy,
)
def cross_entropy(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """Mean over rows of -log softmax at the class, which the targets give one-hot; one number a seed.

    Parameters
    ----------
    outputs : Tensor of shape (seeds, rows, classes)
        What the networks give: logits.
    targets : Tensor of shape (seeds, rows, classes)
        1 at the row's class, 0 elsewhere.

    Returns
    -------
    Tensor of shape (seeds,)
        The losses.
    """
    import torch

    return -(torch.log_softmax(outputs, dim=2) * targets).sum(2).mean(1)
