"""Which of the outputs of a module counts."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import nn

from ..._errors import InputError
from ...layouts._inputs import tensors_in


def names_of_outputs(outputs: Any) -> list[str]:
    """Call what a module returns by its keys, its fields, or its numbers.

    Parameters
    ----------
    outputs : object
        A tensor, a mapping, a tuple, a list or a dataclass.

    Returns
    -------
    list of str
        One name each; none for a tensor alone.

    Examples
    --------
    >>> names_of_outputs({"logits": 1, "value": 2}), names_of_outputs((1, 2))
    (['logits', 'value'], ['0', '1'])
    """
    if isinstance(outputs, Mapping):
        return [str(name) for name in outputs]
    if dataclasses.is_dataclass(outputs):
        return [each.name for each in dataclasses.fields(outputs)]
    if isinstance(outputs, tuple | list):
        return [*getattr(outputs, "_fields", map(str, range(len(outputs))))]
    return []


def output_called(outputs: Any, name: str | int) -> Any:
    """One of what a module returns.

    Parameters
    ----------
    outputs : object
        What it returns.
    name : str or int
        A key, a field or a number.

    Returns
    -------
    object
        What has this name.

    Raises
    ------
    InputError
        Nothing has, or it holds no tensor.

    Examples
    --------
    >>> output_called({"logits": 1, "value": 2}, "value")
    Traceback (most recent call last):
        ...
    bimt_train._errors.InputError: an output that holds no tensor: output='value': got int
    """
    names = names_of_outputs(outputs)
    where, place = f"output={name!r}", str(name)
    if isinstance(name, int) and not isinstance(outputs, Mapping) and 0 <= name < len(names):
        place = names[name]
    if place not in names:
        raise InputError(
            "no output of this name", where=where, expected=", ".join(names) or "leave it out: there is one"
        )
    if isinstance(outputs, Mapping):
        found = next(value for key, value in outputs.items() if str(key) == place)
    else:
        found = outputs[names.index(place)] if isinstance(outputs, tuple | list) else getattr(outputs, place)
    if next(tensors_in(found), None) is None:
        raise InputError("an output that holds no tensor", where=where, got=type(found).__name__)
    return found


def with_output(module: nn.Module, name: str | int) -> nn.Module:
    """Make a module return one of its outputs alone; its tensors keep their names.

    Parameters
    ----------
    module : torch.nn.Module
        A copy of somebody's module; it is changed.
    name : str or int
        As `output_called` takes it.

    Returns
    -------
    torch.nn.Module
        The same.

    Examples
    --------
    >>> import torch
    >>> with_output(nn.RNN(2, 3), 1)(torch.zeros(4, 2)).shape
    torch.Size([1, 3])
    """
    own = type(module)

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return output_called(own.forward(self, *args, **kwargs), name)

    module.__class__ = type(own.__name__, (own,), {"forward": forward})
    return module
