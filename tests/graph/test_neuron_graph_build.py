"""From networks to graphs: the three weights, worked out again with NumPy alone, and what leaves them unchanged."""

import itertools

import numpy as np
import pytest

from bimt_analyze.graph import EDGE_WEIGHTS, Trace, neuron_graph
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts import Group, Layout, Placement, TensorSpec, linear
from bimt_train.models import ModelSpec, RowTransformer


def mlp(*matrices, biases=None, activation="tanh", layout=None):
    widths = [matrices[0].shape[1], *(len(m) for m in matrices)]
    names = ["x", *(f"h{i}" for i in range(1, len(matrices))), "y"]
    groups = [Group.line(name, width) for name, width in zip(names, widths, strict=True)]
    if layout is None:
        pieces = [linear(f"layers.{i}", source=groups[i], target=groups[i + 1]) for i in range(len(matrices))]
        layout = Layout.merge(*pieces, inputs="x", outputs="y")
    biases = [np.zeros(len(m)) for m in matrices] if biases is None else biases
    tensors = {f"layers.{i}.weight": m for i, m in enumerate(matrices)}
    tensors |= {f"layers.{i}.bias": b for i, b in enumerate(biases)}
    spec = ModelSpec("mlp", {"widths": widths, "activation": activation})
    return Network(spec, layout, Placement.identity(layout), tensors)


def drawn(seed=0, widths=(3, 4, 2)):
    rng = np.random.default_rng(seed)
    matrices = [rng.normal(size=(b, a)) * (rng.random((b, a)) < 0.7) for a, b in itertools.pairwise(widths)]
    biases = [rng.normal(size=b) for b in widths[1:]]
    return matrices, biases, rng.normal(size=(40, widths[0]))


def edge(graph, source, target):
    number = graph.numbers
    found = (graph.edges.source == number[source]) & (graph.edges.target == number[target])
    return float(graph.edges.weight[found].sum())


def edges(graph):
    return {
        (graph.nodes[s].key, graph.nodes[t].key): w
        for s, t, w in zip(*(column.tolist() for column in graph.edges[:3]), strict=True)
    }


def test_nodes_carry_places_names_and_depth():
    matrices, _, _ = drawn()
    network = mlp(*matrices)
    moved = network.placement.moved("h1", (2, 0, 3, 1))
    graph = neuron_graph(network.with_placement(moved))
    assert [node.key for node in graph.nodes][:4] == [("x", 0), ("x", 1), ("x", 2), ("h1", 0)]
    assert graph.nodes[3].coordinates == (0.625,)
    assert graph.nodes[3].label == "h1.0"
    assert [node.depth for node in graph.nodes] == [0] * 3 + [1] * 4 + [2] * 2
    assert (graph.inputs, graph.outputs, graph.weights) == ("x", "y", "magnitude")


def test_magnitudes_and_signs_are_those_of_the_weights_and_zeros_are_no_edges():
    matrices, _, _ = drawn()
    graph = neuron_graph(mlp(*matrices))
    assert len(graph.edges.weight) == sum(int((m != 0).sum()) for m in matrices)
    for (source, target), weight in edges(graph).items():
        assert weight == abs(matrices[0 if source[0] == "x" else 1][target[1], source[1]])
    signs = dict(zip(edges(graph), graph.edges.sign.tolist(), strict=True))
    assert all(s == np.sign(matrices[0 if a[0] == "x" else 1][b[1], a[1]]) for (a, b), s in signs.items())


def test_activation_weights_by_hand():
    (first, second), (b1, b2), x = drawn()
    graph = neuron_graph(mlp(first, second, biases=[b1, b2]), weights="activation", x=x)
    hidden = np.tanh(x @ first.T + b1)
    expected = [np.abs(first) * x.std(0), np.abs(second) * hidden.std(0)]
    for (source, target), weight in edges(graph).items():
        assert weight == pytest.approx(expected[0 if source[0] == "x" else 1][target[1], source[1]], rel=1e-12)


