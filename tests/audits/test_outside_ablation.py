"""Ablation outside a circuit, its edges, untrained networks and refits: each against another way to compute it."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from bimt_analyze import circuit_of
from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.audits.controls import _fresh_weights
from bimt_analyze.audits.controls._circuit_edges import circuit_edges, only, strongest_edges
from bimt_analyze.audits.controls._fresh_weights import untrained
from bimt_analyze.audits.controls._outside_ablation import OutsideAblation
from bimt_analyze.audits.controls._refit import refitted
from bimt_analyze.synthetic import compiled_program
from bimt_train.checkpoints import Network
from bimt_train.models import MLP, MODELS, ModelSpec
from bimt_train.models.from_spec import build_model


def mlp(widths, activation="tanh", seed=0):
    return Network.of(MLP(widths, activation, generator=torch.Generator().manual_seed(seed)))


def example(kind):
    """A small network of a kind, and rows for it."""
    options, rng = MODELS[kind].options.example(), np.random.default_rng(0)
    network = Network.of(build_model(ModelSpec(kind, options.to_json()), generator=torch.Generator().manual_seed(0)))
    shape = (12, options.ends.inputs)
    x = rng.integers(0, options.ends.tokens, shape).astype(float) if options.ends.tokens else rng.uniform(-1, 1, shape)
    return network, x


def half(network, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.random(network.tensors[name].shape) < 0.5 for name in network.layout.weights()}


def kinds():
    return [name for name in MODELS if MODELS[name].options.example().ends.outputs]


def test_ablation_outside_is_what_a_forward_pass_by_hand_gives():
    network, x = mlp([3, 5, 4, 2]), np.random.default_rng(0).normal(size=(7, 3))
    edges, order = half(network), np.array([3, 0, 6, 2, 1, 5, 4])
    weights = [network.tensors[f"layers.{k}.weight"].astype(float) for k in range(3)]
    biases = [network.tensors[f"layers.{k}.bias"].astype(float) for k in range(3)]

    def run(outside):
        now, clean = x, x
        for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
            inside = np.where(edges[f"layers.{k}.weight"], w, 0)
            now = now @ inside.T + outside(clean) @ (w - inside).T + b
            clean = clean @ w.T + b
            if k < 2:
                now, clean = np.tanh(now), np.tanh(clean)
        return now

    ablation = OutsideAblation(network, edges, x)
    assert np.allclose(ablation.cut(), run(np.zeros_like), atol=1e-6)
    assert np.allclose(ablation.cut(), only(network, edges).predict(x))
    assert np.allclose(ablation.at_means(), run(lambda a: np.broadcast_to(a.mean(axis=0), a.shape)), atol=1e-6)
    assert np.allclose(ablation.resampled(order), run(lambda a: a[order]), atol=1e-6)


@pytest.mark.parametrize("kind", kinds())
def test_what_a_row_sends_itself_changes_nothing_in_any_kind_of_network(kind):
    network, x = example(kind)
    whole, order = network.predict(x), np.roll(np.arange(len(x)), 1)
    ablation = OutsideAblation(network, half(network), x)
    assert np.allclose(ablation.resampled(np.arange(len(x))), whole, atol=1e-9)
    assert not np.allclose(ablation.resampled(order), whole, atol=1e-9)


def test_a_convolution_is_ablated_too():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    network = Network.of(module, example_inputs=torch.randn(3, 1, 6, 6))
    x = np.random.default_rng(0).normal(size=(9, 36))
    edges = half(network)
    ablation = OutsideAblation(network, edges, x)
    assert np.allclose(ablation.resampled(np.arange(9)), network.predict(x), atol=1e-9)
    assert np.allclose(ablation.cut(), only(network, edges).predict(x), atol=1e-9)


def test_the_worst_values_are_those_of_all_corners_and_never_beyond_them():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(6, 4))
    single, deep = mlp([4, 1]), mlp([4, 3, 1], "relu")
    single = single.with_tensors({"layers.0.weight": np.array([[0.3, -0.2, 0.7, -0.4]])})
    for network, exact in ((single, True), (deep, False)):
        names = network.layout.weights()
        edges = {name: np.ones(network.tensors[name].shape, dtype=bool) for name in names}
        edges[names[0]][:, 2:] = False
        y = network.predict(x)
        w, inside = network.tensors[names[0]], np.where(edges[names[0]], network.tensors[names[0]], 0)
        shape = (len(w), 2)
        ends = np.stack([x[:, 2:].min(axis=0), x[:, 2:].max(axis=0)])
        worst = np.full(len(x), -np.inf)
        for corner in product([0, 1], repeat=shape[0] * 2):
            chosen = np.array(corner).reshape(shape)
            sent = (w[:, 2:] * ends[chosen, [0, 1]]).sum(axis=1)
            first = x @ inside.T + sent + network.tensors["layers.0.bias"]
            out = first if exact else np.maximum(first, 0) @ deep.tensors["layers.1.weight"].T
            out = out if exact else out + deep.tensors["layers.1.bias"]
            worst = np.maximum(worst, ((out - y) ** 2).mean(axis=1))
        ablation = OutsideAblation(network, edges, x)
        found = ((ablation.adversarial(y, loss="mse") - y) ** 2).mean(axis=1)
        assert (found <= worst + 1e-6).all()
        assert found == pytest.approx(worst, rel=1e-5) if exact else found.mean() > 0.9 * worst.mean()


@pytest.mark.parametrize("kind", ["mlp", "image-mlp", "embedding-mlp", "gpt"])
def test_the_edges_of_a_circuit_compute_what_it_computes(kind):
    network, x = example(kind)
    checkpoint = checkpoint_of(network, x)
    circuit = circuit_of(checkpoint, tolerance=0.3, refit_steps=0)
    edges = circuit_edges(network, circuit)
    assert 0 < sum(mask.sum() for mask in edges.values()) < network.edges(-1.0)
    if kind != "gpt":  # query and key of a pair count as one there
        assert sum(mask.sum() for mask in edges.values()) == circuit.edges
        constants = circuit.network.predict(x) - only(network, edges).predict(x)
        assert np.ptp(constants, axis=0) == pytest.approx(0, abs=1e-6)  # dead neurons are folded into biases


def test_so_many_of_the_largest_weights_are_left():
    network = mlp([4, 6, 2])
    magnitudes = np.sort(np.concatenate([np.abs(network.tensors[n]).ravel() for n in network.layout.weights()]))
    for count in (0, 1, 9, 36, 50):
        edges = strongest_edges(network, count)
        kept = np.concatenate([np.abs(network.tensors[name])[mask] for name, mask in edges.items()])
        assert sorted(kept) == magnitudes[len(magnitudes) - min(count, 36) :].tolist()


def test_untrained_networks_are_drawn_as_their_kind_draws_and_compiled_ones_densely():
    network = mlp([4, 20, 2], seed=3)
    fresh = untrained(network, seed=5)
    again = Network.of(build_model(network.model, generator=torch.Generator().manual_seed(5)))
    assert all(np.array_equal(fresh.tensors[name], again.tensors[name]) for name in network.tensors)
    program = compiled_program(program="reverse", seed=0).network
    drawn = untrained(program, seed=0)
    assert drawn.edges() > 0.99 * program.edges(-1.0) and program.edges() < 0.2 * program.edges(-1.0)
    gpt, _ = example("gpt")
    norms = [name for name, spec in gpt.layout.tensors.items() if spec.role == "norm"]
    trained = gpt.with_tensors({name: gpt.tensors[name] + 0.5 for name in norms})
    fresh = untrained(trained, seed=1)
    assert norms and all(np.array_equal(fresh.tensors[name], trained.tensors[name]) for name in norms)


def test_weights_that_a_kind_does_not_draw_are_uniform_within_their_bound(monkeypatch):
    network = mlp([9, 400, 1])
    empty = build_model(network.model)
    for parameter in empty.parameters():
        nn.init.zeros_(parameter)
    monkeypatch.setattr(_fresh_weights, "build_model", lambda *_, **__: empty)
    weight = untrained(network, seed=0).tensors["layers.0.weight"]
    assert np.abs(weight).max() <= 1 / 3 and weight.std() == pytest.approx(1 / 3 / np.sqrt(3), rel=0.05)


def test_a_refit_trains_what_is_left_and_nothing_else():
    network, x = mlp([3, 6, 1]), np.random.default_rng(0).normal(size=(40, 3))
    y, edges = np.sin(x[:, :1]), half(network)
    fitted, cut = refitted(network, edges, x, y, loss="mse", steps=60), only(network, edges)
    assert all((fitted.tensors[name][~mask] == 0).all() for name, mask in edges.items())
    assert ((fitted.predict(x) - y) ** 2).mean() < 0.9 * ((cut.predict(x) - y) ** 2).mean()
    assert refitted(network, edges, x, y, loss="mse", steps=0).predict(x) == pytest.approx(cut.predict(x))
