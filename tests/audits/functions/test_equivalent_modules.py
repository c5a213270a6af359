"""Copies planted by hand, and Boolean functions against brute force over all renamings and negations."""

import json
from collections.abc import Callable
from itertools import pairwise, permutations, product

import numpy as np
import pytest

from bimt_analyze.audits.functions._equivalent_modules import equivalent_modules, most_equivalent
from bimt_analyze.audits.functions._module_comparison import EquivalentModules
from bimt_analyze.graph import NodeId, neuron_graph
from bimt_analyze.modules import choose_level, hierarchy
from bimt_analyze.synthetic import absolute_sums, block_network, boolean_hierarchy
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP

X = np.random.default_rng(0).uniform(-1, 1, (300, 8))
# (input, slope, offset, weight to the outputs) of each hidden neuron, module by module
PLANTED = [
    [(0, 1, 0, 1), (0, -1, 0, 1)],  # |x1|
    [(1, 2, -1, 3), (1, -2, 1, 3)],  # 3 |2 x2 - 1|
    [(2, 1, 0.5, 1), (2, 1, -0.5, -1)],  # a ramp
    [(3, 1, 2, 1), (3, 1, 3, 1)],  # always positive: linear
    [(4, 1, 0, 1)],  # one neuron
    [(5, 0, 1, 1), (5, 0, 2, 1)],  # constant
    [(6, 1, 0, 1), (6, -1, 0, 1), (7, 1, 0.2, 2)],  # |x7| + 2 ReLU(x8 + 0.2)
]
NEURONS = [neuron for module in PLANTED for neuron in module]


def planted(neurons: list[tuple[float, ...]], outputs: int = 2) -> Network:
    inner, bias = np.zeros((len(neurons), 8)), np.zeros(len(neurons))
    for n, (source, slope, offset, _) in enumerate(neurons):
        inner[n, int(source)], bias[n] = slope, offset
    outer = np.array([[float(weight) for *_, weight in neurons]] * outputs) * np.arange(1, outputs + 1)[:, None]
    tensors = {"layers.0.weight": inner, "layers.0.bias": bias, "layers.1.weight": outer}
    return Network.of(MLP([8, len(neurons), outputs], "relu")).with_tensors(tensors)


def modules_of(planted: list[list[tuple[float, ...]]]) -> list[frozenset[NodeId]]:
    ends = np.cumsum([0, *map(len, planted)])
    return [frozenset(("h1", n) for n in range(a, b)) for a, b in pairwise(ends.tolist())]


def families(found: tuple[EquivalentModules, ...]) -> dict[str, list[set[int]]]:
    told: dict[str, list[set[int]]] = {}
    for family in found:
        told.setdefault(family.kind, []).append({member.module for member in family.members})
    return told


def correlation(f: np.ndarray, g: np.ndarray) -> float:
    return float(np.corrcoef(f, g)[0, 1] ** 2)


def test_absolute_values_are_a_family_and_everything_else_is_told_apart() -> None:
    found = equivalent_modules(planted(NEURONS), modules_of(PLANTED), X)
    assert families(found) == {
        "curved": [{0, 1}, {2}, {6}],
        "linear": [{3}],
        "constant": [{5}],
        "one neuron wide": [{4}],
    }
    (first, second), x = found[0].members, X[:, 1]
    assert found[0].representative == first.module == 0 and first.map is None and first.words == ""
    assert second.r2 > 0.9999 and second.share == pytest.approx(1) and second.isolated == pytest.approx(1)
    assert second.line == pytest.approx(correlation(np.polyval(np.polyfit(x, np.abs(2 * x - 1), 1), x), abs(2 * x - 1)))
    moved = second.map.scales[0] * x + second.map.shifts[0]
    assert correlation(np.abs(moved), np.abs(2 * x - 1)) > 0.9999
    assert moved.min() > -1.2 and moved.max() < 1.2  # nothing is asked where |x1| was never seen
    assert second.words.startswith(f"{second.map.output_scale:.3g} f({second.map.scales[0]:.3g} x.1 - ")
    plain = [family.to_json() for family in found]
    assert json.loads(json.dumps(plain)) == plain


def test_two_arguments_may_change_places() -> None:
    terms = [PLANTED[6], [(0, -3, 0.6, 1), (1, 1.5, 0, 1), (1, -1.5, 0, 1)]]  # ReLU(0.6 - 3 x1) + 1.5 |x2|
    found = equivalent_modules(planted([neuron for module in terms for neuron in module]), modules_of(terms), X)
    assert families(found)["curved"] == [{0, 1}]
    copy = found[0].members[1]
    assert copy.arguments == ("x.0", "x.1") and copy.map.sources == (1, 0)
    u, v = (copy.map.scales[k] * X[:, s] + copy.map.shifts[k] for k, s in enumerate(copy.map.sources))
    said, true = np.abs(u) + 2 * np.maximum(v + 0.2, 0), np.maximum(0.6 - 3 * X[:, 0], 0) + 1.5 * np.abs(X[:, 1])
    assert correlation(said, true) > 0.999


