"""What a network loses at each output: an error, a margin, an accuracy, a log loss or a surprise."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64
from scipy.special import entr, log_softmax

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ...representations._classes import class_scores

LossMeasure = Literal["error", "margin", "accuracy", "log_loss", "surprise"]
PerOutput = Float64[np.ndarray, " losses"]


def losses(
    outputs: Float64[np.ndarray, "rows outputs"], y: Float64[np.ndarray, "rows outputs"], measure: LossMeasure
) -> PerOutput:
    """Loss at each output, or of all together; more is worse.

    - ``error``: mean over rows of (output - y)^2.
    - ``margin``: minus the class's mean margin over its own rows (`class_scores`).
    - ``accuracy``: minus the share of the class's own rows that are given to it.
    - ``log_loss``: mean over rows of -log2 of the probability that the output's sigmoid gives to the right yes or no,
      in bits.
    - ``surprise``: of all classes together, mean over rows of -log2 of the probability of the right one, in bits.

    Parameters
    ----------
    outputs : array of float64, shape (rows, outputs)
        What the network predicts.
    y : array of float64, shape (rows, outputs)
        Targets; classes are one-hot.
    measure : LossMeasure
        Which of the five.

    Returns
    -------
    array of float64, shape (losses,)
        One loss an output; one in all for ``surprise``.
    """
    if measure == "surprise":
        return np.array([-(log_softmax(outputs, axis=1) * y).sum(axis=1).mean() / np.log(2)])
    if measure == "error":
        return np.asarray(((outputs - y) ** 2).mean(axis=0))
    if measure == "log_loss":
        return np.asarray((np.logaddexp(0.0, outputs) - y * outputs).mean(axis=0) / np.log(2))
    margin, accuracy = class_scores(outputs, y)
    return -margin if measure == "margin" else -accuracy


def units(whole: PerOutput, y: Float64[np.ndarray, "rows outputs"], measure: LossMeasure) -> PerOutput:
    """Unit of each loss: the variance of y, the whole network's margin, 1, or the entropy of labels or classes.

    Parameters
    ----------
    whole : array of float64, shape (losses,)
        Losses of the whole network.
    y : array of float64, shape (rows, outputs)
        Targets; classes are one-hot.
    measure : LossMeasure
        Measure of the losses, which decides on the unit.

    Returns
    -------
    array of float64, shape (losses,)
        The units; 1 where a unit would be 0.
    """
    found = {
        "error": y.var(axis=0),
        "margin": np.abs(whole),
        "accuracy": np.ones_like(whole),
        "log_loss": (entr(y.mean(axis=0)) + entr(1 - y.mean(axis=0))) / np.log(2),
        "surprise": np.array([entr(y.mean(axis=0)).sum() / np.log(2)]),
    }[measure]
    return np.where(found > 0, found, 1.0)


def flat(values: np.ndarray) -> Float64[np.ndarray, "rows outputs"]:
    """One row a prediction: rows, and places where the network predicts at each token.

    Parameters
    ----------
    values : array
        Outputs or targets, with any number of axes before the last.

    Returns
    -------
    array of float64, shape (rows, outputs)
        All axes but the last made one.
    """
    return np.asarray(values, dtype=np.float64).reshape(-1, values.shape[-1])


def checked(network: Network, y: np.ndarray, predicted: np.ndarray, measure: str) -> tuple[str, ...]:
    """Names of the outputs, if the targets fit what the network predicts.

    Parameters
    ----------
    network : Network
        The network, whose layout names the outputs.
    y : array
        Targets.
    predicted : array
        What the network predicts for the same rows.
    measure : str
        Measure of the loss.

    Returns
    -------
    tuple of str
        One name a loss.

    Raises
    ------
    InputError
        The measure is unknown, the targets have another shape, or a class has no rows.
    """
    if measure not in get_args(LossMeasure):
        expected, hint = ", ".join(get_args(LossMeasure)), "name one of these"
        raise InputError("unknown measure of loss", where="measure", expected=expected, got=repr(measure), hint=hint)
    if y.shape != predicted.shape:
        expected, got = str(list(predicted.shape)), str(list(y.shape))
        hint = "give one target an output, classes one-hot"
        raise InputError("targets that do not fit the outputs", where="y", expected=expected, got=got, hint=hint)
    if measure == "surprise":
        return ("all classes",)
    group = network.layout.group(network.layout.outputs) if network.layout.outputs else None
    fits = group is not None and group.size == y.shape[-1]
    names = tuple(group.label(k) if group is not None and fits else f"y.{k}" for k in range(y.shape[-1]))
    classes = measure in ("margin", "accuracy")
    empty = [name for name, count in zip(names, flat(y).sum(axis=0), strict=True) if count == 0]
    if classes and empty:
        raise InputError("a class without rows", where="y", got=", ".join(empty), hint="give rows of every class")
    return names
