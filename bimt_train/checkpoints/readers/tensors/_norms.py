"""Batch norms in evaluation and scalers of inputs or outputs, folded into the layers beside them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...._errors import CheckpointError
from .._keys import roles_hint
from .._values import Linear, Told
from ._names import Part, words_of
from ._resolved import Layer, Module

EPSILON = 1e-5
"""What torch adds to a batch norm's variance unless told otherwise; a state dict does not say it."""

_INPUTS = r"_(x|xs|in|inp|input|inputs|feature|features|obs|observation)_"
_OUTPUTS = r"_(y|ys|out|output|outputs|target|targets|label|labels)_"


@dataclass(frozen=True)
class Affine:
    """``scale * h + shift``, entry by entry, beside the layers.

    Attributes
    ----------
    module : tuple of str
        Its place in the names.
    parts : tuple of Part
        The tensors it was made of.
    scale, shift : ndarray
        Its numbers.
    """

    module: tuple[str, ...]
    parts: tuple[Part, ...]
    scale: np.ndarray
    shift: np.ndarray

    @property
    def said(self) -> str:
        """The names of the norm's tensors, for messages."""
        return ", ".join(f"'{part.name}'" for part in self.parts)


def batch_norm_of(place: tuple[str, ...], module: Module) -> Affine:
    """A batch norm in evaluation, as one affine function.

    Parameters
    ----------
    place : tuple of str
        Its module.
    module : dict of str to Part
        ``running_mean`` and ``running_var``; ``weight`` and ``bias`` or neither.

    Returns
    -------
    Affine
        ``weight (h - mean) / sqrt(var + 1e-5) + bias``.

    Raises
    ------
    CheckpointError
        Tensors of unequal sizes, or a negative variance.
    """
    parts = tuple(module.values())
    mean, var = (module[kind].array.astype(np.float64) for kind in ("running_mean", "running_var"))
    one, zero = np.ones(mean.shape), np.zeros(mean.shape)
    gain = next((module[kind].array.astype(np.float64) for kind in ("weight", "gain") if kind in module), one)
    bias = module["bias"].array.astype(np.float64) if "bias" in module else zero
    known = {"running_mean", "running_var", "weight", "gain", "bias"}
    shapes = {mean.shape, var.shape, gain.shape, bias.shape}
    if shapes != {(mean.size,)} or module.keys() - known or var.min() < 0:
        where = ", ".join(part.said for part in parts)
        hint = "fold it into the layer before it, and save that"
        raise CheckpointError(
            "a batch norm that cannot be read", where=where, expected="tensors of one size", hint=hint
        )
    scale = gain / np.sqrt(var + EPSILON)
    return Affine(place, parts, scale, bias - mean * scale)


def scaler_of(place: tuple[str, ...], module: Module, ends: tuple[int, int]) -> tuple[Affine, str]:
    """A mean and a deviation beside the layers: what standardises the inputs, or gives outputs their units.

    Parameters
    ----------
    place : tuple of str
        Its module.
    module : dict of str to Part
        ``mean`` and ``std`` (or ``scale``).
    ends : tuple of int
        How many inputs and outputs the layers have.

    Returns
    -------
    affine : Affine
        ``(x - mean) / std`` for inputs, ``std y + mean`` for outputs.
    side : str
        ``"inputs"`` or ``"outputs"``.

    Raises
    ------
    CheckpointError
        The names do not tell which end it is, or it does not fit there.
    """
    mean, std = module["mean"], module.get("std") or module["scale"]
    words = words_of(".".join(place)) + words_of(mean.name) + words_of(std.name)
    sides = [side for side, found in (("inputs", _INPUTS), ("outputs", _OUTPUTS)) if re.search(found, words)]
    sizes = dict(zip(("inputs", "outputs"), ends, strict=True))
    sides = sides or [side for side, size in sizes.items() if mean.array.size == size and size > 1]
    fits = len(sides) == 1 and all(part.array.size in (1, sizes[sides[0]]) for part in (mean, std))
    if not fits or (std.array <= 0).any():
        raise CheckpointError(
            "a mean and a deviation that are of neither end for certain", where=f"{mean.said}, {std.said}",
            expected="names as x_mean, x_std or y_mean, y_std, and one positive number a column",
            hint=f"say {roles_hint({mean.name: 'ignore', std.name: 'ignore'})}, and give rows as it sees them",
        )  # fmt: skip
    size = sizes[sides[0]]
    middle, width = (np.broadcast_to(p.array.astype(np.float64).reshape(-1), size) for p in (mean, std))
    if sides[0] == "inputs":
        return Affine(place, (mean, std), 1 / width, -middle / width), "inputs"
    return Affine(place, (mean, std), width, middle), "outputs"


