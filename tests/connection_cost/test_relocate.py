import inspect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_train import ConnectionCost, InputError, relocate
from bimt_train.checkpoints import Network
from bimt_train.connection_cost import _relocate
from bimt_train.connection_cost._assignment import assign_blocks
from bimt_train.connection_cost._relocate import relocate_all
from bimt_train.connection_cost._swaps import Neighbour, swap_gains
from bimt_train.layouts import Group, Layout, Placement, TensorSpec, attention, distances, embedding, linear, recurrent
from bimt_train.models import MLP

SEEDS = st.integers(0, 10**6)
Arrays = dict[str, np.ndarray]


def _drawn(layout: Layout, seed: int) -> Arrays:
    """Weights of any size, a third of them zero, for every tensor of the layout."""
    generator = np.random.default_rng(seed)
    tensors = {}
    for name, spec in layout.tensors.items():
        sizes = {**layout.sizes, None: 3}
        shape = tuple(int(np.prod([sizes.get(f, f) for f in axis])) for axis in spec.plan.axes)
        tensors[name] = (generator.normal(size=shape) * (generator.random(shape) > 1 / 3)).astype(np.float32)
    return tensors


def _shuffled(layout: Layout, seed: int) -> Placement:
    """Any placement that keeps heads together."""
    generator = np.random.default_rng(seed)
    slots = {}
    for group in layout.groups:
        blocks = np.arange(group.size).reshape(group.heads, -1)[generator.permutation(group.heads)]
        slots[group.name] = tuple(generator.permuted(blocks, axis=1).ravel().tolist())
    return Placement(slots).check(layout)


def _layouts() -> dict[str, Layout]:
    x, h, e = Group.line("x", 3), Group.line("h", 5), Group.line("e", 4)
    resid, readers = Group.line("resid", 5), Group.line("attn", 6, heads=3)
    flat = [Group.grid("x", (2, 3), movable=False), Group.grid("h", 7), Group.ring("y", 4)]
    return {
        "mlp": MLP([3, 6, 5, 2]).layout(),
        "folded": Layout.merge(embedding("emb", target=e), linear("a", source=e, target=h, copies=2)),
        "attention": Layout.merge(
            linear("in", source=x, target=resid), attention("attn", residual=resid, readers=readers)
        ),
        "recurrent": Layout.merge(recurrent("rnn", source=x, state=h), linear("out", source=h, target=e)),
        "transposed": linear("a", source=x, target=h, transposed=True),
        "images": Layout.merge(
            linear("a", source=flat[0], target=flat[1]), linear("b", source=flat[1], target=flat[2])
        ),
        "twice": Layout((x, h), {"a": TensorSpec("h x"), "b": TensorSpec("x h"), "c": TensorSpec("h (2 h)")}),
    }


LAYOUTS = _layouts()
COSTS = {
    "sum": ConnectionCost(),
    "mean": ConnectionCost(l0=0.5, scale=2.0, reduction="mean"),
    "half": ConnectionCost(without_distance=frozenset({"layers.2.weight", "b"})),
}


