"""What stands in the page of a view: the graph's own numbers, places, losses and effects."""

import base64
import json
import re
import zlib
from itertools import pairwise

import numpy as np
import pytest

from bimt_analyze.graph import Edges, Neuron, NeuronGraph, neuron_graph
from bimt_analyze.viewer import Cut, film_of, network_view
from bimt_analyze.viewer._cuts import cut_losses
from bimt_analyze.viewer._neuron_effects import neuron_effects
from bimt_analyze.viewer._positions import layers_of, module_places, neuron_places
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP
from bimt_train.training import Snapshot


def content(view):
    """What the page's script reads, read by other means."""
    page = view.html()
    about = json.loads(re.search(r'id="about" type="application/json">(.*?)</script>', page, re.S)[1])
    packed = re.search(r'id="numbers" type="application/octet-stream">(.*?)</script>', page, re.S)[1]
    data = zlib.decompress(base64.b64decode(packed), -15)
    kinds = {"Float32Array": "<f4", "Int32Array": "<i4", "Uint16Array": "<u2", "Uint32Array": "<u4"}
    arrays = {
        one["name"]: np.frombuffer(data, kinds[one["kind"]], one["length"], one["offset"]) for one in about["arrays"]
    }
    return about, arrays


def test_the_page_has_every_edge_strongest_first(view):
    about, arrays = content(view)
    labels = np.array(about["labels"])
    frame = view.graph.to_frame()
    expected = {(s, t): w * sign for s, t, w, sign in frame.itertuples(index=False)}
    found = dict(
        zip(zip(labels[arrays["source"]], labels[arrays["target"]], strict=True), arrays["weight"], strict=True)
    )
    assert found.keys() == expected.keys()
    assert [found[pair] for pair in expected] == pytest.approx([*expected.values()], rel=1e-6)
    assert (np.diff(np.abs(arrays["weight"])) <= 0).all() and (arrays["weight"] < 0).any()


def test_the_page_has_every_neuron_in_its_module(view, planar):
    about, arrays = content(view)
    for node, module, effect in zip(view.graph.nodes, arrays["module"], arrays["effect"], strict=True):
        assert node.key in view.modules[module]
        assert effect == pytest.approx(0.1 * node.index if node.group == "h1" else -1)
    assert [one["size"] for one in about["modules"]] == [6, 6] and about["modules"][0]["note"] == "a, b → u"
    about, arrays = content(planar)
    assert [one["name"] for one in about["modules"]] == ["module 1", "module 2", "no module"]
    assert np.bincount(arrays["module"]).tolist() == [4, 2, 14] and about["planar"]


def test_without_modules_the_layers_stand_for_them(planar):
    about, arrays = content(network_view(planar.graph))
    assert [one["name"] for one in about["modules"]] == ["x", "h1", "y"]
    assert (arrays["module"] == arrays["group"]).all()


def test_layers_lie_above_each_other(view, planar):
    places = neuron_places(planar.graph)
    heights = [np.unique(places[planar.graph.members(group), 2]) for group in planar.graph.groups]
    assert [len(one) for one in heights] == [1, 1, 1] and np.all(np.diff(np.concatenate(heights)) > 0)
    first = {node.index: place for node, place in zip(planar.graph.nodes, places, strict=True) if node.group == "x"}
    assert first[0][1] > first[8][1] and first[0][0] < first[2][0]  # the first row lies at the back
    assert (neuron_places(view.graph)[:, 1] == 0).all()


def test_groups_around_a_stream_have_layers_of_their_own():
    groups = ("x", "resid", "mlp", "other", "y")
    nodes = tuple(Neuron(name, 0, name, (0.5,), depth) for name, depth in zip(groups, (0, 1, 1, 2, 2), strict=True))
    ends = np.array([(0, 1), (1, 2), (2, 1), (1, 3), (2, 4)])
    edges = Edges(ends[:, 0], ends[:, 1], np.ones(5), np.ones(5, dtype=np.int8))
    assert layers_of(NeuronGraph(nodes, edges)) == (("x",), ("resid",), ("mlp",), ("other", "y"))


def test_modules_on_one_point_are_pushed_apart():
    places = np.zeros((12, 3), dtype=np.float32)
    centres = module_places(places, np.arange(12, dtype=np.int32) % 4, [True] * 12, 4)
    away = np.linalg.norm(centres[:, None] - centres[None], axis=2) + np.eye(4)
    assert away.min() > 0.1 and abs(centres.mean()) < 0.01


