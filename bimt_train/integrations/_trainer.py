"""The connection cost and relocation for Hugging Face's Trainer."""

from typing import Any

from torch import nn
from transformers import TrainerCallback

from ..layouts import Layout
from ..training.recipes._recipe import Recipe
from ._begin import begin
from ._penalty import Penalty


class TrainerPenalty(TrainerCallback):
    """``Trainer(..., callbacks=[TrainerPenalty(recipe)])`` trains on ``loss + lambda * cost`` and relocates neurons.

    The gradient of the cost is added by `Penalty.add_gradients` between the clipping of gradients and the optimiser's
    step. So it counts once a step, however many batches ``gradient_accumulation_steps`` gathers, and ``max_grad_norm``
    clips the gradient of the loss alone. The losses that Trainer logs are without the cost. A run resumed from a
    checkpoint assigns its neurons to slots anew, by the weights.

    Parameters
    ----------
    recipe : Recipe, optional
        As `Penalty` takes it, but for its steps, which are the Trainer's.
    layout : Layout, optional
        The layout of the model, or of its submodule ``part``; left out, `layout_for` finds it.
    part : str, default ""
        The name of a submodule, if that alone is described and charged.

    Attributes
    ----------
    penalty : Penalty
        Where the neurons are, and what they pay; from the beginning of training on.

    Examples
    --------
    >>> from bimt_train.integrations import TrainerPenalty
    >>> callback = TrainerPenalty(part="transformer")  # for transformers.Trainer(callbacks=[callback])
    """

    penalty: Penalty

    def __init__(self, recipe: Recipe | None = None, *, layout: Layout | None = None, part: str = "") -> None:
        """Keep the options; nothing else is done before training begins."""
        self._recipe, self._layout, self._part = recipe, layout, part

    def on_train_begin(self, args: Any, state: Any, control: Any, *, model: nn.Module, **others: Any) -> None:
        """Find the layout; the model is on its device by now.

        Parameters
        ----------
        args : transformers.TrainingArguments
            Not used.
        state : transformers.TrainerState
            Says how many steps there will be, and how many were made.
        control : transformers.TrainerControl
            Not used.
        model : torch.nn.Module
            What is trained.
        **others
            Not used.
        """
        module = model.get_submodule(self._part)
        self.penalty = begin(module, self._recipe, self._layout, steps=state.max_steps, done=state.global_step)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, *, model: nn.Module, **others: Any) -> None:
        """Add the gradient of the cost to the gradients of ``model``, at the step that ``state`` says.

        Parameters
        ----------
        args : transformers.TrainingArguments
            Not used.
        state : transformers.TrainerState
            Says how many steps were made.
        control : transformers.TrainerControl
            Not used.
        model : torch.nn.Module
            What is trained; its gradients are changed in place.
        **others
            Not used.
        """
        self.penalty.add_gradients(model.get_submodule(self._part), state.global_step)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, *, model: nn.Module, **others: Any) -> None:
        """Relocate, where the recipe does.

        Parameters
        ----------
        args : transformers.TrainingArguments
            Not used.
        state : transformers.TrainerState
            Says how many steps were made.
        control : transformers.TrainerControl
            Not used.
        model : torch.nn.Module
            What is trained. It is not changed.
        **others
            Not used.
        """
        self.penalty = self.penalty.after_step(model.get_submodule(self._part), state.global_step)
