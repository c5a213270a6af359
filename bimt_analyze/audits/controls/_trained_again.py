"""The same network trained again from other first weights, on its targets or on nonsense."""

from dataclasses import replace

import numpy as np

from bimt_train import train
from bimt_train.checkpoints import Checkpoint

from ..chance.retraining._retrained import affordable, recipe_of
from ..chance.retraining._retrainings import CheckpointRows, own_kind

WORK = 2e10
"""Multiplications that the networks of one kind may take."""


def trained_again(
    checkpoint: Checkpoint, *, permuted: bool, samples: int, steps: int, seed: int
) -> tuple[Checkpoint, ...]:
    """Train a checkpoint's network again as `retrained` does, in this process.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its probe's training rows are trained on, by its recipe, or that of its task where it has none.
    permuted : bool
        Whether each network's targets change places among the rows.
    samples : int
        How many networks; fewer where they would take too long.
    steps : int
        Of each, at most those of the recipe.
    seed : int
        Of first weights and permutations.

    Returns
    -------
    tuple of Checkpoint
        The trained networks with the rows that they were trained on.

    Raises
    ------
    InputError
        The network cannot be trained again.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> len(trained_again(checkpoint, permuted=True, samples=2, steps=2, seed=0))
    2
    """
    many = affordable(checkpoint, steps=steps, samples=samples, work=WORK)
    recipe = recipe_of(checkpoint)
    seeds = np.random.SeedSequence((seed, int(permuted))).generate_state(max(many, 0))
    if not len(seeds):
        return ()
    runs = train(
        CheckpointRows(checkpoint, permuted=permuted).task(),
        seeds=[int(one) for one in dict.fromkeys(seeds.tolist())],
        recipe=replace(recipe, steps=min(steps, recipe.steps)),
        kind=own_kind(checkpoint),
    )
    return tuple(run.checkpoint for run in sorted(runs.runs, key=lambda run: run.seed))
