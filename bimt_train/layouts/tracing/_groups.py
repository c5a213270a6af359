"""Reading groups and patterns off the neurons."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ._run import Run
from .labels._label_store import Ints, Labels
from .labels._settle import melt, settle
from .labels._symmetry import Symmetry, symmetry_of

Factors = tuple[int | str, ...]


@dataclass(frozen=True, eq=False)
class Family:
    """Neurons that can change places, in the order of a group.

    Attributes
    ----------
    neurons : tuple of int
        The label of each, head by head.
    blocks : tuple of int, default ()
        The heads, if they come in heads.
    """

    neurons: tuple[int, ...]
    blocks: tuple[int, ...] = ()

    @property
    def heads(self) -> int:
        """The number of heads."""
        return max(1, len(self.blocks))


@dataclass(frozen=True, eq=False)
class Reading:
    """Families of movable neurons, and how they run along axes.

    Attributes
    ----------
    families : tuple of Family
        In the order in which the module's tensors name them.
    axes : mapping of (str, int) to tuple
        For each axis of a tensor that a family indexes: (copies before, number of the family, copies after).
    inputs, outputs : tuple of int
        The families of the ends, in the order in which they stand there.
    steps : int
        How often the first input's last axis runs over its family.
    symmetry : Symmetry
        What can move.
    """

    families: tuple[Family, ...]
    axes: Mapping[tuple[str, int], tuple[int, int, int]]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    symmetry: Symmetry


def read(run: Run) -> Reading:
    """Read the groups of a traced ``run``: give up possible permutations until patterns can say all that are left."""
    labels = run.labels
    while True:
        symmetry = symmetry_of(labels, run.axes.values())
        if settle(labels, symmetry):
            continue
        families = _families(symmetry)
        place = {one: number for number, family in enumerate(families) for one in family.neurons}
        axes: dict[tuple[str, int], tuple[int, int, int]] = {}
        ends = {("input", number): found for number, found in enumerate(run.inputs)} | {("output", 0): run.outputs}
        for axis, found in (*run.axes.items(), *ends.items()):
            neurons = symmetry.root[found]
            numbers = {place.get(one) for one in neurons.tolist()}
            if numbers <= {None}:
                continue
            if len(numbers) > 1 and axis in ends:  # an end may be of several groups, side by side
                continue
            if len(numbers) > 1:
                _join(labels, symmetry, [families[n] for n in numbers if n is not None], None not in numbers)
                break
            (number,) = numbers
            assert number is not None
            folded = arrangement(neurons, families[number].neurons)
            if folded is None or (axis in ends and folded[1] > 1) or (axis == ("output", 0) and folded[0] > 1):
                _give_up(labels, symmetry, families[number])
                break
            axes[axis] = folded[0], number, folded[1]
        else:
            crowded = _crowded(labels, symmetry, families, axes)
            if crowded is None:
                own = {axis: found for axis, found in axes.items() if axis not in ends}
                roots = [np.concatenate([np.empty(0, np.int64), *run.inputs]), run.outputs]
                given, returned = (
                    tuple(dict.fromkeys(place[one] for one in symmetry.root[end].tolist() if one in place))
                    for end in roots
                )
                both = {*given} & {*returned}
                if not both or given == returned:
                    return Reading(families, own, given, returned, symmetry)
                for number in both:  # one group can be all of an end, and no part of the other
                    labels.pin(families[number].neurons)
                continue
            labels.pin(crowded.neurons)


def _families(symmetry: Symmetry) -> tuple[Family, ...]:
    kinds: dict[int, list[int]] = defaultdict(list)
    for one in sorted(symmetry.occupied - symmetry.fixed):
        kinds[symmetry.kind[one]].append(one)
    families = []
    for alike in kinds.values():
        heads: dict[int, list[int]] = defaultdict(list)
        for one in alike:
            for block in symmetry.movable(symmetry.blocks.get(one, ())):
                heads[block].append(one)
        ordered = sorted(heads, key=lambda block: heads[block][0])
        families.append(Family(tuple(one for b in ordered for one in heads[b]) or tuple(alike), tuple(ordered)))
    return tuple(families)


def arrangement(neurons: Ints, order: Sequence[int]) -> tuple[int, int] | None:
    """The copies before and after, if an axis runs over neurons in the given order; None if it does not.

    Examples
    --------
    >>> arrangement(np.array([7, 7, 8, 8, 7, 7, 8, 8]), [7, 8])
    (2, 2)
    """
    copies, rest = divmod(len(neurons), len(order))
    for before in (n for n in range(1, copies + 1) if copies % n == 0 and not rest):
        opened = neurons.reshape(before, len(order), copies // before)
        if (opened == np.array(order)[None, :, None]).all():
            return before, copies // before
    return None


def _join(labels: Labels, symmetry: Symmetry, families: Sequence[Family], all_move: bool) -> None:
    """Tie families that lie side by side along one axis, as far as their sizes have a common divisor; else fix them."""
    headed = [family for family in families if family.blocks]
    width = math.gcd(*(len(family.neurons) for family in families))
    if all_move and headed:
        for family in headed:
            melt(labels, symmetry, family.blocks)
    elif all_move and width > 1:
        everyone = [one for family in families for one in family.neurons]
        labels.unite(everyone, [everyone[i % width] for i in range(len(everyone))])
    else:
        for family in families:
            labels.pin(family.neurons)


def _give_up(labels: Labels, symmetry: Symmetry, family: Family) -> None:
    """Let heads move as wholes, or fix neurons, because no pattern says how an axis runs over them."""
    if family.blocks:
        melt(labels, symmetry, family.blocks)
    else:
        labels.pin(family.neurons)


def _crowded(
    labels: Labels,
    symmetry: Symmetry,
    families: Sequence[Family],
    axes: Mapping[tuple[str, int], tuple[int, int, int]],
) -> Family | None:
    """A family to fix because a tensor would have more than the two groups that a pattern may name."""
    named: dict[str, list[int]] = defaultdict(list)
    for (tensor, _), (_, number, _) in axes.items():
        named[tensor].append(number)
    ends = {number for (tensor, _), (_, number, _) in axes.items() if tensor in ("input", "output")}
    later = {number for (tensor, place), (_, number, _) in axes.items() if tensor == "input" and place}
    written = {int(symmetry.root[label]) for label in labels.written}
    for tensor, numbers in named.items():
        if tensor not in ("input", "output") and len(numbers) > 2:
            least = min(
                set(numbers),
                key=lambda n: (
                    n not in later,
                    families[n].neurons[0] in written,
                    n in ends,
                    len(families[n].neurons),
                    n,
                ),
            )
            return families[least]
    return None
