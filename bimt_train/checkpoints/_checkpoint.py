"""A checkpoint: everything that an analysis needs to know of a trained network, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from .._errors import CheckpointError
from ..showing import Shown, to_cell
from ._network import EDGE, Network
from ._task_spec import TaskSpec

PROBES = ("x_train", "y_train", "x_test", "y_test")
ERRORS = ("sigma_train", "sigma_test")
MEASURED = ("measured_train", "measured_test")


@dataclass(frozen=True, eq=False, repr=False)
class Probe(Shown):
    """Rows on which an analysis may evaluate the network, in the task's own units. Arrays are copied and read-only.

    Attributes
    ----------
    x_train : array of float, shape (rows, inputs)
        Rows that the network was trained on.
    y_train : array of float, shape (rows, outputs)
        The targets of these rows; shape (rows, 1) for the numbers of classes; shape (rows, inputs) for the numbers of
        the tokens that follow.
    x_test : array of float, shape (rows, inputs)
        Rows that the network was not trained on.
    y_test : array of float
        The targets of these rows.
    sigma_train : array of float, optional
        The standard error of each target of ``y_train``, positive; None where it is not known.
    sigma_test : array of float, optional
        The standard error of each target of ``y_test``.
    measured_train : array of float, shape (measurements, 2 + inputs), optional
        Of a task of motion, the trajectories that ``x_train`` was smoothed from: number, time, values.
    measured_test : array of float, shape (measurements, 2 + inputs), optional
        Those that ``x_test`` was smoothed from, where they begin at starts of their own.

    Raises
    ------
    CheckpointError
        An array is empty, holds NaN or infinity, or its rows or columns do not match the others'; an error is not
        positive.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [0.5]])
    >>> Probe(x_train=x[:2], y_train=2 * x[:2], x_test=x[2:], y_test=2 * x[2:]).y_train.shape
    (2, 1)
    """

    # Shapes are checked below in every run, with errors of our own.
    x_train: Float64[np.ndarray, "..."]
    y_train: Float64[np.ndarray, "..."]
    x_test: Float64[np.ndarray, "..."]
    y_test: Float64[np.ndarray, "..."]
    sigma_train: Float64[np.ndarray, "..."] | None = None
    sigma_test: Float64[np.ndarray, "..."] | None = None
    measured_train: Float64[np.ndarray, "..."] | None = None
    measured_test: Float64[np.ndarray, "..."] | None = None

    def __post_init__(self) -> None:
        for name in self.arrays():
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            where = f"probe.{name}"
            if array.ndim != 2 or array.size == 0:
                shape = str(list(array.shape))
                raise CheckpointError("a probe must be a table", where=where, expected="[rows, columns]", got=shape)
            if not np.isfinite(array).all():
                hint = "leave out the rows with NaN or infinity"
                raise CheckpointError("a probe with values that are not finite", where=where, hint=hint)
            object.__setattr__(self, name, array)
        for half in ("train", "test"):
            self._check_equal(f"x_{half}", f"y_{half}", axis=0, hint="give one target row for each input row")
        for side in ("x", "y"):
            self._check_equal(f"{side}_train", f"{side}_test", axis=1, hint="use the same columns")
        for name, of in zip(ERRORS, ("y_train", "y_test"), strict=True):
            sigma = getattr(self, name)
            if sigma is not None and not (sigma.shape == getattr(self, of).shape and np.all(sigma > 0)):
                expected = f"positive numbers, shape {list(getattr(self, of).shape)}, as probe.{of}"
                got = f"shape {list(sigma.shape)}, the least {np.min(sigma):g}"
                raise CheckpointError("errors that fit no targets", where=f"probe.{name}", expected=expected, got=got)

        for name in MEASURED:
            measured = getattr(self, name)
            if measured is not None and measured.shape[1] != 2 + self.x_train.shape[1]:
                expected = f"{2 + self.x_train.shape[1]} columns: number of the trajectory, time, values"
                got = str(measured.shape[1])
                raise CheckpointError(
                    "measurements that fit no inputs", where=f"probe.{name}", expected=expected, got=got
                )

    def arrays(self) -> tuple[str, ...]:
        """The names of the arrays that are there."""
        return (*PROBES, *(name for name in (*ERRORS, *MEASURED) if getattr(self, name) is not None))

    def taking(self, train: NDArray[np.int64], test: NDArray[np.int64]) -> "Probe":
        """The probe with some of its rows; what was measured stays whole.

        Parameters
        ----------
        train : array of int
            The numbers of the rows of ``x_train``.
        test : array of int
            Those of ``x_test``.

        Returns
        -------
        Probe
            A new probe.
        """
        rows = [name for name in self.arrays() if name not in MEASURED]
        return replace(self, **{name: getattr(self, name)[test if name.endswith("test") else train] for name in rows})

    def _check_equal(self, first: str, second: str, *, axis: int, hint: str) -> None:
        expected, got = (getattr(self, name).shape[axis] for name in (first, second))
        if expected != got:
            counted = ("rows", "columns")[axis]
            raise CheckpointError(
                f"a probe with unequal numbers of {counted}",
                where=f"probe.{second}",
                expected=f"{expected} {counted}, as probe.{first}",
                got=str(got),
                hint=hint,
            )


@dataclass(frozen=True, eq=False, repr=False)
class Checkpoint(Shown):
    """A network with what is known about it: the task, rows to evaluate it on, and how it was trained.

    Attributes
    ----------
    network : Network
        Layout, placement and weights.
    task : TaskSpec
        Names, units and decomposition of the task.
    probe : Probe
        Rows and targets.
    config : mapping, optional
        How it was trained; plain JSON values.

    Raises
    ------
    CheckpointError
        A weight is NaN or infinite, or the widths of network, task and probe differ.

    Examples
    --------
    >>> from torch import nn
    >>> from bimt_train.checkpoints import from_state_dict
    >>> module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> checkpoint = from_state_dict(module.state_dict(), activation="tanh", ranges=(-1, 1))
    >>> checkpoint.predict(np.zeros((5, 2))).shape
    (5, 1)
    """

    network: Network
    task: TaskSpec
    probe: Probe
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, tensor in self.network.tensors.items():
            _check_finite(name, tensor, self.network.layout.tensors[name].role)
        layout, task = self.network.layout, self.task
        ends = (layout.columns, layout.sizes.get(layout.outputs, 0))
        for end, width, names in zip((layout.inputs, layout.outputs), ends, (task.inputs, task.outputs), strict=True):
            if end and width != len(names):
                raise CheckpointError(
                    "the task does not match the network",
                    where=f"task, group '{end}'",
                    expected=f"{width} names",
                    got=f"{len(names)} ({', '.join(names[:8])})",
                    hint="give one name for each neuron of the group",
                )
        for half in ("train", "test"):
            _check_width(f"x_{half}", getattr(self.probe, f"x_{half}"), (len(task.inputs),))
            # Classes may be given by number, in one column, or as one column a class.
            widths = (len(task.targets), 1) if task.judged_by.targets == "class" else (len(task.targets),)
            _check_width(f"y_{half}", getattr(self.probe, f"y_{half}"), widths)

    def _brief(self) -> str:
        return f"{self.task.name}; {self.network._brief()}"

    def _repr_html_(self) -> str:
        network, task = self.network, self.task
        rows = (
            ("network", network._brief()),
            ("weights", f"{network.edges()} that are not 0"),
            ("parameters", f"{network.parameters} above {EDGE:g}{' in the generator' if network.generator else ''}"),
            ("inputs", ", ".join(task.input_labels or task.inputs)),
            ("outputs", ", ".join(task.output_labels or task.outputs)),
            ("loss", task.loss),
            ("known decomposition", None if task.decomposition is None else task.decomposition._brief()),
            ("rows", f"{len(self.probe.x_train)} to train on, {len(self.probe.x_test)} to test on"),
        )
        return to_cell(f"Checkpoint of {task.name}", columns=("what", ""), rows=rows)

    def predict(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows *places outputs"]:
        """Compute the network's outputs in the task's own units.

        Parameters
        ----------
        x : array of float, shape (rows, inputs)
            Inputs in the task's own units.

        Returns
        -------
        array of float, shape (rows, outputs)
            Outputs in the task's own units; shape (rows, places, outputs) where the network reads sequences.

        Raises
        ------
        TaskError
            x has another number of columns than the task has inputs.
        """
        return self.task.from_network_outputs(self.network.predict(self.task.to_network_inputs(x)))


def _check_finite(name: str, tensor: np.ndarray, role: str) -> None:
    """Refuse NaN everywhere, infinity everywhere but in buffers: a mask may well hold it."""
    if not np.issubdtype(tensor.dtype, np.floating):
        return
    wrong = np.isnan(tensor) if role == "buffer" else ~np.isfinite(tensor)
    if wrong.any():
        raise CheckpointError(
            "weights that are not finite",
            where=f"tensor '{name}'",
            expected="finite numbers",
            got=f"{int(wrong.sum())} of {tensor.size} are NaN or infinite",
            hint="the training diverged: take another seed, or train with a smaller learning rate",
        )


def _check_width(name: str, array: np.ndarray, widths: tuple[int, ...]) -> None:
    if array.shape[1] not in widths:
        raise CheckpointError(
            "a probe of the wrong width",
            where=f"probe.{name}",
            expected=" or ".join(f"{width} columns" for width in dict.fromkeys(widths)),
            got=str(array.shape[1]),
            hint="give one column for each name in the task",
        )
