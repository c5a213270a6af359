"""Partitions, their modularity, and how they agree: against networkx, scikit-learn and hand-worked cases."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import NotAPartition, Partition, modularity
from bimt_analyze.modules._stability import stability
from bimt_train import InputError

NODES = 7


def graph_of(weighted, nodes=NODES):
    """A graph from {(source, target): weight}."""
    neurons = tuple(Neuron("n", i, f"n.{i}", (0.0,), 0) for i in range(nodes))
    source, target = np.array(list(weighted), dtype=np.int64).reshape(-1, 2).T
    weights = np.array(list(weighted.values()), dtype=np.float64)
    return NeuronGraph(neurons, Edges(source, target, weights, np.ones(len(weights), dtype=np.int8)))


def sets(*modules):
    return tuple(frozenset(("n", i) for i in module) for module in modules)


node = st.integers(0, NODES - 1)
weighted = st.dictionaries(st.tuples(node, node), st.floats(0.01, 100), max_size=20)
labelled = st.lists(st.integers(0, 3), min_size=NODES, max_size=NODES)


@settings(deadline=None, max_examples=50)
@given(weighted, labelled)
def test_modules_are_the_connected_neurons_of_each_label(edges, labels):
    graph = graph_of(edges)
    partition = Partition.of(graph, labels)
    joined = {n for pair in edges if pair[0] != pair[1] for n in pair}
    assert partition.unused == {("n", i) for i in range(NODES) if i not in joined}
    expected = {frozenset(("n", i) for i in joined if labels[i] == label) for label in set(labels)} - {frozenset()}
    assert set(partition.modules) == expected
    sizes = [len(module) for module in partition.modules]
    assert sizes == sorted(sizes, reverse=True)
    found = partition.labels(graph.nodes)
    assert all((found[i] < 0) == (i not in joined) for i in range(NODES))
    assert all((found[i] == found[j]) == (labels[i] == labels[j]) for i in joined for j in joined)


def test_equal_partitions_are_equal_values():
    one = Partition(sets([0, 1], [4, 3], [2]))
    other = Partition(sets([2], [3, 4], [1, 0]))
    assert one == other
    assert hash(one) == hash(other)
    assert one.modules == sets([0, 1], [3, 4], [2])
    assert one.labels([("n", 4), ("n", 2), ("n", 0)]).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("modules", "unused", "message"),
    [
        (sets([0, 1], []), frozenset(), "an empty module: module 1"),
        (sets([0, 1], [1, 2]), frozenset(), r"a neuron in two places: \('n', 1\): got module 0 and module 1"),
        (sets([0, 1]), frozenset([("n", 0)]), r"a neuron in two places: \('n', 0\): got unused and module 0"),
    ],
)
def test_what_is_no_partition(modules, unused, message):
    with pytest.raises(NotAPartition, match=message) as caught:
        Partition(modules, unused)
    assert isinstance(caught.value, InputError)


def test_labels_of_strangers_are_refused():
    with pytest.raises(NotAPartition, match=r"got \('m', 0\)"):
        Partition(sets([0])).labels([("m", 0)])
    with pytest.raises(NotAPartition, match="one label a neuron: expected 7, got 2"):
        Partition.of(graph_of({(0, 1): 1.0}), [0, 0])


def test_json_round_trip_and_read_only_mappings():
    import json

    about = {
        "method": "leiden",
        "parameters": {"resolution": 1.5},
        "seed": 3,
        "versions": {"igraph": "1"},
        "quality": 0.25,
    }
    partition = Partition(sets([0, 1], [2]), frozenset([("n", 5)]), **about)
    assert Partition.from_json(json.loads(json.dumps(partition.to_json()))) == partition
    with pytest.raises(TypeError):
        partition.parameters["resolution"] = 2


def test_refinement():
    fine, coarse = Partition(sets([0], [1], [2, 3])), Partition(sets([0, 1], [2, 3]))
    assert fine.refines(coarse)
    assert coarse.refines(coarse)
    assert not coarse.refines(fine)


def test_modularity_by_hand():
    # two triangles joined by one edge: m = 7, L = 3 each, K = 7 each; Q = 2 (3/7 - 1/4)
    triangles = {(0, 1): 1.0, (1, 2): 1.0, (0, 2): 1.0, (3, 4): 1.0, (4, 5): 1.0, (3, 5): 1.0, (2, 3): 1.0}
    graph = graph_of(triangles, 6)
    assert modularity(graph, Partition(sets([0, 1, 2], [3, 4, 5]))) == pytest.approx(2 * (3 / 7 - 1 / 4))
    assert modularity(graph, Partition(sets([0, 1, 2], [3, 4, 5])), resolution=2.0) == pytest.approx(
        2 * (3 / 7 - 2 / 4)
    )
    assert modularity(graph, Partition(sets(range(6)))) == pytest.approx(0)


@settings(deadline=None, max_examples=100)
@given(weighted, labelled, st.floats(0.1, 4))
def test_modularity_is_networkx_s_with_loops_and_both_directions(edges, labels, resolution):
    graph = graph_of(edges)
    partition = Partition.of(graph, labels)
    undirected = nx.Graph()
    undirected.add_nodes_from(range(NODES))
    for (a, b), weight in edges.items():
        before = undirected.get_edge_data(a, b, {"weight": 0.0})["weight"]
        undirected.add_edge(a, b, weight=before + weight)
    communities = [{i for _, i in module} for module in partition.modules] + [{i} for _, i in partition.unused]
    expected = nx.community.modularity(undirected, communities, resolution=resolution) if edges else 0.0
    assert modularity(graph, partition, resolution=resolution) == pytest.approx(expected, abs=1e-12)


def test_modularity_of_other_neurons_is_refused():
    with pytest.raises(NotAPartition, match=r"a partition of other neurons: \('n', 2\): got in the graph only"):
        modularity(graph_of({(0, 1): 1.0}, 3), Partition(sets([0, 1])))
    with pytest.raises(NotAPartition, match="in the partition only"):
        modularity(graph_of({(0, 1): 1.0}, 2), Partition(sets([0, 1, 2])))


@settings(deadline=None, max_examples=30)
@given(st.lists(labelled, min_size=2, max_size=6))
def test_stability_is_the_mean_over_pairs(labels):
    graph = graph_of({(i, (i + 1) % NODES): 1.0 for i in range(NODES)})
    partitions = [Partition.of(graph, row) for row in labels]
    expected = np.mean([adjusted_mutual_info_score(a, b) for a, b in combinations(labels, 2)])
    assert stability(partitions) == pytest.approx(expected, abs=1e-9)


def test_stability_needs_two_of_the_same_neurons():
    with pytest.raises(InputError, match="expected 2 or more partitions, got 1"):
        stability([Partition(sets([0]))])
    with pytest.raises(NotAPartition, match="partitions of different neurons"):
        stability([Partition(sets([0])), Partition(sets([1]))])
