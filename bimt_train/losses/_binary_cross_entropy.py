"""The binary cross-entropy of a yes or no for each output, and the share of these that are right."""

from typing import TYPE_CHECKING

from ._loss import LOSSES, RAREST

if TYPE_CHECKING:  # the description of a task does without torch
    from torch import Tensor


def share_right(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """The share of outputs on the right side of 0, one number a seed.

    Parameters
    ----------
    outputs : Tensor of shape (seeds, rows, outputs)
        What the networks give: logits.
    targets : Tensor of shape (seeds, rows, outputs)
        1 for yes, 0 for no.

    Returns
    -------
    Tensor of shape (seeds,)
        Shares, 0 to 1.
    """
    return ((outputs > 0) == (targets > 0.5)).double().mean(dim=(1, 2))


def label_log_odds(targets: "Tensor", count: int) -> "Tensor":
    """The logarithm of the odds of each label among the rows.

    Parameters
    ----------
    targets : Tensor of shape (rows, outputs)
        1 for yes, 0 for no.
    count : int
        The number of outputs.

    Returns
    -------
    Tensor of shape (outputs,)
        Logits.
    """
    import torch

    return torch.logit(targets.mean(0), eps=RAREST)


@LOSSES.register(
    "bce",
    label="binary cross-entropy",
    sentence="Mean -log sigmoid of each output, which says yes or no by itself (several labels may be true at once).",
    constant=label_log_odds,
    targets="labels",
    right=share_right,
)
def binary_cross_entropy(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """Mean over rows and outputs of ``log(1 + exp(z)) - t z``, one number a seed.

    Parameters
    ----------
    outputs : Tensor of shape (seeds, rows, outputs)
        What the networks give: logits z, before any sigmoid.
    targets : Tensor of shape (seeds, rows, outputs)
        The chance of yes: t, 0 to 1.

    Returns
    -------
    Tensor of shape (seeds,)
        The losses.
    """
    import torch

    return (torch.nn.functional.softplus(outputs) - targets * outputs).mean(dim=(1, 2))
