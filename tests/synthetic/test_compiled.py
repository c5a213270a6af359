"""Networks that are written down: against the functions they are said to compute, read from their answers alone."""

from itertools import product

import numpy as np
import pytest

from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import connected_components
from bimt_analyze.synthetic import _boolean, absolute_sums, boolean_hierarchy, superposition
from bimt_train import InputError

SEEDS = range(4)


def of_module(planted, group, module):
    return [i for i in range(planted.network.layout.sizes[group]) if planted.modules[group, i] == module]


@pytest.mark.parametrize("seed", SEEDS)
def test_absolute_sums_are_sums_of_absolute_values(seed):
    planted = absolute_sums(outputs=2, terms=3, variables=2, seed=seed)
    total, found = np.zeros((500, 2)), []
    for term in range(6):
        columns = of_module(planted, "x", term)
        probes = np.zeros((3, 12))
        probes[np.ix_(range(3), columns)] = [[1, 0], [0, 1], [1, 1]]
        answers = planted.network.predict(probes)
        output = int(answers.sum(0).argmax())
        first, second, both = answers[:, output]
        # |a + b| tells whether the signs agree
        sign = 1 if np.isclose(both, first + second) else -1
        total[:, output] += np.abs(planted.x[:, columns] @ [first, sign * second])
        found.append(output)
        assert min(first, second) >= 0.5 and max(first, second) <= 1.5
        assert len(of_module(planted, "h1", term)) == 2
    assert sorted(found) == [0, 0, 0, 1, 1, 1]
    assert np.allclose(planted.network.predict(planted.x), total)
    assert planted.partition.unused == {("y", 0), ("y", 1)}


def test_single_terms_are_the_components():
    planted = absolute_sums(outputs=4, terms=1, variables=3)
    assert connected_components(neuron_graph(planted.network)).same_modules(planted.partition)
    assert len(planted.partition.modules) == 4


def gate(planted, module):
    """The value neuron of a function: the one that nothing else of its module reads."""
    network = planted.network
    groups = list(network.layout.sizes)
    last = max(n for n, group in enumerate(groups) if n and of_module(planted, group, module))
    (neuron,) = of_module(planted, groups[last], module)
    return groups, last, neuron


def activations(planted, x):
    """After each layer, with every neuron divided by the largest value it takes, so that scales are gone."""
    h, found = x, {"x": x}
    tensors = planted.network.tensors
    for n, group in enumerate(list(planted.network.layout.sizes)[1:]):
        h = np.maximum(h @ tensors[f"layers.{n}.weight"].T + tensors[f"layers.{n}.bias"], 0)
        found[group] = h / h.max(0)
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("overlap", "reuse"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.3)])
def test_functions_are_boolean_functions_of_their_arguments(seed, overlap, reuse):
    planted = boolean_hierarchy(overlap=overlap, reuse=reuse, outputs=3, seed=seed)
    y, values = planted.network.predict(planted.x), activations(planted, planted.x)
    assert np.allclose(y, y.round(), atol=1e-9) and set(np.unique(y.round())) == {0, 1}
    for module in {m for m in planted.modules.values() if m is not None}:
        groups, last, neuron = gate(planted, module)
        value = values[groups[last]][:, neuron].round()
        assert np.allclose(values[groups[last]][:, neuron], value, atol=1e-9)
        detectors = of_module(planted, groups[last - 1], module)
        weight = planted.network.tensors[f"layers.{last - 2}.weight"][detectors]
        reads = np.flatnonzero(weight.any(0))
        assert len(reads) == 2
        arguments = values[groups[last - 2]][:, reads].round()
        table = {}
        for row, said in zip(map(tuple, arguments.tolist()), value.tolist(), strict=True):
            assert table.setdefault(row, said) == said  # a function of these two
        if len(table) == 4:  # and of both
            assert any(table[0, b] != table[1, b] for b in (0, 1)) and any(table[b, 0] != table[b, 1] for b in (0, 1))
            assert len(detectors) == sum(table.values())