def test_a_piece_of_a_curve_is_no_copy_of_it() -> None:
    # ReLU(x1) + ReLU(-x1) - 2 ReLU(x1 - 0.5) is |x1| below 0.5, so |x2| is a piece of it
    terms = [[(0, 1, 0, 1), (0, -1, 0, 1), (0, 1, -0.5, -2)], [(1, 1, 0, 1), (1, -1, 0, 1)]]
    found = equivalent_modules(planted([neuron for module in terms for neuron in module]), modules_of(terms), X)
    assert families(found) == {"curved": [{0}, {1}]}


def test_nearly_straight_curves_are_not_alike() -> None:
    # a steeper middle and a single bend: maps reach 0.992 both ways, but lines reach 0.986
    terms = [[(0, 1, 2, 1), (0, 1, 0.5, 1.4), (0, 1, -0.5, -1.4)], [(1, 1, 2, 1), (1, 1, 0, 0.6)]]
    found = equivalent_modules(planted([neuron for module in terms for neuron in module]), modules_of(terms), X)
    assert all(0.98 < member.line < 0.99 for family in found for member in family.members)
    assert families(found) == {"curved": [{0}, {1}]}


@pytest.mark.parametrize("seed", [0, 2])
def test_boolean_functions_are_alike_if_negations_and_renaming_make_them_equal(seed: int) -> None:
    planted = boolean_hierarchy(outputs=5, depth=1, arguments=3, seed=seed)
    modules, y = planted.partition.modules, planted.network.predict(planted.x)
    found = families(equivalent_modules(planted.network, modules, planted.x))
    classes: dict[bytes, set[int]] = {}
    for n in set(range(5)) - set().union(*found.get("one neuron wide", [])):
        (output,) = (i for group, i in modules[n] if group == "y")
        bits = planted.x[:, sorted(i for group, i in modules[n] if group == "x")].astype(int)
        table = np.zeros((2, 2, 2), dtype=int)
        table[tuple(bits.T)] = np.round(y[:, output] / y[:, output].max())
        same = (
            (np.flip(table.transpose(order), [k for k in range(3) if turned[k]]) ^ turned[3]).tobytes()
            for order, turned in product(permutations(range(3)), product((0, 1), repeat=4))
        )
        classes.setdefault(min(same), set()).add(n)
    assert sorted(found["curved"], key=min) == sorted(classes.values(), key=min)
    assert any(len(same) > 1 for same in classes.values()) and len(classes) > 1


@pytest.mark.parametrize("make", [absolute_sums, block_network])
def test_terms_of_a_sum_are_copies_and_random_blocks_are_not(make: Callable[..., object]) -> None:
    options = {"outputs": 1, "variables": 1} if make is absolute_sums else {"blocks": ((1, 4, 4, 1),) * 2}
    planted = make(seed=1, **options)
    found = families(equivalent_modules(planted.network, planted.partition.modules, planted.x[:200]))
    assert found == {"curved": [{0, 1, 2}] if make is absolute_sums else [{0}, {1}]}


def test_the_level_with_copies_is_found() -> None:
    # |x1| + |x2| and |x3| + |x4|: two components, each of two terms
    neurons = [(j, slope * (1 + j), 0, 1) for j in range(4) for slope in (1, -1)]
    network = planted(neurons).with_tensors({"layers.1.weight": np.kron(np.eye(2), np.ones((1, 4)))})
    x = X[:150]
    levels = hierarchy(neuron_graph(network, weights="activation", x=x))
    assert len(choose_level(levels).partition.modules) == 2
    level, found = most_equivalent(network, levels, x)
    copies = [level.partition.modules[copy.module] for copy in found[0].members]
    own = sorted(sorted(i for group, i in module if group == "h1") for module in copies)
    assert own == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_cross_talk_is_held_at_its_mean() -> None:
    network = planted(NEURONS)
    inner = network.tensors["layers.0.weight"].copy()
    inner[2:4, 0] = 0.1
    found = equivalent_modules(network.with_tensors({"layers.0.weight": inner}), modules_of(PLANTED)[:2], X)
    assert [member.arguments for member in found[0].members] == [("x.0",), ("x.1",)]
    assert 0.9 < found[0].members[1].isolated < 0.9999


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(InputError, match="no modules to compare"):
        equivalent_modules(planted(NEURONS), [], X)
    with pytest.raises(InputError, match="no such neuron"):
        equivalent_modules(planted(NEURONS), [frozenset({("h2", 0)})], X)