def test_losses_are_those_of_networks_without_weak_weights(planted):
    graph, x = neuron_graph(planted.network), planted.x[:40]
    y = planted.network.predict(x) + 0.1
    cuts = cut_losses(planted.network, graph, x, y, loss="mse")
    assert cuts[0].edges == 18 and cuts[-1].edges == 0 and cuts[0].loss == pytest.approx(0.01)
    for cut in cuts:
        weak = {
            name: np.where(np.abs(tensor) >= cut.threshold, tensor, 0)
            for name, tensor in planted.network.tensors.items()
            if name.endswith("weight")
        }
        expected = ((planted.network.with_tensors(weak).predict(x) - y) ** 2).mean()
        assert cut.loss == pytest.approx(expected)
        assert cut.edges == sum((tensor != 0).sum() for tensor in weak.values())


def test_effects_of_a_linear_network_are_known():
    network = Network.of(MLP((2, 2, 1), "identity")).with_tensors(
        {"layers.0.weight": np.eye(2), "layers.1.weight": np.array([[3.0, 0.5]]), "layers.0.bias": np.zeros(2)}
    )
    x = np.random.default_rng(0).normal(size=(150, 2))
    moved = np.array([3.0, 0.5]) * x.std(axis=0) / (x @ [3.0, 0.5]).std()
    effects = neuron_effects(network, x)
    assert [effects["h1", i] for i in range(2)] == pytest.approx(moved.tolist())


def test_a_film_has_the_edges_and_places_of_every_frame(filmed):
    about, arrays = content(filmed)
    assert [frame["step"] for frame in about["film"]] == [0, 100, 400]
    bounds = [*(frame["first"] for frame in about["film"]), len(arrays["film_weight"])]
    count = len(filmed.graph.nodes)
    for number, (first, last) in enumerate(pairwise(bounds)):
        graph = filmed.film[number].graph
        own = {name: arrays[f"film_{name}"][first:last] for name in ("source", "target", "weight")}
        expected = graph.edges.weight * np.where(graph.edges.sign < 0, -1, 1)
        given = {(a, b): weight for a, b, weight in zip(own["source"], own["target"], own["weight"], strict=True)}
        ends = zip(graph.edges.source, graph.edges.target, strict=True)
        assert given == pytest.approx(dict(zip(ends, expected, strict=True)))
        assert (np.diff(np.abs(own["weight"])) <= 0).all() and np.abs(own["weight"]).min() > 0.2
        across = arrays["film_x"][number * count : (number + 1) * count]
        np.testing.assert_array_equal(across, neuron_places(graph)[:, 0])
    assert len(filmed.film[0].graph.edges.weight) > len(filmed.graph.edges.weight)
    across = arrays["film_x"].reshape(3, count)
    one, other = (filmed.graph.numbers["h1", index] for index in (0, 1))
    assert across[2, one] == across[1, other] != across[1, one] == across[2, other]


def test_frames_are_even_in_the_root_of_the_step(planted):
    snapshots = [Snapshot(step, planted.network) for step in range(0, 101, 1)]
    assert [frame.step for frame in film_of(snapshots, frames=5)] == [0, 6, 25, 56, 100]


def test_of_large_films_each_frame_keeps_its_strongest_edges(snapshots, monkeypatch):
    monkeypatch.setattr("bimt_analyze.viewer._film.MOST", 15)
    film = film_of(snapshots)
    assert [len(frame.graph.edges.weight) for frame in film] == [5, 5, 5]
    all_weights = np.sort(neuron_graph(snapshots[1].network).edges.weight)
    assert film[1].graph.left_out == 13 and film[1].graph.edges.weight.min() == all_weights[-5]


def test_films_of_other_networks_are_refused(filmed, planar, snapshots):
    film = filmed.film
    for graph, cuts in ((planar.graph, ()), (film[0].graph, ()), (filmed.graph, (Cut(1, 0.1, 0.5),))):
        with pytest.raises(InputError, match="a film of another network"):
            network_view(graph, film=film, cuts=cuts)
    with pytest.raises(InputError, match=r"no film can be made of these snapshots.*1 snapshots"):
        film_of(snapshots[:1])


def test_words_of_others_cannot_leave_their_place(planted):
    graph = neuron_graph(planted.network)
    page = network_view(graph, title="</script><b>x", notes=["</script>"], modules=planted.partition.modules).html()
    assert page.count("</script>") == 4 and "<b>" not in page


def test_a_neuron_of_another_graph_is_refused(planar):
    with pytest.raises(InputError, match=r"does not have.*z"):
        network_view(planar.graph, modules=[{("z", 0)}])
