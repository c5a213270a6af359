"""Components: against networkx, by hand, and what a leak and a cut may change."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import connected_components
from bimt_analyze.modules._components import components_up_to_layer, kept_edges
from bimt_train import InputError

SIZES = (3, 4, 3, 2)
PLACES = [(depth, i) for depth, size in enumerate(SIZES) for i in range(size)]


def layered(weighted):
    """A graph from {((depth, index), (depth, index)): weight}."""
    neurons = tuple(Neuron(f"l{depth}", i, f"l{depth}.{i}", (0.0,), depth) for depth, i in PLACES)
    number = {place: n for n, place in enumerate(PLACES)}
    pairs = np.array([(number[a], number[b]) for a, b in weighted], dtype=np.int64).reshape(-1, 2).T
    weights = np.array(list(weighted.values()), dtype=np.float64)
    edges = Edges(pairs[0], pairs[1], weights, np.ones(len(weights), dtype=np.int8))
    return NeuronGraph(neurons, edges, inputs="l0", outputs="l3")


def groups(partition):
    return {frozenset((int(g[1:]), i) for g, i in module) for module in partition.modules}


def a_set(*places):
    return frozenset(places)


upward = [(a, b) for a in PLACES for b in PLACES if a[0] < b[0]] + [
    ((2, 0), (2, 1)),
    ((2, 1), (2, 0)),
    ((1, 0), (1, 0)),
]
weighted = st.dictionaries(st.sampled_from(upward), st.floats(0.001, 10), max_size=25)


@settings(deadline=None, max_examples=60)
@given(weighted)
def test_components_are_networkx_s(edges):
    graph = layered(edges)
    found = nx.Graph([(a, b) for a, b in edges if a != b])
    assert groups(connected_components(graph)) == {frozenset(c) for c in nx.connected_components(found)}
    assert groups(components_up_to_layer(graph, depth=3)) == groups(connected_components(graph))


def kept_one_by_one(graph, leak):
    """What `kept_edges` says, edge by edge."""
    edges = list(zip(*(column.tolist() for column in graph.edges[:3]), strict=True))

    def share(edge):
        read = [weight for _, target, weight in edges if target == edge[1]]
        return sum(weight for weight in read if weight <= edge[2] * (1 + 1e-12)) / sum(read)

    shares = [share(edge) for edge in edges]
    kept = {edge for edge, of in zip(edges, shares, strict=True) if leak == 0 or of > leak}
    joined = {end for edge in kept if edge[0] != edge[1] for end in edge[:2]}
    for node in range(len(graph.nodes)):
        own = [n for n, edge in enumerate(edges) if node in edge[:2] and edge[0] != edge[1]]
        if own and node not in joined:
            kept.add(edges[max(own, key=lambda n: (shares[n], -n))])
    return [edge in kept for edge in edges]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(upward), st.sampled_from([0.01, 0.1, 1.0, 3.0]), max_size=25), st.floats(0, 0.9))
def test_edges_are_kept_as_one_by_one(edges, leak):
    graph = layered(edges)
    assert kept_edges(graph, leak).tolist() == kept_one_by_one(graph, leak)


@settings(deadline=None, max_examples=60)
@given(weighted, st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_greater_leak_refines(edges, one, other):
    graph = layered(edges)
    low, high = sorted((one, other))
    fine, coarse = connected_components(graph, leak=high), connected_components(graph, leak=low)
    assert fine.refines(coarse)
    assert fine.unused == graph.unused
    assert fine.nodes == {node.key for node in graph.nodes}


@settings(deadline=None, max_examples=60)
@given(weighted, st.sampled_from([0.0, 0.2]))
def test_a_lower_cut_refines(edges, leak):
    graph = layered(edges)
    cuts = [components_up_to_layer(graph, depth=depth, leak=leak) for depth in range(4)]
    assert all(low.refines(high) for low, high in itertools.pairwise(cuts))
    assert groups(cuts[-1]) == groups(connected_components(graph, leak=leak))


def crossed(stray, weight=1.0):
    """Two chains l0.i -> l1.i -> l2.i -> l3.i, and a stray edge from one to the other."""
    chains = {((d, i), (d + 1, i)): weight for d in range(3) for i in range(2)}
    return chains | {((1, 0), (2, 1)): stray}


CHAINS = {frozenset((d, i) for d in range(4)) for i in range(2)}


def test_a_leak_cuts_stray_edges_by_their_share_of_what_the_reader_reads():
    graph = layered(crossed(0.05))  # a share of 0.05 / 1.05 = 4.76 %
    assert len(connected_components(graph).modules) == 1
    assert len(connected_components(graph, leak=0.04).modules) == 1
    assert groups(connected_components(graph, leak=0.05)) == CHAINS


def test_scaling_what_a_neuron_reads_changes_nothing():
    edges = crossed(0.05)
    scaled = {pair: w * (1000.0 if pair[1] == (2, 1) else 1.0) for pair, w in edges.items()}
    for leak in (0.04, 0.05):
        assert groups(connected_components(layered(edges), leak=leak)) == groups(
            connected_components(layered(scaled), leak=leak)
        )


def test_equal_edges_fare_alike():
    # three equal edges: none may be dropped before the others, so none is, below a leak of 1
    graph = layered({((0, i), (1, 0)): 1.0 for i in range(3)})
    assert len(connected_components(graph, leak=0.9).modules) == 1
    # two weak ones together are 2 / 12 of all
    graph = layered({((0, 0), (1, 0)): 10.0, ((0, 1), (1, 0)): 1.0, ((0, 2), (1, 0)): 1.0, ((0, 1), (1, 1)): 1.0})
    assert len(connected_components(graph, leak=0.16).modules) == 1
    assert len(connected_components(graph, leak=0.17).modules) == 2


def test_what_nothing_reads_any_more_stays_where_it_was_read_most():
    edges = crossed(1e-9) | {((0, 2), (1, 0)): 0.01, ((0, 2), (1, 1)): 0.02}
    expected = {frozenset((d, 0) for d in range(4)), frozenset([*((d, 1) for d in range(4)), (0, 2)])}
    assert groups(connected_components(layered(edges), leak=0.05)) == expected


def composed():
    """A = {l0.0, l0.1 -> l1.0}, B = {l0.2 -> l1.1}; l2.0 reads A, l2.1 and l2.2 read both; the outputs follow."""
    pairs = [((0, 0), (1, 0)), ((0, 1), (1, 0)), ((0, 2), (1, 1)), ((1, 0), (2, 0))]
    pairs += [((1, a), (2, b)) for a in (0, 1) for b in (1, 2)]
    pairs += [((2, 0), (3, 0)), ((2, 1), (3, 1)), ((2, 2), (3, 1))]
    return dict.fromkeys(pairs, 1.0)


def test_cuts_by_hand():
    graph = layered(composed())
    whole = a_set(*{place for pair in composed() for place in pair})
    assert groups(components_up_to_layer(graph, depth=2)) == {whole}
    part_a = a_set((0, 0), (0, 1), (1, 0), (2, 0), (3, 0))
    part_b = a_set((0, 2), (1, 1))
    both = a_set((2, 1), (2, 2), (3, 1))
    assert groups(components_up_to_layer(graph, depth=1)) == {part_a, part_b, both}
    lowest = {
        a_set((0, 0)), a_set((0, 1)), part_b, a_set((1, 0), (2, 0), (3, 0)), both
    }  # fmt: skip
    assert groups(components_up_to_layer(graph, depth=0)) == lowest


def test_neurons_of_one_depth_that_are_joined_count_as_one():
    edges = composed() | {((2, 0), (2, 1)): 1.0}
    joined = a_set((2, 0), (2, 1), (2, 2), (3, 0), (3, 1))
    assert joined in groups(components_up_to_layer(layered(edges), depth=1))


def test_impossible_cuts_and_leaks():
    graph = layered(composed())
    with pytest.raises(InputError, match="expected 0 or more, got -1"):
        components_up_to_layer(graph, depth=-1)
    for leak in (-0.1, 1.0, float("nan")):
        with pytest.raises(InputError, match="an impossible leak: expected 0 or more, below 1"):
            connected_components(graph, leak=leak)


def test_the_method_is_told():
    partition = components_up_to_layer(layered(composed()), depth=1, leak=0.1)
    assert partition.method == "components up to layer"
    assert dict(partition.parameters) == {"depth": 1, "leak": 0.1, "weights": "magnitude"}
    assert "scipy" in partition.versions
