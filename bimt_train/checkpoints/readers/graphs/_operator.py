"""One operator of ONNX, and how its arguments and settings are read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...._errors import CheckpointError
from ._graph import Node

Apply = Callable[[Node, list[Any], int], Any]


class Operator(NamedTuple):
    """One operator of ONNX.

    Attributes
    ----------
    apply : callable
        Given the node, its arguments and the version of the operators, what it gives.
    settings : frozenset of str
        The attributes that it knows; a node with any other is refused.
    told : int or None
        Arguments from this one on say shapes, places or bounds, and stay numbers; None where all are values.
    """

    apply: Apply
    settings: frozenset[str] = frozenset()
    told: int | None = None


def plain(function: Callable[..., Any]) -> Operator:
    """A function of its arguments."""
    return Operator(lambda node, given, version: function(*given))


def with_settings(settings: Mapping[str, Any], function: Callable[..., Any]) -> Operator:
    """A function of its arguments and, by name, of attributes: ``settings`` has their names and defaults."""

    def apply(node: Node, given: list[Any], version: int) -> Any:
        return function(*given, **{name: node.attributes.get(name, value) for name, value in settings.items()})

    return Operator(apply, frozenset(settings))


def ints(value: Any) -> list[int]:
    """Numbers that say a shape or places; they must not depend on the rows' numbers.

    Parameters
    ----------
    value : object
        An array, or a tensor.

    Raises
    ------
    CheckpointError
        It is computed from the inputs.
    """
    if isinstance(value, Tensor):
        raise CheckpointError("a shape that depends on numbers", got="computed from the inputs")
    return [int(each) for each in np.ravel(value)]


def axes_of(node: Node, given: Sequence[Any]) -> list[int] | None:
    """Axes: the second argument ``given`` since version 13, and an attribute of the ``node`` before."""
    if len(given) > 1 and given[1] is not None:
        return ints(given[1])
    said = node.attributes.get("axes")
    return None if said is None else ints(said)


def as_tensor(value: Any, beside: Sequence[Any]) -> Any:
    """Stored numbers as a tensor, in the precision of what stands beside; anything else as it is.

    Parameters
    ----------
    value : object
        An array, or anything.
    beside : sequence of object
        The arguments among which it stands.

    Returns
    -------
    object
        A tensor in place of an array. One whose entries are alike is filled, so that its size may be the rows'.
    """
    if not isinstance(value, np.ndarray):
        return value
    floats = (each.dtype for each in beside if isinstance(each, Tensor) and each.is_floating_point())
    dtype = next(floats, torch.get_default_dtype()) if np.issubdtype(value.dtype, np.floating) else None
    if value.size > 1 and bool((value == value.flat[0]).all()):
        return torch.full(value.shape, value.flat[0].item(), dtype=dtype)
    return torch.as_tensor(value, dtype=dtype)
