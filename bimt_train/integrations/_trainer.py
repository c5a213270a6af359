"""The connection cost and relocation for Hugging Face's Trainer."""

from typing import Any

from torch import nn

from .._errors import InputError
from ..layouts import Layout
from ..training._recipe import Recipe
from ._begin import begin
from ._penalty import Penalty

try:
    from transformers import TrainerCallback
except ImportError as error:
    mend = "pip install 'bimt[transformers]'"
    raise InputError("TrainerPenalty needs another package", expected="transformers", mend=mend) from error


class TrainerPenalty(TrainerCallback):
    """``Trainer(..., callbacks=[TrainerPenalty(recipe)])`` trains on ``loss + lambda * cost`` and relocates neurons.

    The gradient of the cost is added by `Penalty.add_gradients` between the clipping of gradients and the optimiser's
    step. So it counts once a step, however many batches ``gradient_accumulation_steps`` gathers, and ``max_grad_norm``
    clips the gradient of the loss alone. The losses that Trainer logs are without the cost. A run resumed from a
    checkpoint deals its neurons anew, by the weights.

    Attributes:
        penalty: where the neurons are, and what they pay; from the beginning of training on.
    """

    penalty: Penalty

    def __init__(self, recipe: Recipe | None = None, *, layout: Layout | None = None, part: str = "") -> None:
        """Nothing is done before training begins.

        Args:
            recipe: as `Penalty` takes it, but for its steps, which are the Trainer's.
            layout: of the model, or of the part of it; left out, `layout_for` finds it.
            part: the name of a submodule, if that alone is described and charged.
        """
        self._recipe, self._layout, self._part = recipe, layout, part

    def on_train_begin(self, args: Any, state: Any, control: Any, *, model: nn.Module, **others: Any) -> None:
        """Find the layout; the model is on its device by now."""
        module = model.get_submodule(self._part)
        self.penalty = begin(module, self._recipe, self._layout, steps=state.max_steps, done=state.global_step)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, *, model: nn.Module, **others: Any) -> None:
        """Add the gradient of the cost."""
        self.penalty.add_gradients(model.get_submodule(self._part), state.global_step)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, *, model: nn.Module, **others: Any) -> None:
        """Relocate, where the recipe does."""
        self.penalty = self.penalty.after_step(model.get_submodule(self._part), state.global_step)