def test_attribution_weights_by_hand():
    (first, second), (b1, b2), x = drawn()
    graph = neuron_graph(mlp(first, second, biases=[b1, b2]), weights="attribution", x=x)
    hidden = np.tanh(x @ first.T + b1)
    y = hidden @ second.T + b2
    centred = [np.abs(x - x.mean(0)), np.abs(hidden - hidden.mean(0))]
    to_y = second[None] / y.std(0)[None, :, None] * (1 - hidden**2)[:, None, :]  # rows, outputs, hidden
    slopes = [np.sqrt((to_y**2).sum(1)), np.broadcast_to(1 / y.std(0), (len(x), 2))]
    by_slope = [
        np.abs(matrix) * np.mean(centre[:, None, :] * slope[:, :, None], axis=0)
        for matrix, centre, slope in zip((first, second), centred, slopes, strict=True)
    ]
    least = min(total for strengths in by_slope for total in strengths.sum(1) if total > 0)
    for layer, matrix in enumerate((first, second)):
        moved = np.abs(matrix) * np.std((x, hidden)[layer], axis=0)
        silent = by_slope[layer].sum(1, keepdims=True) == 0  # no output has a gradient there
        expected = np.where(silent, 1e-3 * least * moved / moved.sum(1, keepdims=True), by_slope[layer])
        names = (("x", "h1"), ("h1", "y"))[layer]
        for i, j in np.argwhere(matrix):
            assert edge(graph, (names[0], j), (names[1], i)) == pytest.approx(expected[i, j], rel=1e-12)


def test_rescaling_relu_neurons_leaves_attribution_and_readers_alone():
    (first, second), (b1, b2), x = drawn()
    scale = np.array([0.1, 1.0, 5.0, 30.0])
    plain = mlp(first, second, biases=[b1, b2], activation="relu")
    scaled = mlp(first * scale[:, None], second / scale, biases=[b1 * scale, b2], activation="relu")
    assert np.allclose(plain.predict(x), scaled.predict(x))
    before, after = (edges(neuron_graph(n, weights="attribution", x=x)) for n in (plain, scaled))
    assert after == pytest.approx(before, rel=1e-9)
    before, after = (edges(neuron_graph(n, weights="activation", x=x)) for n in (plain, scaled))
    upper = [pair for pair in before if pair[1][0] == "y"]
    assert upper
    assert all(after[pair] == pytest.approx(before[pair], rel=1e-9) for pair in upper)
    # whereas |w| changes
    assert edges(neuron_graph(plain)) != pytest.approx(edges(neuron_graph(scaled)), rel=1e-3)


def test_the_gains_of_norms_leave_attribution_alone():
    network = Network.of(RowTransformer([0, 1, 0, 1, 0], 1, 8, heads=2, layers=2, hidden=6))
    rng, x = np.random.default_rng(0), np.random.default_rng(1).normal(size=(50, 5))
    readers = {"blocks.0.norm1": "blocks.0.qkv", "blocks.1.norm2": "blocks.1.up", "norm": "write"}
    tensors = dict(network.tensors)
    for norm, reader in readers.items():
        gain = rng.uniform(0.1, 10, 8)
        tensors |= {f"{norm}.{name}": network.tensors[f"{norm}.{name}"] * gain for name in ("weight", "bias")}
        tensors[f"{reader}.weight"] = network.tensors[f"{reader}.weight"] / gain
    scaled = network.with_tensors(tensors)
    assert np.allclose(network.predict(x), scaled.predict(x), rtol=1e-4)
    before, after = (edges(neuron_graph(n, weights="attribution", x=x)) for n in (network, scaled))
    assert after == pytest.approx(before, rel=1e-3)
    before, after = (edges(neuron_graph(n)) for n in (network, scaled))
    assert after != pytest.approx(before, rel=1e-1)


def test_attribution_does_not_depend_on_the_units_of_outputs_or_on_shifts():
    (first, second), (b1, b2), x = drawn()
    plain = edges(neuron_graph(mlp(first, second, biases=[b1, b2]), weights="attribution", x=x))
    larger = mlp(first, second * np.array([[1000.0], [0.1]]), biases=[b1, b2 + 7])
    assert edges(neuron_graph(larger, weights="attribution", x=x)) == pytest.approx(plain, rel=1e-9)
    shifted = mlp(first, second, biases=[b1 - first @ np.full(3, 5.0), b2])
    assert edges(neuron_graph(shifted, weights="attribution", x=x + 5)) == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("kind", EDGE_WEIGHTS.names())
def test_permuting_neurons_permutes_the_graph(kind):
    (first, second), (b1, b2), x = drawn()
    order = np.array([2, 0, 3, 1])
    plain = edges(neuron_graph(mlp(first, second, biases=[b1, b2]), weights=kind, x=x))
    permuted = mlp(first[order], second[:, order], biases=[b1[order], b2])
    renamed = {
        tuple((g, int(order[i])) if g == "h1" else (g, i) for g, i in pair): weight
        for pair, weight in edges(neuron_graph(permuted, weights=kind, x=x)).items()
    }
    assert renamed == pytest.approx(plain, rel=1e-12)


