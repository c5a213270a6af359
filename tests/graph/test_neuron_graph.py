"""The value: what it refuses, what it answers; its conversions, back and forth."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.graph import (
    Edges,
    GraphError,
    Neuron,
    NeuronGraph,
    adopt_graph,
    to_igraph,
    to_networkx,
    write_graph,
)
from bimt_analyze.graph._group_depths import longest_paths


def graph_of(pairs, weights=None, signs=None, sizes=(("x", 2), ("h", 3), ("y", 1))):
    nodes = tuple(
        Neuron(group, i, f"{group}.{i}", ((i + 0.5) / size, depth / 3), depth)
        for depth, (group, size) in enumerate(sizes)
        for i in range(size)
    )
    weights = [1.0] * len(pairs) if weights is None else weights
    signs = [1] * len(pairs) if signs is None else signs
    source, target = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    edges = Edges(source, target, np.array(weights, dtype=np.float64), np.array(signs, dtype=np.int8))
    return NeuronGraph(nodes, edges, "magnitude", sizes[0][0], sizes[-1][0])


@st.composite
def graphs(draw):
    pairs = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique=True, max_size=20))
    positive = st.floats(1e-300, 1e300, allow_nan=False, allow_infinity=False, exclude_min=True)
    weights = draw(st.lists(positive, min_size=len(pairs), max_size=len(pairs)))
    signs = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(pairs), max_size=len(pairs)))
    return pairs, weights, signs


@settings(deadline=None, max_examples=50)
@given(graphs())
def test_networkx_and_igraph_lose_nothing(drawn):
    graph = graph_of(*drawn)
    assert adopt_graph(to_networkx(graph)).graph == graph
    assert adopt_graph(to_igraph(graph)).graph == graph


def test_networkx_has_the_nodes_and_edges():
    found = to_networkx(graph_of([(0, 2), (2, 5)], [0.25, 3.0], [1, -1]))
    assert found.nodes[("h", 0)] == {
        "group": "h", "index": 0, "label": "h.0", "coordinates": ((0.5) / 3, 1 / 3), "depth": 1
    }  # fmt: skip
    assert dict(found.edges) == {
        (("x", 0), ("h", 0)): {"weight": 0.25, "sign": 1},
        (("h", 0), ("y", 0)): {"weight": 3.0, "sign": -1},
    }


def test_graphml_can_be_read_by_igraph(tmp_path):
    import igraph

    write_graph(graph_of([(0, 2), (2, 5)], [0.25, 3.0]), tmp_path / "g.graphml")
    found = igraph.Graph.Read_GraphML(str(tmp_path / "g.graphml"))
    assert found.vcount() == 6
    assert sorted(found.es["weight"]) == [0.25, 3.0]


def test_edges_are_sorted_and_read_only():
    graph = graph_of([(4, 5), (0, 3), (0, 2)], [3.0, 2.0, 1.0])
    assert graph.edges.source.tolist() == [0, 0, 4]
    assert graph.edges.weight.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="read-only"):
        graph.edges.weight[0] = 5


@pytest.mark.parametrize(
    ("pairs", "weights", "message"),
    [
        ([(0, 6)], [1.0], "an edge to a node that is not there: expected 0..5"),
        ([(-1, 2)], [1.0], "an edge to a node that is not there"),
        ([(0, 2), (0, 2)], [1.0, 1.0], "a pair of neurons is joined twice"),
        ([(0, 2)], [0.0], "expected a positive finite number, got 0.0"),
        ([(0, 2)], [float("nan")], "got nan"),
        ([(0, 2)], [-1.0], "got -1.0"),
    ],
)
def test_contradictions_are_refused(pairs, weights, message):
    with pytest.raises(GraphError, match=message):
        graph_of(pairs, weights)


def test_a_neuron_twice_is_refused():
    graph = graph_of([])
    with pytest.raises(GraphError, match=r"a neuron occurs twice: got \('x', 0\)"):
        NeuronGraph((*graph.nodes, graph.nodes[0]), graph.edges)


def test_adjacency_is_target_by_source():
    matrix = graph_of([(0, 2), (2, 5)], [0.25, 3.0]).adjacency()
    assert matrix[2, 0] == 0.25
    assert matrix[5, 2] == 3.0
    assert matrix.sum() == 3.25


def test_unused_neurons_have_no_edge_to_another():
    graph = graph_of([(0, 2), (2, 5), (3, 3)])  # a loop on h.1 joins it to nothing
    assert graph.unused == {("x", 1), ("h", 1), ("h", 2)}


def test_without_takes_whole_groups_and_keeps_the_rest():
    graph = graph_of([(0, 2), (1, 5), (2, 5)], [1.0, 2.0, 3.0]).without(["h"])
    assert graph.groups == ("x", "y")
    assert [(graph.nodes[s].key, graph.nodes[t].key) for s, t in zip(*graph.edges[:2], strict=True)] == [
        (("x", 1), ("y", 0))
    ]
    assert graph.edges.weight.tolist() == [2.0]
    assert graph.without("x").groups == ("y",)


def test_without_names_the_groups_there_are():
    with pytest.raises(GraphError, match="no such group: expected x, h, y, got h9"):
        graph_of([]).without(["h9"])


@pytest.mark.parametrize("lost", ["group", "index", "coordinates", "depth", "label"])
def test_foreign_graphs_say_what_is_missing(lost):
    foreign = to_networkx(graph_of([(0, 2)]))
    del foreign.nodes[("x", 1)][lost]
    with pytest.raises(GraphError, match=f"node 1: expected {lost}, got nothing"):
        adopt_graph(foreign)


def test_foreign_edges_say_what_is_missing():
    foreign = to_networkx(graph_of([(0, 2)]))
    foreign.edges[("x", 0), ("h", 0)]["weight"] = "heavy"
    with pytest.raises(GraphError, match="edge 0 -> 2: expected weight, got 'heavy'"):
        adopt_graph(foreign)


def test_graphs_differ_by_any_field():
    graph = graph_of([(0, 2)])
    assert graph == graph_of([(0, 2)])
    assert hash(graph) == hash(graph_of([(0, 2)]))
    others = [graph_of([(0, 3)]), graph_of([(0, 2)], [2.0]), graph_of([(0, 2)], [1.0], [-1])]
    others.append(NeuronGraph(graph.nodes, graph.edges, "activation", "x", "y"))
    assert all(other != graph for other in others)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=12))
def test_depth_is_the_longest_path_and_circles_count_as_one_place(pairs):
    depth = longest_paths("abcdef", pairs)
    reach = nx.transitive_closure(nx.DiGraph(pairs), reflexive=True)
    for source, target in pairs:
        circle = reach.has_edge(target, source)
        assert depth[target] == depth[source] if circle else depth[target] > depth[source]
    for name, value in depth.items():
        around = {b for a, b in pairs if a == name and reach.has_edge(b, name)} | {name}
        before = {a for a, b in pairs for n in around if b == n and not (reach.has_edge(n, a))}
        assert value >= max((depth[a] + 1 for a in before), default=0)
    if depth and pairs:
        assert min(depth.values()) == 0


def test_depth_of_a_recurrent_state_and_a_residual_stream():
    assert longest_paths("xsy", [("x", "s"), ("s", "s"), ("s", "y")]) == {"x": 0, "s": 1, "y": 2}
    stream = [("e", "r"), ("r", "q"), ("q", "r"), ("r", "m"), ("m", "r"), ("r", "o")]
    assert longest_paths("erqmo", stream) == {"e": 0, "r": 1, "q": 1, "m": 1, "o": 2}
