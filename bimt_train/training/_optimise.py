"""The inner step: task gradient, connection cost's subgradient, Adam; for a whole stack of seeds at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from ._stack import Flat, Stack

PerSeed = Float[Tensor, "seeds"]
LossFunction = Callable[..., PerSeed]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Moments:
    """Weights and Adam's two moments, one row a network. `adam_step` writes into them: they are the loop's own.

    Attributes
    ----------
    flat : tensor, [networks, entries]
        The weights.
    first : tensor, [networks, entries]
        Running mean of the gradient.
    second : tensor, [networks, entries]
        Running mean of the squared gradient.
    """

    flat: Flat
    first: Flat
    second: Flat

    @classmethod
    def start(cls, flat: Flat) -> Self:
        """No momentum yet.

        Parameters
        ----------
        flat : tensor, [networks, entries]
            The weights.
        """
        return cls(flat, torch.zeros_like(flat), torch.zeros_like(flat))

    def each(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The weights and moments, all changed in the same way.

        Parameters
        ----------
        change : callable
            From a tensor to the tensor that takes its place.
        """
        return replace(self, flat=change(self.flat), first=change(self.first), second=change(self.second))

    def clone(self) -> Self:
        """A copy that later steps do not touch."""
        return self.each(torch.Tensor.clone)

    def put_back(self, kept: Self, rows: Tensor) -> None:
        """Take the weights of some rows from a kept copy, and let their momentum rest."""
        self.flat[rows] = kept.flat[rows]
        self.first[rows] = 0.0
        self.second[rows] = 0.0


def task_gradient(stack: Stack, flat: Flat, x: Tensor, y: Tensor, loss: LossFunction) -> tuple[PerSeed, Flat]:
    """Each seed's loss, and its gradient; seeds do not see each other, so the sum's gradient holds all of them.

    Rows of x beyond those of y are padding.

    Parameters
    ----------
    stack : Stack
        How the networks compute.
    flat : tensor, [seeds, entries]
        The weights.
    x : tensor, [seeds, rows, inputs]
        Inputs.
    y : tensor, [seeds, rows, outputs]
        Targets.
    loss : callable
        From outputs and targets to one loss a seed.

    Returns
    -------
    tensor, tensor
        Losses, [seeds], and gradients, [seeds, entries].
    """
    leaf = flat.detach().requires_grad_(True)
    losses = _losses(stack, leaf, x, y, loss)
    (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    return losses.detach(), gradient


@torch.no_grad()
def task_losses(stack: Stack, flat: Flat, x: Tensor, y: Tensor, loss: LossFunction) -> PerSeed:
    """Each seed's loss alone, as `task_gradient` has it.

    Parameters
    ----------
    stack : Stack
        How the networks compute.
    flat : tensor, [seeds, entries]
        The weights.
    x : tensor, [seeds, rows, inputs]
        Inputs.
    y : tensor, [seeds, rows, outputs]
        Targets.
    loss : callable
        From outputs and targets to one loss a seed.

    Returns
    -------
    tensor, [seeds]
        Losses.
    """
    return _losses(stack, flat, x, y, loss)


def _losses(stack: Stack, flat: Flat, x: Tensor, y: Tensor, loss: LossFunction) -> PerSeed:
    return loss(stack.forward(stack.unpack(flat), x)[:, : y.shape[1]], y)


@torch.no_grad()
def adam_step(moments: Moments, gradient: Flat, charges: Flat, *, lr: float, step: int, frozen: Tensor | None) -> None:
    """One Adam update (arXiv 1412.6980, algorithm 1) of ``loss + sum |w| charge``, in place.

    Parameters
    ----------
    moments : Moments
        Weights and moments; written.
    gradient : tensor, [networks, entries]
        Gradient of the task loss; overwritten.
    charges : tensor, [networks, entries]
        Lambda times the price of each entry.
    lr : float
        Learning rate.
    step : int
        Number of steps done before, for the bias correction.
    frozen : tensor of int, or None
        Rows that must not move.
    """
    gradient.addcmul_(moments.flat.sign(), charges)
    if frozen is not None:
        gradient[frozen] = 0.0
    moments.first.lerp_(gradient, 1 - BETA1)
    moments.second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
    unbiased = (1 - BETA2 ** (step + 1)) ** 0.5
    scale = moments.second.sqrt().add_(EPSILON * unbiased)
    moments.flat.addcdiv_(moments.first, scale, value=-lr * unbiased / (1 - BETA1 ** (step + 1)))
