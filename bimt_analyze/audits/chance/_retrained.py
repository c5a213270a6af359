"""Null networks that are trained: the same net, with L1 alone or on permuted targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bimt_train import InputError, Recipe, TrainingType, default_recipe, fan_out, train
from bimt_train.checkpoints import Checkpoint
from bimt_train.models import MODELS
from bimt_train.tasks import Dataset, Task

from ._significance import Significance

Retraining = Literal["l1", "permuted"]

RETRAININGS = {
    "l1": "retrained with L1 alone",
    "permuted": "retrained on permuted targets",
}
SHARE = 50  # networks trained together
FEWEST = 20  # with fewer, p cannot be below 0.05


@dataclass(frozen=True)
class Retrained:
    """What the null networks gave.

    Attributes:
        significance: the checkpoint's value among theirs.
        losses: of their circuits.
        observed_loss: of the checkpoint's, pruned in the same way.
        steps: of their training.
    """

    significance: Significance
    losses: tuple[float, ...]
    observed_loss: float
    steps: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; the losses as their median."""
        loss = {"median_loss": float(np.median(self.losses)), "observed_loss": self.observed_loss, "steps": self.steps}
        return self.significance.to_json() | loss


Measured = Callable[[Checkpoint], tuple[float, float]]


def retrained(
    checkpoint: Checkpoint,
    measured: Measured,
    *,
    how: Retraining,
    statistic: str,
    weights: str,
    samples: int = 200,
    steps: int = 1000,
    seed: int = 0,
    processes: int | None = None,
) -> Retrained:
    """Train the checkpoint's network anew from other first weights, and hold the checkpoint's value against theirs.

    - ``l1``: on the same rows with the same recipe, but no neuron moves and no connection is charged for its length.
      Asks whether more than sparsity was needed;
    - ``permuted``: as the checkpoint was trained, with the targets of its rows dealt to other rows. Asks whether the
      task has anything to do with it.

    Networks of all shares are trained in as many processes as there are cores; sample k depends on ``seed`` and k
    alone. They are trained for fewer ``steps`` than the checkpoint, most often: compare their losses with its own
    before making much of p.

    Args:
        checkpoint: its probe's training rows are what is trained on.
        measured: a checkpoint's value and loss; a function of a module, as it travels to other processes.
        how: as above.
        statistic: what the value is called.
        weights: the edge weights that it reads.
        samples: networks.
        steps: of each, at most those of the checkpoint's recipe.
        seed: of their first weights and of the permutations.
        processes: at once.

    Raises:
        InputError: no samples, sequences of tokens, or a model that is not one of the project's own.
    """
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    _check_retrainable(checkpoint)
    kind: TrainingType = "l1" if how == "l1" else checkpoint.config.get("kind", "bimt")
    drawn = [int(stream.generate_state(1)[0]) for stream in np.random.SeedSequence(seed).spawn(samples)]
    seeds = list(dict.fromkeys(drawn))  # two alike are one in four billion
    shortened = _shortened(checkpoint, steps)
    shares = [
        _Share(checkpoint, measured, shortened, kind, how, tuple(seeds[k : k + SHARE]))
        for k in range(0, len(seeds), SHARE)
    ]
    found = [pair for share in fan_out(_work, shares, processes=processes) for pair in share]
    values, losses = np.array(found).T
    observed, observed_loss = measured(checkpoint)
    tested = Significance.of(
        observed, values, statistic=statistic, null_model=RETRAININGS[how], weights=weights, seed=seed
    )
    return Retrained(tested, tuple(losses.tolist()), observed_loss, shortened.steps)


def affordable(checkpoint: Checkpoint, *, steps: int, samples: int, work: float) -> int:
    """How many of ``samples`` networks can be trained in ``work`` multiplications, forwards and backwards.

    Raises:
        InputError: the checkpoint's network cannot be trained anew.
    """
    _check_retrainable(checkpoint)
    weights = max(checkpoint.network.edges(-1.0), 1) * checkpoint.network.layout.steps
    each = 3.0 * weights * _shortened(checkpoint, steps).steps_together * len(checkpoint.probe.x_train)
    return min(samples, int(work / each))


def _shortened(checkpoint: Checkpoint, steps: int) -> Recipe:
    """The checkpoint's recipe with so many steps at most; null networks have all else of its training, a race too."""
    recipe = recipe_of(checkpoint)
    return replace(recipe, steps=min(steps, recipe.steps))


def _check_retrainable(checkpoint: Checkpoint) -> None:
    model, sequences = checkpoint.network.model.kind, checkpoint.card.loss == "next-token"
    if model not in MODELS or sequences:
        got = model if model not in MODELS else "sequences of tokens"
        expected = f"a row a prediction, and a model among {', '.join(MODELS)}"
        raise InputError("a network that cannot be trained anew", where="checkpoint", expected=expected, got=got)


def recipe_of(checkpoint: Checkpoint) -> Recipe:
    """The recipe that a checkpoint was trained by; for others that of its task."""
    if "recipe" in checkpoint.config:
        return Recipe.from_json(checkpoint.config["recipe"])
    return default_recipe(_Rows(checkpoint, permuted=False).task())


@dataclass(frozen=True)
class _Share:
    checkpoint: Checkpoint
    measured: Measured
    recipe: Recipe
    kind: TrainingType
    how: Retraining
    seeds: tuple[int, ...]


def _work(share: _Share) -> Sequence[tuple[float, float]]:
    task = _Rows(share.checkpoint, permuted=share.how == "permuted").task()
    runs = train(task, seeds=share.seeds, recipe=share.recipe, kind=share.kind)
    by_seed = {run.seed: run.checkpoint for run in runs.runs}
    return [share.measured(by_seed[seed]) for seed in share.seeds]


@dataclass(frozen=True)
class _Rows:
    """A checkpoint's rows as the data of a task, the targets of each seed in another order if wanted."""

    checkpoint: Checkpoint
    permuted: bool

    def task(self) -> Task:
        return Task(self.checkpoint.card, self.checkpoint.network.model, self)

    def __call__(self, seed: int) -> Dataset:
        card, probe = self.checkpoint.card, self.checkpoint.probe
        train_targets, test_targets = card.one_hot(probe.y_train), card.one_hot(probe.y_test)
        if self.permuted:
            rng = np.random.default_rng(seed)
            train_targets, test_targets = (rng.permutation(y) for y in (train_targets, test_targets))
        return Dataset(probe.x_train, train_targets, probe.x_test, test_targets)
