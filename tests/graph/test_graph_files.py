"""Graphs to and from other programs: nothing is lost of our own, and of anybody's it is told what was inferred."""

import gzip
import tempfile
import time
from itertools import permutations
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from test_neuron_graph import graph_of, graphs

from bimt_analyze.graph import GraphError, adopt_graph, neuron_graph, read_graph, to_igraph, to_networkx, write_graph
from bimt_analyze.graph.exchange._graph_files import graph_text
from bimt_analyze.graph.exchange._graph_format import GRAPH_FORMATS
from bimt_analyze.modules import Partition, modularity
from bimt_analyze.synthetic import block_network
from bimt_train import InputError

FORMATS = sorted(GRAPH_FORMATS.names())
BOMB = '<?xml version="1.0"?>\n<!DOCTYPE g [<!ENTITY a0 "ha">{}]>\n<{}>&a30;</{}>'
ENTITIES = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, 31))


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None, max_examples=50)
@given(graphs())
def test_a_file_loses_nothing(form, drawn):
    graph = graph_of(*drawn)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"g.{form}"
        write_graph(graph, path, modules={node.key: 1 for node in graph.nodes[:2]})
        found = read_graph(path)
        assert found.graph == graph and found.assumed == ()
        write_graph(found.graph, Path(folder) / f"again.{form}", modules={node.key: 1 for node in graph.nodes[:2]})
        assert (Path(folder) / f"again.{form}").read_bytes() == path.read_bytes()


def test_a_backbone_and_odd_coordinates_come_back(tmp_path):
    graph = graph_of([(0, 2)], [1e-300])
    nodes = (graph.nodes[0].__class__("x", 0, "ä <&> \" '", (1e-17, -2.5, 1 / 3, 7.0), 0), *graph.nodes[1:])
    odd = graph.__class__(nodes, graph.edges, "somebody's", "x", "y", left_out=12)
    for form in FORMATS:
        write_graph(odd, tmp_path / f"g.{form}")
        assert read_graph(tmp_path / f"g.{form}").graph == odd


def test_gephi_finds_places_and_modules(tmp_path):
    graph = graph_of([(0, 2), (2, 5)], [0.25, 3.0], [1, -1])
    write_graph(graph, tmp_path / "g.gexf", modules={("h", 0): 7})
    found = nx.read_gexf(tmp_path / "g.gexf")
    assert found.nodes["h.0"]["viz"]["position"] == {"x": 0.5 / 3, "y": 1 / 3, "z": 1.0}
    assert [found.nodes[node]["module"] for node in ("h.0", "h.1")] == [7, -1]
    assert found.edges["h.0", "y.0"]["weight"] == 3.0 and found.edges["h.0", "y.0"]["sign"] == -1
    assert time.strftime("%Y") not in (tmp_path / "g.gexf").read_text()  # or the bytes change from day to day


def test_a_format_of_ones_own(tmp_path):
    def pairs(path):
        return nx.DiGraph([line.split() for line in path.read_text().splitlines()])

    @GRAPH_FORMATS.register("pairs", label="pairs", sentence="Names of two nodes a line.", read=pairs, ending=".pairs")
    def lines(graph):
        return "".join(f"{a} {b}\n" for a, b in graph.edges)

    try:
        assert graph_text(graph_of([(0, 2)]), GRAPH_FORMATS["pairs"]) == "x.0 h.0\n"
        (tmp_path / "g.pairs").write_text("a b\nb c\n")
        assert read_graph(tmp_path / "g.pairs").graph.groups == ("layer0", "layer1", "layer2")
    finally:
        del GRAPH_FORMATS._found["pairs"]


# ---- somebody's graph -----------------------------------------------------------------------------------------------


def test_what_this_project_made_comes_back_from_memory():
    graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    for foreign in (to_networkx(graph), to_igraph(graph)):
        assert adopt_graph(foreign).graph == graph and adopt_graph(foreign).assumed == ()


