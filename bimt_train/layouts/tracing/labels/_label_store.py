"""Labels of neurons, and what operators demand of any permutation of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(eq=False)
class Labels:
    """A store that grows while a program is run on labels. Every label stands for one index of one axis.

    Attributes
    ----------
    parent : list of int
        The union-find forest: labels in one tree belong to one neuron.
    pinned : set of int
        Labels that no permutation may move.
    read : set of int
        Labels of axes of the module's tensors along which a layer reads: those of a product that are contracted.
    written : set of int
        Labels of axes along which a layer writes, or of the inputs.
    above : set of (int, int)
        Pairs of a label and a block that it lies in: a permutation must carry whole blocks to whole blocks.
    invariant : list of array of int
        Labels that some activation has along an axis: a permutation must map each such set onto itself.
    blocks : mapping of frozenset of int to int
        The label of each block, by the labels in it.
    tokens : set of int
        Labels of rows that whole numbers choose: tokens are no neurons.
    """

    parent: list[int] = field(default_factory=list)
    pinned: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    written: set[int] = field(default_factory=set)
    above: set[tuple[int, int]] = field(default_factory=set)
    invariant: list[Ints] = field(default_factory=list)
    blocks: dict[frozenset[int], int] = field(default_factory=dict)
    tokens: set[int] = field(default_factory=set)

    def fresh(self, count: int, *, pinned: bool = False) -> Ints:
        """Make ``count`` new labels, which stay where they are if ``pinned``."""
        begin = len(self.parent)
        self.parent += range(begin, begin + count)
        made = np.arange(begin, begin + count)
        if pinned:
            self.pin(made)
        return made

    @property
    def layers(self) -> set[int]:
        """Labels of axes along which a layer reads or writes, not only an elementwise operator."""
        return self.read | self.written

    def find(self, label: int) -> int:
        """Return the label that stands for all that are united with this one, the first of them."""
        while self.parent[label] != label:
            self.parent[label] = self.parent[self.parent[label]]
            label = self.parent[label]
        return label

    def unite(self, ones: Iterable[Any], others: Iterable[Any]) -> None:
        """Make each of ``ones`` one neuron with its counterpart in ``others``."""
        for one, other in zip(ones, others, strict=True):
            a, b = self.find(int(one)), self.find(int(other))
            self.parent[max(a, b)] = min(a, b)

    def pin(self, labels: Iterable[Any]) -> None:
        """Fix ``labels`` where they are."""
        self.pinned.update(int(label) for label in labels)

    def put_under(self, members: Iterable[Any], blocks: Iterable[Any]) -> None:
        """Place each of ``members`` in its counterpart among ``blocks``."""
        self.above.update((int(m), int(b)) for m, b in zip(members, blocks, strict=True))

    def block(self, members: Iterable[Any]) -> int:
        """Return the block of exactly these ``members``, made if it is new."""
        key = frozenset(int(member) for member in members)
        if key not in self.blocks:
            made = self.fresh(1)
            self.blocks[key] = int(made[0])
            self.put_under(key, [made[0]] * len(key))
        return self.blocks[key]

    def keep(self, labels: Ints) -> None:
        """Demand that permutations map this set of ``labels`` onto itself; labels may occur more than once."""
        self.invariant.append(np.sort(labels.ravel()))
