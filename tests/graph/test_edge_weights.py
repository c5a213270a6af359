"""The registry of edge weights: what each needs, what is half-registered, and an edge weight in a user's file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bimt_analyze.graph import EDGE_WEIGHTS, along_source, neuron_graph
from bimt_analyze.graph._strengths import deviation, rows_are_targets
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts import Group, Layout, Placement, linear
from bimt_train.models import MLP, ModelSpec

EXAMPLE = Path(__file__).parents[2] / "docs" / "extending" / "edge_weight.py"
NETWORK = Network.of(MLP((3, 4, 2), "tanh", generator=torch.Generator().manual_seed(0)))
X = np.random.default_rng(0).normal(size=(30, 3))


@pytest.fixture
def registered():
    """Registers a function as an edge weight; at the end of the test it is forgotten."""
    names = []

    def register(name, function, **fields):
        about = {"label": "l", "sentence": "S.", "needs_rows": False, "needs_gradients": False}
        names.append(name)
        return EDGE_WEIGHTS.register(name, **{**about, **fields})(function)

    yield register
    for name in names:
        EDGE_WEIGHTS._found.pop(name, None)


@pytest.mark.parametrize("name", EDGE_WEIGHTS.names())
def test_every_edge_weight_has_strengths_for_every_tensor(name):
    entry = EDGE_WEIGHTS[name]
    found = entry.function(NETWORK, X)
    assert {n: s.shape for n, s in found.items()} == {n: NETWORK.tensors[n].shape for n in NETWORK.layout.weights()}
    assert neuron_graph(NETWORK, weights=name, x=X).weights == name


@pytest.mark.parametrize("name", EDGE_WEIGHTS.names())
def test_rows_are_asked_for_by_those_that_need_them(name):
    if EDGE_WEIGHTS[name].needs_rows:
        with pytest.raises(InputError, match=f'edge weights that need data: weights="{name}": expected x'):
            neuron_graph(NETWORK, weights=name)
    else:
        assert neuron_graph(NETWORK, weights=name) == neuron_graph(NETWORK, weights=name, x=X)


def test_gradients_are_taken_by_those_that_say_so(monkeypatch):
    from bimt_analyze.graph import _forward_trace

    def refused(*_):
        raise AssertionError("gradients")

    monkeypatch.setattr(_forward_trace.Trace, "output_gradients", refused)
    for entry in EDGE_WEIGHTS.entries():
        if entry.needs_gradients:
            with pytest.raises(AssertionError, match="gradients"):
                entry.function(NETWORK, X)
        else:
            entry.function(NETWORK, X)


@pytest.mark.parametrize("missing", ["label", "sentence", "needs_rows", "needs_gradients"])
def test_what_is_half_registered_cannot_be_used(missing):
    about = {"label": "l", "sentence": "S.", "needs_rows": False, "needs_gradients": False}
    with pytest.raises((InputError, TypeError), match=missing):
        EDGE_WEIGHTS.register("half", **{k: v for k, v in about.items() if k != missing})(lambda network, x: {})
    with pytest.raises(InputError, match="unknown edge weight"):
        neuron_graph(NETWORK, weights="half", x=X)


def test_an_edge_weight_of_a_users_file_against_its_definition():
    graph = neuron_graph(NETWORK, weights=f"{EXAMPLE}:mean_activation", x=X)
    assert graph.weights == "mean_activation"
    hidden = np.tanh(X @ NETWORK.tensors["layers.0.weight"].T + NETWORK.tensors["layers.0.bias"])
    expected = [
        np.abs(NETWORK.tensors[f"layers.{n}.weight"]) * np.abs(read).mean(0) for n, read in enumerate((X, hidden))
    ]
    adjacency = graph.adjacency()
    assert np.allclose(adjacency[3:7, :3], expected[0], rtol=1e-6)
    assert np.allclose(adjacency[7:, 3:7], expected[1], rtol=1e-6)
    EDGE_WEIGHTS._found.pop("mean_activation")


def ones(network, x=None):
    return {name: np.ones(network.tensors[name].shape) for name in network.layout.weights()}


def test_a_weight_of_zero_is_no_edge_whatever_its_strength(registered):
    registered("ones", ones)
    first = NETWORK.tensors["layers.0.weight"].copy()
    first[1, 2] = 0.0
    graph = neuron_graph(NETWORK.with_tensors({"layers.0.weight": first}), weights="ones")
    assert len(graph.edges.weight) == 3 * 4 + 4 * 2 - 1
    assert graph.adjacency()[4, 2] == 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda network, x: {}, "strengths of other tensors.*expected layers.0.weight, layers.1.weight, got none"),
        (lambda network, x: {n: s.T for n, s in ones(network).items()}, r"strengths of another shape.*\[4, 3\]"),
        (lambda network, x: {n: -s for n, s in ones(network).items()}, "an impossible strength.*got -1.0"),
        (lambda network, x: {n: s * np.nan for n, s in ones(network).items()}, "an impossible strength.*got nan"),
    ],
)
def test_functions_that_give_something_else_are_refused_in_one_line(registered, function, message):
    registered("wrong", function)
    with pytest.raises(InputError, match=message) as caught:
        neuron_graph(NETWORK, weights="wrong")
    assert "\n" not in str(caught.value)


def test_one_number_a_source_runs_along_the_source_axis():
    x, y = Group.line("x", 3), Group.line("y", 2)
    values = np.array([1.0, 2.0, 3.0])
    for transposed in (False, True):
        layout = Layout.merge(linear("layers.0", source=x, target=y, transposed=transposed), inputs="x", outputs="y")
        shape = (3, 2) if transposed else (2, 3)
        spec = ModelSpec("mlp", {"widths": [3, 2], "activation": "tanh"})
        network = Network(
            spec, layout, Placement.identity(layout), {"layers.0.weight": np.ones(shape), "layers.0.bias": np.ones(2)}
        )
        assert rows_are_targets(network, "layers.0.weight") is not transposed
        column = np.ones(shape) * along_source(network, "layers.0.weight", values)
        assert (column == (values[:, None] if transposed else values[None, :])).all()


def test_rounding_about_a_constant_is_no_deviation():
    columns = np.stack([np.full(10, 0.1) * 3, np.arange(10.0)], axis=1)
    columns[::2, 0] += 1e-16
    assert deviation(columns)[0] == 0
    assert deviation(columns)[1] == pytest.approx(np.arange(10.0).std())
