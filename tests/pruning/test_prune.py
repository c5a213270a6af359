"""Pruning: the threshold that is found, and the circuit that is left."""

import numpy as np
import pytest
import torch

from bimt_train import InputError, prune
from bimt_train.checkpoints import Network
from bimt_train.models import MLP, EmbeddingMLP
from bimt_train.pruning import _prune
from bimt_train.pruning._dead_neurons import count_components, liveness, shrink, without_dead_ends

ROWS = np.random.default_rng(0).uniform(-1, 1, (60, 4))


def drawn(widths=(4, 6, 5, 2), seed=0) -> Network:
    network = Network.of(MLP(list(widths), generator=torch.Generator().manual_seed(seed)))
    return network.with_tensors({n: t.astype(np.float64) for n, t in network.tensors.items()})


def masked(network: Network, keep: float, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = network.layout.weights()
    return network.with_tensors(
        {n: network.tensors[n] * (rng.random(network.tensors[n].shape) < keep) for n in weights}
    )


def block_network() -> Network:
    """Two separate blocks, and connections across them of a thousandth."""
    network = drawn((4, 6, 6, 2))
    side = {4: np.array([0, 1, 0, 1]), 6: np.array([0, 0, 0, 1, 1, 1]), 2: np.array([0, 1])}
    tensors = {}
    for name in network.layout.weights():
        weight = network.tensors[name]
        same = side[weight.shape[0]][:, None] == side[weight.shape[1]]
        tensors[name] = np.where(same, np.sign(weight) * (0.5 + np.abs(weight)), 1e-3 * weight)
    return network.with_tensors(tensors)


@pytest.mark.parametrize("seed", range(20))
def test_cleaning_and_shrinking_leave_the_function_as_it_is(seed):
    network = masked(drawn(), keep=0.25, seed=seed)
    clean = without_dead_ends(network)
    smaller, kept = shrink(clean)
    np.testing.assert_allclose(clean.predict(ROWS), network.predict(ROWS), atol=1e-12)
    np.testing.assert_allclose(smaller.predict(ROWS), network.predict(ROWS), atol=1e-12)
    assert clean.edges() <= network.edges()
    for group in smaller.layout.groups:
        old = network.placement.coordinates(network.layout, group.name)[list(kept[group.name])]
        np.testing.assert_array_equal(smaller.placement.coordinates(smaller.layout, group.name), old)
        assert group.labels == tuple(network.layout.group(group.name).label(i) for i in kept[group.name])


def test_every_neuron_left_lies_on_a_path():
    smaller, _ = shrink(without_dead_ends(masked(drawn(), keep=0.3, seed=3)))
    live = liveness(smaller)
    assert all(live.alive(group.name).all() for group in smaller.layout.groups[1:-1])


def test_the_block_structure_is_found_and_the_network_untouched():
    network = block_network()
    before = {n: t.copy() for n, t in network.tensors.items()}
    noise = 1e-3 * np.random.default_rng(1).normal(size=(60, 2))
    circuit = prune(network, ROWS, network.predict(ROWS) + noise, refit_steps=0)
    assert all((before[n] == network.tensors[n]).all() for n in before)
    assert count_components(circuit.network.layout, circuit.network.connections()) == 2
    assert circuit.threshold > 1e-4
    assert circuit.edges == np.count_nonzero(
        [np.abs(t) > 0.01 for n in network.layout.weights() for t in network.tensors[n].ravel()]
    )
    assert circuit.loss <= circuit.full_loss * 1.05


def test_the_threshold_is_the_greatest_within_the_tolerance():
    network = drawn()
    y = network.predict(ROWS) + 0.1 * np.random.default_rng(1).normal(size=(60, 2))
    for tolerance in (0.0, 0.05, 0.5):
        circuit = prune(network, ROWS, y, tolerance=tolerance, refit_steps=0)
        allowed = [p.threshold for p in circuit.sweep if p.loss <= circuit.full_loss * (1 + tolerance)]
        assert circuit.threshold == max(allowed)
        # An independent evaluation of the same cut.
        cut = {n: np.where(np.abs(t) > circuit.threshold, t, 0) for n, t in network.tensors.items() if "weight" in n}
        by_hand = ((network.with_tensors(cut).predict(ROWS) - y) ** 2).mean()
        assert circuit.loss == pytest.approx(by_hand, rel=1e-9)


def test_the_sweep_goes_down_to_nothing():
    network = drawn()
    sweep = prune(network, ROWS, network.predict(ROWS), refit_steps=0).sweep
    edges = [point.edges for point in sweep]
    assert edges[0] == network.edges()
    assert edges == sorted(edges, reverse=True)
    assert edges[-1] == 0
    assert sweep[-1].components == 0


def test_thresholds_that_cut_the_same_weights_are_tried_once_and_each_is_told(monkeypatch):
    network, cleaned = drawn((2, 2, 1)), []
    x, y = ROWS[:, :2], ROWS[:, 2:3]
    monkeypatch.setattr(_prune, "without_dead_ends", lambda cut: cleaned.append(cut) or without_dead_ends(cut))
    sweep = prune(network, x, y, refit_steps=3).sweep
    assert len(cleaned) <= 7 and len(sweep) == 48  # of six weights the least, the two least, ...
    assert len({point.threshold for point in sweep}) == 48
    plain = prune(network, x, y, refit_steps=0).sweep
    for point in plain:
        cut = {
            n: np.where(np.abs(t) > point.threshold, t, 0) for n, t in network.tensors.items() if n.endswith("weight")
        }
        left = network.with_tensors(cut)
        assert point.loss == pytest.approx(np.mean((left.predict(x) - y) ** 2), rel=1e-12)
        assert point.edges == without_dead_ends(left).edges()


def test_refitting_never_worsens_and_keeps_cut_weights_cut():
    network, y = drawn(), np.stack([np.sin(3 * ROWS[:, 0]), ROWS[:, 1] * ROWS[:, 2]], 1)
    plain, refitted = (prune(network, ROWS, y, refit_steps=steps) for steps in (0, 30))
    assert all(b.loss <= a.loss for a, b in zip(plain.sweep, refitted.sweep, strict=True))
    assert refitted.edges <= plain.edges


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"loss": "mae"}, "unknown loss"),
        ({"tolerance": -0.1}, "a tolerance is a fraction"),
        ({"y": ROWS[:5, :2]}, "must pair up"),
        ({"x": ROWS[:, :3]}, "x does not fit the network: expected 4 columns, got 3"),
    ],
)
def test_bad_input(change, said):
    given = {"x": ROWS, "y": ROWS[:, :2]} | change
    with pytest.raises(InputError, match=said):
        prune(drawn(), given.pop("x"), given.pop("y"), **given)


def test_an_embedding_loses_the_dimensions_that_are_nothing_for_every_token():
    module = EmbeddingMLP(5, 2, 3, (4, 2), "silu", generator=torch.Generator().manual_seed(0))
    network = Network.of(module)
    tokens = np.array(network.tensors["embedding.weight"])
    tokens[:, 1] *= 1e-6
    tokens[0, 2] *= 1e-6  # small for one token only
    network = network.with_tensors({"embedding.weight": tokens})
    x = np.stack(np.meshgrid(np.arange(5), np.arange(5)), axis=2).reshape(-1, 2).astype(float)
    y = network.predict(x) + 1e-4
    circuit = prune(network, x, y, tolerance=0.05, refit_steps=0)
    assert circuit.kept["e"] == (0, 2)
    assert circuit.network.tensors["embedding.weight"][0, 1] == tokens[0, 2]
    np.testing.assert_allclose(circuit.network.predict(x), network.predict(x), atol=1e-4)
