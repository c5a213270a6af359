"""Damage against loops over rows with activations set by hand; faithfulness against its definition."""

import inspect
import json
from itertools import combinations, pairwise

import numpy as np
import pytest

from bimt_analyze.audits.ablation._faithfulness import faithfulness
from bimt_analyze.audits.ablation._mean_ablation_effects import mean_ablation_effects
from bimt_analyze.graph import NodeId
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP

X = np.random.default_rng(0).uniform(-1, 1, (60, 4))
Module = frozenset[NodeId]


def mlp(*matrices: np.ndarray) -> Network:
    network = Network.of(MLP([matrices[0].shape[1], *map(len, matrices)], "tanh"))
    tensors = {name: np.zeros(t.shape) for name, t in network.tensors.items()}
    return network.with_tensors(tensors | {f"layers.{i}.weight": np.array(m) for i, m in enumerate(matrices)})


def blocks(rng: np.random.Generator, cross: float = 0.0) -> tuple[Network, list[Module]]:
    """Two blocks of 3 neurons a layer, in a shuffled order; ``cross`` is what joins them."""
    order = [np.arange(4), rng.permutation(6), rng.permutation(6), np.arange(2)]
    matrices = []
    for a, b in pairwise(order):
        same = (b * 2 // len(b))[:, None] == (a * 2 // len(a))[None, :]
        weights = rng.uniform(0.5, 1.5, same.shape) * rng.choice([-1, 1], same.shape)
        matrices.append(np.where(same, 1.0, cross) * weights)
    parts = [
        frozenset((f"h{d}", int(i)) for d in (1, 2) for i in np.flatnonzero(order[d] * 2 // 6 == m)) for m in (0, 1)
    ]
    return mlp(*matrices), parts


def loop(network: Network, x: np.ndarray, still: Module) -> np.ndarray:
    """Row by row, neuron by neuron; ``still`` have the mean that they have in the untouched network."""
    weights = [network.tensors[f"layers.{i}.weight"] for i in range(len(network.layout.weights()))]
    means: dict[NodeId, float] = {}
    for chosen in (frozenset(), still):
        seen: dict[NodeId, list[float]] = {}
        out = []
        for row in x:
            values = list(row)
            for d, matrix in enumerate(weights[:-1], start=1):
                values = [np.tanh(sum(w * v for w, v in zip(line, values, strict=True))) for line in matrix]
                values = [means[f"h{d}", i] if (f"h{d}", i) in chosen else v for i, v in enumerate(values)]
                for i, v in enumerate(values):
                    seen.setdefault((f"h{d}", i), []).append(v)
            out.append([sum(w * v for w, v in zip(line, values, strict=True)) for line in weights[-1]])
        means = means or {key: float(np.mean(column)) for key, column in seen.items()}
    return np.array(out)


def hidden(network: Network) -> Module:
    return frozenset((g.name, i) for g in network.layout.groups if g.name not in ("x", "y") for i in range(g.size))


@pytest.mark.parametrize("seed", range(5))
def test_separate_blocks_damage_their_own_output_and_no_other(seed: int) -> None:
    network, modules = blocks(np.random.default_rng(seed))
    found = mean_ablation_effects(network, modules, X, network.predict(X), samples=20)
    assert np.allclose(found.matrix, np.eye(2), atol=1e-9)
    assert np.allclose(found.alone, 1 - np.eye(2), atol=1e-9)
    assert found.neurons == (6, 6)
    assert found.outputs == ("y.0", "y.1")


@pytest.mark.parametrize("seed", range(3))
def test_with_cross_talk_it_is_what_a_loop_over_rows_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network, modules = blocks(rng, cross=0.4)
    y = network.predict(X) + rng.normal(size=(60, 2))
    found = mean_ablation_effects(network, modules, X, y, samples=1)

    def lost(still: Module) -> np.ndarray:
        error, full = loop(network, X, still) - y, loop(network, X, frozenset()) - y
        return np.array([((error[:, k] ** 2).mean() - (full[:, k] ** 2).mean()) / y[:, k].var() for k in (0, 1)])

    assert np.allclose(found.matrix, [lost(m) for m in modules], rtol=1e-9)
    assert np.allclose(found.alone, [lost(hidden(network) - m) for m in modules], rtol=1e-9)
    assert np.abs(found.matrix - np.eye(2)).max() > 0.05


def test_classes_lose_margin_and_accuracy_of_their_own_rows() -> None:
    network, modules = blocks(np.random.default_rng(1), cross=0.3)
    y = np.eye(2)[np.arange(60) % 2]
    whole = loop(network, X, frozenset())
    for k in (0, 1):
        own = y[:, k] == 1

        def scores(outputs: np.ndarray, k: int = k, own: np.ndarray = own) -> tuple[float, float]:
            lead = outputs[own, k] - outputs[own, 1 - k]
            return float(lead.mean()), float((lead > 0).mean())

        margin, accuracy = scores(whole)
        for m, module in enumerate(modules):
            less, fewer = scores(loop(network, X, module))
            by_margin = mean_ablation_effects(network, modules, X, y, measure="margin", samples=1)
            by_accuracy = mean_ablation_effects(network, modules, X, y, measure="accuracy", samples=1)
            assert by_margin.matrix[m, k] == pytest.approx((margin - less) / abs(margin))
            assert by_accuracy.matrix[m, k] == pytest.approx(accuracy - fewer)


def test_random_groups_have_the_mean_and_the_p_of_all_groups_there_are() -> None:
    network, modules = blocks(np.random.default_rng(2), cross=0.2)
    y = network.predict(X)
    found = mean_ablation_effects(network, modules, X, y, samples=400, seed=3)
    unit = y.var(axis=0)
    threes = list(combinations(range(6), 3))
    # h2 alone would decide it, were it not for h1: all 20 x 20 pairs of groups
    groups = [frozenset([*(("h1", i) for i in a), *(("h2", i) for i in b)]) for a in threes for b in threes]
    every = np.array([((vectorised(network, X, g) - y) ** 2).mean(axis=0) / unit for g in groups])
    assert np.allclose(found.random_mean, every.mean(axis=0), atol=0.06)
    shares = [(every >= row - 1e-9).mean(axis=0) for row in found.matrix]
    assert np.allclose(found.p, shares, atol=0.06)
    assert found.p.min() < 0.3 and found.p.max() > 0.7


def vectorised(network: Network, x: np.ndarray, still: Module) -> np.ndarray:
    free = changed = x
    for d in (1, 2):
        weight = network.tensors[f"layers.{d - 1}.weight"]
        free, changed = np.tanh(free @ weight.T), np.tanh(changed @ weight.T)
        own = [i for group, i in still if group == f"h{d}"]
        changed[:, own] = free[:, own].mean(axis=0)
    return changed @ network.tensors["layers.2.weight"].T


def test_dead_neurons_ends_and_order_change_nothing() -> None:
    network, modules = blocks(np.random.default_rng(4), cross=0.2)
    y = network.predict(X)
    first, middle, last = (network.tensors[f"layers.{i}.weight"] for i in range(3))
    # three more neurons in the last hidden layer that nothing reads
    wider = mlp(first, np.vstack([middle, np.ones((3, 6))]), np.hstack([last, np.zeros((2, 3))]))
    plain = mean_ablation_effects(network, modules, X, y, samples=30)
    more = [modules[1] | {("h2", 7), ("y", 1), ("x", 0)}, modules[0]]
    padded = mean_ablation_effects(wider, more, X, y, samples=30)
    assert padded.neurons == (6, 6)
    for name in ("matrix", "alone", "random_mean", "p"):  # random groups take no dead neurons
        assert np.allclose(getattr(padded, name), getattr(plain, name)[::-1])
    # sample k depends on the seed and k alone, not on how many there are or what else is asked
    alone = mean_ablation_effects(network, modules[:1], X, y, samples=30)
    assert np.array_equal(alone.random_mean[0], plain.random_mean[0])
    assert np.array_equal(mean_ablation_effects(network, modules, X, y, samples=30).p, plain.p)
    assert not np.array_equal(
        mean_ablation_effects(network, modules, X, y, samples=30, seed=1).random_mean, plain.random_mean
    )
    assert json.loads(json.dumps(plain.to_json()))["matrix"] == plain.matrix.tolist()


def test_everything_is_its_own_random_group() -> None:
    network, _ = blocks(np.random.default_rng(0))
    found = mean_ablation_effects(network, [hidden(network)], X, network.predict(X), samples=5)
    assert np.allclose(found.matrix, 1.0) and np.allclose(found.alone, 0.0)
    assert (found.p == 1.0).all()


def test_faithfulness_is_the_share_of_the_loss_that_is_kept() -> None:
    network, _ = blocks(np.random.default_rng(5), cross=0.3)
    y = network.predict(X) + 0.1
    cut = {n: np.where(np.abs(network.tensors[n]) < 0.45, 0, network.tensors[n]) for n in network.layout.weights()}
    circuit = network.with_tensors(cut)
    found = faithfulness(network, circuit, X, y)
    whole, part, none = (
        ((said - y) ** 2).mean(axis=0)
        for said in (loop(network, X, frozenset()), loop(circuit, X, frozenset()), loop(network, X, hidden(network)))
    )
    assert np.allclose(found.shares, (none - part) / (none - whole))
    assert max(found.shares) < 0.999
    assert faithfulness(network, network, X, y).shares == (1.0, 1.0)
    empty = network.with_tensors({"layers.2.weight": np.zeros((2, 6))})
    assert faithfulness(empty, network, X, y).shares == (None, None)
    assert json.loads(json.dumps(found.to_json()))["shares"] == list(found.shares)


def test_what_cannot_be_asked_is_refused() -> None:
    network, modules = blocks(np.random.default_rng(0))
    y = network.predict(X)
    with pytest.raises(InputError, match=r"targets that do not fit the outputs: y: expected \[60, 2\], got \[60, 1\]"):
        mean_ablation_effects(network, modules, X, y[:, :1])
    with pytest.raises(InputError, match=r"no such neuron: module 0: expected x, h1, h2, y, got h1\.9"):
        mean_ablation_effects(network, [frozenset({("h1", 9)})], X, y)
    with pytest.raises(InputError, match="no samples"):
        mean_ablation_effects(network, modules, X, y, samples=0)
    with pytest.raises(InputError, match="no modules"):
        mean_ablation_effects(network, [], X, y)
    with pytest.raises(InputError, match=r"a class without rows: y: got y\.1"):
        mean_ablation_effects(network, modules, X, np.eye(2)[np.zeros(60, dtype=int)], measure="margin")
    users = inspect.unwrap(faithfulness)  # as it is outside the tests, where nobody enforces annotations
    with pytest.raises(InputError, match="unknown measure of loss: measure: expected error, margin, accuracy"):
        users(network, network, X, y, measure="loss")
