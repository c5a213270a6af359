"""The registry of losses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..registry import Entry, Registry

if TYPE_CHECKING:
    from torch import Tensor

Targets: TypeAlias = Literal["numbers", "class", "labels", "tokens"]


RAREST = 1e-6  # the least share of the rows that a constant answer counts with, so that its logit is finite


@dataclass(frozen=True, kw_only=True)
class Loss(Entry):
    """A loss: how far a network's outputs are from their targets.

    The function takes outputs ``[seeds, rows, outputs]`` and targets, and returns one number a seed; a seed's number
    must not depend on other seeds.

    Attributes
    ----------
    name : str
        The word by which the loss is chosen.
    label : str
        A few words for tables, pictures and reports.
    sentence : str
        One sentence that says what the loss measures.
    function : callable
        From outputs and targets to losses.
    constant : callable
        From targets ``[rows, ...]`` and the number of outputs to the outputs of one row that lose least when all rows
        have them.
    targets : {"numbers", "class", "labels", "tokens"}
        What a target is: a number for each output; one class a row, one-hot or by number in one column; yes or no (1 or
        0) for each output; the token that follows, by number, at each place.
    right : callable or None
        From outputs and targets to the share of right decisions, one number a seed; None where targets are numbers.

    Examples
    --------
    >>> import torch
    >>> LOSSES["bce"].targets, LOSSES["bce"].right(torch.tensor([[[2.0, -1.0]]]), torch.tensor([[[1.0, 1.0]]]))
    ('labels', tensor([0.5000], dtype=torch.float64))
    """

    constant: "Callable[[Tensor, int], Tensor]"
    targets: Targets
    right: "Callable[[Tensor, Tensor], Tensor] | None" = None


LOSSES: Registry[Loss] = Registry(
    "loss",
    Loss,
    builtin={
        "mse": "bimt_train.losses._mean_squared_error",
        "cross-entropy": "bimt_train.losses._cross_entropy",
        "bce": "bimt_train.losses._binary_cross_entropy",
        "multi-label": "bimt_train.losses._multi_label",
        "next-token": "bimt_train.losses._next_token",
    },
    group="bimt.losses",
)
"""Every loss that can be chosen by name."""