def test_dials_say_how_many_things_are_shared():
    def widths(**dials):
        return planted_widths(boolean_hierarchy(outputs=4, **dials))

    def planted_widths(planted):
        sizes = planted.network.layout.sizes
        shared = sum(planted.modules["x", i] is None for i in range(sizes["x"]))
        return sizes["x"], sizes["h2"], shared

    assert widths() == (16, 8, 0)
    assert widths(reuse=0.5) == (8, 4, 0)
    assert widths(overlap=0.5) == (8, 8, 8)
    assert widths(overlap=0.25)[:2] == (12, 8) and widths(overlap=0.25)[2] == 4


def test_trees_are_components_and_their_functions_lie_inside():
    planted = boolean_hierarchy(outputs=3, depth=2, seed=1)
    trees = connected_components(neuron_graph(planted.network))
    assert len(trees.modules) == 3
    assert planted.partition.refines(trees) and not planted.partition.unused
    assert len(planted.partition.modules) == 9


def test_rows_are_all_combinations_where_they_are_few():
    assert sorted(boolean_hierarchy(outputs=1).x.tolist()) == sorted(map(list, product([0.0, 1.0], repeat=4)))
    assert boolean_hierarchy(outputs=4).x.shape == (1024, 16)


@pytest.mark.parametrize(("features", "hidden"), [(5, 2), (40, 10), (6, 4), (4, 2)])
def test_superposed_features_come_out_as_they_went_in(features, hidden):
    for seed in SEEDS:
        planted = superposition(features=features, hidden=hidden, seed=seed)
        y = planted.network.predict(planted.x)
        for feature in range(features):
            (inside,), (outside,) = of_module(planted, "x", feature), of_module(planted, "y", feature)
            assert np.allclose(y[:, outside], planted.x[:, inside], atol=1e-9)
            assert planted.x[:, inside].any()
        assert planted.partition.unused == {("h1", i) for i in range(hidden)}
        assert len(planted.partition.modules) == features


def test_superposition_ends_where_too_much_is_active():
    planted = superposition()
    y = planted.network.predict(np.ones((1, 5)))
    assert np.allclose(y, 0, atol=1e-9)  # the corners of a pentagon add up to nothing


@pytest.mark.parametrize("make", [absolute_sums, boolean_hierarchy, superposition])
def test_seeds_and_scales(make):
    a, b, other, plain = make(seed=1), make(seed=1), make(seed=2), make(seed=1, scale=1.0)
    assert all(np.array_equal(a.network.tensors[name], b.network.tensors[name]) for name in a.network.tensors)
    assert a.x.tobytes() == b.x.tobytes() and a.modules == b.modules
    assert any(not np.array_equal(a.network.tensors[n], other.network.tensors.get(n)) for n in a.network.tensors)
    assert a.modules == plain.modules
    assert np.allclose(a.network.predict(a.x), plain.network.predict(plain.x), atol=1e-9)
    assert not np.allclose(a.network.tensors["layers.0.weight"], plain.network.tensors["layers.0.weight"])
    assert a.modular and a.kind == make.__name__


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (absolute_sums, {"terms": 0}, "too few: terms: expected 1 or more, got 0"),
        (boolean_hierarchy, {"arguments": 1}, "too few: arguments: expected 2 or more, got 1"),
        (boolean_hierarchy, {"reuse": -0.1}, "not a share: reuse: expected a number from 0 to 1, got -0.1"),
        (superposition, {"hidden": 3}, "no regular polygons: expected hidden even.*got features=5, hidden=3"),
        (superposition, {"features": 4, "hidden": 4}, "no regular polygons"),
        (superposition, {"scale": 0.0}, "an impossible scale"),
    ],
)
def test_what_cannot_be_compiled(make, options, message):
    with pytest.raises(InputError, match=message):
        make(**options)


def test_functions_that_would_leave_a_neuron_constant_are_refused(monkeypatch):
    monkeypatch.setattr(_boolean, "_TRIES", 3)
    message = "a neuron is constant: boolean_hierarchy: expected none, got 3 draws, each with one; hint: lower overlap"
    with pytest.raises(InputError, match=message):
        boolean_hierarchy(depth=4, overlap=1.0)
