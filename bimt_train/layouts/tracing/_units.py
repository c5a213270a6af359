"""The only neuron along an axis of length 1: nothing varies there, so no field follows it, but its name counts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from ._call import GONE, Call, Value
from ._fields import varying

Units = Mapping[int, int]
UnitRule = Callable[[Call, tuple[int, ...]], Units]


def units_of(call: Call) -> Units:
    """The units of the result of an operator's ``call``, if it is one tensor."""
    if not isinstance(call.result, Tensor):
        return {}
    name = call.operator.overloadpacket.__name__  # type: ignore[attr-defined]
    found = UNIT_RULES.get(name, _aligned)(call, tuple(call.result.shape))
    return {axis: unit for axis, unit in found.items() if axis == GONE or call.result.shape[axis] == 1}


def _united(call: Call, several: Sequence[Units]) -> Units:
    merged: dict[int, int] = {}
    for units in several:
        for axis, unit in units.items():
            call.labels.unite([merged.setdefault(axis, unit)], [unit])
    return merged


def _aligned(call: Call, shape: tuple[int, ...]) -> Units:
    """Tensors that are combined entry by entry, aligned at their last axes."""
    several, gone = list[Units](), set[int]()
    for each in (*call.args, *call.kwargs.values()):
        if isinstance(each, Value):
            shift = len(shape) - each.tensor.ndim
            kept = {a + shift: u for a, u in each.units.items() if a != GONE and a + shift >= 0}
            several.append({a: u for a, u in kept.items() if shape[a] == 1})
            gone |= {call.labels.find(each.units[GONE])} if GONE in each.units else set()
    alone = dict.fromkeys([GONE], gone.pop()) if len(gone) == 1 else {}  # a sum of two neurons is neither of them
    return {**_united(call, several), **alone}


def _gone(units: Units) -> dict[int, int]:
    return {GONE: units[GONE]} if GONE in units else {}


def _permuted(call: Call, shape: tuple[int, ...]) -> Units:
    value = call.args[0]
    order = [axis % value.tensor.ndim for axis in call.args[1]] if len(call.args) > 1 else range(len(shape))[::-1]
    found = {place: value.units[axis] for place, axis in enumerate(order) if axis in value.units}
    return found | _gone(value.units)


def _viewed(call: Call, shape: tuple[int, ...]) -> Units:
    """An axis of length 1 is found again by how many entries stand before it, counted from the last of several."""
    value = call.args[0]
    left = dict(zip(_ones(shape), _places(shape), strict=True))
    found: dict[int, int] = {}
    gone = [value.units[GONE]] if GONE in value.units else []
    olds = list(zip(_ones(tuple(value.tensor.shape)), _places(tuple(value.tensor.shape)), strict=True))
    for axis, where in reversed(olds):
        same = [place for place, other in left.items() if other == where]
        unit = value.units.get(axis)
        if same:
            left.pop(same[-1])
        if unit is not None and same:
            found[same[-1]] = unit
        elif unit is not None:
            gone.append(unit)
    if len(gone) == 1:  # of several nothing tells which one an axis stands for
        found[[GONE, *left][-1]] = gone[0]
    return found


def _ones(shape: tuple[int, ...]) -> list[int]:
    return [axis for axis, length in enumerate(shape) if length == 1]


def _places(shape: tuple[int, ...]) -> list[int]:
    after, places = 1, []
    for length in reversed(shape):
        after *= length
        if length == 1:
            places.append(after)
    return places[::-1]


def _product(call: Call, shape: tuple[int, ...]) -> Units:
    added = len(call.args) > 2
    one, other = call.args[1:3] if added else call.args[:2]
    if other.tensor.ndim < 2 or one.tensor.ndim < 2:
        return {}
    count = one.tensor.ndim
    reads = [each for each in (one.units.get(count - 1), other.units.get(count - 2)) if each is not None]
    call.labels.unite(reads[:1] * (len(reads) - 1), reads[1:])
    writes = {count - 2: one.units.get(count - 2), count - 1: other.units.get(count - 1)}
    known = {axis: unit for axis, unit in writes.items() if unit is not None}
    for value, contracted in ((one, count - 1), (other, count - 2)):
        for axis, unit in value.units.items():
            if not value.of_inputs and axis != GONE:
                (call.labels.read if axis == contracted else call.labels.written).add(unit)
    if not added:
        return known
    shift = len(shape) - call.args[0].tensor.ndim
    return _united(call, [known, {axis + shift: unit for axis, unit in call.args[0].units.items() if axis != GONE}])


