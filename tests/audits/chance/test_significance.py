"""The permutation test: specialisation by hand, null networks by counting, errors without structure."""

import json
from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.audits import significance, specialisation
from bimt_analyze.audits.chance._degree_preserving import degree_preserving
from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_train import InputError


def chain(*matrices, loops=()):
    """The graph of weight matrices [target, source], groups l0, l1, ...; ``loops``: (node number, weight) on itself."""
    sizes = [matrices[0].shape[1], *(len(m) for m in matrices)]
    starts = np.cumsum([0, *sizes])
    neurons = tuple(Neuron(f"l{d}", i, f"l{d}.{i}", (0.0,), d) for d, size in enumerate(sizes) for i in range(size))
    found = [(starts[d] + j, starts[d + 1] + i, m[i, j]) for d, m in enumerate(matrices) for i, j in np.argwhere(m)]
    found += [(n, n, w) for n, w in loops]
    source, target, weight = (np.array(column) for column in zip(*found, strict=True))
    edges = Edges(source.astype(np.int64), target.astype(np.int64), weight, np.ones(len(weight), dtype=np.int8))
    return NeuronGraph(neurons, edges, inputs="l0", outputs=f"l{len(matrices)}")


def halves(rng, widths=(6, 12, 12, 4), density=0.7):
    found = []
    for a, b in pairwise(widths):
        inside = (np.arange(b)[:, None] < b // 2) == (np.arange(a)[None, :] < a // 2)
        matrix = np.where(inside & (rng.random((b, a)) < density), rng.uniform(0.5, 2, (b, a)), 0.0)
        for i in range(b):  # nobody is left out
            matrix[i, i * a // b] = 1.0
        found.append(matrix)
    return chain(*found)


def drawn(matrix, samples, seed=0):
    generators = [np.random.default_rng([seed, k]) for k in range(samples)]
    return degree_preserving(matrix, schedule=np.random.default_rng(seed), generators=generators)


def entropy(*shares):
    return -sum(p * np.log2(p) for p in shares if p)


def test_two_equal_halves_are_one_bit_each_way():
    block = np.kron(np.eye(2), np.ones((3, 2)))
    assert specialisation(chain(block, block.T)) == pytest.approx(2.0)


def test_neurons_that_read_alike_are_not_specialised():
    # in the same proportions, whatever the amount
    first, second = np.outer([1.0, 5.0, 0.1], [1.0, 2.0]), np.outer([1.0, 3.0], [1.0, 1.0, 2.0])
    assert specialisation(chain(first, second)) == pytest.approx(0.0, abs=1e-9)


def test_the_statistic_by_hand():
    # h1.0 comes from x1 with 3/4, h1.1 with 1/4, equally often: I = 1 - H(1/4); the outputs mix both equally: 0.
    # Forwards: h1.0 leads to y1 and y2 equally, so does h1.1: 0. The inputs too: 0.
    first, second = np.array([[3.0, 1.0], [1.0, 3.0]]), np.ones((2, 2))
    backwards = (1 - entropy(0.25, 0.75) + 0.0) / 2
    assert specialisation(chain(first, second)) == pytest.approx(backwards)
    # turned round, the layers change places
    assert specialisation(chain(second.T, first.T)) == pytest.approx(backwards)


def test_walks_go_on_through_layers_and_loops():
    first, second = np.array([[3.0, 1.0], [1.0, 3.0]]), np.array([[1.0, 3.0], [1.0, 0.0]])
    mixed = second / second.sum(1, keepdims=True) @ (first / first.sum(1, keepdims=True))
    back = [1 - entropy(0.25, 0.75), entropy(*mixed.mean(0)) - np.mean([entropy(*row) for row in mixed])]
    up = second.T / second.T.sum(1, keepdims=True)
    down = first.T / first.T.sum(1, keepdims=True) @ up
    forth = [entropy(*p.mean(0)) - np.mean([entropy(*row) for row in p]) for p in (up, down)]
    expected = np.mean(back) + np.mean(forth)
    assert specialisation(chain(first, second)) == pytest.approx(expected)
    # a neuron that reads itself only waits
    assert specialisation(chain(first, second, loops=[(2, 7.0)])) == pytest.approx(expected, rel=1e-6)


def test_neurons_that_read_nothing_are_left_out():
    block = np.kron(np.eye(2), np.ones((2, 2)))
    lonely = np.vstack([block, np.zeros((1, 4))])
    out = np.hstack([np.kron(np.eye(2), np.ones((1, 2))), np.zeros((2, 1))])
    out[0, 4] = 1e-9  # a constant neuron that is heard a little
    # backwards 1 bit in both layers, forwards 1 bit from the inputs, and 3 of 5 neurons lead to y1
    expected = 1 + (1 + entropy(0.4, 0.6)) / 2
    assert specialisation(chain(lonely, out)) == pytest.approx(expected, rel=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.1, 1.0))
def test_rewiring_keeps_degrees_and_each_reader_s_weights(seed, density):
    rng = np.random.default_rng(seed)
    matrix = np.where(rng.random((5, 7)) < density, rng.uniform(0.1, 2, (5, 7)), 0.0)
    for sample in drawn(matrix, 8, seed):
        assert ((sample > 0).sum(0) == (matrix > 0).sum(0)).all()
        assert np.allclose(np.sort(sample, axis=1), np.sort(matrix, axis=1))


def test_rewiring_is_uniform_over_patterns():
    # one entry in each row and column: 6 patterns
    counts = Counter(tuple(sample.argmax(1).tolist()) for sample in drawn(np.eye(3), 3000))
    assert set(counts) == set(permutations(range(3)))
    assert sum((n - 500) ** 2 / 500 for n in counts.values()) < 20.5  # chi squared, 5 degrees of freedom, p = 0.001
    # and over the deals of one row's weights
    counts = Counter(tuple(sample[0].tolist()) for sample in drawn(np.array([[1.0, 2.0, 3.0]]), 3000))
    assert len(counts) == 6
    assert sum((n - 500) ** 2 / 500 for n in counts.values()) < 20.5


def test_rewiring_is_uniform_where_patterns_need_several_trades():
    # rows of 1, 1 and 2 entries, columns of 2, 1 and 1: count all patterns by brute force
    matrix = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1]]) * 1.0
    cells = range(512)
    every = [m for m in (np.array([(c >> b) & 1 for b in range(9)]).reshape(3, 3) for c in cells)
             if (m.sum(0) == [2, 1, 1]).all() and (m.sum(1) == [1, 1, 2]).all()]  # fmt: skip
    counts = Counter(tuple((sample > 0).ravel().tolist()) for sample in drawn(matrix, 3000))
    assert set(counts) == {tuple((m > 0).ravel().tolist()) for m in every}
    share = 3000 / len(every)
    assert sum((n - share) ** 2 / share for n in counts.values()) < 22.5


