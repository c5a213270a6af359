"""A checkpoint made by hand, whose circuit, modules and formulas are known before any analysis."""

from dataclasses import replace

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import Partition
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, save_checkpoint
from bimt_train.expressions import Decomposition
from bimt_train.models import MLP
from bimt_train.pruning import Circuit
from bimt_train.pruning._circuit import SweepPoint

PARTS = Decomposition(("x1", "x2", "x3", "x4"), ("y1", "y2"), (("y1", "x1 + 2*x3"), ("y2", "x2 - x4")))


def handmade(name="handmade", **about):
    """4-4-2 with identity activation: h1.0 and h1.1 carry y1, h1.3 carries y2, all else is faint noise.

    The weights are a little off the truth, so that there is a loss which pruning may spend.
    """
    rng = np.random.default_rng(0)
    module = MLP([4, 4, 2], "identity")
    first = rng.normal(size=(4, 4)) * 1e-5
    second = rng.normal(size=(2, 4)) * 1e-5
    first[0, 0], first[1, 2], first[3, 1], first[3, 3] = 1.0, 1.5, 1.0, -1.0
    second[0, 0], second[0, 1], second[1, 3] = 0.99, 1.34, 1.01
    layout = module.layout(input_labels=PARTS.inputs, output_labels=PARTS.outputs)
    plain = Network.of(module, layout)
    network = plain.with_tensors(
        {
            "layers.0.weight": first,
            "layers.1.weight": second,
            "layers.0.bias": np.zeros(4),
            "layers.1.bias": np.zeros(2),
        }
    )
    x = rng.uniform(-1, 1, (80, 4))
    y = np.stack([x[:, 0] + 2 * x[:, 2], x[:, 1] - x[:, 3]], axis=1)
    task = TaskSpec(name, PARTS.inputs, PARTS.outputs, ((-1.0, 1.0),) * 4, **{"decomposition": PARTS, **about})
    return Checkpoint(network, task, Probe(x[:60], y[:60], x[60:], y[60:]), {"seed": 7})


def drawn_network(sizes, rows=60, seed=0, exact=False):
    """A checkpoint of a drawn network, whose targets are its own outputs, a little off unless ``exact``."""
    rng = np.random.default_rng(seed)
    plain = Network.of(MLP(list(sizes), "silu"))
    tensors = {name: rng.normal(size=value.shape) for name, value in plain.tensors.items()}
    network = plain.with_tensors(tensors)
    x = rng.uniform(-1, 1, (2 * rows, sizes[0]))
    y = network.predict(x)
    y = y if exact else y + 0.01 * rng.normal(size=y.shape)
    names = tuple(f"x{i + 1}" for i in range(sizes[0])), tuple(f"y{i + 1}" for i in range(sizes[-1]))
    task = TaskSpec("drawn", *names, ((-1.0, 1.0),) * sizes[0])
    return Checkpoint(network, task, Probe(x[:rows], y[:rows], x[rows:], y[rows:]), {"seed": seed})


@pytest.fixture(scope="session")
def checkpoint():
    return handmade()


@pytest.fixture(scope="session")
def report(checkpoint):
    return analyze(checkpoint, samples=40)


@pytest.fixture(scope="session")
def audited(checkpoint):
    return analyze(checkpoint, audit=True, samples=20, retrain_steps=0, controls=0, refit_steps=0, time_limit=1.0)


@pytest.fixture(scope="session")
def bare(checkpoint):
    return analyze(checkpoint, time_limit=0.0, samples=20, refit_steps=0)


@pytest.fixture(scope="session")
def dense():
    """140 weights, with noise, and more rows than can be told apart."""
    return analyze(drawn_network((13, 10, 1), rows=400), time_limit=0.05, samples=20, refit_steps=0)


@pytest.fixture(scope="session")
def wide(bare):
    """23,000 weights and a loss of zero; what was found in it does not matter here."""
    drawn = drawn_network((64, 150, 80, 10), rows=200, exact=True)
    network = drawn.network
    sweep = tuple(SweepPoint(10.0**-k, 4000 * k, 0.0 if k > 3 else 10.0 ** (1 - k), 1) for k in range(1, 6))
    circuit = Circuit(network, {}, 1e-4, 0.0, 0.0, 0.05, 0, sweep)
    graph = neuron_graph(network)
    partition = Partition((frozenset(node.key for node in graph.nodes),))
    found = {"agreement": None, "significance": None, "groups": None, "tested_groups": None, "module_formulas": None}
    return replace(bare, checkpoint=drawn, circuit=circuit, graph=graph, partition=partition, levels=(), **found)


@pytest.fixture(scope="session")
def html(report):
    return report.to_html()


@pytest.fixture
def saved(tmp_path, checkpoint):
    path = tmp_path / "seed-007.safetensors"
    save_checkpoint(path, checkpoint)
    return path


@pytest.fixture(scope="session")
def make():
    return handmade
