"""Wiring length against loops over weights, and against every placement there is."""

import json
from itertools import permutations, product

import numpy as np
import pytest
import torch

from bimt_analyze.audits.chance._wiring import LENGTH, _random, wiring
from bimt_train import InputError, relocate
from bimt_train.checkpoints import Network
from bimt_train.layouts import Group, Layout, Placement, linear
from bimt_train.models import ModelSpec, RowTransformer


def small(seed: int, *, widths: tuple[int, ...] = (3, 5, 2), movable: bool = False) -> Network:
    """Hidden groups move; the ends move where ``movable``."""
    rng, last = np.random.default_rng(seed), len(widths) - 1
    groups = [Group.line(f"g{d}", n, movable=movable or 0 < d < last) for d, n in enumerate(widths)]
    pieces = [linear(f"layers.{d}", source=groups[d], target=groups[d + 1]) for d in range(last)]
    layout = Layout.merge(*pieces, inputs="g0", outputs=f"g{last}")
    tensors = {name: rng.normal(size=(b, a)) * (rng.random((b, a)) < 0.7)
               for name, a, b in zip(layout.weights(), widths, widths[1:], strict=False)}  # fmt: skip
    tensors |= {f"layers.{d}.bias": rng.normal(size=widths[d + 1]) for d in range(last)}
    spec = ModelSpec("mlp", {"widths": list(widths), "activation": "tanh"})
    return Network(spec, layout, Placement.identity(layout), tensors)


def by_loop(network: Network, placement: Placement) -> float:
    total = 0.0
    for c in network.connections():
        here, there = (network.layout.group(name).slots for name in (c.target, c.source))
        for i, j in product(range(len(here)), range(len(there))):
            a, b = here[placement.slots[c.target][i]], there[placement.slots[c.source][j]]
            total += abs(float(c.matrix[i, j])) * abs(a[0] - b[0])
    return total


@pytest.mark.parametrize("seed", range(4))
def test_one_group_against_all_its_placements(seed: int) -> None:
    network = small(seed)
    every = np.array([by_loop(network, network.placement.moved("g1", p)) for p in permutations(range(5))])
    found = wiring(network, samples=3000, starts=2, seed=seed)
    assert found.length == pytest.approx(by_loop(network, network.placement))
    assert found.best == pytest.approx(every.min())
    assert found.relocated == pytest.approx(every.min())
    assert by_loop(network, found.best_placement) == pytest.approx(found.best)
    assert found.random_mean == pytest.approx(every.mean(), rel=0.01)
    assert found.random_deviation == pytest.approx(every.std(), rel=0.1)
    assert found.p == pytest.approx((every <= found.length + 1e-9).mean(), abs=0.04)
    assert found.locality == pytest.approx((every.mean() - found.length) / (every.mean() - every.min()), abs=0.1)


def test_starts_find_what_relocation_from_one_place_misses() -> None:
    # with several groups relocation ends in a local minimum; all 6 * 24 * 24 * 2 placements say which is the least
    gained = 0
    for seed in range(6):
        network = small(seed, widths=(3, 4, 4, 2), movable=True)
        found = wiring(network, samples=1, starts=12, seed=seed)
        own = relocate(network.layout, network.placement, network.tensors, LENGTH)
        assert found.relocated == pytest.approx(by_loop(network, own))
        gained += found.best < found.relocated - 1e-9
        assert by_loop(network, found.best_placement) == pytest.approx(found.best)
        assert found.best <= found.relocated
    assert gained > 0


def test_the_best_of_several_groups_is_that_of_all_placements() -> None:
    network = small(0, widths=(2, 3, 3, 2), movable=True)
    ways = [permutations(range(n)) for n in (2, 3, 3, 2)]
    least = min(by_loop(network, Placement({f"g{d}": p for d, p in enumerate(dealt)})) for dealt in product(*ways))
    assert wiring(network, samples=1, starts=20).best == pytest.approx(least)


def test_a_network_already_at_its_best_is_as_local_as_can_be() -> None:
    network = small(1)
    placed = network.with_placement(wiring(network).best_placement)
    found = wiring(placed)
    assert found.locality == pytest.approx(1.0)
    assert found.length == found.best
    assert found.best_placement == placed.placement
    assert found.p < 0.1


def test_where_nothing_can_move_nothing_is_gained() -> None:
    found = wiring(small(0, widths=(3, 1, 2)), samples=10)
    assert (found.p, found.locality) == (1.0, None)
    assert np.allclose(found.random, found.length)
    assert json.loads(json.dumps(found.to_json()))["samples"] == 10


def test_samples_depend_on_seed_and_number_alone() -> None:
    network = small(2, widths=(3, 8, 2))
    ten, four = wiring(network, samples=10, starts=0), wiring(network, samples=4, starts=0)
    assert np.array_equal(ten.random[:4], four.random)
    assert not np.array_equal(ten.random, wiring(network, samples=10, starts=0, seed=1).random)


def test_random_placements_keep_heads_and_what_is_fixed() -> None:
    model = RowTransformer((0, 1, 0), 3, 8, heads=2, layers=1, hidden=4, generator=torch.Generator().manual_seed(0))
    network = Network.of(model)
    fixed = [group.name for group in network.layout.groups if not group.movable]
    generators = map(np.random.default_rng, range(30))
    dealt = [_random(network.layout, network.placement, each).check(network.layout) for each in generators]
    assert all(one.slots[name] == network.placement.slots[name] for one in dealt for name in fixed)
    assert {one.slots["a1"][0] for one in dealt} == set(range(8))  # across heads and within
    assert wiring(network, samples=20, starts=1).best <= wiring(network, samples=20, starts=1).length


def test_nothing_to_compare_with_is_refused() -> None:
    with pytest.raises(InputError, match=r"nothing to compare with: samples, starts: expected samples 1 or more"):
        wiring(small(0), samples=0)


def test_relocation_starts_less_often_where_groups_are_large():
    from bimt_analyze.measures._wiring_measure import relocations_within_reach
    from bimt_train.checkpoints import Network
    from bimt_train.models import MLP

    reach = [relocations_within_reach(Network.of(MLP([2, width, 1]))) for width in (8, 400, 520, 3000)]
    assert reach == [(5, 20), (5, 20), (2, 4), (0, 4)]