@pytest.mark.parametrize("form", FORMATS)
def test_groups_places_weights_and_signs_of_somebodys_file(form, tmp_path):
    made = nx.DiGraph()
    for name, layer, x in (("a", 0, 1.5), ("b", 0, 2.5), ("c", 1, 0.5)):
        made.add_node(name, layer=layer, x=x, y=float(layer), label=name.upper())
    made.add_edge("a", "c", weight=-2.0)
    made.add_edge("b", "c", weight=0.0)
    getattr(nx, f"write_{form}")(made, tmp_path / f"g.{form}")
    found = read_graph(tmp_path / f"g.{form}")
    graph = found.graph
    assert [(n.key, n.label, n.coordinates, n.depth) for n in graph.nodes] == [
        (("layer0", 0), "A", (1.5, 0.0), 0), (("layer0", 1), "B", (2.5, 0.0), 0), (("layer1", 0), "C", (0.5, 1.0), 1)
    ]  # fmt: skip
    assert (graph.inputs, graph.outputs) == ("layer0", "layer1")
    assert [column.tolist() for column in graph.edges] == [[0], [2], [2.0], [-1]]
    assert found.assumed == (
        "groups: the values of 'layer'",
        "weights: 1 edges of weight 0 are left out",
        "inputs: layer0; outputs: layer1: what no group leads to, and what leads to none",
    )


@pytest.mark.parametrize(
    ("about", "place"),
    [
        ({"pos": (1, 2)}, (1.0, 2.0)),
        ({"pos": "1,2"}, (1.0, 2.0)),
        ({"coordinates": "3 4 5"}, (3.0, 4.0, 5.0)),
        ({"x": 1, "y": 2, "z": 3}, (1.0, 2.0, 3.0)),
        ({"x": 1}, (1.0,)),
        ({"viz": {"position": {"x": 1.0, "y": 2.0, "z": 0.0}}}, (1.0, 2.0, 0.0)),
        ({}, (0.25,)),
    ],
)
def test_places_are_taken_from_where_programs_keep_them(about, place):
    found = adopt_graph(_pair(about))
    assert found.graph.nodes[0].coordinates == place
    assert any("evenly" in sentence for sentence in found.assumed) == (not about)


def _pair(about):
    graph = nx.Graph()
    graph.add_nodes_from([(0, about), (1, about)])
    graph.add_edge(0, 1)
    return graph


def test_a_graph_without_groups_has_its_layers_or_one():
    layers = adopt_graph(nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")])).graph
    assert [(node.label, node.group) for node in layers.nodes] == [("a", "layer0"), ("b", "layer1"), ("c", "layer2")]
    circle = adopt_graph(nx.DiGraph([("a", "b"), ("b", "a")]))
    assert circle.graph.groups == ("all",) and not circle.graph.has_ends
    assert "inputs and outputs: nothing tells them" in circle.assumed


def test_the_user_names_the_attributes():
    graph = nx.DiGraph()
    graph.add_nodes_from([("a", {"area": "V 1", "layer": 3}), ("b", {"area": "V2", "layer": 3})])
    graph.add_edge("a", "b", synapses=12)
    found = adopt_graph(graph, group="area", weight="synapses").graph
    assert found.groups == ("V_1", "V2") and found.edges.weight.tolist() == [12.0] and found.weights == "synapses"
    with pytest.raises(GraphError, match="a node without its group: node 0: expected colour, got nothing"):
        adopt_graph(graph, group="colour")


def test_edges_without_direction_count_both_ways_whatever_their_order():
    """Modularity is networkx's own of the undirected graph, loops included, and no order of the nodes matters."""
    made = nx.Graph()
    made.add_weighted_edges_from([(0, 1, 2.0), (1, 2, 1.0), (2, 3, 5.0), (3, 3, 4.0)])
    for order in permutations(range(4)):
        turned = nx.Graph()
        turned.add_nodes_from(order)
        turned.add_edges_from((b, a, data) for a, b, data in made.edges(data=True))
        graph = adopt_graph(turned).graph
        pairs = ("0", "1"), ("2", "3")
        halves = Partition(tuple(frozenset(n.key for n in graph.nodes if n.label in pair) for pair in pairs))
        expected = nx.community.modularity(made, [{0, 1}, {2, 3}])
        assert modularity(graph, halves) == pytest.approx(expected) and expected > 0.1
        adjacency = graph.adjacency()
        assert (adjacency == adjacency.T).all()


def test_layers_by_number_give_a_direction():
    made = nx.Graph()
    made.add_nodes_from([("y", {"layer": 2}), ("h", {"layer": 1}), ("g", {"layer": 1}), ("x", {"layer": 0})])
    made.add_edges_from([("y", "h"), ("h", "x"), ("h", "g")])
    graph = adopt_graph(made).graph
    ends = [(graph.nodes[a].label, graph.nodes[b].label) for a, b in zip(*graph.edges[:2], strict=True)]
    assert sorted(ends) == [("g", "h"), ("h", "g"), ("h", "y"), ("x", "h")]
    assert (graph.inputs, graph.outputs) == ("layer0", "layer2") and graph.depths.tolist() == [2, 1, 1, 0]


def test_igraph_of_somebody():
    found = adopt_graph(igraph.Graph.Full(3)).graph
    assert len(found.nodes) == 3 and len(found.edges.weight) == 6


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (nx.DiGraph(), "a graph without nodes"),
        (nx.MultiDiGraph([("a", "b"), ("a", "b")]), "two edges between the same nodes: 'a' and 'b'"),
        (nx.DiGraph([("a", "b", {"weight": "heavy"})]), "edge 0, weight: expected a finite number, got 'heavy'"),
        (nx.DiGraph([("a", "b", {"weight": float("inf")})]), "edge 0, weight: expected a finite number, got inf"),
        (nx.DiGraph([("a", "b", {"weight": 1}), ("b", "c")]), "an edge without a weight: edge 1"),
    ],
)
def test_graphs_that_cannot_be_adopted(made, message):
    with pytest.raises(GraphError, match=message):
        adopt_graph(made)


