"""Null networks that are trained: the same network with something taken away from its training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bimt_train import InputError, Recipe, default_recipe, train
from bimt_train.checkpoints import Checkpoint
from bimt_train.fan_out import fan_out
from bimt_train.models import MODELS
from bimt_train.showing import Shown

from .._significance import Significance
from ._retrainings import RETRAININGS, CheckpointRows

SHARE = 50
"""Networks trained together."""


@dataclass(frozen=True, repr=False)
class Retrained(Shown):
    """What the null networks gave.

    Attributes
    ----------
    significance : Significance
        The checkpoint's value among theirs.
    losses : tuple of float
        Of their circuits.
    observed_loss : float
        Of the checkpoint's circuit, pruned in the same way.
    steps : int
        Of their training.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.audits import Significance
    >>> from bimt_analyze.audits.chance.retraining._retrained import Retrained
    >>> tested = Significance.of(
    ...     2.0, np.array([1.0, 1.5, 2.0]), statistic="specialisation", null_model="chance", weights="magnitude", seed=0
    ... )
    >>> Retrained(tested, losses=(0.1, 0.2, 0.3), observed_loss=0.1, steps=100).to_json()["median_loss"]
    0.2
    """

    significance: Significance
    losses: tuple[float, ...]
    observed_loss: float
    steps: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; the losses as their median."""
        loss = {"median_loss": float(np.median(self.losses)), "observed_loss": self.observed_loss, "steps": self.steps}
        return self.significance.to_json() | loss


@dataclass(frozen=True)
class Measured:
    """What is measured of a checkpoint and of its null networks.

    Attributes
    ----------
    statistic : str
        What the value is called.
    weights : str
        The edge weights that it reads.
    function : callable
        Gives a checkpoint's value and the loss of its circuit; a function of a module, as it travels to other
        processes.
    """

    statistic: str
    weights: str
    function: Callable[[Checkpoint], tuple[float, float]]


def retrained(
    checkpoint: Checkpoint,
    measured: Measured,
    *,
    how: str,
    samples: int = 200,
    steps: int = 1000,
    seed: int = 0,
    processes: int | None = None,
) -> Retrained:
    """Train the checkpoint's network anew from other first weights, and hold the checkpoint's value against theirs.

    Networks of all shares are trained in as many processes as there are cores; sample k depends on ``seed`` and k
    alone. They are trained for fewer ``steps`` than the checkpoint, most often: compare their losses with its own
    before making much of p.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its probe's training rows are what is trained on.
    measured : Measured
        What the checkpoint and the null networks are compared by.
    how : str
        A name in `RETRAININGS`, or ``file.py:NAME``.

        - ``l1``: on the same rows with the same recipe, but no neuron moves and no connection is charged for its
          length. Asks whether more than sparsity was needed.
        - ``label_permutation``: as the checkpoint was trained, with the targets of its rows moved to other rows. Asks
          whether the task has anything to do with it.
    samples : int, default 200
        Networks.
    steps : int, default 1000
        Of each, at most those of the checkpoint's recipe.
    seed : int, default 0
        Of their first weights and of the permutations.
    processes : int, optional
        How many at once; left out, one a core.

    Returns
    -------
    Retrained
        The test, and the losses.

    Raises
    ------
    InputError
        No samples, an unknown retraining, sequences of tokens, or a model that is not one of the project's own.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.audits.chance.retraining._retrained import Measured, retrained
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> def edges(checkpoint):
    ...     return float(checkpoint.network.edges()), 0.0
    >>> measured = Measured("edges", "magnitude", edges)
    >>> found = retrained(checkpoint, measured, how="l1", samples=2, steps=2, processes=1)
    >>> found.significance.observed, found.significance.null
    (2.0, (4.0, 4.0))
    """
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    entry = RETRAININGS[how]
    _check_retrainable(checkpoint)
    drawn = [int(stream.generate_state(1)[0]) for stream in np.random.SeedSequence(seed).spawn(samples)]
    seeds = list(dict.fromkeys(drawn))  # two alike are one in four billion
    shortened, named = _shortened(checkpoint, steps), RETRAININGS.reference(how)
    shares = [
        _Share(checkpoint, measured, shortened, named, tuple(seeds[k : k + SHARE])) for k in range(0, len(seeds), SHARE)
    ]
    found = [pair for share in fan_out(_work, shares, processes=processes) for pair in share]
    values, losses = np.array(found).T
    observed, observed_loss = measured.function(checkpoint)
    tested = Significance.of(
        observed, values, statistic=measured.statistic, null_model=entry.label, weights=measured.weights, seed=seed
    )
    return Retrained(tested, tuple(losses.tolist()), observed_loss, shortened.steps)


def affordable(checkpoint: Checkpoint, *, steps: int, samples: int, work: float) -> int:
    """How many networks can be trained in so many multiplications, forwards and backwards.

    Parameters
    ----------
    checkpoint : Checkpoint
        Whose network is trained anew.
    steps : int
        Of each training, at most those of the checkpoint's recipe.
    samples : int
        How many are wanted.
    work : float
        Multiplications.

    Returns
    -------
    int
        At most ``samples``.

    Raises
    ------
    InputError
        The checkpoint's network cannot be trained anew.
    """
    _check_retrainable(checkpoint)
    weights = max(checkpoint.network.edges(-1.0), 1) * checkpoint.network.layout.steps
    each = 3.0 * weights * _shortened(checkpoint, steps).total_steps * len(checkpoint.probe.x_train)
    return min(samples, int(work / each))


def _shortened(checkpoint: Checkpoint, steps: int) -> Recipe:
    """The checkpoint's recipe with so many steps at most; all else of its training stays, random restarts too."""
    recipe = recipe_of(checkpoint)
    return replace(recipe, steps=min(steps, recipe.steps))


def _check_retrainable(checkpoint: Checkpoint) -> None:
    model, sequences = checkpoint.network.model.kind, checkpoint.task.reads_sequences
    if model not in MODELS or sequences:
        got = model if model not in MODELS else "sequences of tokens"
        expected = f"a row a prediction, and a model among {', '.join(MODELS)}"
        raise InputError("a network that cannot be trained anew", where="checkpoint", expected=expected, got=got)


def recipe_of(checkpoint: Checkpoint) -> Recipe:
    """The recipe that a checkpoint was trained by; for others that of its task."""
    if "recipe" in checkpoint.config:
        return Recipe.from_json(checkpoint.config["recipe"])
    return default_recipe(CheckpointRows(checkpoint).task())


@dataclass(frozen=True)
class _Share:
    """What one process trains; the retraining travels by its name."""

    checkpoint: Checkpoint
    measured: Measured
    recipe: Recipe
    how: str
    seeds: tuple[int, ...]


def _work(share: _Share) -> Sequence[tuple[float, float]]:
    task, kind = RETRAININGS[share.how].function(share.checkpoint)
    runs = train(task, seeds=share.seeds, recipe=share.recipe, kind=kind)
    by_seed = {run.seed: run.checkpoint for run in runs.runs}
    return [share.measured.function(by_seed[seed]) for seed in share.seeds]
