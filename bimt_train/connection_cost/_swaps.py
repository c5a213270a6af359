"""Swaps of two neurons of one group: the paper's greedy rule, and what recurrent groups are relocated by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float64, Int

from ..layouts import Group

Matrix = Float64[np.ndarray, "_ _"]
Slots = Int[np.ndarray, "..."]


@dataclass(frozen=True)
class Neighbour:
    """One weight tensor seen from a group: price times |w|, with that group's neurons on the rows.

    Attributes
    ----------
    other : str
        The group at the other end.
    mass : array of float, [networks, neurons, neurons of the other], or without the first axis
        The factor of the prices times |w|.
    apart : array of float, [slots, slots of the other]
        What the way from slot to slot costs; by default the distance.
    """

    other: str
    mass: Float64[np.ndarray, "*networks _ _"]
    apart: Matrix

    def of(self, row: int) -> Self:
        """The weights of one network alone.

        Parameters
        ----------
        row : int
            Number of the network.
        """
        return replace(self, mass=self.mass[row])


def within_group(group: Group, neighbours: Sequence[Neighbour]) -> Neighbour | None:
    """The weights from a group to itself, if there are any; one price of a distance holds for all of them.

    The price of no distance at all, which no swap changes, is taken off.

    Parameters
    ----------
    group : Group
        The group.
    neighbours : sequence of Neighbour
        All weights that begin or end in it.

    Returns
    -------
    Neighbour or None
        The weights added up.
    """
    own = [near for near in neighbours if near.other == group.name]
    if not own:
        return None
    apart = own[0].apart
    return Neighbour(group.name, np.sum([near.mass for near in own], axis=0), apart - apart[0, 0])


def swapped(
    group: Group, costs: Matrix, within: Neighbour | None, slots: Slots, candidates: Slots, *, least: float
) -> Slots:
    """Let each candidate in turn change places with its best partner, as long as the cost falls.

    The cost is ``sum_i C[i, s_i] + 1/2 sum_ij m[i, j] g(d(s_i, s_j))``, m symmetric. C stays valid throughout, since
    only this group's own positions change. A neuron changes places within its head only.

    Parameters
    ----------
    group : Group
        The group.
    costs : array of float, [neuron, slot]
        C, from the other groups.
    within : Neighbour or None
        The weights from the group to itself, of one network.
    slots : array of int, [neuron]
        The slots now.
    candidates : array of int
        The neurons that are tried, in their order.
    least : float
        The gain, relative to all there is to pay, below which it is rounding.

    Returns
    -------
    array of int, [neuron]
        The new slots.
    """
    slots, head = slots.copy(), np.arange(group.size) * group.heads // group.size
    scale = float(costs.sum() + (0.0 if within is None else np.abs(within.mass * within.apart).sum()))
    gains = swap_gains(costs, within, slots)
    for i in candidates:
        j = int(np.argmax(np.where(head == head[i], gains[i], 0.0)))
        if head[i] == head[j] and gains[i, j] > least * scale:
            slots[[i, j]] = slots[[j, i]]
            gains = swap_gains(costs, within, slots)  # of a settled group, all at once and once only
    return slots


def swap_gains(costs: Matrix, within: Neighbour | None, slots: Slots) -> Matrix:
    """How much the cost falls when neurons i and j change places, for all pairs at once.

    Parameters
    ----------
    costs : array of float, [neuron, slot]
        What each neuron costs at each position, from the other groups.
    within : Neighbour or None
        The weights from the group to itself, of one network.
    slots : array of int, [neuron]
        The slots now.

    Returns
    -------
    array of float, [neuron, neuron]
        The gains; 0 on the diagonal.
    """
    taken = costs[:, slots]  # what i pays at the place of j
    pairs: Matrix | float = 0.0
    if within is not None:
        placed, loops = within.apart[slots][:, slots], np.diag(within.mass)
        taken = taken + within.mass @ placed  # as if i and j, too, stayed where they are
        pairs = placed * (loops[:, None] + loops - 2 * within.mass)
    own = np.diag(taken)
    return np.asarray(own[:, None] + own - taken - taken.T + pairs, dtype=np.float64)
