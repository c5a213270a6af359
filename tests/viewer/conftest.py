"""Two planted blocks, whose graph, losses and effects are known."""

from itertools import pairwise

import numpy as np
import pytest

from bimt_analyze.graph import Edges, Neuron, NeuronGraph, neuron_graph
from bimt_analyze.synthetic import block_network
from bimt_analyze.viewer import Cut, film_of, network_view
from bimt_train._cli import main as train
from bimt_train.checkpoints import Network
from bimt_train.layouts import Placement
from bimt_train.training import Snapshot


@pytest.fixture(scope="session")
def planted():
    return block_network(blocks=[(2, 3, 1)] * 2, seed=0)


@pytest.fixture(scope="session")
def view(planted):
    graph = neuron_graph(planted.network)
    cuts = (Cut(18, float(graph.edges.weight.min()), 0.001), Cut(4, 1.0, 0.5), Cut(0, float("inf"), 2.0))
    effects = {node.key: 0.1 * node.index for node in graph.nodes if node.group == "h1"}
    notes = ("a, b → u", "c, d → v")
    return network_view(
        graph, modules=planted.partition.modules, title="two <blocks>", notes=notes, effects=effects, cuts=cuts
    )


@pytest.fixture(scope="session")
def snapshots(planted):
    """Of one network: no weight below 0 and the weakest strongest; itself; two neurons of h1 in each other's place."""
    network = planted.network
    some = {name: np.abs(network.tensors[name]) for name in network.layout.weights()}
    weights = {name: np.divide(10, one, out=np.zeros_like(one), where=one > 0) for name, one in some.items()}
    moved = Placement({**network.placement.slots, "h1": (1, 0, 2, 3, 4, 5)})
    last = Network(network.model, network.layout, moved, network.tensors)
    return Snapshot(0, network.with_tensors(weights)), Snapshot(100, network), Snapshot(400, last)


@pytest.fixture(scope="session")
def filmed(planted, snapshots):
    film = film_of(snapshots, threshold=0.2)
    return network_view(film[-1].graph, modules=planted.partition.modules, title="film", film=film)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a small run that kept its training."""
    folder = tmp_path_factory.mktemp("run") / "run"
    words = ["y = x1 + x2", "--seeds", "2", "--steps", "30", "--hidden", "4", "--film", "--quiet"]
    assert train([*words, "--out", str(folder)]) == 0
    return folder


def planes():
    """Two grids of 3 by 3 and a line of 2, each neuron joined to all of the next layer."""
    nodes, ends = [], []
    for depth, (group, size) in enumerate((("x", 9), ("h1", 9), ("y", 2))):
        ends.append(range(len(nodes), len(nodes) + size))
        for i in range(size):
            place = (0.5 * (i % 3), 0.5 * (i // 3)) if size == 9 else (float(i),)
            nodes.append(Neuron(group, i, f"{group}.{i}", place, depth))
    pairs = np.array([(a, b) for low, high in pairwise(ends) for a in low for b in high])
    weight = np.random.default_rng(0).uniform(0.1, 1, len(pairs))
    edges = Edges(pairs[:, 0], pairs[:, 1], weight, np.ones(len(pairs), dtype=np.int8))
    return NeuronGraph(tuple(nodes), edges, inputs="x", outputs="y")


@pytest.fixture(scope="session")
def planar():
    return network_view(planes(), modules=[{("h1", i) for i in range(4)}, {("h1", 4), ("x", 0)}], title="planes")