def test_p_and_z_are_those_of_the_null_values():
    graph = halves(np.random.default_rng(0))
    found = significance(graph, samples=50, seed=3)
    null = np.array(found.null)
    assert found.observed == pytest.approx(specialisation(graph))
    assert found.p == (1 + (null >= found.observed - 1e-9).sum()) / 51
    assert found.z == pytest.approx((found.observed - null.mean()) / null.std())
    assert found == significance(graph, samples=50, seed=3)
    assert found.null != significance(graph, samples=50, seed=4).null
    # sample k is the same however many follow
    assert significance(graph, samples=20, seed=3).null == pytest.approx(found.null[:20])


def test_chunks_change_nothing(monkeypatch):
    from bimt_analyze.audits.chance import _significance

    graph = halves(np.random.default_rng(0))
    whole = significance(graph, samples=25, seed=1)
    monkeypatch.setattr(_significance, "_CHUNK", 7 * len(graph.nodes) ** 2)
    assert significance(graph, samples=25, seed=1).null == pytest.approx(whole.null)


def test_separate_halves_are_significant():
    for seed in range(5):
        assert significance(halves(np.random.default_rng(seed)), samples=99).p == 0.01


def test_networks_without_structure_are_seldom_significant():
    hits = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        density = 1.0 if seed % 2 else 0.4
        matrices = [np.abs(rng.normal(size=s)) * (rng.random(s) < density) for s in ((8, 4), (8, 8), (3, 8))]
        hits.append(significance(chain(*matrices), samples=39, seed=seed).p <= 0.05)
    assert sum(hits) <= 8  # binomial(60, 0.05): more than 8 in 1 of 600 cases


def test_what_leaves_no_choice_is_not_significant():
    # one neuron a layer can only be wired as it is
    found = significance(chain(np.ones((1, 3)), np.ones((2, 1))), samples=19)
    assert found.p == 1.0
    assert found.z is None


def test_it_becomes_json_without_the_null_values():
    found = significance(halves(np.random.default_rng(0)), samples=19).to_json()
    assert json.loads(json.dumps(found))["samples"] == 19
    assert "null" not in found


def test_what_is_refused():
    graph = halves(np.random.default_rng(0))
    with pytest.raises(InputError, match="no samples to compare with: samples: expected 1 or more, got 0"):
        significance(graph, samples=0)
    with pytest.raises(
        InputError, match=r"a graph without inputs: graph\.inputs: expected one of l0, l1, l2, l3, got ''"
    ):
        significance(NeuronGraph(graph.nodes, graph.edges, outputs="l3"))
