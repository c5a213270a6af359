"""Networks trained to random Boolean functions, which have no structure: one function, or several unrelated ones."""

from itertools import product

import numpy as np
import torch
from torch import nn

from bimt_train.checkpoints import Checkpoint, from_state_dict

_STEPS, _PRUNED_FROM = 1500, 1000  # from the second on the weights are charged more
_WIDTH = 24


def random_table(seed: int) -> Checkpoint:
    """A trained network; an odd seed computes one function, at each of its outputs, an even one a function an output.

    It has 4 to 6 inputs and 1 to 4 outputs, two hidden layers and an L1 charge, and gives logits.
    """
    rng = np.random.default_rng(seed)
    inputs, outputs = int(rng.integers(4, 7)), int(rng.integers(1, 5))
    x = np.array(list(product([0.0, 1.0], repeat=inputs)))
    y = (rng.random((len(x), outputs)) < rng.uniform(0.2, 0.5)).astype(float)
    y[0], y[-1] = 0.0, 1.0  # so that none is constant
    if seed % 2:
        y = np.repeat(y[:, :1], outputs, axis=1)
    torch.manual_seed(seed)
    layers = (nn.Linear(inputs, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, outputs))
    model = nn.Sequential(*layers)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    given, wanted = (torch.tensor(rows, dtype=torch.float32) for rows in (x, y))
    for step in range(_STEPS):
        charge = 1e-4 if step < _PRUNED_FROM else 3e-4
        size = sum(weights.abs().sum() for weights in model.parameters())
        loss = nn.functional.binary_cross_entropy_with_logits(model(given), wanted)
        optimiser.zero_grad()
        (loss + charge * size).backward()
        optimiser.step()
    return from_state_dict(model.state_dict(), activation="relu", x=x, y=y, loss="bce")
