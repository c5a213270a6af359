"""What lives in a transformer and who speaks to whom: on networks made by hand, and against plain graph search."""

import networkx as nx
import numpy as np
import pytest
import torch

from bimt_analyze.graph import neuron_graph, to_networkx
from bimt_analyze.modules import connected_components, leiden, quotient_graph
from bimt_analyze.plots import draw_stream
from bimt_analyze.transformers import alive, stream_map, virtual_graph
from bimt_analyze.transformers._residual_stream import residual_stream
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import GPT, MLP, RowTransformer

SIZES = {"tokens": 3, "context": 2, "width": 4, "heads": 2, "layers": 2, "hidden": 3}
WIDTH = 4


def with_weights(entries: dict[tuple[str, tuple[int, ...]], float]) -> Network:
    """A language model of width 4 with two heads of two neurons, of which only these entries are not 0."""
    network = Network.of(GPT(**SIZES))
    tensors = {name: np.zeros(t.shape) for name, t in network.tensors.items()}
    for (name, place), value in entries.items():
        tensors[name][place] = value
    return network.with_tensors(tensors)


Q, K, V = 0, WIDTH, 2 * WIDTH  # first rows of each in qkv
HAND = {
    ("embedding.weight", (1, 0)): 1.0,  # position 0 is written
    ("blocks.0.qkv.weight", (V + 0, 0)): 1.0,  # head 0 carries 0 ...
    ("blocks.0.out.weight", (1, 0)): 1.0,  # ... to 1, the same from all tokens
    ("blocks.0.qkv.weight", (V + 2, 2)): 1.0,  # head 1 reads what nobody has written
    ("blocks.0.out.weight", (3, 2)): 1.0,
    ("blocks.0.up.weight", (0, 1)): 1.0,  # neuron 0 carries 1 to 2
    ("blocks.0.down.weight", (2, 0)): 2.0,
    ("blocks.0.up.weight", (1, 1)): 1.0,  # neuron 1 says nothing
    ("blocks.0.up.weight", (2, 3)): 1.0,  # neuron 2 hears nothing
    ("blocks.0.down.weight", (2, 2)): 1.0,
    ("blocks.1.qkv.weight", (V + 3, 2)): 0.5,  # head 1 carries 2 to 3 ...
    ("blocks.1.out.weight", (3, 3)): 3.0,
    ("blocks.1.qkv.weight", (K + 2, 0)): 1.0,  # ... from tokens chosen by their 0
    ("blocks.1.qkv.bias", (Q + 2,)): 1.0,
    ("write.weight", (2, 3)): 1.0,
}


def test_the_living_lie_between_what_is_written_and_what_is_read() -> None:
    found = alive(with_weights(HAND))
    assert [(part.group, part.alive, part.attending) for part in found.parts] == [
        ("a1", (True, False), (False, False)),
        ("m1", (True, False, False), ()),
        ("a2", (False, True), (False, True)),
        ("m2", (False, False, False), ()),
    ]
    assert (found.heads, found.neurons, found.positions) == (2, 1, (True, True, True, True))


def test_what_nobody_reads_any_more_dies_back() -> None:
    changed = {**HAND, ("write.weight", (2, 3)): 0.0, ("write.weight", (0, 1)): 1.0}
    found = alive(with_weights(changed))
    assert [part.count for part in found.parts] == [1, 0, 0, 0]
    assert found.positions == (True, True, False, False)
    assert alive(with_weights(changed), threshold=1.0).heads == 0


@pytest.mark.parametrize("lacking", [("blocks.1.qkv.weight", (K + 2, 0)), ("blocks.1.qkv.bias", (Q + 2,))])
def test_attention_needs_keys_and_something_to_ask_them(lacking: tuple[str, tuple[int, ...]]) -> None:
    last = alive(with_weights({**HAND, lacking: 0.0})).parts[2]
    assert (last.alive, last.attending) == ((False, True), (False, False))


def sparse(seed: int, module: torch.nn.Module | None = None, keep: float = 0.1) -> Network:
    """A language model of which a few weights are left."""
    rng, network = np.random.default_rng(seed), Network.of(module or GPT(**SIZES))
    drawn = {n: rng.normal(size=t.shape) * (rng.random(t.shape) < keep) for n, t in network.tensors.items()}
    return network.with_tensors({n: t for n, t in drawn.items() if n != "places"})


