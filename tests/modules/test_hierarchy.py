"""Levels are nested, and the choice among them follows its rules."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import choose_level, hierarchy, leiden, modularity
from bimt_analyze.modules._level_choice import chosen_level
from bimt_analyze.modules._stability import stability
from bimt_train import InputError


def chain(*matrices):
    """The graph of weight matrices [target, source], groups l0, l1, ..."""
    sizes = [matrices[0].shape[1], *(len(m) for m in matrices)]
    starts = np.cumsum([0, *sizes])
    neurons = tuple(Neuron(f"l{d}", i, f"l{d}.{i}", (0.0,), d) for d, size in enumerate(sizes) for i in range(size))
    found = [(starts[d] + j, starts[d + 1] + i, m[i, j]) for d, m in enumerate(matrices) for i, j in np.argwhere(m)]
    source, target, weight = (np.array(column) for column in zip(*found, strict=True))
    edges = Edges(source.astype(np.int64), target.astype(np.int64), weight, np.ones(len(weight), dtype=np.int8))
    return NeuronGraph(neurons, edges, inputs="l0", outputs=f"l{len(matrices)}")


def blocks(stray=0.0, seed=0):
    """4 -> 6 -> 2 in two separate halves, and ``stray`` everywhere between them."""
    rng = np.random.default_rng(seed)
    first, second = np.full((6, 4), stray), np.full((2, 6), stray)
    first[:3, :2], first[3:, 2:] = rng.uniform(1, 2, (3, 2)), rng.uniform(1, 2, (3, 2))
    second[0, :3], second[1, 3:] = rng.uniform(1, 2, 3), rng.uniform(1, 2, 3)
    return chain(first, second)


HALVES = {
    frozenset([("l0", 0), ("l0", 1), ("l1", 0), ("l1", 1), ("l1", 2), ("l2", 0)]),
    frozenset([("l0", 2), ("l0", 3), ("l1", 3), ("l1", 4), ("l1", 5), ("l2", 1)]),
}


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.6, 1.0]))
def test_every_chain_is_nested_and_ends_in_the_components(seed, density):
    rng = np.random.default_rng(seed)
    matrices = [rng.uniform(0.1, 2, (b, a)) * (rng.random((b, a)) < density) for a, b in ((4, 6), (6, 5), (5, 2))]
    matrices[0][0, 0] = 1.0
    graph = chain(*matrices)
    found = hierarchy(graph, runs=2, resolutions=(0.5, 1.0, 2.0), seed=seed)
    for levels in (found.resolutions, found.leaks, found.up_to_layer):
        whole = (*levels, found.components)
        assert all(a.partition.refines(b.partition) for a, b in itertools.pairwise(whole))
    assert all(level.partition.unused == graph.unused for level in found.levels)
    assert all(level.modularity == modularity(graph, level.partition) for level in found.levels)
    assert choose_level(found).level in found.levels


def test_it_repeats_with_its_seed():
    graph = blocks(stray=0.5)
    some = {"resolutions": (0.7, 1.6), "seed": 4}
    assert hierarchy(graph, **some) == hierarchy(graph, **some)


def test_stability_is_that_of_the_runs():
    graph = blocks(stray=0.6, seed=3)
    (level,) = hierarchy(graph, resolutions=(1.5,), runs=5, seed=9).resolutions
    stream = np.random.SeedSequence(9).spawn(1)[0]
    seeds = [int(number) for number in stream.generate_state(6)][:5]
    assert level.stability == stability([leiden(graph, resolution=1.5, seed=s) for s in seeds])


def test_components_are_chosen_first():
    choice = choose_level(hierarchy(blocks(), runs=4, seed=0))
    assert choice.level.kind == "components"
    assert choice.level.parameter == 0
    assert set(choice.partition.modules) == HALVES
    assert choice.reason == "the network falls into 2 components from inputs to outputs"


@pytest.mark.parametrize("stray", [0.0, 0.003])
def test_components_are_chosen_first_where_no_neuron_is_an_input_or_output(stray):
    graph = replace(blocks(stray=stray), inputs="", outputs="")
    choice = choose_level(hierarchy(graph, runs=4, seed=0))
    assert set(choice.partition.modules) == HALVES
    assert choice.reason.startswith("the network falls into 2 components") and "inputs" not in choice.reason
    assert ("leak" in choice.reason) == (stray > 0)


def test_stray_weights_are_leaks():
    choice = choose_level(hierarchy(blocks(stray=0.003), runs=4, seed=0))
    assert set(choice.partition.modules) == HALVES
    assert choice.level.kind == "components"
    assert choice.level.parameter == 0.01
    assert "up to a leak of 1%" in choice.reason


def test_parts_that_the_last_layer_combines_are_cut_off():
    first, second, third = np.zeros((4, 4)), np.eye(4), np.ones((1, 4))
    first[:2, :2] = first[2:, 2:] = 1.0
    choice = choose_level(hierarchy(chain(first, second, third), runs=4, seed=0))
    assert choice.level.kind == "up to layer"
    assert choice.level.parameter == 2
    parts = {frozenset((f"l{d}", i) for d in range(3) for i in half) for half in ((0, 1), (2, 3))}
    assert set(choice.partition.modules) == parts | {frozenset([("l3", 0)])}


def test_else_the_stable_resolution_with_a_noteworthy_modularity():
    graph = blocks(stray=0.12)  # beyond 5 % of what a neuron reads, everywhere
    found = hierarchy(graph, runs=4, seed=0)
    choice = choose_level(found)
    assert choice.level.kind == "resolution"
    assert set(choice.partition.modules) == HALVES
    assert choice.level.modularity >= 0.3
    assert choice.level.stability == pytest.approx(1.0)


def test_the_level_is_chosen_without_a_search_that_decides_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    combined = chain(*(b.adjacency()[m][:, n] for b, m, n in [(blocks(), slice(4, 10), slice(0, 4))]), np.ones((1, 6)))
    dense = chain(rng.uniform(1, 2, (6, 4)), rng.uniform(1, 2, (2, 6)))
    for graph in (blocks(), blocks(stray=0.003), blocks(stray=0.2), combined, dense):
        assert chosen_level(graph, runs=2, seed=1) == choose_level(hierarchy(graph, runs=2, seed=1))
    monkeypatch.setattr("bimt_analyze.modules._hierarchy.leiden_runs", None)  # a search would end in an error
    assert chosen_level(blocks()).level.kind == "components"
    with pytest.raises(TypeError):
        chosen_level(dense)


def test_a_dense_network_stays_whole():
    rng = np.random.default_rng(0)
    graph = chain(*(np.abs(rng.normal(size=shape)) for shape in ((20, 4), (20, 20), (2, 20))))
    choice = choose_level(hierarchy(graph, runs=4, seed=0))
    assert len(choice.partition.modules) == 1
    assert choice.reason == "no split has a modularity of 0.3"


def test_renaming_neurons_renames_the_modules():
    rng = np.random.default_rng(1)
    first, second = (np.where(rng.random(s) < 0.5, rng.uniform(0.5, 2, s), 0.0) for s in ((8, 4), (3, 8)))
    order = rng.permutation(8)
    plain = choose_level(hierarchy(chain(first, second), runs=4, seed=0)).partition
    permuted = choose_level(hierarchy(chain(first[order], second[:, order]), runs=4, seed=0)).partition
    back = {frozenset((g, int(order[i])) if g == "l1" else (g, i) for g, i in m) for m in permuted.modules}
    assert back == set(plain.modules)


def test_too_few_runs():
    with pytest.raises(InputError, match="too few runs to compare: runs: expected 2 or more, got 1"):
        hierarchy(blocks(), runs=1)
