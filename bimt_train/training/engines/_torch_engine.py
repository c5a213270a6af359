"""The step by torch, for every model: task gradient, connection cost's subgradient, Adam; for a whole stack at once."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .._stack import Flat, Stack, for_small_products
from ._engine import Moments, Stretch

PerSeed = Float[Tensor, "seeds"]
LossFunction = Callable[..., PerSeed]

_WORTH_A_THREAD = 4e6  # weights times rows: below it, Python is what takes the time, and threads wait for each other
_STEPS_OF_THREADS = 5  # a tenth of a second for networks as large as these

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
    threads : int
        Shares of the networks that are advanced side by side; seeds are faster apart than products in pieces.
    name : str
        What the engine is called.
    """

    stack: Stack
    x: Tensor
    y: Tensor
    loss: LossFunction
    threads: int = 1
    name: str = "torch"

    @property
    def steps_at_once(self) -> int:
        """Threads are not begun anew for each step."""
        return 1 if self.threads == 1 else _STEPS_OF_THREADS

    def advance(self, moments: Moments, stretch: Stretch) -> None:
        """Take the steps of the stretch, in place.

        Parameters
        ----------
        moments : Moments
            Weights and moments; written.
        stretch : Stretch
            The steps.
        """
        if self.threads == 1:
            self._advance(moments, stretch, slice(None))
            return
        ends = np.linspace(0, len(self.x), self.threads + 1).astype(int).tolist()
        shares = [slice(a, b) for a, b in itertools.pairwise(ends)]

        def some(share: slice) -> Moments:
            with for_small_products():
                own = moments.each(lambda tensor: tensor[share].clone())  # autograd forbids writing into shared views
                self._advance(own, stretch, share)
            return own

        with ThreadPoolExecutor(self.threads) as pool:
            for share, own in zip(shares, pool.map(some, shares), strict=True):
                for part, changed in zip(moments.parts, own.parts, strict=True):
                    part[share] = changed

    def _advance(self, moments: Moments, stretch: Stretch, share: slice) -> None:
        """The steps of some of the networks."""
        x, y, charges = self.x[share], self.y[share], stretch.charges[share]
        each = torch.arange(len(x), device=x.device)[:, None]
        resting = [row for row, n in enumerate(range(len(self.x))[share]) if n in stretch.resting]
        frozen = torch.tensor(resting, device=x.device) if resting else None
        for number, lr in enumerate(stretch.lrs.tolist()):
            some_x, some_y = x, y
            if stretch.picks is not None:
                pick = torch.as_tensor(stretch.picks[number, share], device=x.device, dtype=torch.long)
                some_x, some_y = x[each, pick], y[each, pick]
            _, gradient = task_gradient(self.stack, moments.flat, some_x, some_y, self.loss)
            adam_step(moments, gradient, charges, lr=lr, step=stretch.start + number, frozen=frozen)


def torch_engine(stack: Stack, x: Tensor, y: Tensor, loss: LossFunction, batch: int, threads: int) -> TorchEngine:
    """The engine, with as many threads as are worth it.

    Parameters
    ----------
    stack : Stack
        How the networks compute.
    x : tensor, [networks, rows, inputs]
        Inputs.
    y : tensor, [networks, rows, outputs]
        Targets.
    loss : callable
        From outputs and targets to one loss a network.
    batch : int
        Rows a step.
    threads : int
        How many threads may compute.

    Returns
    -------
    TorchEngine
        Takes the steps.
    """
    large = len(x) * batch * stack.width >= _WORTH_A_THREAD
    shares = min(threads, len(x) // 2) if large and x.device.type == "cpu" else 1  # one network alone is run twice
    return TorchEngine(stack, x, y, loss, max(shares, 1))
