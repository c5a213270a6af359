"""What permutations the demands of a run leave: neurons, the blocks they lie in, and which of them are alike."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ._label_store import Ints, Labels


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A snapshot of the demands, by the label that stands for each neuron or block.

    Attributes
    ----------
    root : array of int
        The label that stands for each label.
    fixed : frozenset of int
        Neurons and blocks that cannot move.
    blocks : mapping of int to set of int
        For each neuron or block, the blocks that it lies in.
    members : mapping of int to set of int
        For each block, what lies in it.
    kind : mapping of int to int
        Neurons of one kind can change places, as far as blocks allow.
    occupied : frozenset of int
        Neurons that index an axis of one of the module's tensors; a block may be a neuron, too.
    """

    root: Ints
    fixed: frozenset[int]
    blocks: Mapping[int, set[int]]
    members: Mapping[int, set[int]]
    kind: Mapping[int, int]
    occupied: frozenset[int]

    def movable(self, some: Iterable[int]) -> set[int]:
        """Keep of ``some`` neurons and blocks those that can move."""
        return {one for one in some if one not in self.fixed}

    def ancestors(self, one: int) -> set[int]:
        """All blocks around one, and the blocks around those."""
        return _reach(one, self.blocks)

    def descendants(self, one: int) -> set[int]:
        """All that lies in ``one`` block, directly or in a block of it."""
        return _reach(one, self.members)


def _reach(one: int, step: Mapping[int, set[int]]) -> set[int]:
    found: set[int] = set()
    ahead = [one]
    while ahead:
        for other in step.get(ahead.pop(), ()):
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found - {one}


def symmetry_of(labels: Labels, axes: Iterable[Ints]) -> Symmetry:
    """Find what can move, from ``labels`` and the labels along the ``axes`` of all tensors.

    Blocks around something fixed are fixed. Then neurons are told apart by the sets they belong to and the blocks they
    lie in, again and again, until nothing is told apart any more; what is alone of its kind is fixed.
    """
    root = np.array([labels.find(label) for label in range(len(labels.parent))], dtype=np.int64)
    blocks: dict[int, set[int]] = defaultdict(set)
    members: dict[int, set[int]] = defaultdict(set)
    for one, block in labels.above:
        a, b = int(root[one]), int(root[block])
        if a != b:
            blocks[a].add(b)
            members[b].add(a)
    fixed = {int(root[label]) for label in labels.pinned}
    belongs = _belongings(labels, root)
    names = np.unique(root).tolist()
    while True:
        ahead = list(fixed)
        while ahead:
            for block in blocks.get(ahead.pop(), ()):
                if block not in fixed:
                    fixed.add(block)
                    ahead.append(block)
        kind = _kinds(names, fixed, blocks, members, belongs)
        count = Counter(kind.values())
        alone = {one for one in names if one not in fixed and count[kind[one]] == 1}
        if not alone:
            break
        fixed |= alone
    occupied = frozenset(int(root[label]) for labelled in axes for label in labelled)
    return Symmetry(root, frozenset(fixed), dict(blocks), dict(members), kind, occupied)


def _belongings(labels: Labels, root: Ints) -> dict[int, list[tuple[int, int]]]:
    """For each neuron, the sets that must be kept and how often it occurs in each."""
    belongs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    distinct = {np.sort(root[each]).tobytes() for each in labels.invariant}
    for number, each in enumerate(sorted(distinct)):
        for one, count in zip(*np.unique(np.frombuffer(each, dtype=np.int64), return_counts=True), strict=True):
            belongs[int(one)].append((number, int(count)))
    return belongs


def _kinds(
    names: list[int],
    fixed: set[int],
    blocks: Mapping[int, set[int]],
    members: Mapping[int, set[int]],
    belongs: Mapping[int, list[tuple[int, int]]],
) -> dict[int, int]:
    kind = dict.fromkeys(names, 0)
    known = 0
    while True:
        signs = {
            one: (-1, one)
            if one in fixed
            else (
                kind[one],
                tuple(belongs.get(one, ())),
                tuple(sorted(kind[b] for b in blocks.get(one, ()))),
                tuple(sorted(kind[m] for m in members.get(one, ()))),
            )
            for one in names
        }
        numbers = {sign: number for number, sign in enumerate(dict.fromkeys(signs.values()))}
        kind = {one: numbers[sign] for one, sign in signs.items()}
        if len(numbers) == known:
            return kind
        known = len(numbers)
