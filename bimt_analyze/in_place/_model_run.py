"""A model run on rows, and left as it was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from bimt_train import InputError

Rows: TypeAlias = "np.ndarray | Tensor | tuple[np.ndarray | Tensor, ...] | Mapping[str, np.ndarray | Tensor]"
"""What a model takes: its only argument, several by position, or several by name."""


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients; every module is put back into the mode that it was in.

    Parameters
    ----------
    model : torch.nn.Module
        Any module.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def home_of(model: nn.Module) -> tuple[torch.dtype, torch.device]:
    """The precision and the device of a model: those of its first floating-point tensor.

    Parameters
    ----------
    model : torch.nn.Module
        One without such tensors is taken as single precision on the CPU.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype, tensor.device
    return torch.float32, torch.device("cpu")


def taken(model: nn.Module, x: Rows) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Rows as the arguments of a model: tensors in its precision, on its device.

    Parameters
    ----------
    model : torch.nn.Module
        What takes them.
    x : array, tensor, tuple or mapping of them
        The rows. Whole numbers stay whole.
    """
    dtype, device = home_of(model)

    def tensor(value: Any) -> Tensor:
        found = torch.as_tensor(value)
        return found.to(device, dtype) if found.is_floating_point() else found.to(device)

    if isinstance(x, Mapping):
        return (), {name: tensor(value) for name, value in x.items()}
    return tuple(tensor(value) for value in (x if isinstance(x, tuple) else (x,))), {}


def output_of(model: nn.Module, given: tuple[tuple[Tensor, ...], dict[str, Tensor]]) -> Tensor:
    """The output of a model, or the first of several.

    Parameters
    ----------
    model : torch.nn.Module
        What is run.
    given : tuple
        What `taken` gives.

    Raises
    ------
    InputError
        The model cannot be run on these rows, or does not give a tensor.
    """
    try:
        found = model(*given[0], **given[1])
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError("a model that cannot be run on these rows", where="x", got=said[:200]) from error
    if isinstance(found, tuple) and found:
        found = found[0]
    if not isinstance(found, Tensor):
        raise InputError("a model that gives no tensor", expected="a tensor, or a tuple of them",
                         got=type(found).__name__)  # fmt: skip
    return found
