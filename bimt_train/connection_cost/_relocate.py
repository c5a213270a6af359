"""Relocation: neurons are assigned to the positions where their connections are cheap. Weights never move."""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64
from scipy.sparse import csr_array

from .._errors import InputError
from ..layouts import Group, Layout, Placement, distances
from ..layouts.fold import fold
from ._assignment import EXACT, LEAST_GAIN, assign_blocks
from ._connection_cost import ConnectionCost
from ._swaps import Matrix, Neighbour, Slots, swapped, within_group

_log = logging.getLogger(__name__)

Method = Literal["assignment", "swap", "none"]
Costs = Float64[np.ndarray, "rows neurons slots"]
Mass = Float64[np.ndarray, "rows neurons others"]
Stacked = Mapping[str, np.ndarray]

_GAIN = 1e-12  # relative; below it a change of cost is rounding
_FEW = 1 / 30  # share of weights below which a sparse product is faster than a dense one


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
    _check_method(method)
    stacked = {name: tensors[name][None] for name in layout.weights()}
    return relocate_all(layout, [placement], stacked, cost, method=method, top_k=top_k, max_sweeps=max_sweeps)[0]


def relocate_all(
    layout: Layout,
    placements: Sequence[Placement],
    tensors: Stacked,
    cost: ConnectionCost,
    *,
    method: Method = "assignment",
    top_k: int = 5,
    max_sweeps: int = 20,
) -> tuple[Placement, ...]:
    """Relocate many networks of one layout at once; each ends where `relocate` would leave it alone.

    Parameters
    ----------
    layout : Layout
        Which groups each tensor joins, and which groups may move.
    placements : sequence of Placement
        The position of each neuron now, one placement a network.
    tensors : mapping of str to array of shape (networks, ...)
        The weights of all networks, by the names of the layout.
    cost : ConnectionCost
        The cost that is trained on, further terms included.
    method : {"assignment", "swap", "none"}
        The rule, as `relocate` has it.
    top_k : int
        How many neurons of a group ``swap`` tries.
    max_sweeps : int
        At most so many sweeps over all groups by ``assignment``.

    Returns
    -------
    tuple of Placement
        The new positions; the given placement itself where nothing moved.

    Raises
    ------
    InputError
        The method is unknown, or a term of the cost is.

    Examples
    --------
    >>> from bimt_train.layouts import linear
    >>> layout = linear("a", source=Group.line("x", 2, movable=False), target=Group.line("y", 2))
    >>> weights = np.array([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    >>> start = [Placement.identity(layout)] * 2
    >>> [moved.slots["y"] for moved in relocate_all(layout, start, {"a.weight": weights}, ConnectionCost())]
    [(1, 0), (0, 1)]
    """
    _check_method(method)
    if method == "none":
        return tuple(placements)
    neighbours = _neighbours(layout, tensors, cost)
    old = {group.name: np.array([placement.slots[group.name] for placement in placements]) for group in layout.groups}
    slots = {name: chosen.copy() for name, chosen in old.items()}
    movable = [group for group in layout.groups if group.movable and neighbours[group.name]]
    if method == "swap":
        for group in movable:
            strongest = np.argsort(-_strength(group, layout, tensors), axis=1, kind="stable")[:, :top_k]
            slots[group.name] = _greedy(group, neighbours[group.name], slots, strongest)
    else:
        _sweep(movable, neighbours, slots, max_sweeps)
    moved = np.any([(slots[name] != chosen).any(axis=1) for name, chosen in old.items()], axis=0)
    return tuple(
        Placement({name: tuple(chosen[row].tolist()) for name, chosen in slots.items()}) if moved[row] else placement
        for row, placement in enumerate(placements)
    )


def _check_method(method: str) -> None:
    known = get_args(Method)
    if method not in known:
        raise InputError("unknown relocation method", expected=", ".join(known), got=method, hint="name one of these")


def _sweep(movable: list[Group], neighbours: dict[str, list[Neighbour]], slots: dict[str, Slots], bound: int) -> None:
    """Assign the groups there and back, until none has a neighbour that moved since its own last turn.

    Where a group is too large to be assigned exactly, a sweep that gains less than that leaves open is the last.
    """
    rows = len(next(iter(slots.values())))
    stale = {group.name: np.ones(rows, dtype=bool) for group in movable}
    nearly = any(group.size > EXACT for group in movable)
    for sweep in range(bound):
        gained = paid = 0.0
        for group in movable if sweep % 2 == 0 else movable[::-1]:
            turn = np.flatnonzero(stale[group.name])
            if not len(turn):
                continue
            if group.size > EXACT:
                _log.info("relocation: sweep %d, group %s of %d neurons", sweep + 1, group.name, group.size)
            assigned, before, after = _assign(group, neighbours[group.name], slots, turn)
            gained, paid = gained + before - after, paid + before
            stale[group.name][turn] = False
            moved = turn[(assigned != slots[group.name][turn]).any(axis=1)]
            slots[group.name][turn] = assigned
            for other in {near.other for near in neighbours[group.name]} & set(stale):
                stale[other][moved] = True
        if not any(marks.any() for marks in stale.values()) or (nearly and gained <= LEAST_GAIN * paid):
            break


