"""A task: a card, the network to start from, and data for every seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float64

from .._errors import TaskError
from ..checkpoints._task_spec import TaskCard
from ..models._model_spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Dataset:
    """What one seed trains on and is tested on, in the task's own units; rows are points.

    For classes (``loss="cross-entropy"``) y holds one probability a class, 1 for the true one; for sequences
    (``loss="next-token"``) tokens by number, one a column of x.
    """

    x_train: Float64[np.ndarray, "train inputs"]
    y_train: Float64[np.ndarray, "train outputs"]
    x_test: Float64[np.ndarray, "test inputs"]
    y_test: Float64[np.ndarray, "test outputs"]


@dataclass(frozen=True, eq=False)
class Task:
    """Something to train a network on.

    ``card`` is what a checkpoint remembers of it, ``model`` the network to start from, and ``sampler`` the pure
    function behind ``data``. A new kind of task is a new sampler and a card.

    Raises TaskError when the model's first and last width are not the numbers of inputs and outputs.
    """

    card: TaskCard
    model: ModelSpec
    sampler: Callable[[int], Dataset]

    def __post_init__(self) -> None:
        widths = self.widths
        if not widths:
            return  # no layers one after the other: the model sees to its own sizes
        first = () if self.model.kind == "embedding-mlp" else (len(self.card.inputs),)  # tokens are no neurons
        ends = (*first, len(self.card.outputs))
        if len(widths) < len(ends) or (*widths[: len(first)], widths[-1]) != ends or min(widths) < 1:
            raise TaskError(
                "widths that do not fit the task",
                where=f"task {self.card.name!r}",
                expected=f"{len(self.card.inputs)} (inputs), hidden widths of at least 1, {ends[-1]} (outputs)",
                got="-".join(map(str, widths)),
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons a layer, inputs (unless they are tokens) and outputs included; empty for other than layers."""
        return tuple(self.model.options.get("widths", ()))

    def with_hidden(self, hidden: Sequence[int]) -> Self:
        """The same task with other hidden layers.

        Raises TaskError for a model that is not made of layers.
        """
        if not self.widths:
            raise TaskError(
                "a model without hidden layers to choose", where=f"task {self.card.name!r}", got=self.model.kind
            )
        first = () if self.model.kind == "embedding-mlp" else self.widths[:1]
        widths = [*first, *hidden, self.widths[-1]]
        return replace(self, model=replace(self.model, options={**self.model.options, "widths": widths}))

    def data(self, seed: int) -> Dataset:
        """The data of one seed: new arrays each time, the same numbers for the same seed."""
        return self.sampler(seed)


def mlp(widths: Sequence[int]) -> ModelSpec:
    """Layers of these widths, with the paper's activation."""
    return ModelSpec("mlp", {"widths": list(widths), "activation": "silu"})
