"""What a module is called with: one tensor, several by position, or several by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Inputs:
    """The arguments of one call of a module; the last axes of those that hold numbers are a layout's inputs.

    Attributes
    ----------
    positional : tuple
        Arguments by position. Arrays have become tensors; other values are passed on as they are.
    named : mapping of str to object
        Arguments by name.
    """

    positional: tuple[Any, ...]
    named: Mapping[str, Any]

    @classmethod
    def of(cls, given: Any) -> Self:
        """Read what was ``given``: a tuple is positional, a mapping is named, anything else is the only argument."""
        if isinstance(given, Mapping):
            return cls((), {name: _plain(value) for name, value in given.items()})
        values = given if isinstance(given, tuple) else (given,)
        return cls(tuple(_plain(value) for value in values), {})

    @property
    def first(self) -> "Tensor":
        """The first argument."""
        from torch import Tensor

        values = (*self.positional, *self.named.values())
        if not values or not isinstance(values[0], Tensor):
            got = type(values[0]).__name__ if values else "nothing"
            hint = "give a tensor, a tuple of them, or a mapping of names to them"
            raise InputError("the first input is no tensor", where="x", got=got, hint=hint)
        return values[0]

    @property
    def rows(self) -> "tuple[Tensor, ...]":
        """The arguments whose last axes hold inputs: all of floating numbers; the only argument, whatever it holds."""
        from torch import Tensor

        found = [each for each in (*self.positional, *self.named.values()) if isinstance(each, Tensor) and each.ndim]
        return tuple(found) if len(found) == 1 else tuple(each for each in found if each.is_floating_point())

    @property
    def widths(self) -> tuple[int, ...]:
        """The lengths of these axes."""
        return tuple(each.shape[-1] for each in self.rows)

    def with_columns(self, columns: "np.ndarray") -> Self:
        """Let columns take each other's places.

        Parameters
        ----------
        columns : array of int, shape (columns,)
            For each column, all last axes side by side, the one that takes its place, of the same argument.
        """
        starts = np.concatenate([[0], np.cumsum(self.widths)])
        moved = {
            id(each): each[..., columns[start : start + each.shape[-1]] - start]
            for each, start in zip(self.rows, starts.tolist(), strict=False)
        }
        positional = tuple(moved.get(id(value), value) for value in self.positional)
        return replace(self, positional=positional, named={n: moved.get(id(v), v) for n, v in self.named.items()})

    def floating(self, dtype: Any) -> Self:
        """Convert every tensor of floating numbers to ``dtype``."""
        from torch import Tensor

        def converted(value: Any) -> Any:
            return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value

        return type(self)(tuple(map(converted, self.positional)), {n: converted(v) for n, v in self.named.items()})

    @property
    def shapes(self) -> str:
        """The shapes, for messages."""
        values = (*self.positional, *self.named.values())
        return ", ".join(str(tuple(value.shape)) for value in values if hasattr(value, "shape"))


def _plain(value: Any) -> Any:
    import torch

    if hasattr(value, "__array__") or isinstance(value, torch.Tensor):
        return torch.as_tensor(value).detach().cpu().contiguous()
    if not isinstance(value, list):
        return value
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"a list of {len(value)}, first {type(value[0]).__name__}" if value else "an empty list"
        hint = "let the module take each tensor as an argument of its own, and give a tuple of them"
        raise InputError("a list that is no table of numbers", where="x", got=got, hint=hint) from error


def first_tensor(outputs: Any) -> Any:
    """Find the first tensor of what a module returned.

    Parameters
    ----------
    outputs : object
        A tensor, or tuples, lists, mappings and dataclasses that hold one.

    Returns
    -------
    object
        The tensor; what was given if there is none.
    """
    return next(tensors_in(outputs), outputs)


def tensors_in(outputs: Any) -> "Iterator[Tensor]":
    """All tensors of what a module returned, in order.

    Parameters
    ----------
    outputs : object
        A tensor, or tuples, lists, mappings and dataclasses that hold some.

    Yields
    ------
    Tensor
        Each of them.
    """
    from torch import Tensor

    if isinstance(outputs, Tensor):
        yield outputs
    elif isinstance(outputs, tuple | list | Mapping):
        for value in outputs.values() if isinstance(outputs, Mapping) else outputs:
            yield from tensors_in(value)
    elif is_dataclass(outputs) and not isinstance(outputs, type):
        for each in fields(outputs):
            yield from tensors_in(getattr(outputs, each.name, None))


def guessed_inputs(module: "nn.Module") -> list[Inputs]:
    """Inputs that fit the first layer of a module, as rows, then as sequences; none if it is of another kind."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            return [Inputs((torch.randint(0, layer.num_embeddings, (3, 4), generator=generator),), {})]
        width = getattr(layer, "in_features", getattr(layer, "input_size", None))
        if isinstance(width, int) and isinstance(layer, nn.Linear | nn.RNNBase | nn.RNNCellBase):
            return [Inputs((torch.randn(*shape, width, generator=generator),), {}) for shape in ((4,), (3, 5))]
        if not isinstance(layer, nn.Linear) and any(True for _ in layer.parameters(recurse=False)):
            return []
    return []
