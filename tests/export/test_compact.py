"""What is left of a network: dead inputs gone, modules apart, the function unchanged."""

import numpy as np
import pytest
import torch
from export_cases import CASES

from bimt_analyze.export import compact, in_threads
from bimt_analyze.export._compact import separate
from bimt_analyze.export._compactions import COMPACTIONS
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import GPT, MLP, EmbeddingMLP


def outputs_of(network, x):
    with torch.inference_mode():
        return network.to_torch()(torch.tensor(x[:, list(network.reads)], dtype=torch.float32)).numpy()


@pytest.mark.parametrize("name", CASES)
def test_the_function_is_unchanged(name):
    network, x = CASES[name]
    found = compact(network)
    np.testing.assert_allclose(outputs_of(found, x), network.predict(x), rtol=0, atol=2e-6)
    assert not found.kept_whole


@pytest.mark.parametrize("name", CASES)
def test_the_function_is_unchanged_with_a_row_for_each_neuron(name):
    network, x = CASES[name]
    found = compact(network)
    turned = found.to_torch_neurons_first()
    given = turned(torch.tensor(x[:, list(found.reads)].T, dtype=torch.float32))
    np.testing.assert_allclose(given.T, network.predict(x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", [name for name in CASES if name != "embedding mlp"])
def test_a_column_is_left_out_if_and_only_if_no_output_moves_with_it(name):
    network, x = CASES[name]
    moving = []
    for column in range(x.shape[1]):
        other = x.copy()
        other[:, column] += np.linspace(-1, 1, len(x))
        moving.append(bool((network.predict(other) != network.predict(x)).any()))
    found = compact(network)
    assert set(found.reads) >= set(np.flatnonzero(moving))  # the rest may be read by neurons that nothing reads
    assert len(found.reads) < x.shape[1] and found.inputs == tuple(f"x{i + 1}" for i in found.reads)


def mixed_outputs():
    """Two blocks of two outputs; the first and the last of the four are those of one block."""
    network = block_network(blocks=[(2, 3, 2), (3, 4, 2)], seed=0).network
    first, second = (module.places for module in separate(compact(network)))
    order = [first[0], *second, first[1]]
    last = network.layout.weights()[-1]
    bias = last.replace("weight", "bias")
    return network.with_tensors({last: network.tensors[last][order], bias: network.tensors[bias][order]})


def test_modules_give_what_the_network_gives():
    network = mixed_outputs()
    x = np.random.default_rng(0).normal(size=(20, 5))
    modules = separate(compact(network))
    assert sorted(len(module.reads) for module in modules) == [2, 3]
    expected = network.predict(x)
    for module in modules:
        np.testing.assert_allclose(outputs_of(module, x), expected[:, list(module.places)], rtol=0, atol=1e-6)
    assert sorted(place for module in modules for place in module.places) == [0, 1, 2, 3]


def test_modules_may_read_one_token_both():
    tensors = {
        "embedding.weight": np.arange(6.0).reshape(3, 2),
        "layers.0.weight": np.array([[1.0, 0], [0, 1]]),
    }
    network = Network.of(EmbeddingMLP(3, 1, 2, [2], "silu")).with_tensors(tensors)
    modules = separate(compact(network))
    assert [(module.inputs, module.outputs) for module in modules] == [(("x1",), ("y1",)), (("x1",), ("y2",))]
    x = np.array([[0.0], [2.0]])
    np.testing.assert_allclose(outputs_of(modules[1], x), network.predict(x)[:, [1]], rtol=0, atol=1e-6)


def test_a_constant_output_goes_with_the_first_module():
    weight = np.array([[0.0, 0, 0], [1, 2, 0], [0, 0, 3]])
    network = Network.of(MLP([3, 3])).with_tensors({"layers.0.weight": weight})
    assert [module.places for module in separate(compact(network))] == [(0, 1), (2,)]


def test_what_is_not_taken_apart_says_so():
    network = Network.of(GPT(tokens=3, context=2, width=4, heads=2, layers=1, hidden=5))
    found = compact(network)
    assert "gpt" in found.kept_whole and separate(found) == (found,) and "gpt" not in COMPACTIONS
    assert found.to_torch_neurons_first() is None


def test_what_cannot_be_exported_is_refused():
    network = Network.of(MLP([3, 2]))
    with pytest.raises(InputError, match="a circuit without edges"):
        compact(network.with_tensors({"layers.0.weight": np.zeros((2, 3))}))
    with pytest.raises(InputError, match="names that do not fit"):
        compact(network, inputs=["only one"])


def test_modules_in_threads_give_what_they_give_in_turn():
    network = compact(mixed_outputs())
    module = in_threads(network, threads=2)
    for rows in (0, 1, 1203):
        x = torch.tensor(np.random.default_rng(0).normal(size=(rows, 5)), dtype=torch.float32)
        np.testing.assert_allclose(module(x), network.to_torch()(x).detach(), rtol=0, atol=1e-6)
