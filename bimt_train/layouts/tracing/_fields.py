"""Fields: how the labels of neurons vary over the entries of a tensor, and what meets when tensors meet."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from .labels._label_store import Ints, Labels

Fields = tuple[Tensor, ...]
"""Labels of each entry of a tensor: as many axes as it has, of length 1 where the labels do not vary."""


def collapsed(labels: Tensor) -> Tensor:
    """Give every axis along which ``labels`` do not vary the length 1."""
    for axis in range(labels.ndim):
        if labels.shape[axis] > 1:
            first = labels.narrow(axis, 0, 1)
            if labels.stride(axis) == 0 or bool((labels == first).all()):
                labels = first
    return labels


def labels_in(field: Tensor) -> list[int]:
    """The labels that a field has."""
    found: list[int] = np.unique(field.numpy()).tolist()
    return found


def varying(field: Tensor) -> frozenset[int]:
    """The axes along which a field varies."""
    return frozenset(axis for axis, length in enumerate(field.shape) if length > 1)


def along(labels: Ints, axis: int, axes: int) -> Tensor:
    """A field that varies along one of ``axes`` axes.

    Parameters
    ----------
    labels : sequence of int
        The label of each index of that axis.
    axis : int
        The axis.
    axes : int
        How many axes the field has.
    """
    shape = [1] * axes
    shape[axis] = len(labels)
    return torch.as_tensor(labels).reshape(shape)


def of_constant(labels: Labels, value: Tensor) -> Fields:
    """Pinned labels for each axis along which the entries of a constant differ.

    Parameters
    ----------
    labels : Labels
        Which makes the labels.
    value : Tensor
        The constant.
    """
    fields = []
    for axis, length in enumerate(value.shape):
        if length > 1 and not bool((value == value.narrow(axis, 0, 1)).all()):
            fields.append(along(labels.fresh(length, pinned=True), axis, value.ndim))
    return tuple(fields)


def moved(fields: Fields, shape: Sequence[int], move: Callable[[Tensor], Tensor]) -> Fields:
    """Apply an operator that only moves entries, and loses none, to fields over a tensor of that ``shape``.

    Parameters
    ----------
    fields : tuple of Tensor
        The fields.
    shape : sequence of int
        The shape of the tensor.
    move : callable
        The operator, from a tensor to a tensor.
    """
    found = (collapsed(move(field.expand(*shape))) for field in fields)
    return tuple(field for field in found if field.numel() > 1)


def chosen(labels: Labels, fields: Fields, shape: Sequence[int], move: Callable[[Tensor], Tensor]) -> Fields:
    """As `moved`, for an operator that may lose entries: permutations must keep the set of those that are left.

    Parameters
    ----------
    labels : Labels
        Which notes the sets.
    fields : tuple of Tensor
        The fields.
    shape : sequence of int
        The shape of the tensor.
    move : callable
        The operator, from a tensor to a tensor.
    """
    found = [collapsed(move(field.expand(*shape))) for field in fields]
    for field in found:
        labels.keep(field.numpy())
    return tuple(field for field in found if field.numel() > 1)


def lifted(fields: Fields, axes: int) -> Fields:
    """Fields over a tensor that broadcasts to ``axes`` axes.

    Parameters
    ----------
    fields : tuple of Tensor
        Fields of fewer axes.
    axes : int
        How many axes there are in the end.
    """
    return tuple(field.reshape((1,) * (axes - field.ndim) + tuple(field.shape)) for field in fields)


def met(labels: Labels, *several: Fields) -> Fields:
    """Fields of an elementwise combination of tensors; demands that permutations act alike on all of them.

    Parameters
    ----------
    labels : Labels
        Which unites the labels that meet.
    *several : tuple of Tensor
        The fields of each tensor.
    """
    axes = max((field.ndim for fields in several for field in fields), default=0)
    merged: list[Tensor] = []
    for fields in several:
        for new in lifted(fields, axes):
            needed = True
            for old in list(merged):
                finer = _related(labels, old, new)
                if finer is old:
                    needed = False
                    break
                if finer is new:
                    merged = [field for field in merged if field is not old]
            if needed:
                merged.append(new)
    return tuple(merged)


def _related(labels: Labels, one: Tensor, other: Tensor) -> Tensor | None:
    """Note what the meeting of two fields demands; return the one that determines the other, if one does."""
    if not varying(one) & varying(other):
        return None
    if one.shape == other.shape and torch.equal(one, other):
        return one
    shape = [max(lengths) for lengths in zip(one.shape, other.shape, strict=True)]
    a, b = (field.expand(shape).numpy().ravel() for field in (one, other))
    pairs = np.unique(np.stack([a, b]), axis=1)
    (names_a, index_a, count_a), (names_b, index_b, count_b) = (
        np.unique(row, return_inverse=True, return_counts=True) for row in pairs
    )
    a_determines, b_determines = bool((count_a == 1).all()), bool((count_b == 1).all())
    if a_determines and b_determines:
        labels.unite(*pairs)
        return one
    if a_determines or b_determines:
        members, blocks = pairs if a_determines else pairs[::-1]
        labels.put_under(members, blocks)
        return one if a_determines else other
    joined = coo_matrix(
        (np.ones(len(index_a)), (index_a, index_b + len(names_a))), shape=(len(names_a) + len(names_b),) * 2
    )
    number, part = connected_components(joined, directed=False)
    if number == 1 and len(index_a) == len(names_a) * len(names_b):
        return None
    sides = part[: len(names_a)], part[len(names_a) :]
    for each in range(number):
        ours, theirs = names_a[sides[0] == each], names_b[sides[1] == each]
        if (part[index_a] == each).sum() != len(ours) * len(theirs):
            labels.pin(names_a)
            labels.pin(names_b)
            return None
    for each in range(number):
        blocks = [labels.block(names[side == each]) for names, side in zip((names_a, names_b), sides, strict=True)]
        labels.unite(blocks[:1], blocks[1:])
    return None


def reduced(labels: Labels, fields: Fields, axes: Iterable[int]) -> Fields:
    """Fields after the entries along ``axes`` were combined in any way that forgets their order; axes keep length 1.

    Parameters
    ----------
    labels : Labels
        Of entries.
    fields : tuple of tensor
        Labels of the entries of one tensor.
    axes : iterable of int
        The axes that are combined.
    """
    gone = set(axes)
    left = []
    for field in fields:
        if not varying(field) & gone:
            left.append(field)
            continue
        kept = [axis for axis in range(field.ndim) if axis not in gone]
        rest = [field.shape[axis] for axis in kept]
        rows = field.permute(*kept, *gone).reshape(int(np.prod(rest)), -1).numpy()
        named = _blocks(labels, rows)
        if len(set(named)) > 1:
            shape = [1 if axis in gone else length for axis, length in enumerate(field.shape)]
            left.append(collapsed(torch.as_tensor(named).reshape(shape)))
    return tuple(left)


def _blocks(labels: Labels, rows: Ints) -> list[int]:
    """A label for the set of labels in each row; rows that share some labels but not all are pinned."""
    distinct, which = np.unique(np.sort(rows, axis=1), axis=0, return_inverse=True)
    sets = [np.unique(row) for row in distinct]
    if len(sets) == 1:
        return [0] * len(rows)
    everything = np.concatenate([np.array(s) for s in {tuple(s) for s in sets}])
    if len(np.unique(everything)) < len(everything):
        labels.pin(everything)
        names = labels.fresh(len(sets), pinned=True).tolist()
    else:
        names = [int(s[0]) if len(s) == 1 else labels.block(s) for s in sets]
    return [names[index] for index in which.ravel()]


def pinned_along(labels: Labels, fields: Fields, axes: Iterable[int]) -> None:
    """Pin the labels of ``fields`` that vary along any of ``axes``, because the order of entries matters there."""
    for field in fields:
        if varying(field) & set(axes):
            labels.pin(labels_in(field))


def without(labels: Labels, fields: Fields, axes: Iterable[int]) -> Fields:
    """What is left of ``fields`` after entries along ``axes`` were combined in an order that matters.

    Entries keep their places along these axes: fields that vary along them alone are pinned in ``labels``. Fields that
    vary along others too may move along those, as blocks.
    """
    gone = set(axes)
    left = []
    for field in fields:
        if varying(field) <= gone:
            labels.pin(labels_in(field))
        elif not varying(field) & gone:
            left.append(field)
        else:  # entries keep their places along these axes, and move along the others as blocks
            shape = [length if axis in gone else 1 for axis, length in enumerate(field.shape)]
            places = torch.as_tensor(labels.fresh(int(np.prod(shape)), pinned=True)).reshape(shape)
            left += reduced(labels, met(labels, (field,), (places,)), gone)
    return tuple(left)


def joint(labels: Labels, fields: Fields, shape: Sequence[int]) -> Tensor:
    """One field over the given ``shape`` that determines all ``fields``: their only one, or new labels under theirs."""
    if len(fields) == 1:
        return fields[0]
    tuples = torch.stack([field.expand(*shape).reshape(-1) for field in fields])
    distinct, which = np.unique(tuples.numpy(), axis=1, return_inverse=True)
    made = labels.fresh(distinct.shape[1])
    for row in distinct:
        labels.put_under(made, row.tolist())
    return collapsed(torch.as_tensor(made[which.ravel()]).reshape(*shape))
