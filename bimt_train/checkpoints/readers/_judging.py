"""How the outputs of a network from elsewhere are judged: what ends it, the loss, and the units of its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float64

from ..._errors import CheckpointError, InputError
from ...losses import LOSSES
from ...models import ACTIVATIONS
from ...models.building_blocks.activations import activated
from .._network import Network
from .._task_score import TaskScore, score_of
from .._task_spec import TaskSpec

Rows: TypeAlias = Float64[np.ndarray, "_ _"]

AUTO = "auto"
UNITS = ("raw", "inputs", "outputs", "both")
"""Which columns the network saw standardised, each with mean 0 and deviation 1 over the rows given."""

_LOGITS = {"labels": "sigmoid", "class": "softmax"}  # what turns logits of these targets into chances


@dataclass(frozen=True)
class Judging:
    """What follows a network's last layer, the loss that its outputs are judged by, and why these.

    Attributes
    ----------
    final : str
        "none", "softmax", or a name in `ACTIVATIONS`. A sigmoid or softmax whose loss takes logits is part of that loss
        and not of the network.
    loss : str
        A name in `LOSSES`.
    reason : str
        Why, in a few words.

    Examples
    --------
    >>> Judging("sigmoid", "bce", "given").of_logits
    True
    """

    final: str
    loss: str
    reason: str

    def __str__(self) -> str:
        return self.loss if self.final == "none" else f"{self.loss} after {self.final}"

    @property
    def of_logits(self) -> bool:
        """Whether the loss takes what the last layer gives, before ``final``."""
        return LOSSES[self.loss].targets != "numbers"

    @property
    def ends_as_is(self) -> bool:
        """Whether the loss takes what the last layer gives."""
        return self.of_logits or self.final in ("none", "identity")

    def network(self, network: Network) -> Network:
        """The network with this end.

        Parameters
        ----------
        network : Network
            The network as its tensors say.

        Returns
        -------
        Network
            Ending in ``final`` where that is no part of the loss.
        """
        if self.ends_as_is:
            return network
        model = replace(network.model, options={**network.model.options, "final": self.final})
        return replace(network, model=model)


def judgings(y: Rows, outputs: Sequence[str], *, final: str = AUTO, loss: str = AUTO) -> tuple[Judging, ...]:
    """The ways in which targets like these can be meant, the plainest first.

    Parameters
    ----------
    y : array of float, shape (rows, columns)
        The targets.
    outputs : sequence of str
        The network's outputs.
    final : str
        What follows the last layer; "auto" where nobody said.
    loss : str
        The loss; "auto" where nobody said.

    Returns
    -------
    tuple of Judging
        At least one.

    Raises
    ------
    CheckpointError
        There is none.
    InputError
        The loss or the final function is unknown.
    """
    if final not in (AUTO, "none", "softmax"):
        ACTIVATIONS[final]
    count = len(outputs)
    found = list(_ways(y, count))
    if loss != AUTO:
        kind = LOSSES[loss].targets
        found = [replace(way, loss=loss) for way in found if LOSSES[way.loss].targets == kind]
    if final != AUTO:
        numbers = [Judging(final, way.loss, "given") for way in found if not way.of_logits and final != "softmax"]
        logits = [way for way in found if way.of_logits and final in ("none", way.final)]
        found = [*dict.fromkeys(numbers), *logits]
    if not found:
        raise CheckpointError(
            "targets that cannot be judged so", where="y",
            expected=f"targets for --loss {loss}, --final {final} and {count} output{'s' * (count != 1)}",
            got=_described(y), hint="leave out --loss and --final, or give other columns as --target",
        )  # fmt: skip
    return tuple(found)


def _ways(y: Rows, outputs: int) -> Iterator[Judging]:
    whole = bool((y == np.floor(y)).all())
    binary = whole and bool(np.isin(y, (0.0, 1.0)).all())
    if y.shape[1] == outputs:
        yield Judging("none", "mse", "targets are numbers")
        low, high = float(y.min()), float(y.max())
        if not binary and low >= 0 and high <= 1:
            yield Judging("sigmoid", "mse", "targets lie between 0 and 1")
        if low >= -1 and high <= 1 and low < 0:
            yield Judging("tanh", "mse", "targets lie between -1 and 1")
        if binary:
            yield Judging("sigmoid", "bce", "every target is 0 or 1")
        if binary and outputs > 1 and bool((y.sum(axis=1) == 1).all()):
            yield Judging("softmax", "cross-entropy", "each row has a single 1")
    elif y.shape[1] == 1 and outputs > 1 and whole and y.min() >= 0 and y.max() < outputs:
        yield Judging("softmax", "cross-entropy", "one column of whole numbers for several outputs")


def _described(y: Rows) -> str:
    kind = "whole numbers" if (y == np.floor(y)).all() else "numbers"
    return f"{y.shape[1]} column{'s' * (y.shape[1] != 1)} of {kind} from {y.min():g} to {y.max():g}"


@dataclass(frozen=True)
class Judged:
    """A network held against its rows under one judging.

    Attributes
    ----------
    judging : Judging
        How outputs were judged.
    score : TaskScore
        How well they do.
    """

    judging: Judging
    score: TaskScore

    @property
    def gain(self) -> float:
        """The share of the constant's loss that the network removes; below 0 where it adds to it."""
        return self.score.gain


