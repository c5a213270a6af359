"""Operators on whole numbers that say shapes and places: they are computed before anything runs."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._graph import Node

Known = Callable[..., Any]


def _axes(node: Node, given: list[Any]) -> tuple[int, ...] | None:
    axes = given[1] if len(given) > 1 and given[1] is not None else node.attributes.get("axes")
    return None if axes is None else tuple(int(a) for a in np.ravel(axes))


def _unsqueezed(node: Node, given: list[Any]) -> Any:
    return np.expand_dims(given[0], _axes(node, given) or ())


def _sliced(node: Node, given: list[Any]) -> Any:
    starts, ends = (
        np.ravel(given[k] if len(given) > k else node.attributes[w]) for k, w in ((1, "starts"), (2, "ends"))
    )
    said = given[3] if len(given) > 3 and given[3] is not None else node.attributes.get("axes")
    axes = range(len(starts)) if said is None else np.ravel(said)
    steps = np.ravel(given[4]) if len(given) > 4 and given[4] is not None else np.ones(len(starts), np.int64)
    found = given[0]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = [slice(None)] * found.ndim
        low = int(end) if end > -(2**62) else None
        place[int(axis)] = slice(int(start), low, int(step))
        found = found[tuple(place)]
    return found


def _divided(one: Any, other: Any) -> Any:
    found = np.trunc(one / other).astype(np.int64)  # of whole numbers, towards 0
    return found if np.issubdtype(np.asarray(one).dtype, np.integer) else one / other


ON_NUMBERS: Mapping[str, Known] = {
    "Identity": lambda node, given: given[0],
    "Cast": lambda node, given: given[0].astype(np.int64) if node.attributes["to"] in (6, 7) else None,
    "Concat": lambda node, given: np.concatenate(given, axis=node.attributes["axis"]),
    "Gather": lambda node, given: np.take(given[0], given[1], axis=node.attributes.get("axis", 0)),
    "Unsqueeze": _unsqueezed,
    "Squeeze": lambda node, given: np.squeeze(given[0], _axes(node, given)),
    "Slice": _sliced,
    "Add": lambda node, given: given[0] + given[1],
    "Sub": lambda node, given: given[0] - given[1],
    "Mul": lambda node, given: given[0] * given[1],
    "Div": lambda node, given: _divided(given[0], given[1]),
    "Neg": lambda node, given: -given[0],
    "Mod": lambda node, given: (np.fmod if node.attributes.get("fmod") else np.mod)(given[0], given[1]),
    "Max": lambda node, given: np.maximum.reduce(np.broadcast_arrays(*given)),
    "Min": lambda node, given: np.minimum.reduce(np.broadcast_arrays(*given)),
    "Equal": lambda node, given: given[0] == given[1],
    "Less": lambda node, given: given[0] < given[1],
    "Greater": lambda node, given: given[0] > given[1],
    "And": lambda node, given: given[0] & given[1],
    "Or": lambda node, given: given[0] | given[1],
    "Not": lambda node, given: ~given[0],
    "Where": lambda node, given: np.where(*given),
    "Range": lambda node, given: np.arange(int(given[0]), int(given[1]), int(given[2])),
    "ReduceProd": lambda node, given: np.asarray(math.prod(np.ravel(given[0]).tolist())),
    "Reshape": lambda node, given: np.reshape(given[0], np.ravel(given[1])),
    "ConstantOfShape": lambda node, given: np.full(np.ravel(given[0]), np.ravel(node.attributes.get("value", 0.0))[0]),
}
"""Operator -> what it gives for whole numbers; None where the result is none."""
