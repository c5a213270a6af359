"""A checkpoint made by hand, whose circuit, modules and formulas are known before any analysis."""

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, save_checkpoint
from bimt_train.expressions import Decomposition
from bimt_train.models import MLP

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