def judged(outputs: Rows, task: TaskSpec, y: Rows, ways: Sequence[Judging]) -> tuple[Judged, ...]:
    """Hold what a network gives against the targets, once for each judging.

    Parameters
    ----------
    outputs : array of float, shape (rows, outputs)
        What the last layer gives.
    task : TaskSpec
        Names and units; its loss is replaced.
    y : array of float, shape (rows, targets)
        Targets in the task's units.
    ways : sequence of Judging
        What to try.

    Returns
    -------
    tuple of Judged
        One for each of them, in order.
    """
    found = []
    for way in ways:
        meant = with_judging(task, way)
        ended = outputs if way.ends_as_is else activated(way.final, outputs.ravel()).reshape(outputs.shape)
        found.append(Judged(way, score_of(ended, meant.to_network_targets(meant.one_hot(y)), meant)))
    return tuple(found)


def with_judging(task: TaskSpec, way: Judging) -> TaskSpec:
    """The task with the loss of a judging; logits lose the units of numbers.

    Parameters
    ----------
    task : TaskSpec
        The task.
    way : Judging
        How its outputs are judged.

    Returns
    -------
    TaskSpec
        The new task.
    """
    units: dict[str, Any] = {"output_shift": None, "output_scale": None} if way.of_logits else {}
    return replace(task, loss=way.loss, **units)


def choose(found: tuple[Judged, ...]) -> Judged:
    """The judging under which a network removes the largest share of a constant's loss; the plainest of equals.

    Where no judging removes anything, none is better than another, and the plainest is chosen.

    Parameters
    ----------
    found : tuple of Judged
        The plainest first.

    Returns
    -------
    Judged
        The choice.
    """
    return max(found, key=lambda each: round(max(each.gain, 0.0), 3))


def standardized(task: TaskSpec, x: Rows, y: Rows | None, units: str) -> TaskSpec:
    """The task whose network sees columns with mean 0 and deviation 1.

    Parameters
    ----------
    task : TaskSpec
        The task in raw units.
    x : array of float, shape (rows, inputs)
        Inputs, whose means and deviations count.
    y : array of float, shape (rows, outputs), or None
        Targets, likewise.
    units : str
        One of `UNITS`.

    Returns
    -------
    TaskSpec
        With shifts and scales.

    Raises
    ------
    InputError
        Unknown units, or outputs without targets.
    """
    if units not in UNITS:
        raise InputError("unknown units", where="standardize", expected=", ".join(UNITS), got=repr(units))
    if units in ("outputs", "both") and (y is None or y.shape[1] != len(task.outputs)):
        raise InputError(
            "outputs without targets of their own cannot be standardised",
            where="standardize",
            got=units,
            hint="say inputs",
        )
    if units in ("inputs", "both"):
        task = replace(task, input_shift=_means(x), input_scale=_deviations(x))
    if units in ("outputs", "both") and y is not None:
        task = replace(task, output_shift=_means(y), output_scale=_deviations(y))
    return task


def _means(rows: Rows) -> tuple[float, ...]:
    return tuple(rows.mean(axis=0).tolist())


def _deviations(rows: Rows) -> tuple[float, ...]:
    spread = rows.std(axis=0)
    return tuple(np.where(spread > 0, spread, 1.0).tolist())