def before_layer(layer: Linear, affine: Affine) -> Linear:
    """The layer that reads what the affine function reads.

    Parameters
    ----------
    layer : Linear
        It reads what the affine function gives.
    affine : Affine
        One entry an input.

    Returns
    -------
    Linear
        Both in one.
    """
    weight = layer.weight.astype(np.float64)
    bias = layer.bias + weight @ affine.shift
    return Linear(layer.name, (weight * affine.scale).astype(np.float64), bias)


def after_layer(layer: Linear, affine: Affine) -> Linear:
    """The layer with the affine function applied to what it gives.

    Parameters
    ----------
    layer : Linear
        What the affine function reads.
    affine : Affine
        One entry an output.

    Returns
    -------
    Linear
        Both in one.
    """
    weight = layer.weight.astype(np.float64) * affine.scale[:, None]
    return Linear(layer.name, weight, layer.bias * affine.scale + affine.shift)


def fold_batch_norms(
    layers: Sequence[Linear], found: Sequence[Layer], norms: Sequence[Affine], told: Told
) -> tuple[list[Linear], list[str]]:
    """Fold batch norms into the layers beside them.

    Parameters
    ----------
    layers : sequence of Linear
        First to last.
    found : sequence of Layer
        The same, with their places in the names.
    norms : sequence of Affine
        The batch norms.
    told : Told
        Whether they stand before or after the activation, where numbers do not tell.

    Returns
    -------
    layers : list of Linear
        The layers with the norms in them.
    assumed : list of str
        Where each was folded, and why.

    Raises
    ------
    CheckpointError
        It is not clear where a norm stands, or it does not fit there.
    """
    done, said = list(layers), []
    for norm in norms:
        index, after, why = _stands(norm, found, told)
        size = len(done[index].bias) if after else done[index].weight.shape[1]
        if size != norm.scale.size:
            raise _unplaced(norm, f"{norm.scale.size} entries beside {size} neurons")
        done[index] = after_layer(done[index], norm) if after else before_layer(done[index], norm)
        way = "after" if after else "before"
        said.append(
            f"the batch norm of {norm.said} is folded into '{done[index].name}', {way} it: {why}; "
            f"epsilon is {EPSILON:g}, as in torch unless told otherwise"
        )
    return done, said


def _stands(norm: Affine, found: Sequence[Layer], told: Told) -> tuple[int, bool, str]:
    """The layer's index, whether the norm comes after it (and before the activation), and why."""
    siblings = [i for i, layer in enumerate(found) if layer.module[:-1] == norm.module[:-1] and layer.module]
    if norm.module and norm.module[-1].isdecimal():
        numbers = {int(found[i].module[-1]): i for i in siblings if found[i].module[-1].isdecimal()}
        at = int(norm.module[-1])
        behind, ahead = at - 1 in numbers, at + 1 in numbers
        if behind and not ahead:
            return numbers[at - 1], True, "its number is the next one"
        if ahead and not behind:
            return numbers[at + 1], False, "its number is the one before"
        below, above = (
            max((n for n in numbers if n < at), default=None),
            min((n for n in numbers if n > at), default=None),
        )
        if told.batch_norm == "after" and above is not None:
            return numbers[above], False, "batch_norm was given"
        if told.batch_norm == "before" and below is not None:
            return numbers[below], True, "batch_norm was given"
        raise _unplaced(norm, "layers on both sides" if behind else "no layer beside it")
    last = re.findall(r"\d+", norm.module[-1]) if norm.module else []
    mine = [i for i in siblings if last and re.findall(r"\d+", found[i].module[-1]) == last]
    mine = mine or (siblings if len(siblings) == 1 else [])
    if len(mine) != 1:
        raise _unplaced(norm, "no layer of its number")
    if told.batch_norm == "before":
        return mine[0], True, f"it has the number of '{found[mine[0]].name}', and batch_norm was given"
    if told.batch_norm == "after" and mine[0] + 1 < len(found):
        return mine[0] + 1, False, f"it has the number of '{found[mine[0]].name}', and batch_norm was given"
    raise _unplaced(norm, "names that do not say whether the activation comes before it or after it")


def _unplaced(norm: Affine, got: str) -> CheckpointError:
    return CheckpointError(
        "a batch norm whose place is not known", where=norm.said, got=got,
        hint='give batch_norm="before" or batch_norm="after" the activation (--batch-norm before, or after), or fold '
        "it into a layer and save that",
    )  # fmt: skip
