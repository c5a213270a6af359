"""Copies of modules, hooks and what these computed included."""

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def copied(module: "nn.Module") -> "nn.Module":
    """Copy a module. Tensors that its hooks computed of others, which torch does not copy, lose their history.

    Parameters
    ----------
    module : torch.nn.Module
        It is left as it is.

    Returns
    -------
    torch.nn.Module
        The copy.
    """
    from torch import Tensor

    held = [value for each in module.modules() for value in vars(each).values() if isinstance(value, Tensor)]
    return copy.deepcopy(module, {id(tensor): tensor.detach().clone() for tensor in held if not tensor.is_leaf})
