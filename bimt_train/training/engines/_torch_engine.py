"""The step by torch, for every model: task gradient, connection cost's subgradient, Adam; for a whole stack at once."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .._stack import Flat, Stack
from ._engine import Moments, Stretch

PerSeed = Float[Tensor, "seeds"]
LossFunction = Callable[..., PerSeed]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


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


@dataclass(frozen=True)
class TorchEngine:
    """Steps by torch, operation by operation: the reference, for every model on every device.

    Attributes
    ----------
    stack : Stack
        How the networks compute.
    x : tensor, [networks, rows, inputs]
        Inputs; rows beyond those of y are padding.
    y : tensor, [networks, rows, outputs]
        Targets.
    loss : callable
        From outputs and targets to one loss a network.
    """

    stack: Stack
    x: Tensor
    y: Tensor
    loss: LossFunction
    steps_at_once: int = 1

    def advance(self, moments: Moments, stretch: Stretch) -> None:
        """Take the steps of the stretch, in place.

        Parameters
        ----------
        moments : Moments
            Weights and moments; written.
        stretch : Stretch
            The steps.
        """
        each = torch.arange(len(self.x), device=self.x.device)[:, None]
        frozen = torch.tensor(stretch.resting, device=self.x.device) if stretch.resting else None
        for number, lr in enumerate(stretch.lrs.tolist()):
            x, y = self.x, self.y
            if stretch.picks is not None:
                pick = torch.as_tensor(stretch.picks[number], device=x.device, dtype=torch.long)
                x, y = x[each, pick], y[each, pick]
            _, gradient = task_gradient(self.stack, moments.flat, x, y, self.loss)
            adam_step(moments, gradient, stretch.charges, lr=lr, step=stretch.start + number, frozen=frozen)
