"""Other ways to read a network from elsewhere, tried where it does not fit its rows as it was read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ...models import ACTIVATIONS
from ...showing import Shown
from .._checkpoint import Checkpoint
from .._network import Network
from .._task_score import TaskScore
from ..own_outputs import OWN_OUTPUTS
from ._judging import UNITS, Judged, choose, judged, judgings, standardized

TRIED_ROWS = 500
HALF = 0.5  # of what a network misses: another reading counts where it leaves less than this
NOTHING = 1e-4  # of a constant's loss: a reading that misses less fits


@dataclass(frozen=True, repr=False)
class OtherReading(Shown):
    """A reading that fits the rows better than the one that was asked for.

    Attributes
    ----------
    options : mapping of str to str
        What to say in place of what was said: ``activation``, ``standardize``, ``loss``, ``final``.
    score : TaskScore
        How well the network does its task when it is read so.

    Examples
    --------
    >>> score = TaskScore("r2", 0.999, 0.0, 0.001, 1.0, {}, 100, True)
    >>> str(OtherReading({"activation": "tanh"}, score))
    '--activation tanh: r2 0.999'
    """

    options: dict[str, str]
    score: TaskScore

    def _brief(self) -> str:
        return str(self)

    def __str__(self) -> str:
        said = " ".join(f"--{name} {value}" for name, value in self.options.items())
        return f"{said}: {self.score.measure} {self.score.score:.4g}"


def other_readings(checkpoint: Checkpoint) -> tuple[OtherReading, ...]:
    """Read a network from elsewhere in other ways, and tell those that fit its rows clearly better.

    Every activation, every choice of standardised columns and every loss is tried, in all combinations.

    Parameters
    ----------
    checkpoint : Checkpoint
        A network whose activation, units and loss were said or assumed, and not stored with it.

    Returns
    -------
    tuple of OtherReading
        The one that changes least among those that fit about best; empty where none leaves less than half of what the
        present reading misses, where the targets are the network's own outputs, or where nothing was assumed.

    Examples
    --------
    >>> from torch import nn
    >>> from bimt_train.checkpoints import from_state_dict
    >>> module = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> y = from_state_dict(module.state_dict(), activation="tanh", x=x).predict(x)
    >>> wrong = from_state_dict(module.state_dict(), activation="sigmoid", x=x, y=y)
    >>> [reading.options for reading in other_readings(wrong)]
    [{'activation': 'tanh'}]
    """
    config, options = checkpoint.config, checkpoint.network.model.options
    if config.get("targets") == OWN_OUTPUTS or "assumed" not in config or "activation" not in options:
        return ()
    present = _present(checkpoint)
    found = [(changes, best) for changes, best in _tried(checkpoint) if changes and _clearly_better(best, present)]
    if not found:
        return ()
    most = max(best.gain for _, best in found)
    near = [(changes, best) for changes, best in found if 1 - best.gain <= 2 * (1 - most) + 1e-9]
    changes, best = min(near, key=lambda each: (len(each[0]), -each[1].gain))
    return (OtherReading(changes, best.score),)


def _clearly_better(other: Judged, present: Judged) -> bool:
    """Whether another reading leaves less than half of what the present one misses, of its loss and its decisions."""
    if 1 - present.gain < NOTHING:
        return False
    if not other.score.fits or 1 - other.gain >= HALF * (1 - present.gain):
        return False
    return other.score.measure == "r2" or 1 - other.score.score < HALF * (1 - present.score.score)


def _rows(checkpoint: Checkpoint) -> tuple[np.ndarray, np.ndarray]:
    probe = checkpoint.probe
    x, y = (np.concatenate([getattr(probe, f"{of}_train"), getattr(probe, f"{of}_test")]) for of in "xy")
    some = np.linspace(0, len(x) - 1, min(len(x), TRIED_ROWS)).astype(np.int64)
    return x[some], y[some]


def _present(checkpoint: Checkpoint) -> Judged:
    x, y = _rows(checkpoint)
    task = checkpoint.task
    ways = judgings(y, task.outputs, loss=task.loss)
    plain = next(way for way in ways if way.of_logits or way.final == "none")
    return judged(checkpoint.network.predict(task.to_network_inputs(x)), task, y, (plain,))[0]


def _tried(checkpoint: Checkpoint) -> Iterator[tuple[dict[str, str], Judged]]:
    """Every other reading, with what it changes."""
    (x, y), task, network = _rows(checkpoint), checkpoint.task, checkpoint.network
    raw = replace(task, loss="mse", input_shift=None, input_scale=None, output_shift=None, output_scale=None)
    ways = judgings(y, task.outputs)
    for activation, inputs in product(ACTIVATIONS.names(), ("raw", "inputs")):
        seen = standardized(raw, x, y, inputs).to_network_inputs(x)
        outputs = _with_activation(network, activation).predict(seen)
        if not np.isfinite(outputs).all():
            continue
        outside = ("both" if inputs == "inputs" else "outputs",) if y.shape[1] == len(task.outputs) else ()
        for units in (inputs, *outside):
            yield _best(checkpoint, activation, units, judged(outputs, standardized(raw, x, y, units), y, ways))


def _best(
    checkpoint: Checkpoint, activation: str, units: str, tried: tuple[Judged, ...]
) -> tuple[dict[str, str], Judged]:
    """The best judging under an activation and units, and what it changes."""
    best = choose(tried)
    if best.judging.of_logits:
        units = "inputs" if units in ("inputs", "both") else "raw"  # logits have no units
    changes = {"activation": activation} if activation != checkpoint.network.model.options["activation"] else {}
    if units != _units(checkpoint):
        changes["standardize"] = units
    if best.judging.loss != checkpoint.task.loss:
        changes["loss"] = best.judging.loss
    if not best.judging.ends_as_is:
        changes["final"] = best.judging.final
    return changes, best


def _with_activation(network: Network, activation: str) -> Network:
    options = {name: value for name, value in network.model.options.items() if name != "final"}
    return replace(network, model=replace(network.model, options=options | {"activation": activation}))


def _units(checkpoint: Checkpoint) -> str:
    task = checkpoint.task
    inputs, outputs = task.input_scale is not None, task.output_scale is not None
    return UNITS[inputs + 2 * outputs]
