"""What classes use, against a forward pass written out by hand; circuits of a class, against networkx."""

import networkx
import numpy as np
import pytest
import torch

from bimt_analyze.graph import neuron_graph, to_networkx
from bimt_analyze.representations import class_circuit, class_use
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP, RowTransformer

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), np.eye(3)[np.arange(40) % 3]


def sparse(seed: int = 0) -> Network:
    network = Network.of(MLP((3, 5, 4, 3), generator=torch.Generator().manual_seed(seed)))
    rng = np.random.default_rng(seed)
    cut = {n: np.where(rng.random(network.tensors[n].shape) < 0.45, 3 * network.tensors[n], 0)
           for n in network.layout.weights()}  # fmt: skip
    return network.with_tensors(cut)


def by_hand(network: Network, ablated: tuple[str, int]) -> np.ndarray:
    h = X
    for i in range(3):
        h = h @ network.tensors[f"layers.{i}.weight"].astype(float).T + network.tensors[f"layers.{i}.bias"]
        if i < 2:
            h = h / (1 + np.exp(-h))
            if ablated[0] == f"h{i + 1}":
                h[:, ablated[1]] = h[:, ablated[1]].mean()
    return h


def margins(outputs: np.ndarray) -> tuple[list[float], list[float]]:
    lead, right = [], []
    for k in range(3):
        own = outputs[k::3]
        lead.append(float(np.mean([row[k] - max(row[j] for j in range(3) if j != k) for row in own])))
        right.append(float(np.mean([np.argmax(row) == k for row in own])))
    return lead, right


def test_every_neuron_is_set_to_its_mean_as_by_hand() -> None:
    network = sparse()
    use = class_use(network, X, Y)
    assert use.neurons == tuple([("h1", i) for i in range(5)] + [("h2", i) for i in range(4)])
    whole = margins(network.predict(X))
    assert np.allclose(use.margin, whole[0]) and np.allclose(use.accuracy, whole[1])
    for i, neuron in enumerate(use.neurons):
        margin, accuracy = margins(by_hand(network, neuron))
        assert np.allclose(use.margin_drop[:, i], np.array(whole[0]) - margin), neuron
        assert np.allclose(use.accuracy_drop[:, i], np.array(whole[1]) - accuracy), neuron
    assert np.abs(use.margin_drop).max() > 0.1


def test_tables_users_and_favourites_say_the_same() -> None:
    use = class_use(sparse(), X, Y)
    table = {(row["class"], row["group"], row["neuron"]): row["margin_drop"] for row in use.table}
    assert len(table) == 27
    for k, name in enumerate(use.classes):
        for neuron in use.neurons:
            share = table[name, *neuron] / abs(use.margin[k])
            assert (neuron in use.users(0.2)[name]) == (share >= 0.2)
            others = [table[other, *neuron] / abs(use.margin[j]) for j, other in enumerate(use.classes)]
            assert (neuron in use.favourites[name]) == (k == int(np.argmax(others)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("number", range(3))
def test_a_class_circuit_is_what_leads_to_its_output(seed: int, number: int) -> None:
    network = sparse(seed)
    circuit = class_circuit(network, number)
    graph = to_networkx(neuron_graph(network))
    end = ("y", number)
    above = networkx.ancestors(graph, end) | {end} if end in graph else {end}
    expected = {edge for edge in graph.edges if edge[1] in above}
    assert set(to_networkx(neuron_graph(circuit)).edges) == expected
    np.testing.assert_array_equal(circuit.predict(X)[:, number], network.predict(X)[:, number])


def test_a_class_circuit_can_keep_to_some_neurons() -> None:
    network = Network.of(MLP((3, 5, 4, 3)))
    circuit = class_circuit(network, 1, neurons=frozenset({("h1", 2), ("h2", 0), ("h2", 3)}))
    edges = set(to_networkx(neuron_graph(circuit)).edges)
    inputs = {(("x", i), ("h1", 2)) for i in range(3)}
    assert edges == inputs | {(("h1", 2), ("h2", k)) for k in (0, 3)} | {(("h2", k), ("y", 1)) for k in (0, 3)}


def test_a_transformers_neurons_are_set_wherever_they_are_read() -> None:
    network = Network.of(RowTransformer((0, 1, 0), 3, 8, heads=2, layers=1, hidden=4))
    use = class_use(network, X, Y)
    assert {group for group, _ in use.neurons} == {"kind", "resid", "a1", "m1"}
    silent = network.with_tensors({"blocks.0.down.weight": np.zeros_like(network.tensors["blocks.0.down.weight"])})
    drops = class_use(silent, X, Y)
    unread = [i for i, (group, _) in enumerate(drops.neurons) if group == "m1"]
    assert np.allclose(drops.margin_drop[:, unread], 0.0, atol=1e-12)
    assert np.abs(use.margin_drop).max() > 1e-3


def test_classes_need_rows_and_outputs_must_exist() -> None:
    with pytest.raises(InputError, match=r"a class without rows: y: got y\.2"):
        class_use(sparse(), X, np.eye(3)[np.arange(40) % 2])
    with pytest.raises(InputError, match=r"a class without rows: y: got y\.1, y\.2"):
        class_use(sparse(), X, np.ones((40, 3)))  # all classes at once, of which the first counts
    with pytest.raises(InputError, match=r"no such output: expected 0 to 2, got 3"):
        class_circuit(sparse(), 3)
