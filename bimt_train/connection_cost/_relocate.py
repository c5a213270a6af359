"""Relocation: neurons are assigned to the positions where their connections are cheap. Weights never move."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int

from .._errors import InputError
from ..layouts import Group, Layout, Placement, distances, fold
from ._assignment import assign_blocks
from ._connection_cost import ConnectionCost

Method = Literal["assignment", "swap", "none"]
Matrix = Float64[np.ndarray, "_ _"]
Slots = Int[np.ndarray, "_"]

_GAIN = 1e-12  # relative; below it a change of cost is rounding


@dataclass(frozen=True)
class _Neighbour:
    """One weight tensor seen from a group: price times |w|, with that group's neurons on the rows."""

    other: str
    mass: Matrix
    apart: Matrix  # what the way from this group's slots to the other's costs; by default the distance


def relocate(
    layout: Layout,
    placement: Placement,
    tensors: Mapping[str, np.ndarray],
    cost: ConnectionCost,
    *,
    method: Method = "assignment",
    top_k: int = 5,
    max_sweeps: int = 20,
) -> Placement:
    """A placement of lower or equal connection cost. Pure: weights are read, the placement is new.

    - ``assignment``: the minimum over all permutations of each group, exact up to 1,500 neurons (Hungarian method), and
      beyond within a tenth of a percent of it, as measured (`assignment`); blocks of heads are assigned within each
      block first, then among each other. Groups are swept back and forth until nothing is gained.
    - ``swap``: the paper's greedy rule (arXiv 2305.08746, section 2): each of the ``top_k`` neurons with the greatest
      summed magnitude of incoming and outgoing weights, whatever their price, changes places with whichever neuron
      lowers the cost most. Evaluated from C (see Notes), where the published code evaluates the whole cost for every
      try. Neurons stay within their head.
    - ``none``: the placement itself.

    Parameters
    ----------
    layout : Layout
        Which groups each tensor joins, and which groups may move.
    placement : Placement
        The position of each neuron now.
    tensors : mapping of str to array
        The weights, by the names of the layout.
    cost : ConnectionCost
        The cost that is trained on, further terms included.
    method : {"assignment", "swap", "none"}
        The rule, as above.
    top_k : int
        How many neurons of a group ``swap`` tries.
    max_sweeps : int
        At most so many sweeps over all groups by ``assignment``.

    Returns
    -------
    Placement
        The new position of each neuron.

    Raises
    ------
    InputError
        The method is unknown, or a term of the cost is.

    Notes
    -----
    For one group, the others staying, neuron i at position s costs ``C[i, s] = sum_t sum_j m_t[i, j] g(d(s, place of
    j))``, with ``m_t`` the folded magnitudes times the tensor's factor and ``g`` the price of a distance: ``g(d) = d``
    unless the cost has further terms. That is one matrix product a tensor, whatever g is.

    A group on both axes of one tensor (recurrent weights) makes the cost quadratic. There both methods accept pairwise
    swaps, the best partner for each neuron in turn, as long as the cost falls.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_train.layouts import Group, Placement, linear
    >>> x, y = Group.line("x", 2, movable=False), Group.line("y", 2)
    >>> layout = linear("a", source=x, target=y)
    >>> crossed = {"a.weight": np.array([[0.0, 1.0], [1.0, 0.0]]), "a.bias": np.zeros(2)}
    >>> relocate(layout, Placement.identity(layout), crossed, ConnectionCost()).slots["y"]
    (1, 0)
    """
    if method not in ("assignment", "swap", "none"):
        raise InputError(
            "unknown relocation method",
            expected="assignment, swap, none",
            got=str(method),
            hint="name one of these",
        )
    if method == "none":
        return placement
    neighbours = _neighbours(layout, tensors, cost)
    slots = {name: np.array(chosen) for name, chosen in placement.slots.items()}
    movable = [group for group in layout.groups if group.movable and neighbours[group.name]]
    if method == "swap":
        for group in movable:
            strongest = np.argsort(-_strength(group, layout, tensors), kind="stable")[:top_k]
            slots[group.name] = _greedy(group, neighbours[group.name], slots, strongest)
    else:
        _sweep(movable, neighbours, slots, max_sweeps)
    return Placement({name: tuple(chosen.tolist()) for name, chosen in slots.items()})


def _sweep(movable: list[Group], neighbours: dict[str, list[_Neighbour]], slots: dict[str, Slots], bound: int) -> None:
    """Assign the groups there and back, until none has a neighbour that moved since its own last turn."""
    stale = {group.name for group in movable}
    for sweep in range(bound):
        for group in movable if sweep % 2 == 0 else movable[::-1]:
            if group.name not in stale:
                continue
            assigned = _assign(group, neighbours[group.name], slots)
            stale.discard(group.name)
            if (assigned != slots[group.name]).any():
                slots[group.name] = assigned
                stale |= {near.other for near in neighbours[group.name]} & {group.name for group in movable}
        if not stale:
            break


