"""Modules by function: superposition planted and trained, shared work, and effects against a plain loop."""

import numpy as np
import pytest

from benchmarks.modules._audit_cases import squeezed
from bimt_analyze import audit
from bimt_analyze.audits.functions._functional_modules import functional_choice, functional_modules
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import choose_level, hierarchy
from bimt_analyze.synthetic import block_network, superposition
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (300, 2))


def network_of(*matrices, biases=None):
    widths = [matrices[0].shape[1], *(len(m) for m in matrices)]
    zeros = [np.zeros(len(m)) for m in matrices]
    tensors = {}
    for n, (matrix, bias) in enumerate(zip(matrices, biases or zeros, strict=True)):
        tensors |= {
            f"layers.{n}.weight": np.array(matrix, dtype=float),
            f"layers.{n}.bias": np.array(bias, dtype=float),
        }
    return Network.of(MLP(widths, "relu")).with_tensors(tensors)


def found(network, x, **options):
    return functional_modules(network, neuron_graph(network), x, **options)


def chosen(network, x):
    graph = neuron_graph(network, weights="attribution", x=x)
    levels = hierarchy(graph)
    return functional_choice(choose_level(levels), levels, functional_modules(network, graph, x), graph)


@pytest.mark.parametrize(("features", "hidden"), [(5, 2), (16, 4)])
def test_features_in_superposition_are_modules(features, hidden):
    planted = superposition(features=features, hidden=hidden, seed=1)
    told = found(planted.network, planted.x)
    assert told.partition.same_modules(planted.partition)
    assert set(told.several) == {f"h1.{i}" for i in range(hidden)}
    assert told.alone == pytest.approx(features / (features + hidden))
    assert told.shared == ("h1",)
    assert told.within == pytest.approx(1)
    choice = chosen(planted.network, planted.x)
    assert choice.level.kind == "function" and choice.partition.same_modules(planted.partition)


def test_features_of_a_trained_bottleneck_are_found():
    network, x, (truth,) = squeezed(0, steps=1500, rows=512)
    choice = chosen(network, x[:500])
    assert choice.level.kind == "function"
    assert {node: n for n, module in enumerate(choice.partition.modules) for node in module}.keys() == truth.keys()
    assert all(len({truth[node] for node in module}) == 1 for module in choice.partition.modules)


def test_work_that_all_neurons_share_is_no_module():
    turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    network = network_of(turn, turn.T, biases=[np.full(2, 5.0), -turn.T @ np.full(2, 5.0)])
    assert network.predict(X) == pytest.approx(X, abs=1e-9)
    told = found(network, X)
    assert len(told.partition.modules) == 2  # y1 = x1 and y2 = x2
    assert told.alone == 0 and not told.separate
    assert chosen(network, X).level.kind != "function"


def test_a_neuron_that_hears_two_groups_and_moves_one_serves_both():
    network = network_of(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 0.0]]))
    told = found(network, np.abs(X))
    assert len(told.partition.modules) == 2
    assert told.several == ("h1.2",) and ("h1", 2) in told.partition.unused


def test_blocks_that_talk_a_little_are_left_to_their_weights():
    planted = block_network(blocks=[(2, 4, 4, 1)] * 3, crosstalk=0.1, seed=0)
    told, choice = found(planted.network, planted.x), chosen(planted.network, planted.x)
    assert told.separate and not told.shared
    assert choice.level.kind != "function" and choice.partition.same_modules(planted.partition)


def test_components_are_chosen_before_function():
    planted = block_network(blocks=[(2, 3, 2)] * 2, seed=0)
    assert found(planted.network, planted.x).separate
    assert chosen(planted.network, planted.x).level.kind == "components"


@pytest.mark.parametrize(("share", "groups"), [(0.08, 2), (0.15, 1)])
def test_effects_up_to_the_leak_are_forgotten(share, groups):
    slope = np.sqrt(share / (1 - share))
    network = network_of(np.eye(2), np.array([[1.0, slope], [0.0, 1.0]]))
    x = np.abs(X)
    x[:, 1] = RNG.permutation(x[:, 0])  # of one distribution, so that shares are slopes squared
    told = found(network, x)
    assert told.effects[0, 1] == pytest.approx(share, rel=1e-6)
    assert len(told.partition.modules) == groups
    assert told.within == pytest.approx(1 - share if groups == 2 else 1)


def test_effects_are_those_of_a_plain_loop():
    matrices = [RNG.normal(size=shape) for shape in ((4, 3), (4, 4), (2, 4))]
    network, x = network_of(*matrices), RNG.normal(size=(101, 3))

    def run(rows):
        for matrix in matrices[:-1]:
            rows = np.maximum(rows @ matrix.T, 0)
        return rows @ matrices[-1].T

    moved = np.zeros((2, 3))
    for j in range(3):
        held = x.copy()
        held[:, j] = np.sort(x[:, j])[50]
        moved[:, j] = ((run(held) - run(x)) ** 2).mean(axis=0)
    assert found(network, x).effects == pytest.approx(moved / moved.sum(axis=1, keepdims=True), rel=1e-9)


def test_an_even_number_of_rows_is_held_at_the_lower_of_the_middle_two():
    x = np.array([[0.0], [1.0]] * 50)
    network = network_of(np.eye(1), np.eye(1))
    assert found(network, x).effects.tolist() == [[1.0]]


def test_inputs_that_do_nothing_are_in_no_group():
    told = found(network_of(np.diag([1.0, 0.0]), np.eye(2)), X)
    assert {("x", 1), ("y", 1)} <= told.partition.unused
    assert told.effects[1].tolist() == [0.0, 0.0]


def test_rows_that_do_not_fit_are_one_line():
    with pytest.raises(InputError, match="rows of another kind") as caught:
        found(network_of(np.eye(2), np.eye(2)), np.zeros((4, 3)))
    assert "\n" not in str(caught.value)


def test_an_audit_says_that_function_is_not_weights():
    planted = superposition(seed=1)
    told = audit(planted.network, x=planted.x, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    assert told.choice.level.name == "function up to a leak of 10%"
    assert not told.verdict.modular
    assert told.summary()[0].startswith("Not modular in its weights")
    assert told.to_json()["functional_modules"]["groups"] == 5
    assert any("h1.0, h1.1" in sentence.text for sentence in told.verdict.sentences if sentence.topic == "function")
