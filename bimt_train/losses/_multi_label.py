"""The binary cross-entropy of several labels, and the share of rows on which all of them are right."""

from typing import TYPE_CHECKING

from ._binary_cross_entropy import binary_cross_entropy, label_log_odds
from ._loss import LOSSES

if TYPE_CHECKING:  # the description of a task does without torch
    from torch import Tensor


def share_of_rows_right(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """The share of rows whose outputs are all on the right side of 0, one number a seed.

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
    return ((outputs > 0) == (targets > 0.5)).all(dim=2).double().mean(dim=1)


LOSSES.register(
    "multi-label",
    label="binary cross-entropy of labels",
    sentence="The loss of bce; a row is right where all of its labels are.",
    constant=label_log_odds,
    targets="labels",
    right=share_of_rows_right,
)(binary_cross_entropy)
