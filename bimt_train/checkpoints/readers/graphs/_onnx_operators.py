"""ONNX' operators in torch's words."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...._errors import CheckpointError
from ._graph import Node
from ._operator import Apply, Operator, as_tensor, axes_of, ints, plain, with_settings
from ._pixel_operators import PIXEL_OPERATORS
from ._recurrent_operators import RECURRENT_OPERATORS


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
    axes = axes_of(node, given)
    return x.squeeze() if axes is None else x.squeeze([a % x.ndim for a in axes])


def _unsqueeze(node: Node, given: list[Any], version: int) -> Tensor:
    x: Tensor = given[0]
    axes = axes_of(node, given) or []
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


def _normed(node: Node, given: list[Any], version: int) -> Tensor:
    x, gain, bias, mean, var = given
    if node.attributes.get("training_mode") or not node.attributes.get("spatial", 1):
        raise CheckpointError("a batch norm in training", got="training_mode or spatial=0")
    return functional.batch_norm(x, mean, var, gain, bias, False, 0.0, node.attributes.get("epsilon", 1e-5))


def _layer_normed(x: Tensor, gain: Tensor, bias: Any = None, *, axis: int, epsilon: float, stash_type: int) -> Tensor:
    return functional.layer_norm(x, x.shape[axis % x.ndim :], gain, bias, epsilon)


def _rms_normed(x: Tensor, gain: Tensor, *, axis: int, epsilon: float, stash_type: int) -> Tensor:
    return functional.rms_norm(x, x.shape[axis % x.ndim :], gain, epsilon)


def _instance_normed(x: Tensor, gain: Tensor, bias: Tensor, *, epsilon: float) -> Tensor:
    pixels = list(range(2, x.ndim))
    centred = x - x.mean(pixels, keepdim=True)
    shape = (-1, *(1,) * len(pixels))
    scaled = centred / ((centred * centred).mean(pixels, keepdim=True) + epsilon).sqrt()
    return scaled * gain.reshape(shape) + bias.reshape(shape)


def _group_normed(node: Node, given: list[Any], version: int) -> Tensor:
    x, gain, bias = given
    if len(gain) != x.shape[1]:
        raise CheckpointError("a group norm with a gain for each group", got=f"{len(gain)} of {x.shape[1]} channels")
    return functional.group_norm(x, node.attributes["num_groups"], gain, bias, node.attributes.get("epsilon", 1e-5))


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operator:
    def apply(node: Node, given: list[Any], version: int) -> Tensor:
        x, axes = given[0], axes_of(node, given)
        if not axes:
            if node.attributes.get("noop_with_empty_axes", 0):
                return x  # type: ignore[no-any-return]
            axes = list(range(x.ndim))
        return function(x, axes, bool(node.attributes.get("keepdims", 1)))

    return Operator(apply, frozenset({"axes", "keepdims", "noop_with_empty_axes"}), 1)


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
    found: Tensor = x ** (float(np.ravel(exponent)[0]) if one else as_tensor(exponent, [x]))
    return found


def _where(which: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return torch.where(which.bool(), one, other)


def _largest(function: Callable[..., Tensor]) -> Apply:
    def apply(node: Node, given: list[Any], version: int) -> Tensor:
        if node.attributes.get("select_last_index"):
            raise CheckpointError("the last of the largest", got="select_last_index")
        return function(given[0], node.attributes.get("axis", 0), bool(node.attributes.get("keepdims", 1)))

    return apply


def _top(node: Node, given: list[Any], version: int) -> Any:
    count, axis = ints(given[1])[0], node.attributes.get("axis", -1)
    return torch.topk(given[0], count, axis, bool(node.attributes.get("largest", 1)), True)


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in sorted((a % x.ndim for a in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


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
    **{name: plain(function) for name, function in dict[str, Any]({
        "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Exp": torch.exp, "Log": torch.log,
        "Sqrt": torch.sqrt, "Abs": torch.abs, "Neg": torch.neg, "Erf": torch.erf, "Sin": torch.sin, "Cos": torch.cos,
        "Softplus": functional.softplus, "Softsign": functional.softsign, "Reciprocal": torch.reciprocal,
        "Mish": functional.mish, "HardSwish": functional.hardswish, "Identity": lambda x: x,
        "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a / b,
        "MatMul": torch.matmul, "PRelu": _prelu, "Tan": torch.tan, "Asin": torch.asin, "Acos": torch.acos,
        "Atan": torch.atan, "Sinh": torch.sinh, "Cosh": torch.cosh, "Asinh": torch.asinh, "Acosh": torch.acosh,
        "Atanh": torch.atanh, "Floor": torch.floor, "Ceil": torch.ceil, "Round": torch.round, "Sign": torch.sign,
        "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Less": torch.lt, "LessOrEqual": torch.le, "Equal": torch.eq,
        "And": torch.logical_and, "Or": torch.logical_or, "Xor": torch.logical_xor, "Not": torch.logical_not,
        "Where": _where,
    }).items()},
    **{name: Operator(lambda node, given, version, function=function: function(*given), told=1)  # type: ignore[misc]
       for name, function in dict[str, Any]({"Pow": _power, "Expand": _expanded, "Tile": _tiled}).items()},
    "Sum": _all(lambda a, b: a + b),
    "Max": _all(torch.maximum),
    "Min": _all(torch.minimum),
    "Elu": with_settings({"alpha": 1.0}, lambda x, alpha: functional.elu(x, alpha)),
    "Celu": with_settings({"alpha": 1.0}, lambda x, alpha: functional.celu(x, alpha)),
    "LeakyRelu": with_settings({"alpha": 0.01}, lambda x, alpha: functional.leaky_relu(x, alpha)),
    "Selu": with_settings({"alpha": 1.6732632, "gamma": 1.0507010}, _selu),
    "HardSigmoid": with_settings({"alpha": 0.2, "beta": 0.5}, _hard_sigmoid),
    "Swish": with_settings({"alpha": 1.0}, lambda x, alpha: x * torch.sigmoid(alpha * x)),
    "Gelu": with_settings({"approximate": "none"}, _gelu),
    "Clip": Operator(_clip, frozenset({"min", "max"}), 1),
    "Softmax": _softmax(torch.softmax),
    "LogSoftmax": _softmax(torch.log_softmax),
    "Gemm": with_settings({"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}, _gemm),
    "Einsum": with_settings({"equation": ""}, _einsum),
    "BatchNormalization": Operator(_normed, frozenset({"epsilon", "momentum", "training_mode", "spatial"})),
    "InstanceNormalization": with_settings({"epsilon": 1e-5}, _instance_normed),
    "GroupNormalization": Operator(_group_normed, frozenset({"epsilon", "num_groups", "stash_type"})),
    "RMSNormalization": with_settings({"axis": -1, "epsilon": 1e-5, "stash_type": 1}, _rms_normed),
    "LayerNormalization": with_settings({"axis": -1, "epsilon": 1e-5, "stash_type": 1}, _layer_normed),
    "Flatten": with_settings({"axis": 1}, _flatten),
    "Reshape": Operator(_reshape, frozenset({"allowzero", "shape"}), 1),
    "Transpose": Operator(_transpose, frozenset({"perm"})),
    "Concat": with_settings({"axis": 1}, lambda *parts, axis: torch.cat(parts, dim=axis)),
    "Split": Operator(_split, frozenset({"axis", "split", "num_outputs"}), 1),
    "Slice": Operator(_slice, frozenset({"starts", "ends", "axes"}), 1),
    "Squeeze": Operator(_squeeze, frozenset({"axes"}), 1),
    "Unsqueeze": Operator(_unsqueeze, frozenset({"axes"}), 1),
    "Gather": with_settings({"axis": 0}, _gather)._replace(told=1),
    "GatherElements": with_settings({"axis": 0}, lambda x, places, axis: torch.gather(x, axis, places.long())),
    "Mod": with_settings({"fmod": 0}, lambda a, b, fmod: torch.fmod(a, b) if fmod else torch.remainder(a, b)),
    "ArgMax": Operator(_largest(torch.argmax), frozenset({"axis", "keepdims", "select_last_index"})),
    "ArgMin": Operator(_largest(torch.argmin), frozenset({"axis", "keepdims", "select_last_index"})),
    "TopK": Operator(_top, frozenset({"axis", "largest", "sorted"}), 1),
    "Cast": Operator(_cast, frozenset({"to", "saturate"})),
    "Dropout": Operator(lambda node, given, version: given[0], frozenset({"ratio", "seed", "is_test"})),
    "ReduceMean": _reduced(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "ReduceSum": _reduced(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "ReduceMax": _reduced(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "ReduceMin": _reduced(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "ReduceProd": _reduced(_product),
    "ReduceL1": _reduced(lambda x, axes, keep: x.abs().sum(axes, keepdim=keep)),
    "ReduceSumSquare": _reduced(lambda x, axes, keep: (x * x).sum(axes, keepdim=keep)),
    "ReduceLogSum": _reduced(lambda x, axes, keep: x.sum(axes, keepdim=keep).log()),
    "ReduceLogSumExp": _reduced(lambda x, axes, keep: torch.logsumexp(x, axes, keepdim=keep)),
    "ReduceL2": _reduced(lambda x, axes, keep: (x * x).sum(axes, keepdim=keep).sqrt()),
    **PIXEL_OPERATORS,
    **RECURRENT_OPERATORS,
}  # fmt: skip
"""ONNX' own operators by name. What is not here, or has a setting that is not known here, is refused."""
