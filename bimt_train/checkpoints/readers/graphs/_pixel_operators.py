"""Operators on neighbouring pixels: convolutions, pools, paddings, and other sizes of an image."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional

from ...._errors import CheckpointError
from ._graph import Node
from ._operator import Operator, ints, plain


def _pads(node: Node, x: Tensor, kernel: Sequence[int], strides: Sequence[int], gaps: Sequence[int]) -> list[int]:
    """Numbers before and after each axis, the first axes first."""
    auto, count = node.attributes.get("auto_pad") or "NOTSET", len(kernel)
    if auto in ("NOTSET", "VALID"):
        return list(node.attributes.get("pads") or [0] * (2 * count)) if auto == "NOTSET" else [0] * (2 * count)
    before, after = [], []
    for length, size, step, gap in zip(x.shape[2:], kernel, strides, gaps, strict=True):
        total = max((-(-length // step) - 1) * step + (size - 1) * gap + 1 - length, 0)
        more = total - total // 2
        before.append(total // 2 if auto == "SAME_UPPER" else more)
        after.append(more if auto == "SAME_UPPER" else total // 2)
    return before + after


def _padded(x: Tensor, pads: Sequence[int], value: float = 0.0) -> Tensor:
    count = len(pads) // 2
    sides = [n for k in reversed(range(count)) for n in (pads[k], pads[k + count])]
    return functional.pad(x, sides, value=value) if any(sides) else x


def _convolve(node: Node, given: list[Any], version: int) -> Tensor:
    x, weight = given[:2]
    bias, count = given[2] if len(given) > 2 else None, weight.ndim - 2
    strides, gaps = (node.attributes.get(w) or [1] * count for w in ("strides", "dilations"))
    pads = _pads(node, x, weight.shape[2:], strides, gaps)
    function = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[count]
    even = pads[:count] == pads[count:]
    x = x if even else _padded(x, pads)
    edges = pads[:count] if even else [0] * count
    return function(x, weight, bias, strides, edges, gaps, node.attributes.get("group", 1))


def _convolve_transposed(node: Node, given: list[Any], version: int) -> Tensor:
    x, weight = given[:2]
    bias, count = given[2] if len(given) > 2 else None, weight.ndim - 2
    if node.attributes.get("auto_pad") not in (None, "NOTSET", "VALID") or node.attributes.get("output_shape"):
        raise CheckpointError("a transposed convolution whose edges follow from its size", got="auto_pad, output_shape")
    strides, gaps = (node.attributes.get(w) or [1] * count for w in ("strides", "dilations"))
    more, pads = node.attributes.get("output_padding") or [0] * count, node.attributes.get("pads") or [0] * 2 * count
    function = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}[count]
    even = pads[:count] == pads[count:]
    edges = pads[:count] if even else [0] * count
    found = function(x, weight, bias, strides, edges, more, node.attributes.get("group", 1), gaps)
    if not even:
        for axis in range(count):
            found = found.narrow(axis + 2, pads[axis], found.shape[axis + 2] - pads[axis] - pads[axis + count])
    return found


def _pool(node: Node, given: list[Any], version: int) -> Tensor:
    x, kernel = given[0], list(node.attributes["kernel_shape"])
    count = len(kernel)
    strides, gaps = (node.attributes.get(w) or [1] * count for w in ("strides", "dilations"))
    pads = _pads(node, x, kernel, strides, gaps)
    if node.attributes.get("ceil_mode") or node.attributes.get("storage_order"):
        raise CheckpointError("a pooling with partial windows", got="ceil_mode or storage_order")
    if node.kind == "MaxPool":
        x = _padded(x, pads, -math.inf)
        function = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}[count]
        return function(x, kernel, strides, 0, gaps)
    if any(gap != 1 for gap in gaps) or (any(pads) and not node.attributes.get("count_include_pad")):
        raise CheckpointError("a mean over partial windows", got="pads that do not count, or dilations")
    average = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}[count]
    return average(_padded(x, pads), kernel, strides)


def _pad(node: Node, given: list[Any], version: int) -> Tensor:
    x, mode = given[0], node.attributes.get("mode") or "constant"
    pads = ints(given[1] if len(given) > 1 else node.attributes.get("pads", node.attributes.get("paddings")))
    if mode != "constant" or min(pads) < 0 or (len(given) > 3 and given[3] is not None):
        raise CheckpointError("a padding of another kind", got=f"{mode}, pads {pads}")
    value = given[2] if len(given) > 2 and given[2] is not None else node.attributes.get("value", 0.0)
    if isinstance(value, Tensor):
        raise CheckpointError("a padding by what is computed", got="a tensor")
    return _padded(x, pads, float(np.ravel(value)[0]))


def _resized(node: Node, given: list[Any], version: int) -> Tensor:
    x, said = given[0], [*given[1:], None, None, None]
    scales, sizes = (said[0], None) if version < 11 else (said[1], said[2])
    count = x.ndim - 2
    mode, places, nearest = (
        node.attributes.get(word, default)
        for word, default in (
            ("mode", "nearest"), ("coordinate_transformation_mode", "half_pixel" if version > 10 else "asymmetric"),
            ("nearest_mode", "round_prefer_floor" if version > 10 else "floor"),
        )
    )  # fmt: skip
    if scales is not None and np.size(scales):
        factors = [float(each) for each in np.ravel(scales)]
        how: dict[str, Any] = {"scale_factor": factors[2:]}
    else:
        wanted = ints(sizes)
        factors = [size / length for size, length in zip(wanted, x.shape, strict=True)]
        how = {"size": wanted[2:]}
    whole = (
        places.endswith("half_pixel") and nearest.startswith("round") and all(f >= 1 and f % 1 == 0 for f in factors)
    )
    if factors[:2] != [1.0, 1.0] or count not in (1, 2, 3):
        raise CheckpointError("a change of size along other axes than those of pixels", got=str(factors))
    if mode == "nearest" and ((places, nearest) == ("asymmetric", "floor") or whole):
        return functional.interpolate(x, mode="nearest", **how)
    linear = ("linear", "bilinear", "trilinear")[count - 1]
    if mode == "linear" and (places == "align_corners" or (places.endswith("half_pixel") and min(factors) >= 1)):
        return functional.interpolate(x, mode=linear, align_corners=places == "align_corners", **how)
    raise CheckpointError("a change of size of another kind", got=f"{mode}, {places}, {nearest}")


def _to_pixels(node: Node, given: list[Any], version: int) -> Tensor:
    """Channels become pixels, within squares of some width."""
    x, wide = given[0], node.attributes["blocksize"]
    rows, channels, height, width = x.shape
    if (node.attributes.get("mode") or "DCR") == "CRD":
        found: Tensor = functional.pixel_shuffle(x, wide)
        return found
    opened: Tensor = x.reshape(rows, wide, wide, channels // wide**2, height, width).permute(0, 3, 4, 1, 5, 2)
    return opened.reshape(rows, channels // wide**2, height * wide, width * wide)


_WINDOW = frozenset({"auto_pad", "dilations", "kernel_shape", "pads", "strides"})

PIXEL_OPERATORS: Mapping[str, Operator] = {
    "Conv": Operator(_convolve, _WINDOW | {"group"}),
    "ConvTranspose": Operator(_convolve_transposed, _WINDOW | {"group", "output_padding", "output_shape"}),
    **dict.fromkeys(
        ("MaxPool", "AveragePool"), Operator(_pool, _WINDOW | {"ceil_mode", "count_include_pad", "storage_order"})
    ),
    "Pad": Operator(_pad, frozenset({"mode", "pads", "paddings", "value"}), 1),
    **dict.fromkeys(
        ("Resize", "Upsample"),
        Operator(_resized, frozenset({"mode", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a"}), 1),
    ),
    "DepthToSpace": Operator(_to_pixels, frozenset({"blocksize", "mode"})),
    "GlobalAveragePool": plain(lambda x: x.mean(list(range(2, x.ndim)), keepdim=True)),
    "GlobalMaxPool": plain(lambda x: x.amax(list(range(2, x.ndim)), keepdim=True)),
}
"""Operators on neighbouring pixels by name."""
