"""ONNX' operators in torch's words."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

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
    """

    apply: Apply
    settings: frozenset[str] = frozenset()


def _plain(function: Callable[..., Any]) -> Operator:
    return Operator(lambda node, given, version: function(*given))


def _set(settings: Mapping[str, Any], function: Callable[..., Any]) -> Operator:
    """A function of its arguments and, by name, of attributes with defaults."""

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


def _axes(node: Node, given: Sequence[Any]) -> list[int] | None:
    """Axes, an argument since version 13 and a setting before."""
    if len(given) > 1 and given[1] is not None:
        return ints(given[1])
    said = node.attributes.get("axes")
    return None if said is None else ints(said)


def _gemm(a: Tensor, b: Tensor, c: Any = None, *, alpha: float, beta: float, transA: int, transB: int) -> Tensor:
    found = (a.t() if transA else a) @ (b.t() if transB else b)
    found = found if alpha == 1 else alpha * found
    return found if c is None else found + (c if beta == 1 else beta * c)


def _softmax(function: Callable[..., Tensor]) -> Operator:
    def apply(node: Node, given: list[Any], version: int) -> Tensor:
        x: Tensor = given[0]
        axis = node.attributes.get("axis", -1 if version >= 13 else 1)
        if version >= 13 or axis in (-1, x.ndim - 1):
            return function(x, dim=axis)
        flat = x.reshape(*x.shape[:axis], -1)  # older ones normalise all that follows the axis
        return function(flat, dim=-1).reshape(x.shape)

    return Operator(apply, frozenset({"axis"}))


def _reshape(node: Node, given: list[Any], version: int) -> Tensor:
    x: Tensor = given[0]
    shape = ints(given[1] if len(given) > 1 else node.attributes["shape"])
    kept = not node.attributes.get("allowzero", 0)
    return x.reshape([x.shape[k] if n == 0 and kept else n for k, n in enumerate(shape)])


def _flatten(x: Tensor, *, axis: int) -> Tensor:
    axis = axis % x.ndim if axis < 0 else axis
    return x.reshape(len(x), -1) if axis == 1 else x.reshape(math.prod(x.shape[:axis]), -1)


def _transpose(node: Node, given: list[Any], version: int) -> Tensor:
    x: Tensor = given[0]
    return x.permute(node.attributes.get("perm") or list(range(x.ndim))[::-1])


def _squeeze(node: Node, given: list[Any], version: int) -> Tensor:
    x: Tensor = given[0]
    axes = _axes(node, given)
    return x.squeeze() if axes is None else x.squeeze([a % x.ndim for a in axes])


def _unsqueeze(node: Node, given: list[Any], version: int) -> Tensor:
    x: Tensor = given[0]
    axes = _axes(node, given) or []
    for axis in sorted(a % (x.ndim + len(axes)) for a in axes):
        x = x.unsqueeze(axis)
    return x


