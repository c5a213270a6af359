"""Relocation: dealing neurons to the slots where their connections are short. Weights never move; places do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int
from scipy.optimize import linear_sum_assignment

from .._errors import InputError
from ..layouts import Group, Layout, Placement, distances, fold
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
    apart: Matrix  # distances of this group's slots to the other's


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

    For one group, the others staying, neuron i in slot s costs ``C[i, s] = sum_t sum_j m_t[i, j] d(s, place of j)``,
    with ``m_t`` the folded magnitudes times the cost's price of a length: one matrix product a tensor.

    - ``assignment``: the exact minimum over all permutations of each group (Hungarian method); blocks of heads are
      assigned within each block first, then among each other. Groups are swept back and forth until nothing is gained.
    - ``swap``: the paper's greedy rule (arXiv 2305.08746, section 2): each of the ``top_k`` neurons with the greatest
      summed magnitude of incoming and outgoing weights, whatever their price, changes places with whichever neuron
      lowers the cost most. Evaluated from C, where
      the published code evaluates the whole cost for every try. Neurons stay within their head.
    - ``none``: the placement itself.

    A group on both axes of one tensor (recurrent weights) makes the cost quadratic; there both methods accept pairwise
    swaps, the best partner for each neuron in turn, as long as the cost falls.

    Args:
        layout: what joins what, and who may move.
        placement: where the neurons are now.
        tensors: the weights, by the names of the layout.
        cost: the cost that is trained on.
        method: see above.
        top_k: how many neurons a group ``swap`` tries.
        max_sweeps: bound on the sweeps of ``assignment``.

    Raises:
        InputError: unknown method.
    """
    if method not in ("assignment", "swap", "none"):
        raise InputError(
            "unknown relocation method",
            expected="assignment, swap, none",
            got=str(method),
            mend="name one of these",
        )
    if method == "none":
        return placement
    neighbours = _neighbours(layout, tensors, cost)
    slots = {name: np.array(dealt) for name, dealt in placement.slots.items()}
    movable = [group for group in layout.groups if group.movable and neighbours[group.name]]
    if method == "swap":
        for group in movable:
            strongest = np.argsort(-_strength(group, layout, tensors), kind="stable")[:top_k]
            slots[group.name] = _greedy(group, neighbours[group.name], slots, strongest)
    else:
        _sweep(movable, neighbours, slots, max_sweeps)
    return Placement({name: tuple(dealt.tolist()) for name, dealt in slots.items()})


def _sweep(movable: list[Group], neighbours: dict[str, list[_Neighbour]], slots: dict[str, Slots], bound: int) -> None:
    """Assign the groups there and back, until none has a neighbour that moved since its own last turn."""
    stale = {group.name for group in movable}
    for sweep in range(bound):
        for group in movable if sweep % 2 == 0 else movable[::-1]:
            if group.name not in stale:
                continue
            dealt = _assign(group, neighbours[group.name], slots)
            stale.discard(group.name)
            if (dealt != slots[group.name]).any():
                slots[group.name] = dealt
                stale |= {near.other for near in neighbours[group.name]} & {group.name for group in movable}
        if not stale:
            break


def _neighbours(layout: Layout, tensors: Mapping[str, np.ndarray], cost: ConnectionCost) -> dict[str, list[_Neighbour]]:
    """For every group, its weight tensors with that group on the rows; a recurrent one once, both ways added."""
    found: dict[str, list[_Neighbour]] = {group.name: [] for group in layout.groups}
    for name in layout.weights():
        price = cost.length_price(name, tensors[name].size)
        if price == 0.0:
            continue
        plan = layout.tensors[name].plan
        target, source = (layout.group(end) for end in plan.groups)
        mass = price * fold(np.abs(tensors[name]).astype(np.float64), plan, layout.sizes)
        apart = distances(target.coordinates, source.coordinates)
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


def _recurrent_mass(group: Group, neighbours: list[_Neighbour]) -> Matrix | None:
    own = [near.mass for near in neighbours if near.other == group.name]
    return np.sum(own, axis=0) if own else None


def _assign(group: Group, neighbours: list[_Neighbour], slots: Mapping[str, Slots]) -> Slots:
    """The group's best slots, its own old ones unless the gain is more than rounding."""
    costs, old = _slot_costs(group, neighbours, slots), slots[group.name]
    within = _recurrent_mass(group, neighbours)
    if within is not None:
        return _swap(group, costs, within, old, np.argsort(-within.sum(1), kind="stable"))
    new = assign_blocks(costs, group.heads)
    rows = np.arange(group.size)
    before, after = costs[rows, old].sum(), costs[rows, new].sum()
    return new if after < before - _GAIN * abs(before) else old


def assign_blocks(costs: Matrix, heads: int = 1) -> Slots:
    """The permutation of least total cost that keeps blocks together: exact within blocks, then among them.

    Args:
        costs: ``[neuron, slot]``.
        heads: number of equal blocks.

    Returns:
        The slot of each neuron.
    """
    width = costs.shape[0] // heads
    if heads == 1:
        return np.asarray(linear_sum_assignment(costs)[1])
    blocks = costs.reshape(heads, width, heads, width).swapaxes(1, 2)
    inner = np.array([[linear_sum_assignment(block)[1] for block in row] for row in blocks])
    totals = np.take_along_axis(blocks, inner[..., None], axis=3).sum((2, 3))
    chosen = linear_sum_assignment(totals)[1]
    return np.concatenate([block * width + inner[head, block] for head, block in enumerate(chosen)])


def _swap(
    group: Group,
    costs: Matrix,
    within: Matrix | None,
    slots: Slots,
    candidates: Slots,
) -> Slots:
    """Let each candidate in turn change places with its best partner, as long as the cost falls.

    The cost is ``sum_i C[i, s_i] + 1/2 sum_ij m[i, j] d(s_i, s_j)``, m symmetric. C stays valid throughout, since only
    this group's own places change. A neuron changes places within its head only.
    """
    apart = distances(group.coordinates, group.coordinates)
    slots, head = slots.copy(), np.arange(group.size) * group.heads // group.size
    scale = float(costs.sum() + (0.0 if within is None else (within * apart).sum()))
    gains = _swap_gains(costs, within, apart, slots)
    for i in candidates:
        j = int(np.argmax(np.where(head == head[i], gains[i], 0.0)))
        if head[i] == head[j] and gains[i, j] > _GAIN * scale:
            slots[[i, j]] = slots[[j, i]]
            gains = _swap_gains(costs, within, apart, slots)  # of a settled group, all at once and once only
    return slots


def _swap_gains(costs: Matrix, within: Matrix | None, apart: Matrix, slots: Slots) -> Matrix:
    """How much the cost falls when neurons i and j change places, for all pairs at once."""
    taken = costs[:, slots]  # what i pays at the place of j
    pairs: Matrix | float = 0.0
    if within is not None:
        placed, loops = apart[slots][:, slots], np.diag(within)
        taken = taken + within @ placed  # as if i and j, too, stayed where they are
        pairs = placed * (loops[:, None] + loops - 2 * within)
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
    return _swap(group, costs, _recurrent_mass(group, neighbours), slots[group.name], strongest)
