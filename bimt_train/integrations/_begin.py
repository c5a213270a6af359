"""What both callbacks do when training begins."""

from dataclasses import replace

from torch import nn

from ..layouts import Layout
from ..training._recipe import Recipe
from ._penalty import Penalty


def begin(module: nn.Module, recipe: Recipe | None, layout: Layout | None, *, steps: int, done: int) -> Penalty:
    """The penalty for a run of so many steps; neurons of a run that goes on are dealt by the weights that it has."""
    penalty = Penalty.of(module, replace(recipe or Recipe(), steps=steps), layout=layout)
    return penalty.relocated(module) if done else penalty
