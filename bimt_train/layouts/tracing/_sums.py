"""Rules of elementwise operators, and of those that combine the entries along axes: sums, norms, contractions."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ._call import Call, Rule, Value, axes_of
from ._fields import Fields, along, labels_in, lifted, met, moved, pinned_along, reduced, varying, without
from ._moves import pinned_result


def elementwise(call: Call) -> Fields:
    """Combine tensors entry by entry; what broadcasts along an axis demands nothing there."""
    values = [each for each in (*call.args, *call.kwargs.values()) if isinstance(each, Value)]
    count = call.result.ndim
    return met(call.labels, *(lifted(call.fields(each), count) for each in values))


def overwritten(call: Call) -> Fields:
    """The entries of the second tensor, broadcast."""
    return lifted(call.fields(call.args[1]), call.result.ndim)


def total(call: Call) -> Fields | list[Fields]:
    """Combine the entries along axes, in any order."""
    value = call.args[0]
    axes = axes_of(call.argument(1, "dim"), value.tensor.ndim)
    fields = reduced(call.labels, call.fields(value), axes)
    result = call.result if isinstance(call.result, Tensor) else call.result[0]
    if result.ndim < value.tensor.ndim:
        fields = tuple(field.reshape([n for i, n in enumerate(field.shape) if i not in axes]) for field in fields)
    return fields if isinstance(call.result, Tensor) else [fields] * len(call.result)


def vector_norm(call: Call) -> Fields | list[Fields]:
    """A norm along axes, which stand at the third place."""
    axes = call.argument(2, "dim")
    return total(replace(call, args=(call.args[0], axes), kwargs={}))


def chosen_total(call: Call) -> Fields | list[Fields]:
    """Find the largest or smallest entry along axes; its place, if anything reads it, tells their order."""
    value = call.args[0]
    if isinstance(call.result, Tensor) or 1 in call.used:
        pinned_along(call.labels, call.fields(value), axes_of(call.argument(1, "dim"), value.tensor.ndim))
    return total(call)


def running(call: Call) -> Fields | list[Fields]:
    """Combine entries along an axis in their order, as a running sum does."""
    value = call.args[0]
    axis = axes_of(call.argument(1, "dim"), value.tensor.ndim)[0]
    left = (*without(call.labels, call.fields(value), [axis]), *pinned_result(call, axis))
    return left if isinstance(call.result, Tensor) else [left] * len(call.result)


def ordered(call: Call) -> list[Fields]:
    """Sort entries along an axis; where they were, if anything reads it, tells their order."""
    value = call.args[0]
    axis = axes_of(call.argument(2 if "topk" in str(call.operator) else 1, "dim", -1), value.tensor.ndim)[0]
    fields = call.fields(value)
    rest = without(call.labels, fields, [axis]) if 1 in call.used else reduced(call.labels, fields, [axis])
    return [(*rest, *pinned_result(call, axis))] * len(call.result)


def normalise(call: Call) -> Fields:
    """Divide by something that all entries along an axis give together, as softmax does."""
    value = call.args[0]
    fields = call.fields(value)
    return _normalised(call, fields, axes_of(call.args[1], value.tensor.ndim))


def _normalised(call: Call, fields: Fields, axes: Sequence[int]) -> Fields:
    return met(call.labels, fields, reduced(call.labels, fields, axes))


def layer_norm(call: Call) -> list[Fields]:
    """Layer norm over the last axes, with gain and bias."""
    value, shape, gain, bias = call.args[:4]
    count = value.tensor.ndim
    whole = _normalised(call, call.fields(value), range(count - len(shape), count))
    scaled = met(call.labels, whole, *(lifted(call.fields(each), count) for each in (gain, bias)))
    return [scaled] * len(call.result)


def rms_norm(call: Call) -> list[Fields]:
    """RMS norm over the last axes, with gain."""
    value, shape, gain = call.args[:3]
    count = value.tensor.ndim
    whole = _normalised(call, call.fields(value), range(count - len(shape), count))
    return [met(call.labels, whole, lifted(call.fields(gain), count))] * len(call.result)


def batch_norm(call: Call) -> list[Fields]:
    """Batch norm in evaluation mode: four tensors that the channels index."""
    value = call.args[0]
    count = value.tensor.ndim
    beside = [_channels(call, each, count) for each in call.args[1:5]]
    fields = met(call.labels, call.fields(value), *beside)
    return [fields] * len(call.result)


def _channels(call: Call, value: Any, count: int) -> Fields:
    """Fields of a tensor with one entry for each channel, over a tensor of ``count`` axes."""
    return tuple(field.reshape(1, -1, *(1,) * (count - 2)) for field in call.fields(value))


def instance_norm(call: Call) -> list[Fields]:
    """Batch norm by what each channel holds itself."""
    value, *beside = call.args[:3]
    count = value.tensor.ndim
    whole = _normalised(call, call.fields(value), [axis for axis in range(count) if axis != 1])
    scaled = met(call.labels, whole, *(_channels(call, each, count) for each in beside if each is not None))
    return [scaled] * len(call.result)


def group_norm(call: Call) -> list[Fields]:
    """Group norm: channels are normalised in blocks."""
    value, gain, bias = call.args[:3]
    groups, shape, count = call.args[6], tuple(value.tensor.shape), value.tensor.ndim
    opened = moved(call.fields(value), shape, lambda f: f.reshape(shape[0], groups, -1))
    whole = _normalised(call, opened, [2])
    fields = moved(whole, (shape[0], groups, math.prod(shape[1:]) // groups), lambda f: f.reshape(shape))
    return [met(call.labels, fields, *(_channels(call, each, count) for each in (gain, bias)))] * len(call.result)


def matrix_product(call: Call) -> Fields:
    """Contract the last axis of the first tensor with the last but one of the second: mm, bmm, mv."""
    return _product(call, *call.args[:2])


def _product(call: Call, one: Value, other: Value) -> Fields:
    vector = other.tensor.ndim == 1
    a = tuple(field.unsqueeze(-1) for field in call.fields(one))
    b = tuple((field.unsqueeze(-1) if vector else field).unsqueeze(-3) for field in call.fields(other))
    if one.tensor.ndim == 1:
        b = tuple(field.reshape(field.shape[-2:]) for field in b)
    call.layer(one, -1)
    call.layer(other, -1 if vector else -2)
    fields = met(call.labels, a, b)
    count = max((field.ndim for field in fields), default=0)
    out = tuple(field.squeeze(count - 2) for field in reduced(call.labels, fields, [count - 2]))
    return tuple(field.squeeze(-1) for field in out) if vector else out


def distances(call: Call) -> Fields:
    """The distance of each row of the first tensor from each of the second."""
    one, other = (call.fields(each) for each in call.args[:2])
    count = call.result.ndim
    pairs = met(call.labels, tuple(f.unsqueeze(-2) for f in one), tuple(f.unsqueeze(-3) for f in other))
    return tuple(field.squeeze(count) for field in reduced(call.labels, pairs, [count]))


def sum_with_product(call: Call) -> Fields:
    """A matrix product added to a tensor: addmm, baddbmm."""
    product = _product(call, *call.args[1:3])
    count = call.result.ndim
    return met(call.labels, lifted(product, count), lifted(call.fields(call.args[0]), count))


def trilinear(call: Call) -> Fields:
    """Contract three tensors, as Bilinear does."""
    values, opened, axes = call.args[:3], call.args[3:6], call.args[6]
    several = []
    for value, new in zip(values, opened, strict=True):
        fields = call.fields(value)
        for axis in new:
            fields = tuple(field.unsqueeze(axis) for field in fields)
        several.append(fields)
    for value, fields in zip(values, several, strict=True):
        call.layer(replace(value, fields=fields), *axes)
    fields = reduced(call.labels, met(call.labels, *several), axes)
    for axis in sorted(axes, reverse=True):
        fields = tuple(field.squeeze(axis) for field in fields)
    return fields


def embedding_bag(call: Call) -> list[Fields]:
    """Sum rows of a table; the rows are tokens and stay."""
    table = call.args[0]
    fields = call.fields(table)
    call.labels.tokens.update(n for field in fields if 0 in varying(field) for n in labels_in(field))
    call.layer(table, 0)
    rest = without(call.labels, fields, [0])
    bags = call.result[0].shape[0]
    rows = (along(call.labels.fresh(bags, pinned=True), 0, 2),) if bags > 1 else ()
    return [(*rest, *rows), *([()] * (len(call.result) - 1))]


def convolution(call: Call) -> Fields:
    """Contract input channels; the order of pixels and of a kernel's entries matters."""
    value, kernel, bias = call.args[:3]
    turned, groups = call.args[6], call.args[8]
    count = kernel.tensor.ndim
    pixels = range(2, count)
    sides = []
    for each in (value, kernel):
        fields = without(call.labels, call.fields(each), pixels)
        sides.append((tuple(f.reshape(f.shape[:2]) for f in fields), tuple(each.tensor.shape[:2])))
    call.layer(replace(kernel, fields=sides[1][0]), 0 if turned else 1)
    (x, (rows, _)), (w, (first, second)) = sides
    x = moved(x, (rows, value.tensor.shape[1]), lambda f: f.reshape(rows, groups, 1, -1))
    if turned:  # [in, out / groups]
        w = moved(w, (first, second), lambda f: f.reshape(1, groups, -1, second).transpose(2, 3))
    else:  # [out, in / groups]
        w = moved(w, (first, second), lambda f: f.reshape(1, groups, -1, second))
    fields = reduced(call.labels, met(call.labels, x, w), [3])
    outs = call.result.shape[1]
    written = moved(fields, (rows, groups, outs // groups, 1), lambda f: f.reshape(rows, outs))
    written = tuple(field.reshape(*field.shape, *(1,) * len(pixels)) for field in written)
    beside = _channels(call, bias, count) if isinstance(bias, Value) else ()
    return (*met(call.labels, written, beside), *pinned_result(call, *pixels))


def pool(call: Call) -> Fields | list[Fields]:
    """Combine neighbouring pixels within each channel: pooling, scaling."""
    value = call.args[0]
    axes = range(2, value.tensor.ndim)
    found = (*without(call.labels, call.fields(value), axes), *pinned_result(call, *axes))
    return found if isinstance(call.result, Tensor) else [found] * len(call.result)


def attention(call: Call) -> Fields:
    """Scaled dot-product attention in one operator: heads become blocks by its two contractions."""
    query, key, value = call.args[:3]
    count, heads = query.tensor.ndim, query.tensor.shape[-3] if query.tensor.ndim > 2 else 1
    q, k, v = call.fields(query), _shared(call, key, heads), _shared(call, value, heads)
    pairs = met(call.labels, tuple(f.unsqueeze(-2) for f in q), tuple(f.unsqueeze(-3) for f in k))
    scores = tuple(field.squeeze(-1) for field in reduced(call.labels, pairs, [count]))
    mask = call.argument(3, "attn_mask")
    if mask is not None:
        scores = met(call.labels, scores, lifted(call.fields(mask), count))
    weighted = met(call.labels, tuple(f.unsqueeze(-1) for f in scores), tuple(f.unsqueeze(-3) for f in v))
    return tuple(field.squeeze(count - 1) for field in reduced(call.labels, weighted, [count - 1]))


def _shared(call: Call, value: Value, heads: int) -> Fields:
    """Fields of keys or values, repeated where several heads of queries share them."""
    shape = value.tensor.shape
    if len(shape) < 3 or shape[-3] == heads:
        return call.fields(value)
    return moved(call.fields(value), shape, lambda field: field.repeat_interleave(heads // shape[-3], -3))


def grouped_product(call: Call) -> Fields:
    """A matrix product in which runs of rows have a matrix each, as experts do; which rows, numbers say."""
    rows, matrices = call.args[:2]
    pinned = without(call.labels, call.fields(matrices), [0])
    kernels = tuple(field.reshape(field.shape[1:]) for field in pinned)
    call.layer(replace(matrices, fields=kernels), 0)
    fields = met(call.labels, tuple(field.unsqueeze(-1) for field in call.fields(rows)), lifted(kernels, 3))
    return tuple(field.squeeze(1) for field in reduced(call.labels, fields, [1]))


SUMS: dict[str, Rule] = {
    **dict.fromkeys(
        ("sum", "mean", "amax", "amin", "any", "all", "prod", "var", "std", "logsumexp", "var_mean"), total
    ),
    **dict.fromkeys(("argmax", "argmin", "max", "min", "median"), chosen_total),
    **dict.fromkeys(("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"), running),
    **dict.fromkeys(("sort", "topk"), ordered),
    **dict.fromkeys(("_softmax", "_log_softmax", "_safe_softmax"), normalise),
    "linalg_vector_norm": vector_norm,
    "native_layer_norm": layer_norm,
    "_fused_rms_norm": rms_norm,
    "native_group_norm": group_norm,
    "_native_batch_norm_legit": instance_norm,
    "_cdist_forward": distances,
    **dict.fromkeys(("_native_batch_norm_legit_no_training", "native_batch_norm"), batch_norm),
    **dict.fromkeys(("mm", "bmm", "mv", "dot"), matrix_product),
    **dict.fromkeys(("addmm", "baddbmm", "addmv"), sum_with_product),
    "_trilinear": trilinear,
    "_embedding_bag": embedding_bag,
    "_embedding_bag_forward_only": embedding_bag,
    "convolution": convolution,
    **dict.fromkeys(
        (
            "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool2d_with_indices", "max_pool3d_with_indices",
            "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_avg_pool1d",
            "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "upsample_linear1d",
            "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d", "_upsample_nearest_exact2d",
            "reflection_pad1d", "reflection_pad2d", "replication_pad2d",
        ),
        pool,
    ),
    "scaled_dot_product_attention": attention,
    **dict.fromkeys(("_grouped_mm", "grouped_mm_fallback"), grouped_product),
}  # fmt: skip
