"""Neurons set to their means, against forward passes written out by hand."""

import numpy as np
import pytest
import torch

from bimt_analyze.graph import MeanAblation
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP, EmbeddingMLP

X = np.random.default_rng(0).normal(size=(30, 3))
MLP_ = Network.of(MLP((3, 4, 5, 2), "tanh", generator=torch.Generator().manual_seed(0)))


def by_hand(network: Network, x: np.ndarray, ablated: set[tuple[str, int]]) -> np.ndarray:
    """tanh layers; each set neuron has the mean that it has when nothing is set."""
    weights = [network.tensors[f"layers.{i}.weight"].astype(float) for i in range(3)]
    biases = [network.tensors[f"layers.{i}.bias"].astype(float) for i in range(3)]
    free = changed = x
    for i in range(2):
        free, changed = np.tanh(free @ weights[i].T + biases[i]), np.tanh(changed @ weights[i].T + biases[i])
        for group, n in ablated:
            if group == f"h{i + 1}":
                changed[:, n] = free[:, n].mean()
    return changed @ weights[2].T + biases[2]


@pytest.mark.parametrize("ablated", [set(), {("h1", 2)}, {("h1", 0), ("h1", 3), ("h2", 1), ("h2", 4)}])
def test_several_layers_at_once_keep_the_means_of_the_untouched_network(ablated: set[tuple[str, int]]) -> None:
    assert np.allclose(MeanAblation(MLP_, X).outputs(ablated), by_hand(MLP_, X, ablated), rtol=1e-12)


def test_asking_leaves_no_trace() -> None:
    ablation = MeanAblation(MLP_, X)
    ablation.outputs([("h1", 0)])
    assert np.array_equal(ablation.outputs(), MeanAblation(MLP_, X).outputs())


def test_a_neuron_that_is_read_in_several_places_is_set_in_all_of_them() -> None:
    network = Network.of(EmbeddingMLP(5, 2, 3, (4, 2), "tanh", generator=torch.Generator().manual_seed(1)))
    x = np.array([[a, b] for a in range(5) for b in range(4)], dtype=float)
    table = network.tensors["embedding.weight"].astype(float)
    read = np.concatenate([table[x[:, 0].astype(int)], table[x[:, 1].astype(int)]], axis=1)
    read[:, [1, 4]] = read[:, [1, 4]].mean(axis=0)  # dimension 1 of either token
    w = [network.tensors[f"layers.{i}.{kind}"].astype(float) for i in range(2) for kind in ("weight", "bias")]
    expected = np.tanh(read @ w[0].T + w[1]) @ w[2].T + w[3]
    (group,) = {name for name, _ in MeanAblation(network, x).neurons} - {"h1"}
    assert np.allclose(MeanAblation(network, x).outputs([(group, 1)]), expected, rtol=1e-12)


def test_neurons_without_effect_are_not_alive() -> None:
    first, second = MLP_.tensors["layers.0.weight"].copy(), MLP_.tensors["layers.2.weight"].copy()
    first[1] = 0.0  # h1.1 does not vary
    second[:, 3] = 0.0  # h2.3 is not read
    ablation = MeanAblation(MLP_.with_tensors({"layers.0.weight": first, "layers.2.weight": second}), X)
    assert set(ablation.neurons) - set(ablation.alive) == {("h1", 1), ("h2", 3)}
    for dead in set(ablation.neurons) - set(ablation.alive):
        assert np.allclose(ablation.outputs([dead]), ablation.outputs(), atol=1e-14)


def test_only_hidden_neurons_can_be_set() -> None:
    with pytest.raises(InputError, match=r"no such hidden neuron: expected h1\.0\.\.3, h2\.0\.\.4, got x\.0"):
        MeanAblation(MLP_, X).outputs([("x", 0)])