def _convolved(call: Call, shape: tuple[int, ...]) -> Units:
    value, kernel, bias = call.args[:3]
    turned, groups = call.args[6], call.args[8]
    reads, writes = (kernel.units.get(0), kernel.units.get(1)) if turned else (kernel.units.get(1), kernel.units.get(0))
    if groups == 1:
        call.labels.read.update([] if reads is None else [reads])
        call.labels.written.update([] if writes is None else [writes])
        both = [unit for unit in (value.units.get(1), reads) if unit is not None]
        call.labels.unite(both[:1] * (len(both) - 1), both[1:])
    if writes is None:
        return {}
    beside = bias.units.get(0) if isinstance(bias, Value) else None
    return _united(call, [{1: writes}, {} if beside is None else {1: beside}])


def _channels(call: Call, shape: tuple[int, ...]) -> Units:
    beside = [{1: each.units[0]} for each in call.args[1:5] if isinstance(each, Value) and 0 in each.units]
    return _united(call, [call.args[0].units, *beside])


def _shifted(step: int) -> UnitRule:
    def rule(call: Call, shape: tuple[int, ...]) -> Units:
        value = call.args[0]
        given = call.args[1] if len(call.args) > 1 else None
        count = max(value.tensor.ndim, len(shape))
        axes = {axis % count for axis in (given if isinstance(given, list | tuple) else [given]) if axis is not None}
        own = {axis: unit for axis, unit in value.units.items() if axis != GONE}
        if step > 0:
            at = next(iter(axes))
            back = {at: value.units[GONE]} if GONE in value.units else {}
            return {axis + (axis >= at): unit for axis, unit in own.items()} | back
        gone = {axis for axis in axes if value.tensor.shape[axis] == 1}
        left = {axis - sum(other < axis for other in gone): unit for axis, unit in own.items() if axis not in gone}
        lost = [own[axis] for axis in sorted(gone) if axis in own]
        return left | (dict.fromkeys([GONE], lost[0]) if len(lost) == 1 else _gone(value.units))

    return rule


def units_of_part(call: Call, number: int) -> Units:
    """The units of tensor ``number`` of those that a ``call`` of an operator splits its argument into."""
    name = call.operator.overloadpacket.__name__  # type: ignore[attr-defined]
    if name not in ("split", "split_with_sizes", "chunk"):
        return {}
    return _taken(call, call.result[number].shape, lambda field: call.operator(field, *call.args[1:])[number])


def _narrowed(call: Call, shape: tuple[int, ...]) -> Units:
    return _taken(call, shape, lambda field: call.operator(field, *call.args[1:], **call.kwargs))


def _taken(call: Call, shape: Sequence[int], take: Callable[[Tensor], Tensor]) -> Units:
    """The only neuron that is left along an axis, of several that were there."""
    value, found = call.args[0], dict[int, int]()
    for axis, length in enumerate(shape):
        along = [field for field in call.fields(value) if axis in varying(field)]
        if length == 1 and value.tensor.shape[axis] == 1 and axis in value.units:
            found[axis] = value.units[axis]
        elif length == 1 and len(along) == 1 and varying(along[0]) == {axis}:
            whole = along[0].expand(value.tensor.shape)
            found[axis] = int(take(whole).reshape(-1)[0])
    return found


def _selected(call: Call, shape: tuple[int, ...]) -> Units:
    """The only neuron, whose column is taken out of its table."""
    value = call.args[0]
    axis = call.argument(1, "dim", 0) % value.tensor.ndim
    left = {a - (a > axis): unit for a, unit in value.units.items() if a not in (axis, GONE)}
    return left | ({GONE: value.units[axis]} if axis in value.units else _gone(value.units))


def _none(call: Call, shape: tuple[int, ...]) -> Units:
    return {}


UNIT_RULES: Mapping[str, UnitRule] = {
    **dict.fromkeys(("permute", "t"), _permuted),
    **dict.fromkeys(("view", "reshape", "_unsafe_view"), _viewed),
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm"), _product),
    "convolution": _convolved,
    **dict.fromkeys(("slice", "narrow"), _narrowed),
    "unsqueeze": _shifted(1),
    "squeeze": _shifted(-1),
    "select": _selected,
    **dict.fromkeys(("embedding", "index", "gather", "_trilinear", "sum", "mean", "cat", "amax"), _none),
}


def own_units(fresh: Callable[[int], Any], shape: Sequence[int]) -> Units:
    """New labels, which ``fresh`` makes, for the axes of length 1 of a tensor of this ``shape``."""
    return {axis: int(fresh(1)[0]) for axis, length in enumerate(shape) if length == 1}
