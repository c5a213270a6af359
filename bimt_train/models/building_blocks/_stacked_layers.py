"""Layers one after the other of many networks at once."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn


def stacked_layers(
    tensors: Mapping[str, Float[Tensor, "seeds ..."]],
    h: Float[Tensor, "seeds inputs rows"],
    act: nn.Module,
    numbers: range,
) -> Float[Tensor, "seeds outputs rows"]:
    """Apply consecutive layers of many networks at once, the last of them without activation.

    Parameters
    ----------
    tensors : mapping of str to Tensor of shape (seeds, ...)
        ``layers.N.weight`` and ``layers.N.bias`` of every seed.
    h : Tensor of shape (seeds, inputs, rows)
        What the first of these layers reads, rows along the last axis.
    act : torch.nn.Module
        The activation.
    numbers : range
        Which layers.

    Returns
    -------
    Tensor of shape (seeds, outputs, rows)
        What the last of these layers writes.

    Examples
    --------
    >>> tensors = {"layers.0.weight": torch.ones(2, 1, 3), "layers.0.bias": torch.zeros(2, 1)}
    >>> stacked_layers(tensors, torch.ones(2, 3, 5), nn.ReLU(), range(1)).shape
    torch.Size([2, 1, 5])
    """
    for index in numbers:
        h = torch.baddbmm(tensors[f"layers.{index}.bias"][:, :, None], tensors[f"layers.{index}.weight"], h)
        if index < numbers[-1]:
            h = act(h)
    return h
