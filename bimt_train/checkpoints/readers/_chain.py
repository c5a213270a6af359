"""Reading a plain feed-forward chain out of named tensors that nobody described."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..._errors import CheckpointError


class Linear(NamedTuple):
    """One layer ``W h + b`` and the name of its weight."""

    name: str
    weight: Float[np.ndarray, "out in"]
    bias: Float[np.ndarray, " out"]


def chain_of(state: Mapping[str, np.ndarray]) -> tuple[Linear, ...]:
    """Find the layers of a chain, in the order of their names in the mapping.

    Tensors whose names agree up to the last dot belong together. Among them weights (two axes) and biases (one axis)
    are paired in order; where there are fewer biases than weights, a bias belongs to the weight just ahead of it.

    Parameters
    ----------
    state : mapping of str to array
        The tensors of the chain, and no others. A weight is ``[out, in]``, a bias ``[out]``.

    Returns
    -------
    tuple of Linear
        The layers, first to last. A layer without a bias gets zeros.

    Raises
    ------
    CheckpointError
        A tensor is neither weight nor bias, a weight is stored ``[in, out]``, or a weight does not take what the layer
        before it gives.
    """
    families: dict[str, list[str]] = {}
    for name in state:
        families.setdefault(name.rpartition(".")[0], []).append(name)
    pairs = [pair for names in families.values() for pair in _pairs(names, state)]
    used = {name for pair in pairs for name in pair}
    extra = [name for name in state if name not in used]
    if extra or not pairs:
        raise CheckpointError(
            "tensors that do not belong to a plain feed-forward chain" if extra else "no layers",
            where=", ".join(f"'{name}' {state[name].shape}" for name in extra[:8]) or "the state",
            expected="for each layer one weight [out, in] and at most one bias [out]",
            hint="fold batch norms into the layer before, and describe any other architecture by a Layout",
        )
    _check_chain(pairs, state)
    layers = []
    for weight_name, bias_name in pairs:
        weight = state[weight_name]
        bias = state[bias_name] if bias_name else np.zeros(weight.shape[0], weight.dtype)
        layers.append(Linear(weight_name, weight, bias))
    return tuple(layers)


def _pairs(names: Sequence[str], state: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Weight and bias names of one family; an empty bias name where there is none. What fits nowhere is left out."""
    weights = [name for name in names if state[name].ndim == 2]
    biases = [name for name in names if state[name].ndim == 1]
    if len(weights) == len(biases):
        return list(zip(weights, biases, strict=True))
    found = dict.fromkeys(weights, "")
    for before, name in itertools.pairwise(names):
        if name in biases and before in found:
            found[before] = name
    return list(found.items())


def _check_chain(pairs: Sequence[tuple[str, str]], state: Mapping[str, np.ndarray]) -> None:
    """Every weight takes what the one before gives, and its bias has as many entries as it has rows."""
    shapes = [state[weight].shape for weight, _ in pairs]
    biases = [state[bias].shape[0] if bias else None for _, bias in pairs]
    turned = _fits([shape[::-1] for shape in shapes], biases)
    for index, ((weight, bias), (rows, columns)) in enumerate(zip(pairs, shapes, strict=True)):
        alone = f"the weight is stored [in, out]: give '{weight}' transposed"
        hint = "every weight is stored [in, out]: give each transposed" if turned else ""
        if turned and not any(biases):
            hint += ", or give the layers first to last"
        given = shapes[index - 1][0] if index else columns
        if columns != given:
            whole = hint or (alone if rows == given and biases[index] in (None, columns) else "")
            raise CheckpointError(
                "weights that do not chain",
                where=f"tensor '{weight}', axis 1",
                expected=f"{given}, the outputs of '{pairs[index - 1][0]}'",
                got=f"{columns} of shape {(rows, columns)}",
                hint=whole or "give the tensors in the order of the layers, each weight [out, in]",
            )
        if biases[index] not in (None, rows):
            raise CheckpointError(
                "a bias that does not fit its weight",
                where=f"tensor '{bias}', axis 0",
                expected=f"{rows}, the rows of '{weight}' {(rows, columns)}",
                got=str(biases[index]),
                hint=hint or (alone if biases[index] == columns else "give each bias right after its weight"),
            )


def _fits(shapes: Sequence[tuple[int, ...]], biases: Sequence[int | None]) -> bool:
    joined = all(after[1] == before[0] for before, after in itertools.pairwise(shapes))
    return joined and all(bias in (None, shape[0]) for shape, bias in zip(shapes, biases, strict=True))
