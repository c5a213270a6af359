"""Finding the wrong declaration: which variant of a layout makes a group pass its permutation test."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..._errors import PatternError
from .. import Pattern, parse_pattern
from ._permutation_test import LayoutVariant, PermutationTest, fits

MOST_TRIED = 600
"""Bound on the variants tried for one failure."""

Axis = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Suspect:
    """What to say of a declaration that is probably wrong; the fields are those of the error's message."""

    where: str
    expected: str
    got: str
    hint: str


@dataclass(frozen=True)
class _Edit:
    """Another declaration of one tensor; axis is None where both axes change."""

    tensor: str
    text: str
    axis: int | None
    kind: str


def explain(test: PermutationTest, variant: LayoutVariant, group: str, tolerance: float) -> Suspect | None:
    """Find a variant of the layout under which a failing group passes: one tensor, the heads or ends, several tensors.

    Of several variants of one tensor, the one under which most of the other groups pass as well is taken. Variants of
    one kind for all tensors at once are tried last, for modules that fold many tensors alike.

    Parameters
    ----------
    test : PermutationTest
        The module and its inputs.
    variant : LayoutVariant
        What was declared.
    group : str
        The group that failed.
    tolerance : float
        The change allowed, relative to the largest output.

    Returns
    -------
    Suspect or None
        What to declare instead; None if no variant that was tried passes.
    """
    edits = list(_edits(test, variant, group))
    single = [(edit,) for edit in edits[:MOST_TRIED] if _passes_edited(test, variant, group, (edit,), tolerance)]
    if single:
        return _said(variant, min(single, key=lambda chosen: _failures(test, variant, chosen, tolerance)))
    whole = _heads(test, variant, group, tolerance) or _ends(test, variant, group, tolerance)
    if whole is not None:
        return whole
    for chosen in itertools.islice(itertools.chain(_pairs(edits), _kinds(edits)), MOST_TRIED):
        if _passes_edited(test, variant, group, chosen, tolerance):
            return _said(variant, chosen)
    return None


def _passes_edited(
    test: PermutationTest, variant: LayoutVariant, group: str, chosen: Sequence[_Edit], tolerance: float
) -> bool:
    other = _edited(variant, chosen)
    return _touches(other, group) and _passes(test, other, group, tolerance)


def _edited(variant: LayoutVariant, chosen: Sequence[_Edit]) -> LayoutVariant:
    return variant.with_patterns({edit.tensor: edit.text for edit in chosen})


def _passes(test: PermutationTest, variant: LayoutVariant, group: str, tolerance: float) -> bool:
    """Screened by one permutation, confirmed by two more."""
    generator = np.random.default_rng(0)
    orders = [variant.draw(group, generator) for _ in range(3)]
    return all(test.deviation(variant, group, [order]) <= tolerance for order in orders)


def _failures(test: PermutationTest, variant: LayoutVariant, chosen: Sequence[_Edit], tolerance: float) -> int:
    """Count the groups that may move and fail under the variant."""
    other = _edited(variant, chosen)
    moving = [group.name for group in variant.layout.groups if group.movable and group.size > 1]
    return sum(not _passes(test, other, group, tolerance) for group in moving)


def _touches(variant: LayoutVariant, group: str) -> bool:
    """Say whether a tensor is indexed by the group; a group that indexes none would pass for nothing."""
    return any(group in pattern.groups for pattern in variant.patterns.values())


def _edits(test: PermutationTest, variant: LayoutVariant, group: str) -> Iterator[_Edit]:
    """Every other declaration of one tensor that concerns the group, tensors that declare it first."""
    names = sorted(variant.patterns, key=lambda name: group not in variant.patterns[name].groups)
    for name in names:
        pattern, shape = variant.patterns[name], tuple(test.tensors[name].shape)
        seen = {pattern.text}
        for edit in _other_variants(name, pattern, shape, variant, group):
            if edit.text in seen:
                continue
            seen.add(edit.text)
            try:
                other = parse_pattern(edit.text)
            except PatternError:
                continue
            if fits(other, shape, variant.layout.sizes):
                yield edit


def _other_variants(
    name: str, pattern: Pattern, shape: tuple[int, ...], variant: LayoutVariant, group: str
) -> Iterator[_Edit]:
    sizes = variant.layout.sizes
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
            same_size = [other for other, size in sizes.items() if size == sizes[group]]
            swapped: list[Axis] = [tuple(other if f == group else f for f in axis) for other in same_size]
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
    """All first edits of one kind together."""
    for kind in ("fold", "transposed", "unnamed"):
        of_kind = {edit.tensor: edit for edit in reversed(edits) if edit.kind == kind}
        if len(of_kind) > 2:
            yield tuple(of_kind.values())


def _heads(test: PermutationTest, variant: LayoutVariant, group: str, tolerance: float) -> Suspect | None:
    size, declared = variant.layout.sizes[group], variant.heads[group]
    for heads in (n for n in range(1, size) if size % n == 0 and n != declared):
        other = replace(variant, heads={**variant.heads, group: heads})
        if _passes(test, other, group, tolerance):
            where, hint = f"group '{group}'", f"declare the group with heads={heads}"
            return Suspect(where, f"heads={heads}", f"heads={declared}", hint)
    return None


def _ends(test: PermutationTest, variant: LayoutVariant, group: str, tolerance: float) -> Suspect | None:
    """The group is the inputs or outputs and was not declared as such, or the other way round."""
    widths = {"inputs": sum(test.x.widths), "outputs": test.outputs.shape[-1] if test.outputs.ndim else 0}
    for end, width in widths.items():
        declared = getattr(variant, end)
        said = "" if declared == group else group
        if said and width != variant.layout.sizes[group]:
            continue
        other = replace(variant, inputs=said) if end == "inputs" else replace(variant, outputs=said)
        if _passes(test, other, group, tolerance):
            return Suspect(f"the layout's {end}", f'"{said}"', f'"{declared}"', f'declare {end}="{said}"')
    return None


def _said(variant: LayoutVariant, chosen: Sequence[_Edit]) -> Suspect:
    first = chosen[0]
    declared, better = variant.patterns[first.tensor], parse_pattern(first.text)
    if first.axis is None:
        where, expected, got = f"tensor '{first.tensor}', axes 0 and 1", better.text, declared.text
    else:
        where = f"tensor '{first.tensor}', axis {first.axis}"
        expected, got = _axis(better.axes[first.axis]), _axis(declared.axes[first.axis])
    hints = [f"for '{edit.tensor}' {_hint(variant.patterns[edit.tensor], edit)}" for edit in chosen]
    return Suspect(where, f'"{expected}"', f'"{got}"', "; ".join(hints))


def _hint(declared: Pattern, edit: _Edit) -> str:
    return declared.hint_of_exchange() if edit.axis is None else f'declare "{edit.text}" in place of "{declared.text}"'
