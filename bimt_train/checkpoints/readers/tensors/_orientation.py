"""Whether weights are stored [out, in] or [in, out], by shapes, names and the number of inputs."""

import itertools
from collections.abc import Sequence

import numpy as np

from ...._errors import CheckpointError
from .._values import ORIENTATIONS, Linear, Orientation, Told
from ._resolved import Layer

_SHOWN = {"out_in": "[out, in]", "in_out": "[in, out]"}


def ways(layers: Sequence[Layer]) -> list[Orientation]:
    """The orientations in which layers chain, biases included.

    Parameters
    ----------
    layers : sequence of Layer
        First to last.

    Returns
    -------
    list of str
        ``"out_in"``, ``"in_out"``, both or neither.
    """
    return [way for way in ORIENTATIONS if _fits(layers, way)]


def turned(layers: Sequence[Layer], told: Told) -> tuple[list[Linear], list[str]]:
    """Layers with every weight as [out, in].

    Parameters
    ----------
    layers : sequence of Layer
        First to last.
    told : Told
        What the user said.

    Returns
    -------
    layers : list of Linear
        The same, as values.
    assumed : list of str
        Why they were turned, or not.

    Raises
    ------
    CheckpointError
        They chain in neither way, or in both and nothing tells which is meant.
    """
    found = ways(layers)
    way, why = _decided(layers, found, told)
    _check(layers, way, found)
    done, said = [], [f"the weights are stored {_SHOWN[way]}: {why}"]
    for layer in layers:
        weight = layer.weight if way == "out_in" else layer.weight.T
        weight = weight.astype(weight.dtype if weight.dtype == np.float64 else np.float32)
        if layer.bias is None:
            said.append(f"the layer of '{layer.name}' has no bias: zeros")
        bias = np.zeros(len(weight), weight.dtype) if layer.bias is None else _flat(layer.bias.array)
        done.append(Linear(layer.name, weight, bias if bias.dtype == np.float64 else bias.astype(np.float32)))
    return done, said


def _decided(layers: Sequence[Layer], found: list[Orientation], told: Told) -> tuple[Orientation, str]:
    kinds = {layer.kind for layer in layers}
    if told.orientation is not None:
        return told.orientation, "orientation was given"
    if kinds == {"weight"}:
        return "out_in", "torch does so, and the shapes allow it"
    if len(found) == 1:
        return found[0], "only so do the shapes chain"
    by_inputs = [way for way in found if told.inputs == _size(layers[0], way)[0]]
    if len(by_inputs) == 1:
        return by_inputs[0], f"only so do the layers read {told.inputs} inputs"
    columns = {
        layer.bias.array.shape.index(1) for layer in layers if layer.bias is not None and _lies(layer.bias.array)
    }
    if found and len(columns) == 1:
        return (("in_out", "biases are rows"), ("out_in", "biases are columns"))[columns.pop()]
    if kinds == {"kernel"}:
        return "in_out", "the word kernel, or coef, says so, and the shapes allow it"
    if not found:
        return "out_in", ""
    raise CheckpointError(
        "weights that chain both as [out, in] and as [in, out]",
        where=", ".join(f"'{layer.name}' {layer.weight.shape}" for layer in layers[:4]),
        expected="names that say it, as weight or kernel",
        hint='give orientation="out_in" or orientation="in_out" (--orientation out-in, or in-out)',
    )  # fmt: skip


def _lies(bias: np.ndarray) -> bool:
    return bias.ndim == 2 and sorted(bias.shape)[0] == 1 and bias.size > 1


def _flat(bias: np.ndarray) -> np.ndarray:
    return np.asarray(bias.reshape(-1))


def _size(layer: Layer, way: Orientation) -> tuple[int, int]:
    """Inputs and outputs."""
    rows, columns = layer.weight.shape
    return (columns, rows) if way == "out_in" else (rows, columns)


def _fits(layers: Sequence[Layer], way: Orientation) -> bool:
    sizes = [_size(layer, way) for layer in layers]
    joined = all(before[1] == after[0] for before, after in itertools.pairwise(sizes))
    return joined and all(
        layer.bias is None or layer.bias.array.size == size[1] for layer, size in zip(layers, sizes, strict=True)
    )


def _check(layers: Sequence[Layer], way: Orientation, found: list[Orientation]) -> None:
    """Every weight takes what the one before gives, and its bias has as many entries as it has outputs."""
    turned = way == "out_in" and "in_out" in found
    rows_at, columns_at = (0, 1) if way == "out_in" else (1, 0)
    hint = (
        'every weight is stored [in, out]: give each transposed, or orientation="in_out" (--orientation in-out)'
        if turned
        else ""
    )
    if turned and not any(layer.bias for layer in layers):
        hint += ", or give the layers first to last"
    for index, layer in enumerate(layers):
        inputs, outputs = _size(layer, way)
        shape, bias = layer.weight.shape, layer.bias
        entries = None if bias is None else bias.array.size
        alone = f"the weight is stored [in, out]: give '{layer.name}' transposed"
        given = _size(layers[index - 1], way)[1] if index else inputs
        if inputs != given:
            whole = hint or (alone if outputs == given and entries in (None, inputs) else "")
            raise CheckpointError(
                "weights that do not chain",
                where=f"tensor '{layer.name}', axis {columns_at}",
                expected=f"{given}, the outputs of '{layers[index - 1].name}'",
                got=f"{inputs} of shape {shape}",
                hint=whole or "give the tensors in the order of the layers, each weight [out, in]",
            )
        if bias is not None and entries != outputs:
            raise CheckpointError(
                "a bias that does not fit its weight",
                where=f"tensor '{bias.name}', axis 0",
                expected=f"{outputs}, the {('rows', 'columns')[rows_at]} of '{layer.name}' {shape}",
                got=str(entries),
                hint=hint or (alone if entries == inputs else "give each bias right after its weight"),
            )
