"""A task: a card, the network to start from, and data for every seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from .._errors import TaskError
from ..network._card import TaskCard


@dataclass(frozen=True, eq=False)
class Dataset:
    """What one seed trains on and is tested on, in the task's own units; rows are points.

    For classes (``loss="cross-entropy"``) y holds one probability a class, 1 for the true one.
    """

    x_train: Float64[np.ndarray, "train inputs"]
    y_train: Float64[np.ndarray, "train outputs"]
    x_test: Float64[np.ndarray, "test inputs"]
    y_test: Float64[np.ndarray, "test outputs"]


@dataclass(frozen=True, eq=False)
class Task:
    """Something to train a network on.

    ``card`` is what a checkpoint remembers of it, ``widths`` the default network from inputs to outputs, and
    ``sampler`` the pure function behind ``data``. A new kind of task is a new sampler and a card.

    Raises TaskError when the first and last width are not the numbers of inputs and outputs.
    """

    card: TaskCard
    widths: tuple[int, ...]
    sampler: Callable[[int], Dataset]

    def __post_init__(self) -> None:
        ends = (len(self.card.inputs), len(self.card.outputs))
        if len(self.widths) < 2 or (self.widths[0], self.widths[-1]) != ends or min(self.widths) < 1:
            raise TaskError(
                "widths that do not fit the task",
                where=f"task {self.card.name!r}",
                expected=f"{ends[0]} (inputs), hidden widths of at least 1, {ends[1]} (outputs)",
                got="-".join(map(str, self.widths)),
            )

    def data(self, seed: int) -> Dataset:
        """The data of one seed: new arrays each time, the same numbers for the same seed."""
        return self.sampler(seed)
