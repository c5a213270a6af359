"""Tensors of one module become a layer: masks, norms of weights, products of low rank and scales are applied."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ...._errors import CheckpointError
from .._values import Told
from ._names import WEIGHTS, Part

Module: TypeAlias = dict[str, Part]


@dataclass(frozen=True)
class Layer:
    """A weight as stored, with its bias.

    Attributes
    ----------
    module : tuple of str
        Its place in the names.
    name : str
        The weight's name.
    weight : ndarray of shape (a, b)
        As stored: [out, in] or [in, out].
    bias : Part or None
        Its bias.
    kind : str
        ``weight``, ``kernel`` or ``plain``.
    """

    module: tuple[str, ...]
    name: str
    weight: np.ndarray
    bias: Part | None
    kind: str


def resolved(module: Module, told: Told) -> tuple[Module, list[str]]:
    """Apply what stands beside a weight to it.

    Parameters
    ----------
    module : dict of str to Part
        The tensors of one module by kind.
    told : Told
        With the scale of low-rank products.

    Returns
    -------
    module : dict of str to Part
        The same without what was applied.
    assumed : list of str
        What was applied, and why.

    Raises
    ------
    CheckpointError
        A piece is missing, or does not fit its weight.

    Examples
    --------
    >>> from ._names import part_of
    >>> names = {"a.weight_orig": np.ones((1, 2)), "a.weight_mask": np.array([[1.0, 0.0]])}
    >>> parts = [part_of(name, array) for name, array in names.items()]
    >>> module, assumed = resolved({part.kind: part for part in parts}, Told())
    >>> module["weight"].array.tolist(), assumed
    ([[1.0, 0.0]], ["'a.weight_mask' is a mask of zeros and ones, and is applied to 'a.weight_orig'"])
    """
    said: list[str] = []
    for rule in (_masked_bias, _masked, _spectral, _normed, _scaled, _low_rank):
        module, new = rule(module, told)
        said += new
    return module, said


def _without(module: Mapping[str, Part], *kinds: str) -> Module:
    return {kind: part for kind, part in module.items() if kind not in kinds}


def _weight_kind(module: Module) -> str | None:
    return next((kind for kind in WEIGHTS if kind in module and module[kind].array.ndim == 2), None)


def _masked_bias(module: Module, told: Told) -> tuple[Module, list[str]]:
    if not {"bias_orig", "bias_mask"} <= module.keys():
        return module, []
    bias, mask = module["bias_orig"], module["bias_mask"]
    _check_mask(mask, bias)
    done = Part(bias.name, bias.module, "bias", np.asarray(bias.array * mask.array))
    return {**_without(module, "bias_orig", "bias_mask"), "bias": done}, [_mask_said(mask, bias)]


def _masked(module: Module, told: Told) -> tuple[Module, list[str]]:
    stored = "weight_orig" if "weight_orig" in module else _weight_kind(module)
    if "mask" not in module or stored is None:
        return module, []
    weight, mask = module[stored], module["mask"]
    _check_mask(mask, weight)
    kind = "weight" if stored == "weight_orig" else stored
    done = Part(weight.name, weight.module, kind, np.asarray(weight.array * mask.array.astype(weight.array.dtype)))
    return {**_without(module, "mask", stored), kind: done}, [_mask_said(mask, weight)]


def _mask_said(mask: Part, weight: Part) -> str:
    return f"'{mask.name}' is a mask of zeros and ones, and is applied to '{weight.name}'"


def _check_mask(mask: Part, weight: Part) -> None:
    if mask.array.shape != weight.array.shape or not np.isin(mask.array, (0, 1)).all():
        raise CheckpointError(
            "a mask that does not fit its weight", where=mask.said,
            expected=f"zeros and ones of shape {weight.array.shape}, as '{weight.name}'",
            got="other numbers" if mask.array.shape == weight.array.shape else str(mask.array.shape),
            hint="multiply the mask into the weight and save that alone",
        )  # fmt: skip


def _spectral(module: Module, told: Told) -> tuple[Module, list[str]]:
    stored = "weight_orig" if "weight_orig" in module else "original"
    v = "weight_v"
    if not {stored, "weight_u", v} <= module.keys():
        return module, []
    weight, left, right = module[stored], module["weight_u"].array, module[v].array
    if weight.array.ndim != 2 or weight.array.shape != (left.size, right.size):
        raise _misfit(module["weight_u"], weight, "one entry a row, and weight_v one a column")
    sigma = float(left.ravel().astype(np.float64) @ weight.array @ right.ravel())
    if not sigma:
        raise _misfit(module["weight_u"], weight, "a norm above 0")
    done = Part(weight.name, weight.module, "weight", weight.array / weight.array.dtype.type(sigma))
    said = f"'{weight.name}' is divided by its spectral norm u W v, as torch does in evaluation"
    return {**_without(module, stored, "weight_u", v), "weight": done}, [said]


def _normed(module: Module, told: Told) -> tuple[Module, list[str]]:
    direction = next((kind for kind in ("norm_v", "weight_v") if kind in module), None)
    length = next((kind for kind in ("weight_g",) if kind in module), None)
    if direction is None or length is None:
        return module, []
    v, g = module[direction], module[length]
    if v.array.ndim != 2 or g.array.shape not in ((v.array.shape[0], 1), (1, v.array.shape[1]), ()):
        raise _misfit(g, v, "one length a row")
    axis = None if g.array.ndim == 0 else 1 if g.array.shape == (v.array.shape[0], 1) else 0
    wide = v.array.astype(np.float64)
    norm = np.sqrt((wide**2).sum(axis=axis, keepdims=axis is not None))
    if not norm.all():
        raise _misfit(g, v, "rows that are not all 0")
    done = Part(v.name, v.module, "weight", (g.array * wide / norm).astype(v.array.dtype))
    said = f"'{v.name}' is a direction and '{g.name}' its length (weight norm): they are multiplied"
    return {**_without(module, direction, length), "weight": done}, [said]


def _scaled(module: Module, told: Told) -> tuple[Module, list[str]]:
    kind = _weight_kind(module)
    if kind is None or module[kind].array.dtype.kind == "f":
        return module, []
    weight = module[kind]
    if weight.array.dtype.kind == "b":
        raise CheckpointError("a weight of truth values", where=weight.said, hint="multiply it into its weight")
    if "scale" not in module:
        if weight.array.dtype.itemsize > 2:
            done = replace(weight, array=weight.array.astype(np.float32))
            return {**module, kind: done}, [f"'{weight.name}' holds whole numbers: they are taken as they are"]
        raise CheckpointError(
            "a weight of small integers without its scale", where=f"{weight.said} of {weight.array.dtype}",
            expected="a tensor 'scale' beside it", hint="save the dequantised weight",
        )  # fmt: skip
    bias = module.get("bias")
    if bias is not None and bias.array.dtype.kind in "iu":
        raise _misfit(bias, weight, "a bias that is no integer, as its own scale is not in the file")
    said = []
    numbers = weight.array.astype(np.float32)
    for field, part in (("zero_point", module.get("zero_point")), ("scale", module["scale"])):
        if part is None:
            continue
        factor = _along_rows(part, weight)
        numbers = numbers - factor if field == "zero_point" else numbers * factor
        said.append(f"'{part.name}' is applied to the integers of '{weight.name}', {_way(part, weight)}")
    return {**_without(module, "scale", "zero_point"), kind: replace(weight, array=numbers.astype(np.float32))}, said


def _way(part: Part, weight: Part) -> str:
    if part.array.size == 1:
        return "one for all"
    columns = part.array.shape[0] == 1 if part.array.ndim == 2 else weight.kind == "kernel"
    return "one for each column" if columns else "one for each row"


def _along_rows(part: Part, weight: Part) -> np.ndarray:
    rows, columns = weight.array.shape
    numbers, shape = part.array.astype(np.float32), part.array.shape
    if numbers.size == 1:
        return numbers.reshape(1, 1)
    if shape in ((rows, 1), (1, columns)):
        return numbers
    outputs = {"weight": rows, "kernel": columns}.get(weight.kind)
    if outputs is not None and shape == (outputs,):
        return numbers.reshape(-1, 1) if weight.kind == "weight" else numbers.reshape(1, -1)
    raise _misfit(part, weight, "one entry, or one an output")


def _low_rank(module: Module, told: Told) -> tuple[Module, list[str]]:
    pieces = [module[kind] for kind in ("lora_a", "lora_b") if kind in module]
    if not pieces:
        return module, []
    kind = _weight_kind(module)
    if kind is None or len(pieces) < 2:
        raise CheckpointError(
            "a low-rank adapter without its base", where=pieces[0].said, expected="weight, lora_A and lora_B",
            hint="merge the adapter into its network (merge_and_unload), and save that",
        )  # fmt: skip
    weight, (down, up) = module[kind], (piece.array for piece in pieces)
    if down.ndim != 2 or up.ndim != 2 or (up.shape[0], down.shape[1]) != weight.array.shape or up.shape[1] != len(down):
        raise _misfit(pieces[0], weight, "lora_B [out, rank] and lora_A [rank, in]")
    if told.lora_scale is None:
        raise CheckpointError(
            "a low-rank adapter whose scale is not in the file", where=pieces[0].said, expected="alpha / rank",
            hint="give lora_scale=2.0 (--lora-scale 2) for instance, or merge the adapter into its network "
            "(merge_and_unload) and save that",
        )  # fmt: skip
    done = replace(weight, array=(weight.array + told.lora_scale * (up @ down)).astype(weight.array.dtype))
    product = f"{told.lora_scale:g} times '{pieces[1].name}' '{pieces[0].name}'"
    said = f"{product} is added to '{weight.name}': lora_scale was given"
    return {**_without(module, "lora_a", "lora_b"), kind: done}, [said]


def _misfit(part: Part, weight: Part, expected: str) -> CheckpointError:
    hint = "save the network with its final weights alone"
    return CheckpointError(
        "a tensor that does not fit its weight", where=f"{part.said} beside {weight.said}", expected=expected, hint=hint
    )


Rule: TypeAlias = Callable[[Module, Told], tuple[Module, list[str]]]