def test_names_and_places_that_cannot_be_used():
    graph = nx.DiGraph()
    graph.add_nodes_from([("a", {"group": "u v", "pos": "1 2"}), ("b", {"group": "u_v", "pos": "3"})])
    with pytest.raises(GraphError, match="two groups of one name: got 'u v', 'u_v'"):
        adopt_graph(graph)
    graph.nodes["b"]["group"] = "w"
    with pytest.raises(GraphError, match="unequal numbers of coordinates"):
        adopt_graph(graph)
    graph.nodes["b"]["pos"] = "here"
    with pytest.raises(GraphError, match="coordinates that are no numbers"):
        adopt_graph(graph)
    graph.nodes["a"]["group"] = " "
    with pytest.raises(GraphError, match="a group without a name"):
        adopt_graph(graph)


# ---- files that are no graphs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_entities_are_refused_before_they_grow(form, tmp_path):
    path = tmp_path / f"bomb.{form}"
    for text in (
        BOMB.format(ENTITIES, form, form),
        f'<!DOCTYPE g [<!ENTITY a30 SYSTEM "file:///etc/hostname">]><{form}/>',
    ):
        path.write_text(text)
        with pytest.raises(GraphError, match=r"a graph with a document type: .*<!DOCTYPE g>"):
            read_graph(path)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no XML"),
        (b"<graphml", "no XML"),
        (b"\x00\xff" * 40, "no XML"),
        (gzip.compress(b"<graphml/>", mtime=0), "no XML"),
        (b"<other/>", "cannot be read as G|a graph without nodes"),
        (b"<n>" * 5000 + b"</n>" * 5000, "cannot be read as G|a graph without nodes"),
    ],
)
def test_files_that_are_no_graphs(form, content, message, tmp_path):
    (tmp_path / f"g.{form}").write_bytes(content)
    with pytest.raises(GraphError, match=message) as caught:
        read_graph(tmp_path / f"g.{form}")
    assert f"g.{form}" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_cut_or_changed_anywhere_is_a_graph_or_one_line(form, tmp_path):
    path = tmp_path / f"g.{form}"
    write_graph(graph_of([(0, 2), (2, 5)], [0.25, 3.0]), path)
    whole, draw = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        changed = bytearray(whole)
        place, length = int(draw.integers(len(whole))), int(draw.integers(1, 30))
        changed[place : place + length] = draw.integers(32, 127, int(draw.integers(30)), dtype=np.uint8).tobytes()
        path.write_bytes(bytes(changed))
        try:
            read_graph(path)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 100


def test_endings_that_no_format_has(tmp_path):
    for call in (lambda: read_graph(tmp_path / "g.png"), lambda: write_graph(graph_of([]), tmp_path / "g")):
        with pytest.raises(InputError, match=r"a graph of an unknown format: .*expected \.graphml, \.gexf"):
            call()
    with pytest.raises(GraphError, match=r"cannot be read: .*No such file"):
        read_graph(tmp_path / "none.gexf")
