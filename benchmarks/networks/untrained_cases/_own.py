"""Every kind of model of the project that can read a table, as it is before the first step of training."""

from collections.abc import Callable

import numpy as np
import torch

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
from bimt_train.models import MODELS, Ends, ModelSpec
from bimt_train.models.from_spec import build_model, model_for
from bimt_train.tasks import Dataset, Task, composition, feature_sharing, independence, modular_addition, two_moons

from ._case import Case

SIDE, LENGTH, TOKENS = 4, 6, 7
SMALL = {"row-transformer": {"width": 8, "hidden": 16}, "gpt": {"width": 16, "hidden": [32]}}
"""Options by which kinds that are large by default are as small as the others."""


def images(seed: int) -> Dataset:
    """Pictures of noise. Asked are the sum of the left half, and the product of two corners."""
    x = np.random.default_rng(seed).uniform(-1, 1, (2, 100, SIDE, SIDE))
    y = np.stack([x[..., : SIDE // 2].sum((-1, -2)), x[..., 0, 0] * x[..., -1, -1]], -1)
    flat = x.reshape(2, 100, -1)
    return Dataset(flat[0], y[0], flat[1], y[1])


def sequences(seed: int) -> Dataset:
    """Tokens, drawn alike. Asked is, at each of them, the sum of it and the one before, modulo their number."""
    x = np.random.default_rng(seed).integers(0, TOKENS, (2, 100, LENGTH))
    y = (x + np.roll(x, 1, -1) * (np.arange(LENGTH) > 0)) % TOKENS
    x, y = x.astype(np.float64), y.astype(np.float64)
    return Dataset(x[0], y[0], x[1], y[1])


def _image_task() -> Task:
    pixels = tuple(f"p{k + 1}" for k in range(SIDE * SIDE))
    spec = TaskSpec("image rule", pixels, ("left", "corners"), ((-1.0, 1.0),) * len(pixels))
    return Task(spec, model_for("image-mlp", Ends(inputs=len(pixels), outputs=2), {}), images)


def _sequence_task() -> Task:
    places, tokens = tuple(f"t{k + 1}" for k in range(LENGTH)), tuple(f"n{k}" for k in range(TOKENS))
    spec = TaskSpec("sequence rule", places, tokens, ((0, TOKENS - 1),) * LENGTH, loss="next-token")
    ends = Ends(inputs=LENGTH, outputs=TOKENS, tokens=TOKENS, sequence=True)
    return Task(spec, model_for("gpt", ends, {}), sequences)


TASKS: tuple[Callable[[], Task], ...] = (
    independence, feature_sharing, composition, two_moons, lambda: modular_addition(11), _image_task, _sequence_task
)  # fmt: skip


def own() -> list[Case]:
    """Each listed kind with each task that it can be made for."""
    found = []
    for task in (make() for make in TASKS):
        for kind in MODELS.names():
            try:
                model = task.with_model(kind, SMALL.get(kind)).model
            except InputError:
                continue  # another kind of rows
            found.append(Case(kind, task.spec.name, _drawn(task, model)))
    return found


def _drawn(task: Task, model: ModelSpec) -> Callable[[int], Checkpoint]:
    def make(seed: int) -> Checkpoint:
        module = build_model(model, generator=torch.Generator().manual_seed(seed))
        data = task.data(seed)
        rows = Probe(data.x_train, data.y_train, data.x_test, data.y_test)
        return Checkpoint(Network.of(module), task.spec, rows, {"seed": seed})

    return make