def _neighbours(layout: Layout, tensors: Stacked, cost: ConnectionCost) -> dict[str, list[Neighbour]]:
    """For every group and each that it is joined to, all weights between them, with that group on the rows.

    Recurrent weights count both ways.
    """
    joined: dict[tuple[str, str], Mass] = {}
    apart: dict[tuple[str, str], Matrix] = {}
    for name in layout.weights():
        if name in cost.without_distance:
            continue
        plan = layout.tensors[name].plan
        target, source = plan.groups
        factor, prices = cost.distance_prices(distances(*(layout.group(end).coordinates for end in plan.groups)))
        if factor == 0.0:
            continue
        share = factor * cost.share(tensors[name][0].size)
        mass = share * fold(np.abs(tensors[name]).astype(np.float64), plan, layout.sizes)
        if (source, target) in joined and target != source:
            target, source, mass, prices = source, target, mass.swapaxes(1, 2), prices.T
        elif target == source:
            mass = mass + mass.swapaxes(1, 2)
        before = joined.get((target, source))
        joined[target, source] = mass if before is None else before + mass
        apart[target, source] = prices
    found: dict[str, list[Neighbour]] = {group.name: [] for group in layout.groups}
    for (target, source), mass in joined.items():
        found[target].append(Neighbour(source, mass, apart[target, source]))
        if target != source:
            found[source].append(Neighbour(target, mass.swapaxes(1, 2), apart[target, source].T))
    return found


def _slot_costs(group: Group, neighbours: list[Neighbour], slots: Mapping[str, Slots], rows: Slots) -> Costs:
    """C[row, neuron, slot], from the groups other than this one."""
    costs = np.zeros((len(rows), group.size, group.size))
    for near in neighbours:
        if near.other == group.name:
            continue
        mass = near.mass if len(rows) == len(near.mass) else near.mass[rows]
        prices = near.apart.T[slots[near.other][rows]]
        if group.size > EXACT and np.count_nonzero(mass) < _FEW * mass.size:
            for own, weights, price in zip(costs, mass, prices, strict=True):
                own += csr_array(weights) @ price
        else:
            costs += mass @ prices
    return costs


def _assign(
    group: Group, neighbours: list[Neighbour], slots: Mapping[str, Slots], rows: Slots
) -> tuple[Slots, float, float]:
    """The group's best slots in these rows, its own old ones unless the gain is more than rounding.

    The cost before and after comes along, of the ways from the group to others.
    """
    costs, old = _slot_costs(group, neighbours, slots, rows), slots[group.name][rows]
    within = within_group(group, neighbours)
    if within is not None:
        order = np.argsort(-within.mass[rows].sum(2), axis=1, kind="stable")
        several = zip(rows.tolist(), costs, old, order, strict=True)
        best = np.stack([swapped(group, each, within.of(row), was, by, least=_GAIN) for row, each, was, by in several])
        return best, float(_paid(costs, old).sum()), float(_paid(costs, best).sum())
    new = np.stack([assign_blocks(each, group.heads, was) for each, was in zip(costs, old, strict=True)])
    before, after = _paid(costs, old), _paid(costs, new)
    gains = after < before - _GAIN * np.abs(before)
    return np.where(gains[:, None], new, old), float(before.sum()), float(np.where(gains, after, before).sum())


def _paid(costs: Costs, slots: Slots) -> Float64[np.ndarray, " rows"]:
    """What all neurons of each row cost at these slots."""
    found: Float64[np.ndarray, " rows"] = np.take_along_axis(costs, slots[..., None], axis=2)[..., 0].sum(axis=1)
    return found


def _strength(group: Group, layout: Layout, tensors: Stacked) -> Float64[np.ndarray, "rows neurons"]:
    """How strongly each neuron is connected: the magnitudes of all weights that enter and leave it, added up."""
    total: Float64[np.ndarray, "rows neurons"] = np.zeros((1, group.size))
    for name in layout.weights():
        plan = layout.tensors[name].plan
        for axis, end in enumerate(plan.groups):
            if end == group.name:
                total = total + fold(np.abs(tensors[name]).astype(np.float64), plan, layout.sizes).sum(2 - axis)
    return total


def _greedy(group: Group, neighbours: list[Neighbour], slots: Mapping[str, Slots], strongest: Slots) -> Slots:
    """The paper's swaps for one group: its strongest neurons are the candidates."""
    rows = np.arange(len(strongest))
    costs, within = _slot_costs(group, neighbours, slots, rows), within_group(group, neighbours)
    return np.stack([
        swapped(group, costs[row], within and within.of(row), slots[group.name][row], strongest[row], least=_GAIN)
        for row in rows.tolist()
    ])  # fmt: skip