def _split(node: Node, given: list[Any], version: int) -> Any:
    x, axis = given[0], node.attributes.get("axis", 0)
    said = given[1] if len(given) > 1 else node.attributes.get("split")
    if said is None:
        count = len(node.outputs)
        each = -(-x.shape[axis] // count)
        return torch.split(x, each, dim=axis)
    return torch.split(x, ints(said), dim=axis)


def _slice(node: Node, given: list[Any], version: int) -> Tensor:
    x: Tensor = given[0]
    starts, ends = (ints(given[k] if len(given) > k else node.attributes[w]) for k, w in ((1, "starts"), (2, "ends")))
    said = given[3] if len(given) > 3 and given[3] is not None else node.attributes.get("axes")
    axes = list(range(len(starts))) if said is None else ints(said)
    steps = ints(given[4]) if len(given) > 4 and given[4] is not None else [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 0:
            places = range(x.shape[axis])[slice(start, None if end <= -(2**31) else end, step)]
            x = x.index_select(axis, torch.tensor(list(places)))
        else:
            x = x[(slice(None),) * (axis % x.ndim) + (slice(start, min(end, 2**62), step),)]
    return x


def _gather(x: Any, places: Any, *, axis: int) -> Tensor:
    if isinstance(places, np.ndarray):
        if places.ndim == 0:
            return torch.select(x, axis, int(places))
        chosen: Tensor = x.index_select(axis, torch.tensor(places.ravel() % x.shape[axis]))
        place = axis % x.ndim
        return chosen.reshape(*x.shape[:place], *places.shape, *x.shape[place + 1 :])
    if axis != 0 or x.ndim != 2:
        raise CheckpointError("a table that is not looked up by its rows", got=f"axis {axis} of {tuple(x.shape)}")
    return functional.embedding(places.long(), x)


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


def _normed(node: Node, given: list[Any], version: int) -> Tensor:
    x, gain, bias, mean, var = given
    if node.attributes.get("training_mode") or not node.attributes.get("spatial", 1):
        raise CheckpointError("a batch norm in training", got="training_mode or spatial=0")
    return functional.batch_norm(x, mean, var, gain, bias, False, 0.0, node.attributes.get("epsilon", 1e-5))


def _layer_normed(x: Tensor, gain: Tensor, bias: Any = None, *, axis: int, epsilon: float, stash_type: int) -> Tensor:
    return functional.layer_norm(x, x.shape[axis % x.ndim :], gain, bias, epsilon)


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operator:
    def apply(node: Node, given: list[Any], version: int) -> Tensor:
        x, axes = given[0], _axes(node, given)
        if not axes:
            if node.attributes.get("noop_with_empty_axes", 0):
                return x  # type: ignore[no-any-return]
            axes = list(range(x.ndim))
        return function(x, axes, bool(node.attributes.get("keepdims", 1)))

    return Operator(apply, frozenset({"axes", "keepdims", "noop_with_empty_axes"}))


def _pad(node: Node, given: list[Any], version: int) -> Tensor:
    x, mode = given[0], node.attributes.get("mode") or "constant"
    pads = ints(given[1] if len(given) > 1 else node.attributes.get("pads", node.attributes.get("paddings")))
    if mode != "constant" or min(pads) < 0 or (len(given) > 3 and given[3] is not None):
        raise CheckpointError("a padding of another kind", got=f"{mode}, pads {pads}")
    value = given[2] if len(given) > 2 and given[2] is not None else node.attributes.get("value", 0.0)
    if isinstance(value, Tensor):
        raise CheckpointError("a padding by what is computed", got="a tensor")
    return _padded(x, pads, float(np.ravel(value)[0]))


def _clip(node: Node, given: list[Any], version: int) -> Tensor:
    ends = [*given[1:], None, None][:2]
    low, high = (node.attributes.get(w) if end is None else end for end, w in zip(ends, ("min", "max"), strict=True))
    low, high = (float(np.ravel(end)[0]) if isinstance(end, np.ndarray) else end for end in (low, high))
    return torch.clamp(given[0], low, high)


def _cast(node: Node, given: list[Any], version: int) -> Tensor:
    kind = node.attributes["to"]
    x: Tensor = given[0]
    if kind in (1, 11):
        return x if x.is_floating_point() else x.to(torch.get_default_dtype())
    if kind in (6, 7) and not x.is_floating_point():
        return x.long()
    raise CheckpointError("a change to another type of numbers", got=f"ONNX type {kind}")


def _gelu(x: Tensor, *, approximate: str) -> Tensor:
    return functional.gelu(x, approximate=approximate)


def _prelu(x: Tensor, slope: Tensor) -> Tensor:
    return torch.where(x >= 0, x, slope * x)


def _power(x: Any, exponent: Any) -> Tensor:
    one = isinstance(exponent, np.ndarray) and exponent.size == 1
    found: Tensor = x ** float(np.ravel(exponent)[0]) if one else x**exponent
    return found


def _einsum(*given: Tensor, equation: str) -> Tensor:
    return torch.einsum(equation, *given)


def _tiled(x: Tensor, times: Any) -> Tensor:
    return x.repeat(ints(times))


def _expanded(x: Tensor, shape: Any) -> Tensor:
    return x.expand(torch.broadcast_shapes(tuple(x.shape), tuple(ints(shape))))  # type: ignore[no-untyped-call]


def _all(function: Callable[[Any, Any], Any]) -> Operator:
    def apply(node: Node, given: list[Any], version: int) -> Any:
        found = given[0]
        for each in given[1:]:
            found = function(found, each)
        return found

    return Operator(apply)


def _hard_sigmoid(x: Tensor, *, alpha: float, beta: float) -> Tensor:
    return torch.clamp(alpha * x + beta, 0, 1)


def _selu(x: Tensor, *, alpha: float, gamma: float) -> Tensor:
    return gamma * (torch.clamp(x, min=0) + torch.clamp(alpha * (torch.exp(x) - 1), max=0))


OPERATORS: Mapping[str, Operator] = {
    **{name: _plain(function) for name, function in dict[str, Any]({
        "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Exp": torch.exp, "Log": torch.log,
        "Sqrt": torch.sqrt, "Abs": torch.abs, "Neg": torch.neg, "Erf": torch.erf, "Sin": torch.sin, "Cos": torch.cos,
        "Softplus": functional.softplus, "Softsign": functional.softsign, "Reciprocal": torch.reciprocal,
        "Mish": functional.mish, "HardSwish": functional.hardswish, "Identity": lambda x: x,
        "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a / b,
        "Pow": _power, "MatMul": torch.matmul, "PRelu": _prelu, "Expand": _expanded, "Tile": _tiled,
        "GlobalAveragePool": lambda x: x.mean(list(range(2, x.ndim)), keepdim=True),
        "GlobalMaxPool": lambda x: x.amax(list(range(2, x.ndim)), keepdim=True),
    }).items()},
    "Sum": _all(lambda a, b: a + b),
    "Max": _all(torch.maximum),
    "Min": _all(torch.minimum),
    "Elu": _set({"alpha": 1.0}, lambda x, alpha: functional.elu(x, alpha)),
    "Celu": _set({"alpha": 1.0}, lambda x, alpha: functional.celu(x, alpha)),
    "LeakyRelu": _set({"alpha": 0.01}, lambda x, alpha: functional.leaky_relu(x, alpha)),
    "Selu": _set({"alpha": 1.6732632, "gamma": 1.0507010}, _selu),
    "HardSigmoid": _set({"alpha": 0.2, "beta": 0.5}, _hard_sigmoid),
    "Swish": _set({"alpha": 1.0}, lambda x, alpha: x * torch.sigmoid(alpha * x)),
    "Gelu": _set({"approximate": "none"}, _gelu),
    "Clip": Operator(_clip, frozenset({"min", "max"})),
    "Softmax": _softmax(torch.softmax),
    "LogSoftmax": _softmax(torch.log_softmax),
    "Gemm": _set({"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}, _gemm),
    "Einsum": _set({"equation": ""}, _einsum),
    "Conv": Operator(_convolve, frozenset({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"})),
    **dict.fromkeys(("MaxPool", "AveragePool"), Operator(_pool, frozenset({
        "auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "storage_order", "strides",
    }))),
    "BatchNormalization": Operator(_normed, frozenset({"epsilon", "momentum", "training_mode", "spatial"})),
    "LayerNormalization": _set({"axis": -1, "epsilon": 1e-5, "stash_type": 1}, _layer_normed),
    "Flatten": _set({"axis": 1}, _flatten),
    "Reshape": Operator(_reshape, frozenset({"allowzero", "shape"})),
    "Transpose": Operator(_transpose, frozenset({"perm"})),
    "Concat": _set({"axis": 1}, lambda *parts, axis: torch.cat(parts, dim=axis)),
    "Split": Operator(_split, frozenset({"axis", "split", "num_outputs"})),
    "Slice": Operator(_slice, frozenset({"starts", "ends", "axes"})),
    "Squeeze": Operator(_squeeze, frozenset({"axes"})),
    "Unsqueeze": Operator(_unsqueeze, frozenset({"axes"})),
    "Gather": _set({"axis": 0}, _gather),
    "Pad": Operator(_pad, frozenset({"mode", "pads", "paddings", "value"})),
    "Cast": Operator(_cast, frozenset({"to", "saturate"})),
    "Dropout": Operator(lambda node, given, version: given[0], frozenset({"ratio", "seed", "is_test"})),
    "ReduceMean": _reduced(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "ReduceSum": _reduced(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "ReduceMax": _reduced(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "ReduceMin": _reduced(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "ReduceL2": _reduced(lambda x, axes, keep: (x * x).sum(axes, keepdim=keep).sqrt()),
}  # fmt: skip
"""ONNX' own operators by name. What is not here, or has a setting that is not known here, is refused."""
