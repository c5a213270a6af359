"""Rows with their targets, as losses take them and as outputs are compared."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Checkpoint, Probe


@dataclass(frozen=True, eq=False)
class ProbeRows:
    """Rows of a probe in the network's units.

    Attributes
    ----------
    x : array of float, shape (rows, inputs)
        What the network sees.
    y : array of float, shape (rows, ..., outputs)
        Targets in the shape of the outputs; classes and tokens are one-hot.
    targets : array of float, shape (rows, ...)
        Targets as the loss takes them: tokens are numbers.
    loss : str
        A name in `bimt_train.losses.LOSSES`.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> rows = ProbeRows.held_out(checkpoint)
    >>> len(ProbeRows.all(checkpoint).x) > len(rows.x), rows.y.shape == rows.x.shape, rows.loss
    (True, True, 'mse')
    """

    x: Float[np.ndarray, "rows inputs"]
    y: Float[np.ndarray, "rows *places outputs"]
    targets: Float[np.ndarray, "rows ..."]
    loss: str

    @classmethod
    def all(cls, checkpoint: Checkpoint) -> "ProbeRows":
        """All rows of a checkpoint's probe."""
        return cls._of(checkpoint, *all_of(checkpoint))

    @classmethod
    def trained_on(cls, checkpoint: Checkpoint) -> "ProbeRows":
        """The rows of a checkpoint's probe that it was trained on."""
        return cls._of(checkpoint, checkpoint.probe.x_train, checkpoint.probe.y_train)

    @classmethod
    def held_out(cls, checkpoint: Checkpoint) -> "ProbeRows":
        """The rows of a checkpoint's probe that are held out."""
        return cls._of(checkpoint, checkpoint.probe.x_test, checkpoint.probe.y_test)

    @classmethod
    def _of(cls, checkpoint: Checkpoint, x: np.ndarray, y: np.ndarray) -> "ProbeRows":
        task = checkpoint.task
        targets = task.to_network_targets(task.one_hot(y))
        wanted = np.eye(len(task.outputs))[y.astype(np.int64)] if task.reads_sequences else targets
        return cls(task.to_network_inputs(x), wanted, targets, task.loss)


def all_of(checkpoint: Checkpoint) -> tuple[np.ndarray, np.ndarray]:
    """All rows of a probe and their targets, in the task's units.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the probe.

    Returns
    -------
    x, y : array
        Training rows first.
    """
    probe = checkpoint.probe
    return np.concatenate([probe.x_train, probe.x_test]), np.concatenate([probe.y_train, probe.y_test])


def with_rows(checkpoint: Checkpoint, x: np.ndarray, y: np.ndarray) -> Checkpoint:
    """The checkpoint with other rows; every second of them is held out.

    Parameters
    ----------
    checkpoint : Checkpoint
        Any checkpoint.
    x, y : array
        Two rows or more and their targets, in the task's units.

    Returns
    -------
    Checkpoint
        Equal but for the probe.
    """
    return replace(checkpoint, probe=Probe(x[::2], y[::2], x[1::2], y[1::2]))


def thinned(checkpoint: Checkpoint, most: int) -> Checkpoint:
    """The checkpoint with so many of its rows at most, evenly spaced.

    Parameters
    ----------
    checkpoint : Checkpoint
        Any checkpoint.
    most : int
        Rows on either side, two at least.

    Returns
    -------
    Checkpoint
        Training rows are some of the training rows, held-out rows some of the held-out ones.
    """
    probe = checkpoint.probe
    train, test = (
        np.linspace(0, len(x) - 1, min(len(x), max(most, 2))).astype(np.int64) for x in (probe.x_train, probe.x_test)
    )
    return replace(checkpoint, probe=probe.taking(train, test))