def _neighbours(layout: Layout, tensors: Mapping[str, np.ndarray], cost: ConnectionCost) -> dict[str, list[_Neighbour]]:
    """For every group, its weight tensors with that group on the rows; a recurrent one once, both ways added."""
    found: dict[str, list[_Neighbour]] = {group.name: [] for group in layout.groups}
    for name in layout.weights():
        if name in cost.without_distance:
            continue
        plan = layout.tensors[name].plan
        target, source = (layout.group(end) for end in plan.groups)
        factor, apart = cost.distance_prices(distances(target.coordinates, source.coordinates))
        if factor == 0.0:
            continue
        share = factor * cost.share(tensors[name].size)
        mass = share * fold(np.abs(tensors[name]).astype(np.float64), plan, layout.sizes)
        if target is source:
            found[target.name].append(_Neighbour(target.name, mass + mass.T, apart))
        else:
            found[target.name].append(_Neighbour(source.name, mass, apart))
            found[source.name].append(_Neighbour(target.name, mass.T, apart.T))
    return found


def _slot_costs(group: Group, neighbours: list[_Neighbour], slots: Mapping[str, Slots]) -> Matrix:
    """C[neuron, slot], from the groups other than this one."""
    costs = np.zeros((group.size, group.size))
    for near in neighbours:
        if near.other != group.name:
            costs += near.mass @ near.apart[:, slots[near.other]].T
    return costs


def _within(group: Group, neighbours: list[_Neighbour]) -> _Neighbour | None:
    """The weights from the group to itself, if there are any; one price of a distance holds for all of them.

    The price of no distance at all, which no swap changes, is taken off.
    """
    own = [near for near in neighbours if near.other == group.name]
    if not own:
        return None
    apart = own[0].apart
    return _Neighbour(group.name, np.sum([near.mass for near in own], axis=0), apart - apart[0, 0])


def _assign(group: Group, neighbours: list[_Neighbour], slots: Mapping[str, Slots]) -> Slots:
    """The group's best slots, its own old ones unless the gain is more than rounding."""
    costs, old = _slot_costs(group, neighbours, slots), slots[group.name]
    within = _within(group, neighbours)
    if within is not None:
        return _swap(group, costs, within, old, np.argsort(-within.mass.sum(1), kind="stable"))
    new = assign_blocks(costs, group.heads, old)
    rows = np.arange(group.size)
    before, after = costs[rows, old].sum(), costs[rows, new].sum()
    return new if after < before - _GAIN * abs(before) else old


def _swap(
    group: Group,
    costs: Matrix,
    within: _Neighbour | None,
    slots: Slots,
    candidates: Slots,
) -> Slots:
    """Let each candidate in turn change places with its best partner, as long as the cost falls.

    The cost is ``sum_i C[i, s_i] + 1/2 sum_ij m[i, j] g(d(s_i, s_j))``, m symmetric. C stays valid throughout, since
    only this group's own positions change. A neuron changes places within its head only.
    """
    slots, head = slots.copy(), np.arange(group.size) * group.heads // group.size
    scale = float(costs.sum() + (0.0 if within is None else np.abs(within.mass * within.apart).sum()))
    gains = _swap_gains(costs, within, slots)
    for i in candidates:
        j = int(np.argmax(np.where(head == head[i], gains[i], 0.0)))
        if head[i] == head[j] and gains[i, j] > _GAIN * scale:
            slots[[i, j]] = slots[[j, i]]
            gains = _swap_gains(costs, within, slots)  # of a settled group, all at once and once only
    return slots


def _swap_gains(costs: Matrix, within: _Neighbour | None, slots: Slots) -> Matrix:
    """How much the cost falls when neurons i and j change places, for all pairs at once."""
    taken = costs[:, slots]  # what i pays at the place of j
    pairs: Matrix | float = 0.0
    if within is not None:
        placed, loops = within.apart[slots][:, slots], np.diag(within.mass)
        taken = taken + within.mass @ placed  # as if i and j, too, stayed where they are
        pairs = placed * (loops[:, None] + loops - 2 * within.mass)
    own = np.diag(taken)
    return np.asarray(own[:, None] + own - taken - taken.T + pairs, dtype=np.float64)


def _strength(group: Group, layout: Layout, tensors: Mapping[str, np.ndarray]) -> Float64[np.ndarray, " neurons"]:
    """How strongly each neuron is connected: the magnitudes of all weights that enter and leave it, added up."""
    total = np.zeros(group.size)
    for name in layout.weights():
        plan = layout.tensors[name].plan
        for axis, end in enumerate(plan.groups):
            if end == group.name:
                total += fold(np.abs(tensors[name]).astype(np.float64), plan, layout.sizes).sum(1 - axis)
    return total


def _greedy(group: Group, neighbours: list[_Neighbour], slots: Mapping[str, Slots], strongest: Slots) -> Slots:
    """The paper's swaps for one group: its strongest neurons are the candidates."""
    costs = _slot_costs(group, neighbours, slots)
    return _swap(group, costs, _within(group, neighbours), slots[group.name], strongest)
