"""The connection cost for training loops that are not ours: its gradient before a step, relocation after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ..connection_cost._relocate import relocate
from ..frozen import FrozenDict
from ..layouts import Layout, Placement, bind, layout_for
from ..showing import Shown
from ..training.recipes._recipe import Recipe
from ._add_gradients import Charged, add_gradients
from ._prices import Price, prices_of


@dataclass(frozen=True, repr=False)
class Penalty(Shown):
    """What a module pays for its connections, where its neurons are now.

    In a loop it is called twice a step, around the optimiser's own::

        loss.backward()
        penalty.add_gradients(module, step)
        optimiser.step()
        penalty = penalty.after_step(module, step)

    The loss that is minimised is then ``loss + lambda * cost``, though the cost never enters the graph: its gradient is
    ``lambda * price * sign(w)``, and the prices change only when neurons are relocated. Added right before the step, it
    counts once however many batches a step gathers its gradients from, and it is not clipped if the loss's gradients
    were clipped before.

    Attributes
    ----------
    layout : Layout
        The module's groups and declarations.
    placement : Placement
        The slots of the neurons.
    recipe : Recipe
        Its steps, phases, cost and relocation are used; the optimiser, its rates and the batches are the loop's own.
    prices : mapping of str to Price
        What each tensor that pays is charged; derived from these, on the module's device. They hold the places of the
        neurons, and not a number an entry, unless the cost has further terms than length and existence.

    Examples
    --------
    >>> module = nn.Sequential(nn.Linear(2, 3), nn.SiLU(), nn.Linear(3, 1))
    >>> penalty = Penalty.of(module)
    >>> optimiser = torch.optim.Adam(module.parameters())
    >>> for step in range(2):
    ...     optimiser.zero_grad()
    ...     module(torch.ones(4, 2)).square().mean().backward()
    ...     penalty.add_gradients(module, step)
    ...     optimiser.step()
    ...     penalty = penalty.after_step(module, step)
    >>> penalty.cost(module).item() > 0
    True
    """

    layout: Layout
    placement: Placement
    recipe: Recipe
    prices: Mapping[str, Price] = field(repr=False, compare=False)

    @classmethod
    def of(
        cls,
        module: nn.Module,
        recipe: Recipe | None = None,
        *,
        layout: Layout | None = None,
        placement: Placement | None = None,
    ) -> Self:
        """Make the penalty for a module that already is on the device where it trains.

        Parameters
        ----------
        module : torch.nn.Module
            What is trained.
        recipe : Recipe, optional
            When to charge how much, and when to relocate; left out, the default one.
        layout : Layout, optional
            The module's layout; left out, `layout_for` finds it.
        placement : Placement, optional
            Where the neurons start; left out, neuron i is in slot i.

        Returns
        -------
        Penalty
            With the prices of this placement.

        Raises
        ------
        LayoutError
            No layout is known for the module, or the one given contradicts it.
        """
        layout, recipe = bind(layout or layout_for(module), module), recipe or Recipe()
        placement = (placement or Placement.identity(layout)).check(layout)
        tensors = _tensors(module)
        prices = prices_of(recipe.cost, layout, placement, tensors)
        return cls(layout, placement, recipe, FrozenDict(prices))

    def cost(self, module: nn.Module, *, biases: bool = True) -> Tensor:
        """Compute the connection cost, ``sum |w| price`` as `ConnectionCost.value`; differentiable, and without lambda.

        Parameters
        ----------
        module : torch.nn.Module
            Whose weights to charge.
        biases : bool, default True
            Whether biases are charged too.

        Returns
        -------
        torch.Tensor
            One number.
        """
        tensors = _tensors(module)
        paid = (
            tensors[name].abs().mul(price.at(..., tensors[name])).sum() for name, price in self._charged(biases).items()
        )
        return torch.stack([*paid]).sum()

    def edges(self, module: nn.Module, *, threshold: float = 1e-2) -> int:
        """Count the weights whose magnitude is above a threshold.

        Parameters
        ----------
        module : torch.nn.Module
            Whose weights to count.
        threshold : float, default 0.01
            In the units of the weights.

        Returns
        -------
        int
            The number of weights; biases and embeddings are not counted.
        """
        tensors = _tensors(module)
        return sum(int((tensors[name].abs() > threshold).sum()) for name in self.layout.weights())

    @torch.no_grad()
    def add_gradients(self, module: nn.Module, step: int) -> None:
        """Add the gradient of ``lambda * cost`` to the gradients of the module's parameters, in place.

        Parameters that are not trained (``requires_grad`` is False) are left alone. If the loss was scaled for half
        precision, unscale its gradients first.

        Parameters
        ----------
        module : torch.nn.Module
            The module after ``backward``.
        step : int
            The optimiser steps done before; lambda is that of its phase.
        """
        phase, tensors = self.recipe.phase_at(step), _tensors(module)
        if phase.strength == 0:
            return
        charged = []
        for name, price in self._charged(phase.biases).items():
            w = tensors[name]
            if w.requires_grad:
                w.grad = torch.zeros_like(w) if w.grad is None else w.grad
                charged.append(Charged(price, w.grad, w))
        add_gradients(charged, phase.strength)

    def after_step(self, module: nn.Module, step: int) -> Self:
        """Relocate the neurons, where the recipe does so after this step.

        Parameters
        ----------
        module : torch.nn.Module
            The module after the optimiser's step. It is not changed.
        step : int
            The step's number, from 0.

        Returns
        -------
        Penalty
            With the neurons in new slots; or ``self``, where nothing is relocated.
        """
        return self.relocated(module) if self.recipe.relocates_after(step) else self

    def relocated(self, module: nn.Module) -> Self:
        """Assign the neurons to the slots where their connections are short. Weights stay as they are.

        Where weights are no longer finite, neurons stay too.

        Parameters
        ----------
        module : torch.nn.Module
            Whose weights say which connections matter. It is not changed.

        Returns
        -------
        Penalty
            With the prices of the new placement.
        """
        tensors = _tensors(module)
        weights = {name: tensors[name].detach().double().cpu().numpy() for name in self.layout.weights()}
        if not all(np.isfinite(weight).all() for weight in weights.values()):
            return self
        how = self.recipe.relocation
        moved = relocate(self.layout, self.placement, weights, self.recipe.cost, method=how.method, top_k=how.top_k)
        return type(self).of(module, self.recipe, layout=self.layout, placement=moved)

    def _charged(self, biases: bool) -> dict[str, Price]:
        return {name: p for name, p in self.prices.items() if biases or self.layout.tensors[name].role != "bias"}


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers under all their names."""
    parameters, buffers = module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)
    return {**dict(parameters), **dict(buffers)}
