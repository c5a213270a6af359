"""A checkpoint: everything an analysis needs to know of a trained network, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from .._errors import CheckpointError
from ._network import Network
from ._task_spec import TaskCard

PROBES = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class Probe:
    """Rows on which an analysis may ask the network, in the task's own units; arrays are copied and read-only.

    Attributes:
        x_train: ``[rows, inputs]``, rows the network was trained on.
        y_train: ``[rows, outputs]``, their targets; ``[rows, 1]`` for the numbers of classes; ``[rows, inputs]`` for
            the numbers of the tokens that follow.
        x_test: ``[rows, inputs]``, rows it was not trained on.
        y_test: their targets.

    Raises:
        CheckpointError: an array is empty, holds NaN or infinity, or its rows or columns do not match the others'.
    """

    # Shapes are checked below in every run, with errors of our own.
    x_train: Float64[np.ndarray, "..."]
    y_train: Float64[np.ndarray, "..."]
    x_test: Float64[np.ndarray, "..."]
    y_test: Float64[np.ndarray, "..."]

    def __post_init__(self) -> None:
        for name in PROBES:
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            where = f"probe.{name}"
            if array.ndim != 2 or array.size == 0:
                shape = str(list(array.shape))
                raise CheckpointError("a probe is a table", where=where, expected="[rows, columns]", got=shape)
            if not np.isfinite(array).all():
                mend = "leave out the rows with NaN or infinity"
                raise CheckpointError("a probe with values that are not finite", where=where, mend=mend)
            object.__setattr__(self, name, array)
        for part in ("train", "test"):
            self._check_equal(f"x_{part}", f"y_{part}", axis=0, mend="give one target row for each input row")
        for side in ("x", "y"):
            self._check_equal(f"{side}_train", f"{side}_test", axis=1, mend="use the same columns")

    def _check_equal(self, first: str, second: str, *, axis: int, mend: str) -> None:
        expected, got = (getattr(self, name).shape[axis] for name in (first, second))
        if expected != got:
            counted = ("rows", "columns")[axis]
            raise CheckpointError(
                f"a probe of unequal {counted}",
                where=f"probe.{second}",
                expected=f"{expected} {counted}, as probe.{first}",
                got=str(got),
                mend=mend,
            )


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with what is known about it: its task, rows to ask it about, and how it was trained.

    Attributes:
        network: layout, placement and weights.
        card: names, units and known parts of the task.
        probe: rows and targets.
        config: how it was trained; plain JSON values.

    Raises:
        CheckpointError: a weight is NaN or infinite, or the widths of network, card and probe differ.
    """

    network: Network
    card: TaskCard
    probe: Probe
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, tensor in self.network.tensors.items():
            _check_finite(name, tensor, self.network.layout.tensors[name].role)
        layout, card = self.network.layout, self.card
        ends = (layout.columns, layout.sizes.get(layout.outputs, 0))
        for end, width, names in zip((layout.inputs, layout.outputs), ends, (card.inputs, card.outputs), strict=True):
            if end and width != len(names):
                raise CheckpointError(
                    "the card is of another network",
                    where=f"card, group '{end}'",
                    expected=f"{width} names",
                    got=f"{len(names)} ({', '.join(names[:8])})",
                    mend="name each neuron of the group",
                )
        for part in ("train", "test"):
            _check_width(f"x_{part}", getattr(self.probe, f"x_{part}"), (len(card.inputs),))
            # Classes may be given by number, in one column, or as one column a class.
            widths = (len(card.targets), 1) if card.loss == "cross-entropy" else (len(card.targets),)
            _check_width(f"y_{part}", getattr(self.probe, f"y_{part}"), widths)

    def predict(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows *places outputs"]:
        """The network's outputs for inputs ``[rows, inputs]``, both in the task's own units.

        Raises:
            TaskError: x has another number of columns than the task has inputs.
        """
        return self.card.from_network_outputs(self.network.predict(self.card.to_network_inputs(x)))


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
            mend="the training diverged: take another seed, or train with a smaller learning rate",
        )


def _check_width(name: str, array: np.ndarray, widths: tuple[int, ...]) -> None:
    if array.shape[1] not in widths:
        raise CheckpointError(
            "a probe of the wrong width",
            where=f"probe.{name}",
            expected=" or ".join(f"{width} columns" for width in dict.fromkeys(widths)),
            got=str(array.shape[1]),
            mend="give one column for each name on the card",
        )
