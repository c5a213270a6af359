"""Networks that the tests of certificates share."""

from functools import cache

import numpy as np

from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, from_state_dict
from bimt_train.models import MLP


@cache
def scaled_network() -> Checkpoint:
    """A small network of random weights, all of which matter, whose task has units."""
    rng = np.random.default_rng(3)
    widths = (2, 5, 4, 2)
    network = Network.of(MLP(widths, "silu"))
    network = network.with_tensors(
        {name: rng.normal(scale=0.8, size=tensor.shape).astype(np.float32) for name, tensor in network.tensors.items()}
    )
    task = TaskSpec(
        "scaled", ("u", "v"), ("w", "z"), ((1.0, 3.0), (-0.5, 0.5)), input_shift=(2.0, 0.1), input_scale=(0.5, 0.3),
        output_shift=(1.0, -2.0), output_scale=(2.0, 3.0),
    )  # fmt: skip
    x = rng.uniform((1, -0.5), (3, 0.5), (20, 2))
    y = np.zeros((20, 2))
    return Checkpoint(network, task, Probe(x[:10], y[:10], x[10:], y[10:]))


@cache
def gate_network() -> Checkpoint:
    """A network that computes x1 and (x2 or not x3), as a logit, with rows of the whole table."""
    rows = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=np.float64)
    y = ((rows[:, 0] > 0) & ((rows[:, 1] > 0) | (rows[:, 2] == 0))).astype(np.float64)[:, None]
    weights = {
        "0.weight": np.array([[0.0, -1.0, 1.0], [1.0, 0.0, 0.0]]),
        "0.bias": np.array([0.0, 0.0]),
        "1.weight": np.array([[-3.0, 4.0]]),
        "1.bias": np.array([-2.0]),
    }
    return from_state_dict(weights, activation="relu", x=rows, y=y, loss="bce")
