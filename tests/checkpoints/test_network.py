import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import InputError, LayoutError
from bimt_train.checkpoints import Network
from bimt_train.layouts import Placement
from bimt_train.models import ACTIVATIONS, MLP, ModelSpec
from bimt_train.models.from_spec import build_model


def _net(*widths: int, activation: str = "silu") -> Network:
    return Network.of(MLP(widths, activation, generator=torch.Generator().manual_seed(0)))


def test_an_mlp_is_the_formula() -> None:
    network = _net(3, 4, 2, activation="tanh")
    x = np.random.default_rng(0).normal(size=(5, 3))
    w, b, v, c = (network.tensors[f"layers.{i}.{kind}"].astype(float) for i in (0, 1) for kind in ("weight", "bias"))
    assert np.allclose(network.predict(x), np.tanh(x @ w.T + b) @ v.T + c, atol=1e-12)


def test_a_module_that_cannot_say_how_it_is_built_is_refused() -> None:
    with pytest.raises(InputError, match=r"a module without a spec: Linear.*give example_inputs"):
        Network.of(nn.Linear(2, 3))
    known = MLP([2, 3], "silu")
    plain = nn.Linear(2, 3)
    plain.spec = known.spec  # type: ignore[assignment]
    with pytest.raises(InputError, match="a module without a layout"):
        Network.of(plain)


def test_first_weights_come_from_the_generator_alone() -> None:
    state = torch.random.get_rng_state()
    one, two, other = (MLP([3, 4, 2], generator=torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert torch.equal(one.layers[0].weight, two.layers[0].weight)
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)
    assert torch.equal(torch.random.get_rng_state(), state)
    wide = MLP([400, 50], generator=torch.Generator().manual_seed(0)).layers[0].weight.detach()
    assert wide.abs().max() <= 400**-0.5
    assert wide.std() == pytest.approx(400**-0.5 / 3**0.5, rel=0.05)


def test_many_networks_at_once_are_each_alone() -> None:
    nets = [MLP([3, 5, 5, 2], generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    tensors = {name: torch.stack([n.state_dict()[name] for n in nets]) for name in nets[0].state_dict()}
    x = torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(9))
    together = nets[0].stacked_forward(tensors, x)
    for index, net in enumerate(nets):
        assert torch.allclose(together[index], net(x[index]), atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS.names())
def test_a_network_and_its_module_agree(activation: str) -> None:
    network = _net(2, 6, 3, activation=activation)
    x = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    module = network.module()
    assert isinstance(module, nn.Module)
    assert not module.training
    assert np.allclose(module(torch.tensor(x)).detach().numpy(), network.predict(x), atol=1e-6)


def test_double_precision_is_kept() -> None:
    single = _net(2, 3, 1)
    exact = {name: array.astype(np.float64) + 1e-12 for name, array in single.tensors.items()}
    module = single.with_tensors(exact).module()
    assert all(np.array_equal(t.numpy(), exact[name]) for name, t in module.state_dict().items())


def test_asking_a_network_does_not_change_it() -> None:
    array = np.ones((1, 2), dtype=np.float32)
    network = _net(2, 1).with_tensors({"layers.0.weight": array})
    array[:] = 7.0
    assert network.tensors["layers.0.weight"].tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="read-only"):
        network.tensors["layers.0.weight"][0, 0] = 2.0
    x = np.ones((1, 2))
    before = network.predict(x)
    with torch.no_grad():
        network.module().layers[0].weight.zero_()
    assert np.array_equal(network.predict(x), before)


def test_moving_neurons_leaves_outputs_bit_identical() -> None:
    network, x = _net(3, 4, 2), np.random.default_rng(0).normal(size=(6, 3))
    moved = network.with_placement(network.placement.moved("h1", (3, 1, 0, 2)))
    assert np.array_equal(moved.predict(x), network.predict(x))


def test_connections_are_matrices_between_groups() -> None:
    network = _net(3, 4, 2)
    found = network.connections()
    assert [c[:3] for c in found] == [("layers.0.weight", "h1", "x"), ("layers.1.weight", "y", "h1")]
    assert np.array_equal(found[0].matrix, network.tensors["layers.0.weight"])


def test_edges_are_counted_above_the_threshold() -> None:
    network = _net(2, 1).with_tensors({"layers.0.weight": np.array([[0.5, -0.25]], dtype=np.float32)})
    assert [network.edges(t) for t in (0.0, 0.25, 0.3, 0.5)] == [2, 1, 1, 0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: MLP([3]),
            InputError,
            "an MLP needs at least inputs and outputs: widths: expected two or more positive numbers, got [3]; "
            "hint: for instance [4, 20, 20, 2]",
        ),
        (
            lambda: MLP([3, 1], "zzz"),
            InputError,
            f"unknown activation: expected {', '.join(ACTIVATIONS)}, or file.py:NAME, or a formula of x, got 'zzz'; "
            'hint: name one of these; or write what it computes, as "sin(30*x)" or "x + sin(x)**2"',
        ),
        (
            lambda: _net(2, 1).with_tensors({"layers.0.weight": np.zeros((2, 1))}),
            LayoutError,
            "a tensor contradicts the layout: tensor 'layers.0.weight', pattern \"y x\", shape (2, 1), axis 0: "
            'expected 1 (y=1), got 2; hint: the tensor is transposed: declare "x -> y" in place of "y x", '
            'or "x y" if x is the target',
        ),
        (
            lambda: _net(2, 1).with_placement(Placement({"x": (0, 0), "y": (0,)})),
            LayoutError,
            "a placement must give every neuron a slot of its own: group 'x': expected a permutation of 0..1, "
            "got (0, 0); hint: use each slot once",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(make: object, error: type[InputError], message: str) -> None:
    assert callable(make)
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


def test_a_model_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"unknown kind of model: expected mlp.*, got tower"):
        build_model(ModelSpec("tower", {}))
