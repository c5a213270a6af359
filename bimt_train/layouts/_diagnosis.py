"""Looking for the culprit: which other reading of a tensor makes a group pass its certificate."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._errors import PatternError
from . import Pattern, parse_pattern
from ._permutation_test import Bench, Reading, fits

MOST_TRIED = 600
"""Bound on the readings tried for one failure."""

Axis = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Suspect:
    """What to say of a declaration that should read otherwise."""

    where: str
    expected: str
    got: str
    mend: str


@dataclass(frozen=True)
class _Edit:
    """One tensor read otherwise; axis is None where both axes change."""

    tensor: str
    text: str
    axis: int | None
    kind: str


def explain(bench: Bench, reading: Reading, group: str, tolerance: float) -> Suspect | None:
    """Another reading under which the group passes: of one tensor, of the heads or ends, of two tensors or more.

    Of several readings of one tensor, the one under which most of the other groups pass as well. Readings of one kind
    for all tensors at once are tried last, for modules that fold many tensors alike.
    """
    edits = list(_edits(bench, reading, group))
    single = [(edit,) for edit in edits[:MOST_TRIED] if _mends(bench, reading, group, (edit,), tolerance)]
    if single:
        return _said(reading, min(single, key=lambda chosen: _failures(bench, reading, chosen, tolerance)))
    whole = _heads(bench, reading, group, tolerance) or _ends(bench, reading, group, tolerance)
    if whole is not None:
        return whole
    for chosen in itertools.islice(itertools.chain(_pairs(edits), _kinds(edits)), MOST_TRIED):
        if _mends(bench, reading, group, chosen, tolerance):
            return _said(reading, chosen)
    return None


def _mends(bench: Bench, reading: Reading, group: str, chosen: Sequence[_Edit], tolerance: float) -> bool:
    other = _edited(reading, chosen)
    return _touches(other, group) and _passes(bench, other, group, tolerance)


def _edited(reading: Reading, chosen: Sequence[_Edit]) -> Reading:
    return reading.with_patterns({edit.tensor: edit.text for edit in chosen})


def _passes(bench: Bench, reading: Reading, group: str, tolerance: float) -> bool:
    """Screened by one permutation, confirmed by two more."""
    generator = np.random.default_rng(0)
    orders = [reading.draw(group, generator) for _ in range(3)]
    return all(bench.deviation(reading, group, [order]) <= tolerance for order in orders)


def _failures(bench: Bench, reading: Reading, chosen: Sequence[_Edit], tolerance: float) -> int:
    """How many groups that may move fail under the reading."""
    other = _edited(reading, chosen)
    moving = [group.name for group in reading.layout.groups if group.movable and group.size > 1]
    return sum(not _passes(bench, other, group, tolerance) for group in moving)


def _touches(reading: Reading, group: str) -> bool:
    """A group that no tensor reads would pass for nothing."""
    return any(group in pattern.groups for pattern in reading.patterns.values())


def _edits(bench: Bench, reading: Reading, group: str) -> Iterator[_Edit]:
    """Every other reading of one tensor that has to do with the group, tensors that declare it first."""
    names = sorted(reading.patterns, key=lambda name: group not in reading.patterns[name].groups)
    for name in names:
        pattern, shape = reading.patterns[name], tuple(bench.tensors[name].shape)
        seen = {pattern.text}
        for edit in _other_readings(name, pattern, shape, reading, group):
            if edit.text in seen:
                continue
            seen.add(edit.text)
            try:
                other = parse_pattern(edit.text)
            except PatternError:
                continue
            if fits(other, shape, reading.layout.sizes):
                yield edit


def _other_readings(
    name: str, pattern: Pattern, shape: tuple[int, ...], reading: Reading, group: str
) -> Iterator[_Edit]:
    sizes = reading.layout.sizes
    touches = group in pattern.groups
    if touches and len(pattern.axes) == 2:
        yield _Edit(name, pattern.transposed(), None, "transposed")
    for place, axis in enumerate(pattern.axes):
        if touches and 1 < len(axis) < 5:
            for turned in itertools.permutations(axis):
                yield _Edit(name, _written(pattern, place, turned), place, "fold")
    for place, axis in enumerate(pattern.axes):
        copies, rest = divmod(shape[place], sizes[group])
        if group not in axis and rest == 0:
            whole: list[Axis] = [(group,)] if copies == 1 else [(copies, group), (group, copies)]
            for named in whole:
                yield _Edit(name, _written(pattern, place, named), place, "unnamed")
        if group in axis:
            alike = [other for other, size in sizes.items() if size == sizes[group]]
            swapped: list[Axis] = [tuple(other if f == group else f for f in axis) for other in alike]
            for named in [*swapped, (None,)]:
                yield _Edit(name, _written(pattern, place, named), place, "other")


def _written(pattern: Pattern, place: int, axis: Axis) -> str:
    axes = [*pattern.axes[:place], axis, *pattern.axes[place + 1 :]]
    return (" -> " if pattern.source_first else " ").join(_axis(each) for each in axes)


def _axis(axis: Axis) -> str:
    words = ["_" if factor is None else str(factor) for factor in axis]
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


def _pairs(edits: Sequence[_Edit]) -> Iterator[tuple[_Edit, ...]]:
    return (pair for pair in itertools.combinations(edits, 2) if pair[0].tensor != pair[1].tensor)


def _kinds(edits: Sequence[_Edit]) -> Iterator[tuple[_Edit, ...]]:
    """All first readings of one kind together."""
    for kind in ("fold", "transposed", "unnamed"):
        alike = {edit.tensor: edit for edit in reversed(edits) if edit.kind == kind}
        if len(alike) > 2:
            yield tuple(alike.values())


def _heads(bench: Bench, reading: Reading, group: str, tolerance: float) -> Suspect | None:
    size, declared = reading.layout.sizes[group], reading.heads[group]
    for heads in (n for n in range(1, size) if size % n == 0 and n != declared):
        other = replace(reading, heads={**reading.heads, group: heads})
        if _passes(bench, other, group, tolerance):
            where, mend = f"group '{group}'", f"declare the group with heads={heads}"
            return Suspect(where, f"heads={heads}", f"heads={declared}", mend)
    return None


def _ends(bench: Bench, reading: Reading, group: str, tolerance: float) -> Suspect | None:
    """The group is the inputs or outputs and was not declared as such, or the other way round."""
    for end, values in (("inputs", bench.x), ("outputs", bench.outputs)):
        declared = getattr(reading, end)
        said = "" if declared == group else group
        if said and (values.ndim == 0 or values.shape[-1] != reading.layout.sizes[group]):
            continue
        other = replace(reading, inputs=said) if end == "inputs" else replace(reading, outputs=said)
        if _passes(bench, other, group, tolerance):
            return Suspect(f"the layout's {end}", f'"{said}"', f'"{declared}"', f'declare {end}="{said}"')
    return None


def _said(reading: Reading, chosen: Sequence[_Edit]) -> Suspect:
    first = chosen[0]
    declared, better = reading.patterns[first.tensor], parse_pattern(first.text)
    if first.axis is None:
        where, expected, got = f"tensor '{first.tensor}', axes 0 and 1", better.text, declared.text
    else:
        where = f"tensor '{first.tensor}', axis {first.axis}"
        expected, got = _axis(better.axes[first.axis]), _axis(declared.axes[first.axis])
    mends = [f"for '{edit.tensor}' {_mend(reading.patterns[edit.tensor], edit)}" for edit in chosen]
    return Suspect(where, f'"{expected}"', f'"{got}"', "; ".join(mends))


def _mend(declared: Pattern, edit: _Edit) -> str:
    return declared.mend_of_exchange() if edit.axis is None else f'declare "{edit.text}" in place of "{declared.text}"'
