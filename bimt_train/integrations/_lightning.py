"""The connection cost and relocation for Lightning's Trainer."""

import math
from typing import Any

from torch import nn

from .._errors import InputError
from ..layouts import Layout
from ..training._recipe import Recipe
from ._begin import begin
from ._penalty import Penalty

try:
    from lightning.pytorch import Callback
except ImportError as error:
    mend = "pip install 'bimt[lightning]'"
    raise InputError("LightningPenalty needs another package", expected="lightning", mend=mend) from error


class LightningPenalty(Callback):
    """``Trainer(..., callbacks=[LightningPenalty(recipe)])`` trains on ``loss + lambda * cost`` and relocates neurons.

    The gradient of the cost is added by `Penalty.add_gradients` after ``backward``, on unscaled gradients. So it counts
    once a step, however many batches ``accumulate_grad_batches`` gathers; but Lightning clips only afterwards, so that
    ``gradient_clip_val`` clips the sum of both gradients. A run resumed from a checkpoint deals its neurons anew, by
    the weights.

    Attributes:
        penalty: where the neurons are, and what they pay; from the beginning of training on.
    """

    penalty: Penalty

    def __init__(self, recipe: Recipe | None = None, *, layout: Layout | None = None, part: str = "") -> None:
        """Nothing is done before training begins.

        Args:
            recipe: as `Penalty` takes it, but for its steps, which are the Trainer's.
            layout: of the LightningModule, or of the part of it; left out, `layout_for` finds it.
            part: the name of a submodule, if that alone is described and charged.
        """
        self._recipe, self._layout, self._part = recipe, layout, part

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Find the layout; the model is on its device by now.

        Raises:
            InputError: training without an end, or with several optimisers, whose steps cannot be told apart.
        """
        steps, optimisers = trainer.estimated_stepping_batches, len(trainer.optimizers)
        if not math.isfinite(steps):
            mend = "give Trainer max_steps or max_epochs"
            raise InputError("phases need the number of steps", where="LightningPenalty", got=str(steps), mend=mend)
        if optimisers != 1:
            mend = "use Penalty in a loop of your own"
            raise InputError("LightningPenalty takes one optimiser", expected="1", got=str(optimisers), mend=mend)
        module = pl_module.get_submodule(self._part)
        self.penalty = begin(module, self._recipe, self._layout, steps=int(steps), done=trainer.global_step)

    def on_before_optimizer_step(self, trainer: Any, pl_module: nn.Module, optimizer: Any) -> None:
        """Relocate, where the recipe does after the step before; add the gradient of the cost."""
        self._after_steps(trainer, pl_module)
        self.penalty.add_gradients(pl_module.get_submodule(self._part), trainer.global_step)

    def on_train_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Relocate, where the recipe does after the last step."""
        self._after_steps(trainer, pl_module)

    def _after_steps(self, trainer: Any, pl_module: nn.Module) -> None:
        if trainer.global_step:
            self.penalty = self.penalty.after_step(pl_module.get_submodule(self._part), trainer.global_step - 1)
