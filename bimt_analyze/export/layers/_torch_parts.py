"""What layers have in common in torch."""

from typing import Any

import numpy as np
import torch
from torch import nn

from bimt_train.models.building_blocks.activations import activation_module

from ..c_code._products import Matrix, Vector


def linear(weight: Matrix, bias: Vector | None) -> nn.Linear:
    """A linear layer of a ``weight`` and a ``bias``, which need no gradient."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight = constant(weight)
    if bias is not None:
        layer.bias = constant(bias)
    return layer


def activation(name: str) -> nn.Module:
    """The activation of a ``name``; it writes over what it reads where torch has it so, which saves a second array."""
    module: Any = activation_module(name)
    if hasattr(module, "inplace"):
        module.inplace = True
    found: nn.Module = module
    return found


def constant(array: np.ndarray) -> nn.Parameter:
    """An array as a parameter without gradient."""
    return nn.Parameter(torch.tensor(array), requires_grad=False)
