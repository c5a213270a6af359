"""A task of your own: the area and the perimeter of a rectangle, with the recipe that suits them.

bimt-train docs/extending/task.py --seeds 2 --steps 50
"""

import numpy as np

from bimt_train import Recipe
from bimt_train.checkpoints import TaskSpec
from bimt_train.expressions import Decomposition
from bimt_train.tasks import TASKS, Dataset, Task, mlp

# What is known of the task: each subfunction by its formula. An audit holds the modules that it finds against this.
RECTANGLE = Decomposition(
    inputs=("width", "height"),
    outputs=("area", "perimeter"),
    definitions=(("area", "width*height"), ("half", "width + height"), ("perimeter", "2*half")),
)


def recipe() -> Recipe:
    """Two thousand steps at a rate that falls in the second half."""
    return Recipe(steps=2000, lr=1e-2, decay_from=0.5)


def sampled(seed: int) -> Dataset:
    """100 rows for training and 100 for testing; the same for the same seed."""
    x, x_test = np.random.default_rng(seed).uniform(0, 1, (2, 100, 2))

    def outputs(x: np.ndarray) -> np.ndarray:
        values = RECTANGLE.evaluate(x)
        return np.stack([values[name] for name in RECTANGLE.outputs], axis=1)

    return Dataset(x, outputs(x), x_test, outputs(x_test))


@TASKS.register("rectangle", label="rectangle", sentence="Area and perimeter of a rectangle.", recipe=recipe)
def rectangle() -> Task:
    """The task: its names, ranges and decomposition, a network to start from, and rows for each seed."""
    spec = TaskSpec("rectangle", RECTANGLE.inputs, RECTANGLE.outputs, ((0, 1), (0, 1)), decomposition=RECTANGLE)
    return Task(spec, mlp((2, 20, 20, 2)), sampled)
