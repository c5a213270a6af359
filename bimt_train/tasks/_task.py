"""A task: its spec, the network to start from, and data for every seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from jaxtyping import Float64

from .._errors import InputError, TaskError
from ..checkpoints._task_spec import TaskSpec
from ..models._model_spec import ModelSpec
from ..showing import Shown


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Shown):
    """What one seed trains on and is tested on, in the task's own units; rows are points.

    For classes (``loss="cross-entropy"``) y holds one probability a class, 1 for the true one; for sequences
    (``loss="next-token"``) tokens by number, one a column of x.

    Attributes
    ----------
    x_train : array of float, [train, inputs]
        Training inputs.
    y_train : array of float, [train, outputs]
        Training targets.
    x_test : array of float, [test, inputs]
        Test inputs.
    y_test : array of float, [test, outputs]
        Test targets.
    sigma_train : array of float, [train, outputs], optional
        The standard error of each training target, where it is known. A network is trained on all rows alike.
    sigma_test : array of float, [test, outputs], optional
        The standard error of each test target.
    measured_train : array of float, [measurements, 2 + inputs], optional
        Of a task of motion, the trajectories behind the training rows: number of the trajectory, time, values.
    measured_test : array of float, [measurements, 2 + inputs], optional
        Those behind the test rows, where they begin at starts of their own.

    Examples
    --------
    >>> from bimt_train.tasks import independence
    >>> data = independence().data(0)
    >>> data.x_train.shape[1], data.y_train.shape[1]
    (4, 2)
    """

    x_train: Float64[np.ndarray, "train inputs"]
    y_train: Float64[np.ndarray, "train outputs"]
    x_test: Float64[np.ndarray, "test inputs"]
    y_test: Float64[np.ndarray, "test outputs"]
    sigma_train: Float64[np.ndarray, "train outputs"] | None = None
    sigma_test: Float64[np.ndarray, "test outputs"] | None = None
    measured_train: Float64[np.ndarray, "measurements columns"] | None = None
    measured_test: Float64[np.ndarray, "held_out columns"] | None = None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that are there, by their names."""
        return {name: array for name, array in vars(self).items() if array is not None}


@dataclass(frozen=True, eq=False, repr=False)
class Task(Shown):
    """Something to train a network on.

    Attributes
    ----------
    spec : TaskSpec
        What a checkpoint remembers: names, ranges, units, loss, and the known decomposition.
    model : ModelSpec
        The network to start from.
    sampler : callable
        Seed -> `Dataset`; a pure function.

    Raises
    ------
    TaskError
        The model's first and last width are not the numbers of inputs and outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_train.checkpoints import TaskSpec
    >>> def sampled(seed: int) -> Dataset:
    ...     x, x_test = np.random.default_rng(seed).uniform(-1, 1, (2, 50, 1))
    ...     return Dataset(x, x**2, x_test, x_test**2)
    >>> task = Task(TaskSpec("square", ("x",), ("y",), ((-1, 1),)), mlp((1, 8, 1)), sampled)
    >>> task.data(0).y_train.shape
    (50, 1)
    """

    spec: TaskSpec
    model: ModelSpec
    sampler: Callable[[int], Dataset]

    def _brief(self) -> str:
        return self.spec._brief()

    def __post_init__(self) -> None:
        widths = self.widths
        if not widths:
            return  # no layers one after the other: the model sees to its own sizes
        first = () if "tokens" in self.model.options else (len(self.spec.inputs),)  # tokens are no neurons
        ends = (*first, len(self.spec.outputs))
        if len(widths) < len(ends) or (*widths[: len(first)], widths[-1]) != ends or min(widths) < 1:
            raise TaskError(
                "widths that do not fit the task",
                where=f"task {self.spec.name!r}",
                expected=f"{len(self.spec.inputs)} (inputs), hidden widths of at least 1, {ends[-1]} (outputs)",
                got="-".join(map(str, widths)),
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons a layer, inputs (unless they are tokens) and outputs included; empty for other than layers."""
        return tuple(self.model.options.get("widths", ()))

    def with_hidden(self, hidden: Sequence[int]) -> Self:
        """A copy of the task with other hidden layers.

        Parameters
        ----------
        hidden : sequence of int
            Neurons of each hidden layer.

        Returns
        -------
        Task
            The task.

        Raises
        ------
        TaskError
            The model is not made of layers.

        Examples
        --------
        >>> from bimt_train.tasks import independence
        >>> independence().with_hidden([8]).widths
        (4, 8, 2)
        """
        from ..models.from_spec import options_of  # brings torch

        where, options = f"task {self.spec.name!r}", options_of(self.model)
        try:
            if options is None:
                raise InputError("a model without hidden layers to choose", got=self.model.kind)
            chosen = options.with_hidden(list(hidden))
        except InputError as error:
            raise TaskError(error.what, where=where, got=error.got, hint=error.hint) from None
        return replace(self, model=replace(self.model, options=chosen.to_json()))

    def with_model(self, name: str, options: Mapping[str, Any] | None = None) -> Self:
        """A copy of the task for a model of another kind.

        Parameters
        ----------
        name : str
            A name in `MODELS`, ``file.py:NAME`` or ``package.module:NAME``.
        options : mapping of str to object, optional
            Options of the kind by name; ``hidden``, a number or a list of them, is known to every kind. What is left
            out is the kind's own choice for a task of these ends.

        Returns
        -------
        Task
            The task.

        Raises
        ------
        InputError
            The kind or an option is unknown, or such a model cannot read this task's rows or give its targets.

        Examples
        --------
        >>> from bimt_train.tasks import independence
        >>> independence().with_model("gated-mlp", {"hidden": 20}).model
        ModelSpec(kind='gated-mlp', options={'widths': [4, 20, 2], 'activation': 'silu'})
        """
        from ..models.from_spec import (
            model_for,  # brings torch
            options_of,  # brings torch
        )

        own = options_of(self.model)
        if own is None:
            raise TaskError("a model of an unknown kind", where=f"task {self.spec.name!r}", got=self.model.kind)
        return replace(self, model=model_for(name, own.ends, options or {}))

    def data(self, seed: int) -> Dataset:
        """The data of one seed: new arrays each time, the same numbers for the same seed.

        Parameters
        ----------
        seed : int
            The seed.

        Returns
        -------
        Dataset
            Rows for training and testing.

        Raises
        ------
        TaskError
            The sampler returns rows that do not fit the names of the inputs and outputs.
        """
        data = self.sampler(seed)
        outputs = self.spec.targets
        expected = (len(self.spec.inputs), len(outputs)) * 2
        shapes = [part.shape for part in (data.x_train, data.y_train, data.x_test, data.y_test)]
        if tuple(shape[-1] if len(shape) == 2 else -1 for shape in shapes) != expected:
            raise TaskError(
                "rows that do not fit the task", where=f"task {self.spec.name!r}, sampler",
                expected=f"{expected[0]} columns of inputs, {expected[1]} of outputs",
                got=", ".join(str(list(shape)) for shape in shapes),
            )  # fmt: skip
        return data


def mlp(widths: Sequence[int]) -> ModelSpec:
    """A feed-forward network of these widths, with the paper's activation (SiLU).

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, inputs and outputs included.

    Returns
    -------
    ModelSpec
        Kind and options of the model.

    Examples
    --------
    >>> mlp((4, 20, 2)).options["widths"]
    [4, 20, 2]
    """
    return ModelSpec("mlp", {"widths": list(widths), "activation": "silu"})