def searched(network: Network) -> dict[str, list[bool]]:
    """The oracle: the blocks unrolled into a graph, each stage of the stream with nodes of its own."""
    graph, t = nx.DiGraph(), network.tensors
    graph.add_nodes_from(["in", "out"])
    carry = nx.DiGraph()

    def join(target: object, source: object, *, value: float, both: bool = True) -> None:
        if value:
            graph.add_edge(source, target)
            if both:
                carry.add_edge(source, target)

    carry.add_nodes_from(["in", "out"])
    for p in range(WIDTH):
        join(
            (0, p),
            "in",
            value=float(np.abs(t["embedding.weight"][:, p]).sum() + np.abs(t["positions.weight"][:, p]).sum()),
        )
        join("out", (4, p), value=float(np.abs(t["write.weight"][:, p]).sum()))
    for b in range(2):
        qkv, bias, at = t[f"blocks.{b}.qkv.weight"], t[f"blocks.{b}.qkv.bias"], 2 * b
        for stage in (at, at + 1):
            for p in range(WIDTH):
                join((stage + 1, p), (stage, p), value=1.0)
        for i in range(WIDTH):
            for p in range(WIDTH):
                join(("v", b, i), (at, p), value=qkv[V + i, p])
                join((at + 1, p), ("v", b, i), value=t[f"blocks.{b}.out.weight"][p, i])
        for j in range(3):
            for p in range(WIDTH):
                join(("m", b, j), (at + 1, p), value=t[f"blocks.{b}.up.weight"][j, p])
                join((at + 2, p), ("m", b, j), value=t[f"blocks.{b}.down.weight"][p, j])
    driven = nx.descendants(carry, "in")
    looking = {}
    for b in range(2):
        qkv, bias = t[f"blocks.{b}.qkv.weight"], t[f"blocks.{b}.qkv.bias"]
        for i in range(WIDTH):
            fed = [[(2 * b, p) for p in range(WIDTH) if qkv[c + i, p] and (2 * b, p) in driven] for c in (Q, K)]
            looking[b, i] = bool(fed[1] and (fed[0] or bias[Q + i]))
            if looking[b, i]:
                for source in fed[0] + fed[1]:
                    for other in range(i // 2 * 2, i // 2 * 2 + 2):
                        if ("v", b, other) in driven:
                            graph.add_edge(source, ("v", b, other))
    living = nx.ancestors(graph.subgraph(driven | {"out"}), "out")
    found = {}
    for b in range(2):
        v = [("v", b, i) in living for i in range(WIDTH)]
        found[f"a{b + 1}"] = [v[0] or v[1], v[2] or v[3]]
        found[f"look{b + 1}"] = [found[f"a{b + 1}"][h] and (looking[b, 2 * h] or looking[b, 2 * h + 1]) for h in (0, 1)]
        found[f"m{b + 1}"] = [("m", b, j) in living for j in range(3)]
    return found


def test_the_living_are_those_that_a_search_of_the_unrolled_graph_reaches() -> None:
    seen = set()
    for seed in range(60):
        network = sparse(seed, keep=0.25)
        found, expected = alive(network), searched(network)
        for part in found.parts:
            assert list(part.alive) == expected[part.group], (seed, part.group)
            seen.add((part.group[0], part.count))
            if part.attending:
                assert list(part.attending) == expected[f"look{part.group[1]}"], seed
    assert {("a", 0), ("a", 1), ("a", 2), ("m", 0), ("m", 1), ("m", 2)} <= seen


def test_the_map_has_every_weight_of_the_stream_once() -> None:
    network = sparse(0, keep=0.5)
    found = stream_map(network)
    assert found.columns == (
        ("embedding", "writes"), ("positions", "writes"), ("a1", "reads"), ("a1", "writes"), ("m1", "reads"),
        ("m1", "writes"), ("a2", "reads"), ("a2", "writes"), ("m2", "reads"), ("m2", "writes"), ("y", "reads"),
    )  # fmt: skip
    total = sum(
        np.abs(network.tensors[n]).sum() for n in (*network.layout.weights(), "embedding.weight", "positions.weight")
    )
    assert found.mass.sum() == pytest.approx(total)
    np.testing.assert_allclose(found.mass[:, 2], np.abs(network.tensors["blocks.0.qkv.weight"]).sum(0))
    np.testing.assert_allclose(found.mass[:, 9], np.abs(network.tensors["blocks.1.down.weight"]).sum(1))


def test_a_virtual_weight_is_the_product_over_the_stream() -> None:
    network = sparse(1, keep=0.6)
    graph = virtual_graph(network)
    strength = {(graph.nodes[s].key, graph.nodes[d].key): w for s, d, w, _ in zip(*graph.edges, strict=True)}
    out, qkv = network.tensors["blocks.0.out.weight"], network.tensors["blocks.1.qkv.weight"]
    down, write = network.tensors["blocks.0.down.weight"], network.tensors["write.weight"]
    for head in range(2):
        for reader in range(2):
            rows = [c + 2 * reader + i for c in (Q, K, V) for i in (0, 1)]
            expected = sum(abs(qkv[row] @ out[:, 2 * head + i]) for row in rows for i in (0, 1))
            assert strength.get((("a1", head), ("a2", reader)), 0.0) == pytest.approx(expected)
    for neuron in range(3):
        for token in range(3):
            assert strength.get((("m1", neuron), ("y", token)), 0.0) == pytest.approx(
                abs(write[token] @ down[:, neuron])
            )
    depths = {node.group: node.depth for node in graph.nodes}
    assert all(depths[target[0]] > depths[source[0]] for source, target in strength)  # nobody reads what comes later
    assert graph.nodes[0].label == "a1 head 0"


def test_separate_halves_of_the_stream_are_separate_components() -> None:
    entries = {}
    for side in (0, 1):
        own, head, neuron = 2 * side, 2 * side, side
        entries |= {
            ("embedding.weight", (0, own)): 1.0, ("blocks.0.qkv.weight", (V + head, own)): 1.0,
            ("blocks.0.out.weight", (own + 1, head)): 1.0, ("blocks.1.up.weight", (neuron, own + 1)): 1.0,
            ("blocks.1.down.weight", (own, neuron)): 1.0, ("write.weight", (0, own)): 1.0,
        }  # fmt: skip
    graph = virtual_graph(with_weights(entries))
    apart = connected_components(graph.without(["y"]))
    assert apart.modules == (frozenset({("a1", 0), ("m2", 0)}), frozenset({("a1", 1), ("m2", 1)}))
    assert len(connected_components(graph).modules) == 1  # the outputs join everything


def test_a_transformer_of_rows_is_read_as_well() -> None:
    network = sparse(2, RowTransformer((0, 1, 0), 2, 4, heads=2, layers=2, hidden=3), keep=0.8)
    assert {"kind"} == set(residual_stream(network).sources)
    assert [part.group for part in alive(network).parts] == ["a1", "m1", "a2", "m2"]
    assert stream_map(network).columns[0] == ("kind", "writes")
    assert {node.group for node in virtual_graph(network).nodes} == {"kind", "a1", "m1", "a2", "m2", "y"}


@pytest.mark.parametrize("ask", [alive, stream_map, virtual_graph])
def test_other_networks_have_no_stream(ask) -> None:
    with pytest.raises(InputError, match="no residual stream"):
        ask(Network.of(MLP([3, 4, 2])))


def test_the_graph_of_modules_is_networkxs_quotient_graph() -> None:
    graph = neuron_graph(Network.of(MLP([5, 8, 8, 3], generator=torch.Generator().manual_seed(0))))
    partition = leiden(graph, resolution=2.0, seed=0)
    found = quotient_graph(graph, partition)
    whole = to_networkx(graph)

    def one_way(one: set, other: set) -> dict[str, float]:  # networkx's own adds up both ways
        return {"weight": sum(data["weight"] for u in one for v, data in whole[u].items() if v in other)}

    modules = [set(module) for module in partition.modules]
    theirs = nx.quotient_graph(whole, modules, edge_data=one_way, relabel=True)
    assert set(found.edges) == set(theirs.edges) and len(found) > 2
    for one, other, data in theirs.edges(data=True):
        assert found.edges[one, other]["weight"] == pytest.approx(data["weight"])
    for k, data in found.nodes(data=True):
        assert data["neurons"] == sum(data["groups"].values()) == theirs.nodes[k]["nnodes"]
    total = sum(d["within"] for _, d in found.nodes(data=True)) + found.size(weight="weight")
    assert total == pytest.approx(graph.edges.weight.sum())


def test_the_stream_is_drawn_in_the_order_of_its_places() -> None:
    network = with_weights(HAND)
    moved = network.with_placement(type(network.placement)({**network.placement.slots, "resid": (3, 2, 1, 0)}))
    drawn = draw_stream(stream_map(moved))
    (panel,) = drawn.axes.child_axes
    columns = [image.get_array().ravel().tolist() for image in panel.images]
    assert columns[0] == [0, 0, 0, 1]  # tokens write position 0, which sits last
    assert columns[-1] == [1, 0, 0, 0]
    assert [label.get_text() for label in panel.get_xticklabels()][2] == "a1 reads"
    assert drawn.png().startswith(b"\x89PNG")
