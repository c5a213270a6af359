"""Rules of operators that only move entries, choose among them, or put tensors side by side."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._call import Call, Rule, Value, axes_of
from ._fields import Fields, along, chosen, joint, labels_in, lifted, met, moved, pinned_along, varying, without
from .labels._label_store import Labels


def move(call: Call) -> Fields | list[Fields]:
    """Apply the operator to the labels of its first argument."""
    value = call.args[0]
    fields, shape = call.fields(value), value.tensor.shape

    def applied(field: Tensor) -> Any:
        return call.operator(field, *call.args[1:], **call.kwargs)

    if isinstance(call.result, Tensor):
        return chosen(call.labels, fields, shape, applied)
    return [chosen(call.labels, fields, shape, lambda f, i=i: applied(f)[i]) for i in range(len(call.result))]  # type: ignore[misc]


def view(call: Call) -> Fields:
    """Fold or open axes, whatever the strides of the labels."""
    value = call.args[0]
    return moved(call.fields(value), value.tensor.shape, lambda field: field.reshape(call.result.shape))


def same(call: Call) -> Fields:
    """The entries stay where they are."""
    return call.fields(call.args[0])


def assembled(
    labels: Labels,
    parts: Sequence[tuple[Fields, Sequence[int]]],
    axis: int,
    put: Callable[[list[Tensor]], Tensor],
    units: Sequence[int | None] = (),
) -> Fields:
    """Fields of several tensors put together along an axis by ``put``.

    Of each tensor ``parts`` has the fields and the shape, ``units`` the neuron where it has length 1 along the axis.
    Their labels are in ``labels``.
    """
    known = [*units, *[None] * (len(parts) - len(units))]
    seen = Counter[int]()
    for (fields, _), unit in zip(parts, known, strict=True):
        here = [field.numpy().ravel() for field in fields if axis in varying(field)]
        here += [] if unit is None else [np.array([unit])]
        seen.update({labels.find(int(label)) for some in here for label in np.unique(some)})
    beside = [tuple(f for f in fields if axis not in varying(f)) for fields, _ in parts]
    across = []
    for (fields, shape), unit in zip(parts, known, strict=True):
        found = tuple(f for f in fields if axis in varying(f))
        if found:
            across.append(joint(labels, found, shape))
        elif unit is not None and seen[labels.find(unit)] == 1:  # of one neuron twice, each place reads another use
            across.append(along(np.array([unit]), axis, len(shape)))
        else:
            made = labels.fresh(shape[axis])
            labels.keep(made)
            across.append(along(made, axis, len(shape)))
    wide = set().union(*(varying(field) for field in across)) - {axis}
    opened = []
    for field, (_, shape) in zip(across, parts, strict=True):
        opened.append(field.expand([n if i in wide or i == axis else 1 for i, n in enumerate(shape)]))
    whole = put(opened)
    rest = met(labels, *(fields for fields in beside if fields))
    return (*rest, whole) if whole.numel() > 1 else rest


def concatenate(call: Call) -> Fields:
    """Put tensors side by side."""
    values = [value for value in call.args[0] if value.tensor.numel()]
    if len(values) == 1:
        return call.fields(values[0])
    axis = axes_of(call.argument(1, "dim", 0), call.result.ndim)[0]
    parts = [(call.fields(value), value.tensor.shape) for value in values]
    units = [value.units.get(axis) for value in values]
    return assembled(call.labels, parts, axis, lambda fields: torch.cat(fields, axis), units)


def write_slice(call: Call) -> Fields:
    """Replace some entries along an axis by those of another tensor."""
    whole, part = call.args[:2]
    axis = axes_of(call.argument(2, "dim", 0), whole.tensor.ndim)[0]
    source, shape = call.fields(part), part.tensor.shape
    selects = part.tensor.ndim < whole.tensor.ndim
    if selects:
        source = tuple(field.unsqueeze(axis) for field in source)
        shape = (*shape[:axis], 1, *shape[axis:])

    def put(fields: list[Tensor]) -> Tensor:
        into, piece = (field.contiguous() for field in fields)
        made: Tensor = call.operator(into, piece.squeeze(axis) if selects else piece, *call.args[2:], **call.kwargs)
        return made

    parts = [(call.fields(whole), whole.tensor.shape), (source, shape)]
    return assembled(call.labels, parts, axis, put)


def pad(call: Call) -> Fields:
    """Surround entries by a constant."""
    value, sides = call.args[:2]
    fields = call.fields(value)
    axes = [value.tensor.ndim - 1 - i for i in range(len(sides) // 2) if sides[2 * i] or sides[2 * i + 1]]
    for axis in axes:
        at = value.tensor.ndim - 1 - axis
        before, after = sides[2 * at], sides[2 * at + 1]
        if min(before, after) < 0:
            fresh = call.labels.fresh(call.result.shape[axis], pinned=True)
            fields = (*without(call.labels, fields, [axis]), along(fresh, axis, value.tensor.ndim))
            continue
        shape = list(value.tensor.shape)
        parts: list[tuple[Fields, Sequence[int]]] = [(fields, shape)]
        for size, first in ((before, True), (after, False)):
            blank = [size if i == axis else n for i, n in enumerate(shape)]
            if size:
                parts.insert(0 if first else len(parts), ((), blank))
        fields = assembled(call.labels, parts, axis, lambda pieces, axis=axis: torch.cat(pieces, axis))  # type: ignore[misc]
    return fields


def look_up(call: Call) -> Fields:
    """Choose rows of a table by whole numbers: by constant ones a movement, else rows are tokens and stay."""
    table, rows = call.args[:2]
    call.labels.tokens.update(_first_axis(call, table))
    call.layer(table, 0)
    return _chosen(call, table, [rows])


def _first_axis(call: Call, value: Value) -> set[int]:
    return {label for field in call.fields(value) if 0 in varying(field) for label in labels_in(field)}


def index(call: Call) -> Fields:
    """Index by tensors, as in x[i, j]."""
    value, indices = call.args[:2]
    return _chosen(call, value, indices)


def _chosen(call: Call, value: Value, indices: Sequence[Any]) -> Fields:
    given = [each for each in indices if each is not None]
    plain = [None if each is None else each.tensor for each in indices]
    axes = [axis for axis, each in enumerate(indices) if each is not None]
    if any(each.tensor.dtype == torch.bool for each in given) and not all(each.constant for each in given):
        pinned_along(call.labels, call.fields(value), range(value.tensor.ndim))
        return pinned_result(call)
    fields = call.fields(value)

    def take(field: Tensor) -> Tensor:
        taken: Tensor = torch.ops.aten.index.Tensor(field, plain)
        return taken

    if all(each.constant for each in given):
        return chosen(call.labels, fields, value.tensor.shape, take)
    free = without(call.labels, fields, axes)
    together = axes == list(range(axes[0], axes[-1] + 1))
    count = max(each.tensor.ndim for each in given)
    begin = axes[0] if together else 0
    after = call.result.ndim - begin - count
    numbers = met(call.labels, *(lifted(call.fields(each), count) for each in given))
    placed = tuple(f.reshape((1,) * begin + tuple(f.shape) + (1,) * after) for f in numbers)
    return (*moved(free, value.tensor.shape, take), *placed)


def pinned_result(call: Call, *axes: int) -> Fields:
    """Pinned labels along the given axes of the result, or along all."""
    result = call.result if isinstance(call.result, Tensor) else call.result[0]
    chosen = axes or tuple(range(result.ndim))
    return tuple(
        along(call.labels.fresh(result.shape[axis], pinned=True), axis, result.ndim)
        for axis in chosen
        if result.shape[axis] > 1
    )


def forget(call: Call) -> Fields | list[Fields]:
    """Count or find entries: nothing that takes part can move, and the result is whole numbers."""
    for value in call.args:
        if isinstance(value, Value):
            pinned_along(call.labels, call.fields(value), range(value.tensor.ndim))
    results = [call.result] if isinstance(call.result, Tensor) else call.result
    found = [pinned_result(replace(call, result=each)) for each in results]
    return found[0] if isinstance(call.result, Tensor) else found


def pick(call: Call) -> Fields:
    """Choose along one axis by a tensor of whole numbers, entry by entry (gather) or alike for all (index_select)."""
    value, axis, numbers = call.args[:3]
    axis %= max(value.tensor.ndim, 1)
    fields = call.fields(value)
    alike = numbers.tensor.ndim <= 1 and value.tensor.ndim > 1
    if numbers.constant and alike:
        plain = [None] * axis + [numbers.tensor]
        return chosen(call.labels, fields, value.tensor.shape, lambda f: torch.ops.aten.index.Tensor(f, plain))
    rest = without(call.labels, fields, [axis])
    if alike:
        shape = [1] * value.tensor.ndim
        shape[axis] = -1
        return (*rest, *(field.reshape(shape) for field in call.fields(numbers)))
    return met(call.labels, call.fields(numbers), rest)


def scatter(call: Call) -> Fields:
    """Add to, or replace, entries along one axis, chosen by whole numbers."""
    value, axis, numbers = call.args[:3]
    source = call.argument(3, "src")
    axis %= max(value.tensor.ndim, 1)
    several = []
    for each in (value, source, numbers if numbers.tensor.ndim == value.tensor.ndim else None):
        several.append(without(call.labels, call.fields(each), [axis]))
    return (*met(call.labels, *(f for f in several if f)), *pinned_result(call, axis))


def write_chosen(call: Call) -> Fields:
    """Add to, or replace, entries chosen by tensors of whole numbers, as in x[i] = y."""
    value, indices, source = call.args[:3]
    axes = [axis for axis, each in enumerate(indices) if each is not None]
    last = axes[-1] + 1
    heads = range(source.tensor.ndim - value.tensor.ndim + last)
    written = without(call.labels, call.fields(source), heads)
    ends = tuple(field.reshape((1,) * last + tuple(field.shape[len(heads) :])) for field in written)
    rest = without(call.labels, call.fields(value), range(last))
    return (*met(call.labels, *(f for f in (rest, ends) if f)), *pinned_result(call, *range(last)))


MOVES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            "permute", "transpose", "t", "unsqueeze", "squeeze", "expand", "slice",
            "select", "split_with_sizes", "split", "unbind", "flip", "roll", "repeat", "unfold", "pixel_shuffle",
            "pixel_unshuffle", "diagonal", "narrow", "expand_copy", "permute_copy",
        ),
        move,
    ),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "view_copy", "_reshape_alias"), view),
    **dict.fromkeys(
        ("clone", "_to_copy", "alias", "detach", "lift_fresh_copy", "lift_fresh", "contiguous", "copy_detach"), same
    ),
    "cat": concatenate,
    "slice_scatter": write_slice,
    "select_scatter": write_slice,
    "constant_pad_nd": pad,
    "embedding": look_up,
    "index": index,
    "gather": pick,
    "index_select": pick,
    **dict.fromkeys(("scatter_add", "scatter", "index_add", "scatter_reduce", "index_copy"), scatter),
    "index_put": write_chosen,
    **dict.fromkeys(("histc", "nonzero", "bincount", "searchsorted", "bucketize", "_unique2"), forget),
}  # fmt: skip
