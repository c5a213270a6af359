"""What the callbacks of all trainers do when training begins."""

from dataclasses import replace

from torch import nn

from ..layouts import Layout
from ..training.recipes._recipe import Recipe
from ._penalty import Penalty


def begin(module: nn.Module, recipe: Recipe | None, layout: Layout | None, *, steps: int, done: int) -> Penalty:
    """Make the penalty for a run; the neurons of a run that goes on are assigned to slots by the weights that it has.

    Parameters
    ----------
    module : torch.nn.Module
        What is trained.
    recipe : Recipe or None
        When to charge how much; None means the default one. Its number of steps is replaced.
    layout : Layout or None
        The module's layout; None means that `layout_for` finds it.
    steps : int
        The optimiser steps of the whole run.
    done : int
        The optimiser steps that were made before.

    Returns
    -------
    Penalty
        What the module pays from now on.
    """
    penalty = Penalty.of(module, replace(recipe or Recipe(), steps=steps), layout=layout)
    return penalty.relocated(module) if done else penalty
