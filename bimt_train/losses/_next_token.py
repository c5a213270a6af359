"""The cross-entropy of the token that follows, at each place of a sequence."""

from typing import TYPE_CHECKING

from ._cross_entropy import accuracy
from ._loss import LOSSES, RAREST

if TYPE_CHECKING:  # the description of a task does without torch
    from torch import Tensor


def token_log_shares(targets: "Tensor", count: int) -> "Tensor":
    """The logarithm of each token's share of all places.

    Parameters
    ----------
    targets : Tensor of shape (rows, length)
        The tokens that follow, by number.
    count : int
        The number of tokens that there are.

    Returns
    -------
    Tensor of shape (length, tokens)
        Logits, equal at all places.
    """
    import torch

    shares = torch.bincount(targets.long().flatten(), minlength=count) / targets.numel()
    return shares.to(targets.dtype).clamp(min=RAREST).log().expand(targets.shape[1], count)


@LOSSES.register(
    "next-token",
    label="next token",
    sentence="Mean -log softmax of the outputs at the token that follows, over all places of a sequence.",
    constant=token_log_shares,
    targets="tokens",
    right=accuracy,
)
def next_token(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """Mean over rows and places of -log softmax at the token that follows, which the targets give by number.

    Parameters
    ----------
    outputs : Tensor of shape (seeds, rows, length, tokens)
        What the networks give: logits.
    targets : Tensor of shape (seeds, rows, length)
        The tokens that follow, by number.

    Returns
    -------
    Tensor of shape (seeds,)
        The losses.
    """
    import torch

    chances = torch.log_softmax(outputs, dim=3).gather(3, targets.long()[..., None])
    return -chances.mean(dim=(1, 2, 3))
