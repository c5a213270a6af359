"""How well a network does its task, beside the best constant answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from ..extras import need
from ..losses import Loss
from ..showing import Shown
from ._checkpoint import Checkpoint
from ._task_spec import TaskSpec
from .own_outputs import OWN_OUTPUTS

SCORED_PREDICTIONS = 20_000
"""Predictions that a network is judged by, at most; of more rows, some evenly spaced."""

CLEARLY = 2.0  # standard errors by which a network must be better than a constant
LITTLE = 0.1  # of what a constant leaves: less is too little to look for structure in
HALF = 0.5  # of it: less is a task done in part


@dataclass(frozen=True, repr=False)
class TaskScore(Shown):
    """How well a network does its task, beside the best answer that is equal for all rows.

    Attributes
    ----------
    measure : {"r2", "accuracy"}
        r2 of numbers, the mean over outputs that vary; of classes, labels and tokens the share that is right.
    score : float
        The network's.
    baseline : float
        The constant's; 0 for r2.
    loss : float
        The network's loss, in its own units.
    baseline_loss : float
        The constant's.
    outputs : mapping of str to float
        Output -> its own score; empty where outputs are judged together, as classes are.
    rows : int
        How many rows were judged.
    better : bool
        Whether the network is better than the constant by more than two standard errors over rows.

    Examples
    --------
    >>> score = TaskScore("accuracy", 0.9, 0.6, 0.2, 0.7, {}, 100, True)
    >>> round(score.skill, 2), score.fits
    (0.75, True)
    """

    measure: Literal["r2", "accuracy"]
    score: float
    baseline: float
    loss: float
    baseline_loss: float
    outputs: Mapping[str, float]
    rows: int
    better: bool

    @property
    def skill(self) -> float:
        """The share of what the constant misses that the network gets right: (score - baseline) / (1 - baseline)."""
        if self.baseline == 1.0:
            return 1.0 if self.score == 1.0 else 0.0
        return (self.score - self.baseline) / (1.0 - self.baseline)

    @property
    def gain(self) -> float:
        """The share of the constant's loss that the network removes; below 0 where it adds to it."""
        if self.baseline_loss > 0:
            return 1.0 - self.loss / self.baseline_loss
        return 1.0 if self.loss == 0 else -np.inf

    @property
    def useless(self) -> bool:
        """Whether the network is hardly better than a constant, in its loss as in its decisions."""
        return not self.better or max(self.skill, self.gain) < LITTLE

    @property
    def fits(self) -> bool:
        """Whether the network does its task: better than a constant, and by half of what there is to explain."""
        return self.better and self.skill >= HALF

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {name: getattr(self, name) for name in ("measure", "score", "baseline", "loss", "baseline_loss")} | {
            "outputs": dict(self.outputs),
            "rows": self.rows,
        }


def task_score(checkpoint: Checkpoint) -> TaskScore | None:
    """Hold a checkpoint's network against all rows of its probe.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network, its rows and their targets.

    Returns
    -------
    TaskScore or None
        None where the targets are the network's own outputs, which say nothing of a task.

    Notes
    -----
    With l_i the loss of row i, and c_i that of the constant, the network is better where the mean of c_i - l_i is above
    two of its standard errors. Both numbers come from the same rows, so a constant has no advantage but that of having
    seen them.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> doubled = from_state_dict({"weight": np.array([[2.0]])}, activation="relu", x=x, y=2 * x)
    >>> task_score(doubled).score
    1.0
    """
    if checkpoint.config.get("targets") == OWN_OUTPUTS:
        return None
    task, probe = checkpoint.task, checkpoint.probe
    x, y = (np.concatenate([getattr(probe, f"{of}_train"), getattr(probe, f"{of}_test")]) for of in "xy")
    enough = max(1, min(len(x), SCORED_PREDICTIONS // task.predictions))
    some = np.linspace(0, len(x) - 1, enough).astype(np.int64)
    targets = task.to_network_targets(task.one_hot(y[some]))
    return score_of(checkpoint.network.predict(task.to_network_inputs(x[some])), targets, task)


def score_of(
    outputs: Float64[np.ndarray, "rows *places outputs"], targets: Float64[np.ndarray, "rows targets"], task: TaskSpec
) -> TaskScore:
    """Hold outputs against targets, both in the network's units.

    Parameters
    ----------
    outputs : array of float, shape (rows, outputs)
        What the network gives.
    targets : array of float, shape (rows, targets)
        What it should give, classes one-hot.
    task : TaskSpec
        Says what the targets are.

    Returns
    -------
    TaskScore
        The score.
    """
    need("torch", "a score of a network")
    import torch

    loss = task.judged_by
    given, wanted = torch.tensor(outputs), torch.tensor(targets)
    constant = loss.constant(wanted, given.shape[-1]).expand_as(given)
    lost, lost_by_constant = (_row_by_row(loss, said, wanted) for said in (given, constant))
    gained = lost_by_constant - lost
    error = gained.std(ddof=1) / np.sqrt(len(gained)) if len(gained) > 1 else np.inf
    better = bool(gained.mean() > CLEARLY * error) if np.isfinite(gained).all() else False
    told = {"loss": float(lost.mean()), "baseline_loss": float(lost_by_constant.mean())}
    if loss.right is not None:
        right, by_constant = (float(loss.right(said[None], wanted[None])[0]) for said in (given, constant))
        each = _each_label(loss, given, wanted, task)
        return TaskScore("accuracy", right, by_constant, **told, outputs=each, rows=len(outputs), better=better)
    spread = targets.var(axis=0)
    missed = ((outputs - targets) ** 2).mean(axis=0)
    varies = spread > 0
    r2 = np.where(varies, 1.0 - missed / np.where(varies, spread, 1.0), np.where(missed == 0, 1.0, 0.0))
    mean = float(r2[varies].mean()) if varies.any() else float(r2.mean())
    each = dict(zip(task.outputs, r2.tolist(), strict=True))
    return TaskScore("r2", mean, 0.0, **told, outputs=each, rows=len(outputs), better=better)


def _row_by_row(loss: Loss, outputs: Any, targets: Any) -> Float64[np.ndarray, " rows"]:
    """The loss of each row: every row is a seed of one row."""
    return np.asarray(loss.function(outputs[:, None], targets[:, None]), dtype=np.float64)


def _each_label(loss: Loss, outputs: Any, targets: Any, task: TaskSpec) -> dict[str, float]:
    if loss.targets != "labels" or loss.right is None:
        return {}
    columns = range(outputs.shape[-1])
    shares = (float(loss.right(outputs[None, :, k : k + 1], targets[None, :, k : k + 1])[0]) for k in columns)
    return dict(zip(task.outputs, shares, strict=True))