def folded(first, second):
    x, h, y = Group.line("x", 2), Group.line("h1", len(first)), Group.line("y", len(second))
    pieces = [linear("layers.0", source=x, target=h, copies=2), linear("layers.1", source=h, target=y)]
    return mlp(first, second, layout=Layout.merge(*pieces, inputs="x", outputs="y"))


def test_folded_copies_add_their_strengths_and_never_cancel():
    first = np.array([[1.0, 0.0, -1.0, 2.0], [0.0, 0.0, 0.5, 0.0], [3.0, 1.0, 0.0, 0.0]])
    network = folded(first, np.ones((1, 3)))
    graph = neuron_graph(network)
    assert edge(graph, ("x", 0), ("h1", 0)) == 2.0
    assert edge(graph, ("x", 1), ("h1", 0)) == 2.0
    assert edge(graph, ("x", 1), ("h1", 1)) == 0.0
    sign = dict(zip(edges(graph), graph.edges.sign.tolist(), strict=True))
    assert sign[("x", 0), ("h1", 0)] == 0
    x = np.random.default_rng(0).normal(size=(50, 4)) * np.array([1.0, 2.0, 3.0, 4.0])
    graph = neuron_graph(network, weights="activation", x=x)
    assert edge(graph, ("x", 0), ("h1", 0)) == pytest.approx(x[:, 0].std() + x[:, 2].std())


def test_tensors_between_the_same_neurons_add_up():
    h = Group.line("h", 2)
    layout = Layout((h,), {f"layers.0.{n}": TensorSpec(p) for n, p in (("weight", "h h"), ("bias", "h"))}, "h", "h")
    network = mlp(np.array([[1.0, 2.0], [0.0, -3.0]]), layout=layout)
    graph = neuron_graph(network)
    assert edges(graph) == {(("h", 0), ("h", 0)): 1.0, (("h", 1), ("h", 0)): 2.0, (("h", 1), ("h", 1)): 3.0}
    assert [node.depth for node in graph.nodes] == [0, 0]


def test_a_constant_source_carries_nothing():
    first, second = np.array([[1.0, 1.0], [0.0, 0.0]]), np.ones((1, 2))
    x = np.random.default_rng(0).normal(size=(30, 2))
    graph = neuron_graph(mlp(first, second, biases=[np.array([0.0, 2.0]), np.zeros(1)]), weights="activation", x=x)
    assert edge(graph, ("h1", 1), ("y", 0)) == 0.0
    assert graph.unused == {("h1", 1)}


def test_transposed_tensors_of_a_right_shape_are_found_out():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    x, y = Group.line("x", 2), Group.line("y", 2)
    layout = Layout.merge(linear("layers.0", source=x, target=y, transposed=True), inputs="x", outputs="y")
    with pytest.raises(InputError, match=r"tensor 'layers.0.weight': expected its own module to compute in @ weight.T"):
        neuron_graph(mlp(matrix, layout=layout), weights="activation", x=np.eye(2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "activation"}, 'edge weights that need data: weights="activation": expected x'),
        ({"weights": "strength"}, f"unknown edge weight: expected {', '.join(EDGE_WEIGHTS)}, or file.py:NAME"),
        ({"weights": "activation", "x": np.zeros((0, 3))}, "no rows to follow"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        neuron_graph(mlp(*drawn()[0]), **arguments)


def test_traces_measure_gradients_as_finite_differences_do():
    (first, second), (b1, b2), x = drawn()
    network = mlp(first, second, biases=[b1, b2])
    trace = Trace(network, x)
    step = 1e-6
    for j in range(3):
        up, down = x.copy(), x.copy()
        up[:, j] += step
        down[:, j] -= step
        slope = (network.predict(up) - network.predict(down)) / (2 * step)
        assert np.allclose(trace.jacobian()[:, :, j], slope, atol=1e-7)
    assert np.allclose(trace.outputs(), network.predict(x))
    assert np.allclose(trace.input_sensitivity("layers.0.weight"), first**2)
    slopes = list(trace.output_gradients())
    assert np.allclose(slopes[1]["layers.0.weight"], second[1] * (1 - np.tanh(x @ first.T + b1) ** 2))
    assert np.allclose(slopes[1]["layers.1.weight"], [0.0, 1.0])


def test_asking_changes_nothing():
    matrices, biases, x = drawn()
    network = mlp(*matrices, biases=biases)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 -- the caller's state is what is asked about
    before = {name: tensor.copy() for name, tensor in network.tensors.items()}
    graphs = [neuron_graph(network, weights="attribution", x=x) for _ in range(2)]
    assert graphs[0] == graphs[1]
    assert all((network.tensors[name] == tensor).all() for name, tensor in before.items())
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
