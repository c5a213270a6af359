"""What a network does, as one number that others can be held against: its gain over mean outputs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import TaskSpec
from bimt_train.showing import Shown

from ..ablation._output_losses import LossMeasure, flat, losses, units

_MEASURES: Mapping[str, LossMeasure] = {
    "numbers": "error", "class": "surprise", "labels": "log_loss", "tokens": "surprise"
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Behaviour(Shown):
    """The loss of a network and that of mean outputs, over all outputs, each in its own unit.

    Attributes
    ----------
    whole : float
        Loss of the network, a mean over outputs, each in units as in `mean_ablation_effects`.
    nothing : float
        Loss of the network when nothing reaches its outputs but means.
    measure : LossMeasure
        Measure of the loss.

    Examples
    --------
    >>> y = np.array([[0.0], [2.0]])
    >>> done = Behaviour.of(y, np.ones((2, 1)), y, "error")
    >>> done.gain, done.kept(np.array([[0.5], [1.5]]), y)
    (1.0, 0.75)
    """

    whole: float
    nothing: float
    measure: LossMeasure

    @classmethod
    def of(
        cls,
        outputs: Float[np.ndarray, "rows ..."],
        means: Float[np.ndarray, "rows ..."],
        y: Float[np.ndarray, "rows ..."],
        measure: LossMeasure,
    ) -> "Behaviour":
        """The behaviour of a network that gives these outputs.

        Parameters
        ----------
        outputs : array of float, shape (rows, ..., outputs)
            What the network gives.
        means : array of float, shape (rows, ..., outputs)
            What it gives when only means reach its outputs.
        y : array of float, shape (rows, ..., outputs)
            Targets; classes are one-hot.
        measure : LossMeasure
            Measure of the loss.

        Returns
        -------
        Behaviour
            The two losses.
        """
        return cls(pooled(outputs, y, measure), pooled(means, y, measure), measure)

    @property
    def gain(self) -> float:
        """What the network does beyond means, in units of each output."""
        return self.nothing - self.whole

    def kept(self, outputs: Float[np.ndarray, "rows ..."], y: Float[np.ndarray, "rows ..."]) -> float:
        """The share of the gain that other outputs have: 1 does as well as the network, 0 no better than means.

        Parameters
        ----------
        outputs : array of float, shape (rows, ..., outputs)
            What something else gives: a circuit, an ablated network, a control.
        y : array of float, shape (rows, ..., outputs)
            Its targets.

        Returns
        -------
        float
            (nothing - its loss) / gain; NaN where there is no gain.
        """
        if not self.gain > 0:
            return float("nan")
        return (self.nothing - pooled(outputs, y, self.measure)) / self.gain


def pooled(outputs: np.ndarray, y: np.ndarray, measure: LossMeasure) -> float:
    """The mean loss of all outputs that vary, each in its own unit.

    Parameters
    ----------
    outputs : array, shape (rows, ..., outputs)
        What is given.
    y : array, shape (rows, ..., outputs)
        Targets; classes are one-hot.
    measure : LossMeasure
        Measure of the loss.

    Returns
    -------
    float
        Of numbers, the loss of each output over its variance; an output that never varies has no part in it.
    """
    said, wanted = flat(outputs), flat(y)
    lost = losses(said, wanted, measure)
    varies = wanted.var(axis=0) > 0
    if len(lost) == len(varies) and varies.any():
        return float((lost / units(lost, wanted, measure))[varies].mean())
    return float((lost / units(lost, wanted, measure)).mean())


def measure_of(task: TaskSpec) -> LossMeasure:
    """How the loss of a task is measured here: as far as possible as it is trained on.

    Parameters
    ----------
    task : TaskSpec
        The task of a network.

    Returns
    -------
    str
        "surprise" of classes and tokens, all of them together; "log_loss" of labels; "error" of numbers.
    """
    return _MEASURES["class" if task.classes else task.judged_by.targets]
