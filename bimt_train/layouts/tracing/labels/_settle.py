"""Reducing the permutations that are possible to those that groups with heads and patterns can say."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ._label_store import Labels
from ._symmetry import Symmetry


def settle(labels: Labels, symmetry: Symmetry) -> bool:
    """Change ``labels`` by one step towards neurons that lie in at most one block each; say whether there was one.

    What lies in which block, ``symmetry`` says. Blocks that hold the same are one. Of two blocks that cross, one is
    fixed. What lies in a block that is itself a neuron moves with it. The rest of what lies in blocks is tied, so that
    each block is a head of equal width; where that is not possible, each block moves as a whole.
    """
    return any(step(labels, symmetry) for step in STEPS)


def _equal_blocks(labels: Labels, symmetry: Symmetry) -> bool:
    """Unite blocks that hold the same."""
    by_members: dict[frozenset[int], list[int]] = defaultdict(list)
    for block, members in symmetry.members.items():
        if block not in symmetry.fixed:
            by_members[frozenset(members)].append(block)
    several = [blocks for blocks in by_members.values() if len(blocks) > 1]
    for first, *others in several:
        labels.unite([first] * len(others), others)
    return bool(several)


def _crossing_blocks(labels: Labels, symmetry: Symmetry) -> bool:
    """Resolve two kinds of blocks around one neuron, neither within the other.

    Where they cross in several places apart, each place is a block that moves as a whole. Else one kind is fixed.
    """
    for one, around in symmetry.blocks.items():
        if one in symmetry.fixed:
            continue
        free = symmetry.movable(around)
        outer: set[int] = set().union(*(symmetry.ancestors(block) for block in free))
        nearest = sorted(free - outer)
        if len(nearest) > 1:
            places = _places(symmetry, nearest[0], nearest[1])
            if len(places) > 1:
                for place in places:
                    labels.unite([labels.block(place)] * len(place), place)
                    melt(labels, symmetry, place)
            else:
                least = min(nearest, key=lambda block: _importance(labels, symmetry, block))
                labels.pin(_alike(symmetry, least))
            return True
    return False


def _places(symmetry: Symmetry, one: int, other: int) -> list[list[int]]:
    """Blocks of two kinds, parted into those that something inside joins."""
    group = {block: {block} for each in (one, other) for block in _alike(symmetry, each)}
    for around in symmetry.blocks.values():
        found = [block for block in around if block in group]
        joined = set().union(*(group[block] for block in found))
        group.update(dict.fromkeys(joined, joined))
    return [sorted(place) for place in {id(place): place for place in group.values()}.values()]


def _importance(labels: Labels, symmetry: Symmetry, block: int) -> tuple[bool, bool, int]:
    """Neurons that a layer writes come first, then heads, then what only elementwise operators meet."""
    written = any(int(symmetry.root[label]) == block for label in labels.written)
    return written, block not in symmetry.occupied, len(_alike(symmetry, block))


def _alike(symmetry: Symmetry, one: int) -> list[int]:
    return [other for other, kind in symmetry.kind.items() if kind == symmetry.kind[one]]


def _neurons_that_hold(labels: Labels, symmetry: Symmetry) -> bool:
    """What lies in a block that is a neuron itself becomes part of that neuron."""
    done = False
    for block, members in symmetry.members.items():
        if block in symmetry.occupied and block not in symmetry.fixed:
            free = symmetry.movable(members)
            labels.unite([block] * len(free), sorted(free))
            done |= bool(free)
    return done


def _heads(labels: Labels, symmetry: Symmetry) -> bool:
    """Tie all that lies in a block, kind by kind, if every kind is equally wide; else let the block move as a whole."""
    done = False
    for block, members in symmetry.members.items():
        if block in symmetry.fixed or block in symmetry.occupied:
            continue
        kinds: dict[int, list[int]] = defaultdict(list)
        for one in sorted(symmetry.movable(members)):
            kinds[symmetry.kind[one]].append(one)
        inner = [kind for kind, alike in kinds.items() if alike[0] not in symmetry.occupied]
        single = [kinds[kind][0] for kind in inner if len(kinds[kind]) == 1]
        if single:
            labels.unite([block] * len(single), single)
            done = True
            continue
        nested = any(symmetry.members.get(kinds[kind][0]) for kind in inner)
        outer = [alike for kind, alike in kinds.items() if kind not in inner]
        if not outer and not nested:
            continue
        widths = {len(alike) for alike in outer}
        if nested or len(widths) > 1 or widths == {1}:
            melt(labels, symmetry, [block])
            done = True
        elif len(outer) > 1:
            first, *others = outer
            for other in others:
                labels.unite(first, other)
            done = True
    return done


def melt(labels: Labels, symmetry: Symmetry, blocks: Iterable[int]) -> None:
    """Make each of ``blocks`` one neuron among ``labels``, with all that lies in it as ``symmetry`` says."""
    for block in blocks:
        inside = sorted(symmetry.movable(symmetry.descendants(block)))
        labels.unite([block] * len(inside), inside)


STEPS: Sequence[Callable[[Labels, Symmetry], bool]] = (
    _equal_blocks,
    _crossing_blocks,
    _neurons_that_hold,
    _heads,
)