# ---- exactness


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), SEEDS)
def test_one_group_is_assigned_as_well_as_the_best_of_all_permutations(size: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    ends = [Group.line(name, n, movable=False) for name, n in (("x", 3), ("y", 4))]
    free = Group.grid("h", size) if seed % 2 else Group.line("h", size)
    layout = Layout.merge(linear("a", source=ends[0], target=free), linear("b", source=free, target=ends[1]))
    tensors, placement = _drawn(layout, seed), _shuffled(layout, seed + 1)
    cost = ConnectionCost(reduction="mean") if generator.random() < 0.5 else ConnectionCost()
    found = cost.value(layout, relocate(layout, placement, tensors, cost), tensors)
    into, out = np.abs(tensors["a.weight"].astype(float)), np.abs(tensors["b.weight"].astype(float))
    if cost.reduction == "mean":
        into, out = into / into.size, out / out.size
    near = distances(free.coordinates, placement.coordinates(layout, "x"))
    far = distances(placement.coordinates(layout, "y"), free.coordinates)
    best = min(
        (into * near[list(slots)]).sum() + (out * far[:, list(slots)]).sum()
        for slots in itertools.permutations(range(size))
    )
    lengthless = replace(cost, scale=0.0).value(layout, placement, tensors)
    assert found == pytest.approx(best + lengthless, rel=1e-9)


def _nested(size: int, heads: int) -> Iterator[list[int]]:
    """Every way to assign blocks to blocks, and neurons within each."""
    width = size // heads
    for blocks in itertools.permutations(range(heads)):
        for inner in itertools.product(itertools.permutations(range(width)), repeat=heads):
            yield [block * width + slot for block, within in zip(blocks, inner, strict=True) for slot in within]


@pytest.mark.parametrize(("size", "heads"), [(4, 2), (6, 2), (6, 3), (6, 6), (5, 1), (8, 4), (1, 1)])
@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_assigned_as_well_as_the_best_of_all_nested_permutations(size: int, heads: int, seed: int) -> None:
    costs = np.random.default_rng(seed).normal(size=(size, size))
    slots = assign_blocks(costs, heads)
    rows = np.arange(size)
    best = min(costs[rows, each].sum() for each in _nested(size, heads))
    assert sorted(slots) == list(range(size))
    assert costs[rows, slots].sum() == pytest.approx(best, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_heads_move_as_blocks_to_the_best_place(seed: int) -> None:
    ends = [Group.line(name, 5, movable=False) for name in ("r", "s")]
    readers = Group.line("attn", 6, heads=3)
    layout = Layout.merge(
        Layout((ends[0], readers), {"qkv": TensorSpec("(3 attn) r")}), linear("o", source=readers, target=ends[1])
    )
    tensors, placement, cost = _drawn(layout, seed), _shuffled(layout, seed + 1), ConnectionCost()
    moved = relocate(layout, placement, tensors, cost).check(layout)
    best = min(cost.value(layout, placement.moved("attn", tuple(s)), tensors) for s in _nested(6, 3))
    assert cost.value(layout, moved, tensors) == pytest.approx(best, rel=1e-9)


# ---- the cost never rises, the outputs never change


@pytest.mark.parametrize("method", ["assignment", "swap"])
@pytest.mark.parametrize("prices", COSTS)
@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_the_cost_never_rises_and_only_the_movable_move(name: str, prices: str, method: str, seed: int) -> None:
    layout, cost = LAYOUTS[name], COSTS[prices]
    tensors, placement = _drawn(layout, seed), _shuffled(layout, seed + 1)
    before = {key: array.copy() for key, array in tensors.items()}
    moved = relocate(layout, placement, tensors, cost, method=method, top_k=3).check(layout)
    was, now = (cost.value(layout, p, tensors) for p in (placement, moved))
    assert now <= was * (1 + 1e-12)
    assert moved == placement or now < was
    assert all(moved.slots[g.name] == placement.slots[g.name] for g in layout.groups if not g.movable)
    assert all(np.array_equal(tensors[key], array) for key, array in before.items())


@settings(max_examples=6, deadline=None)
@given(SEEDS)
def test_assignment_ends_where_no_single_group_can_gain(seed: int) -> None:
    layout = LAYOUTS["mlp"]
    tensors, cost = _drawn(layout, seed), ConnectionCost()
    settled = relocate(layout, _shuffled(layout, seed), tensors, cost)
    assert relocate(layout, settled, tensors, cost) == settled
    least = cost.value(layout, settled, tensors)
    for group in ("x", "h2", "y"):
        for slots in itertools.permutations(range(layout.sizes[group])):
            assert cost.value(layout, settled.moved(group, slots), tensors) >= least * (1 - 1e-9)


@pytest.mark.parametrize("method", ["assignment", "swap", "none"])
def test_outputs_stay_bit_identical(method: str) -> None:
    network = Network.of(MLP([4, 20, 20, 2], generator=torch.Generator().manual_seed(0)))
    x = np.random.default_rng(0).uniform(-1, 1, (50, 4))
    rows = torch.tensor(x, dtype=torch.float32)
    placement = relocate(network.layout, network.placement, network.tensors, ConnectionCost(), method=method)
    moved = network.with_placement(placement)
    assert (moved.placement != network.placement) == (method != "none")
    assert np.array_equal(moved.predict(x), network.predict(x))
    assert torch.equal(moved.module()(rows), network.module()(rows))


def test_none_gives_the_placement_itself() -> None:
    layout = LAYOUTS["mlp"]
    placement = _shuffled(layout, 0)
    assert relocate(layout, placement, _drawn(layout, 0), ConnectionCost(), method="none") is placement


def test_a_group_that_pays_for_no_length_stays() -> None:
    layout = LAYOUTS["transposed"]
    cost = ConnectionCost(without_distance=frozenset({"a.weight"}))
    for method in ("assignment", "swap"):
        placement = _shuffled(layout, 0)
        assert relocate(layout, placement, _drawn(layout, 0), cost, method=method) == placement


def test_plain_l1_relocates_by_length_all_the_same() -> None:
    layout, local = LAYOUTS["mlp"], ConnectionCost()
    tensors, placement = _drawn(layout, 0), _shuffled(layout, 0)
    found = relocate(layout, placement, tensors, replace(local, local=False))
    assert found == relocate(layout, placement, tensors, local) != placement


def test_two_independent_halves_are_untangled() -> None:
    """Neurons of two unconnected blocks, interleaved: each block ends on its own side."""
    layout = MLP([4, 8, 2]).layout()
    tensors = {name: np.zeros(array.shape) for name, array in _drawn(layout, 0).items()}
    for i in range(8):
        tensors["layers.0.weight"][i, i % 2 :: 2] = 1.0
        tensors["layers.1.weight"][i % 2, i] = 1.0
    moved = relocate(layout, Placement.identity(layout), tensors, ConnectionCost())
    for group in ("x", "h1"):
        slots = moved.slots[group]
        sides = {slot < len(slots) / 2 for slot in slots[::2]}
        assert len(sides) == 1
        assert {slot < len(slots) / 2 for slot in slots[1::2]} == {not sides.pop()}


# ---- the paper's greedy rule


def _naive_swaps(layout: Layout, placement: Placement, tensors: Arrays, cost: ConnectionCost, top_k: int) -> Placement:
    """Try every swap of every strong neuron and evaluate the whole cost each time, as the published code does."""
    for group in layout.groups:
        strength = np.zeros(group.size)
        for name in layout.weights():
            target, source = layout.tensors[name].plan.groups
            size = np.abs(tensors[name].astype(float))
            strength += size.sum(1) if target == group.name else 0.0
            strength += size.sum(0) if source == group.name else 0.0
        for j in np.argsort(-strength, kind="stable")[:top_k]:
            tries = []
            for k in range(group.size):
                slots = list(placement.slots[group.name])
                slots[j], slots[k] = slots[k], slots[j]
                tries.append(placement.moved(group.name, tuple(slots)))
            costs = [cost.value(layout, each, tensors) for each in tries]
            placement = tries[int(np.argmin(costs))]
    return placement


@pytest.mark.parametrize("prices", ["sum", "mean"])
@pytest.mark.parametrize("top_k", [1, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_swaps_are_those_of_the_published_rule(prices: str, top_k: int, seed: int) -> None:
    layout, cost = LAYOUTS["mlp"], COSTS[prices]
    generator = np.random.default_rng(seed)
    tensors = {n: generator.normal(size=t.shape) for n, t in _drawn(layout, seed).items()}
    placement = _shuffled(layout, seed)
    found = relocate(layout, placement, tensors, cost, method="swap", top_k=top_k)
    naive = _naive_swaps(layout, placement, tensors, cost, top_k)
    assert found == naive
    assert found != placement


def test_strength_is_magnitude_whatever_its_price() -> None:
    """Of two neurons, one strong and cheap and one weaker and dearer, the stronger is tried."""
    x, h, y = Group.line("x", 8, movable=False), Group.line("h", 4), Group.line("y", 1, movable=False)
    layout = Layout.merge(linear("a", source=x, target=h), linear("b", source=h, target=y))
    a, b = np.zeros((4, 8)), np.zeros((1, 4))
    a[0, 7], b[0, 3] = 2.0, 1.5
    tensors = {"a.weight": a, "a.bias": np.zeros(4), "b.weight": b, "b.bias": np.zeros(1)}
    cost = ConnectionCost(reduction="mean")
    moved = relocate(layout, Placement.identity(layout), tensors, cost, method="swap", top_k=1)
    assert moved.slots["h"][0] == 3


# ---- recurrent groups


def _pays(within: np.ndarray, apart: np.ndarray, costs: np.ndarray, slots: Sequence[int]) -> float:
    """The whole cost of one group, from scratch."""
    total = sum(costs[i, s] for i, s in enumerate(slots))
    return total + 0.5 * sum(within[i, j] * apart[s, t] for i, s in enumerate(slots) for j, t in enumerate(slots))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), SEEDS)
def test_the_gain_of_a_swap_is_the_difference_of_two_costs(size: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    half = generator.random((size, size))
    within, costs = half + half.T, generator.random((size, size))
    places = Group.grid("h", size).coordinates
    apart, slots = distances(places, places), generator.permutation(size)
    gains = swap_gains(costs, Neighbour("h", within, apart), slots)
    for i in range(size):
        for j in range(size):
            swapped = slots.copy()
            swapped[[i, j]] = swapped[[j, i]]
            fall = _pays(within, apart, costs, slots.tolist()) - _pays(within, apart, costs, swapped.tolist())
            assert gains[i, j] == pytest.approx(fall, abs=1e-10)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_a_recurrent_group_ends_where_no_swap_gains(seed: int) -> None:
    h = Group.line("h", 6)
    layout, cost = Layout((h,), {"w": TensorSpec("h h")}), ConnectionCost()
    tensors, placement = _drawn(layout, seed), _shuffled(layout, seed)
    settled = relocate(layout, placement, tensors, cost, max_sweeps=100)
    least = cost.value(layout, settled, tensors)
    assert least <= cost.value(layout, placement, tensors)
    for i, j in itertools.combinations(range(6), 2):
        slots = list(settled.slots["h"])
        slots[i], slots[j] = slots[j], slots[i]
        assert cost.value(layout, settled.moved("h", tuple(slots)), tensors) >= least * (1 - 1e-9)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.sampled_from(sorted(LAYOUTS)), st.sampled_from(["assignment", "swap"]))
def test_many_networks_at_once_end_where_each_ends_alone(seed: int, kind: str, method: str) -> None:
    layout, cost = LAYOUTS[kind], ConnectionCost()
    drawn, starts = ([make(layout, seed + k) for k in range(5)] for make in (_drawn, _shuffled))
    alone = [
        relocate(layout, start, tensors, cost, method=method) for start, tensors in zip(starts, drawn, strict=True)
    ]
    stacked = {name: np.stack([tensors[name] for tensors in drawn]) for name in layout.weights()}
    assert list(relocate_all(layout, starts, stacked, cost, method=method)) == alone
    settled = relocate_all(layout, alone, stacked, cost)
    again = relocate_all(layout, settled, stacked, cost)
    assert all(one is other for one, other in zip(again, settled, strict=True))


# ---- refusals


@pytest.mark.parametrize("few", [0.0, 1.0])
def test_few_weights_of_a_large_group_cost_what_they_cost_one_by_one(
    few: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_relocate, "_FEW", few)  # no product is sparse, or each is
    rng, group = np.random.default_rng(0), Group("h", ((0.0, 0.0),) * (_relocate.EXACT + 1))
    mass = rng.random((2, group.size, 5)) * (rng.random((2, group.size, 5)) < 0.02)
    apart, slots = rng.random((group.size, 5)), np.stack([rng.permutation(5), rng.permutation(5)])
    costs = _relocate._slot_costs(group, [Neighbour("x", mass, apart)], {"x": slots}, np.arange(2))
    for row, neuron, slot in rng.integers([2, group.size, group.size], size=(50, 3)):
        paid = sum(mass[row, neuron, k] * apart[slot, slots[row, k]] for k in range(5))
        assert costs[row, neuron, slot] == pytest.approx(paid, abs=1e-12)


def test_an_unknown_method_is_refused() -> None:
    layout = LAYOUTS["mlp"]
    users = inspect.unwrap(relocate)  # as it is outside the tests, where nobody enforces annotations
    with pytest.raises(InputError) as caught:
        users(layout, Placement.identity(layout), _drawn(layout, 0), ConnectionCost(), method="anneal")
    assert str(caught.value) == (
        "unknown relocation method: expected assignment, swap, none, got anneal; hint: name one of these"
    )
