"""Operators in place of those that cannot be run for a stack of networks at once, or depend on strides."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...layouts.tracing import VIEWS
from ._nodes import GETITEM, operator_of


def _batch_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, variance: Tensor, momentum: float, eps: float
) -> tuple[Tensor]:
    """Batch norm in evaluation; torch's own operator cannot be run for a stack of networks at once."""
    return (functional.batch_norm(x, mean, variance, weight, bias, False, momentum, eps),)


def _attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, dropout: float = 0.0, is_causal: bool = False,
    *, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Scaled dot products, softmax, and the values' mean, by operators that run for a stack of networks at once."""
    del dropout  # none in evaluation
    if enable_gqa:
        k, v = (each.repeat_interleave(q.shape[-3] // each.shape[-3], dim=-3) for each in (k, v))
    scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(dim=-1) @ v


_STAND_INS: Mapping[str, Any] = {
    **dict.fromkeys(VIEWS, torch.ops.aten.reshape.default),
    "_native_batch_norm_legit_no_training": _batch_norm,
    "scaled_dot_product_attention": _attention,
}


def stand_in(name: str) -> Any:
    """Find the operator of a name, or one that does the same and serves better here.

    Parameters
    ----------
    name : str
        As `operator_of` takes it.

    Returns
    -------
    callable
        Takes the operator's arguments.

    Raises
    ------
    InputError
        As `operator_of` raises it.

    Examples
    --------
    >>> stand_in("aten.view.default")(torch.ones(2, 3).T, [6]).shape
    torch.Size([6])
    """
    operator = operator_of(name)
    return operator if name == GETITEM else _STAND_INS.get(name.split(".")[1], operator)
