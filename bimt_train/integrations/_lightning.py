"""The connection cost and relocation for Lightning's Trainer."""

import math
from typing import Any

from lightning.pytorch import Callback
from torch import nn

from .._errors import InputError
from ..layouts import Layout
from ..training.recipes._recipe import Recipe
from ._begin import begin
from ._penalty import Penalty


class LightningPenalty(Callback):
    """``Trainer(..., callbacks=[LightningPenalty(recipe)])`` trains on ``loss + lambda * cost`` and relocates neurons.

    The gradient of the cost is added by `Penalty.add_gradients` after ``backward``, on unscaled gradients. So it counts
    once a step, however many batches ``accumulate_grad_batches`` gathers; but Lightning clips only afterwards, so that
    ``gradient_clip_val`` clips the sum of both gradients. A run resumed from a checkpoint assigns its neurons to slots
    anew, by the weights.

    Parameters
    ----------
    recipe : Recipe, optional
        As `Penalty` takes it, but for its steps, which are the Trainer's.
    layout : Layout, optional
        The layout of the LightningModule, or of its submodule ``part``; left out, `layout_for` finds it.
    part : str, default ""
        The name of a submodule, if that alone is described and charged.

    Attributes
    ----------
    penalty : Penalty
        Where the neurons are, and what they pay; from the beginning of training on.

    Examples
    --------
    >>> from bimt_train.integrations import LightningPenalty
    >>> callback = LightningPenalty(part="net")  # for lightning.Trainer(callbacks=[callback])
    """

    penalty: Penalty

    def __init__(self, recipe: Recipe | None = None, *, layout: Layout | None = None, part: str = "") -> None:
        """Keep the options; nothing else is done before training begins."""
        self._recipe, self._layout, self._part = recipe, layout, part

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Find the layout; the model is on its device by now.

        Parameters
        ----------
        trainer : lightning.pytorch.Trainer
            Says how many steps there will be, and how many were made.
        pl_module : LightningModule
            What is trained.

        Raises
        ------
        InputError
            Training has no end, or several optimisers, whose steps cannot be told apart.
        """
        steps, optimisers = trainer.estimated_stepping_batches, len(trainer.optimizers)
        if not math.isfinite(steps):
            hint = "give Trainer max_steps or max_epochs"
            raise InputError("phases need the number of steps", where="LightningPenalty", got=str(steps), hint=hint)
        if optimisers != 1:
            hint = "use Penalty in a loop of your own"
            raise InputError("LightningPenalty takes one optimiser", expected="1", got=str(optimisers), hint=hint)
        module = pl_module.get_submodule(self._part)
        self.penalty = begin(module, self._recipe, self._layout, steps=int(steps), done=trainer.global_step)

    def on_before_optimizer_step(self, trainer: Any, pl_module: nn.Module, optimizer: Any) -> None:
        """Relocate, where the recipe does after the step before; add the gradient of the cost.

        Parameters
        ----------
        trainer : lightning.pytorch.Trainer
            Says how many steps were made.
        pl_module : LightningModule
            What is trained; its gradients are changed in place.
        optimizer : torch.optim.Optimizer
            Not used.
        """
        self._after_steps(trainer, pl_module)
        self.penalty.add_gradients(pl_module.get_submodule(self._part), trainer.global_step)

    def on_train_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Relocate, where the recipe does after the last step.

        Parameters
        ----------
        trainer : lightning.pytorch.Trainer
            Says how many steps were made.
        pl_module : LightningModule
            What was trained.
        """
        self._after_steps(trainer, pl_module)

    def _after_steps(self, trainer: Any, pl_module: nn.Module) -> None:
        if trainer.global_step:
            self.penalty = self.penalty.after_step(pl_module.get_submodule(self._part), trainer.global_step - 1)
