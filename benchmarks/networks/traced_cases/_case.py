"""One module whose layout is to be derived, and what its author says of its neurons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

Sizes = tuple[int | tuple[int, int], ...]


@dataclass(frozen=True)
class Case:
    """A module, its inputs, and by hand: the movable groups that are neither inputs nor outputs, and the ends.

    ``hidden`` lists sizes, or (size, heads); ``x`` and ``y`` are the movable neurons of inputs and outputs, 0 for none;
    both the same number and ``stream`` for one group at both ends. ``refused`` says what the refusal must name.
    """

    name: str
    make: Callable[[], nn.Module]
    inputs: Callable[[], Any]
    hidden: Sizes = ()
    x: int = 0
    y: int = 0
    stream: bool = False
    refused: str = ""


def floats(*shape: int) -> Callable[[], torch.Tensor]:
    return lambda: torch.randn(*shape)


def tokens(*shape: int, most: int = 11) -> Callable[[], torch.Tensor]:
    return lambda: torch.randint(0, most, shape)


def several(*makers: Callable[[], torch.Tensor]) -> Callable[[], tuple[torch.Tensor, ...]]:
    return lambda: tuple(make() for make in makers)
