"""Retraining a tied plan on rows, and making its adapters plain."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from bimt_train.models.building_blocks.activations import activation_module

from ._dense_part import Rows
from ._tied_plan import TiedPlan

_STEPS = 40  # of Levenberg and Marquardt, for one retraining
_ROUNDS = 3  # of putting numbers to 0 and 1
_GAIN = 1e-3  # of the loss, which five steps must bring
_DAMPED = 1e8  # the damping at which no step helps

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Fitter:
    """Rows on which the mean squared error of a plan is lowered.

    Attributes
    ----------
    x : array of float64, shape (rows, inputs)
        Rows as the network sees them.
    y : array of float64, shape (rows, outputs)
        Targets in the network's units.
    """

    x: Rows
    y: Rows

    def loss(self, plan: TiedPlan) -> float:
        """The mean squared error.

        Parameters
        ----------
        plan : TiedPlan
            The plan.
        """
        return float(((plan.predict(self.x) - self.y) ** 2).mean())

    def fitted(self, plan: TiedPlan, *, enough: float = 0.0) -> tuple[TiedPlan, float]:
        """The plan after retraining, and its loss.

        Levenberg's and Marquardt's method: with residuals r and their slopes J, the step d solves ``(J^T J + m D) d =
        -J^T r``, where D is the diagonal of ``J^T J``, and the damping m falls after a step that helps.

        Parameters
        ----------
        plan : TiedPlan
            Where to begin.
        enough : float
            The loss at which retraining may end.
        """
        x, y = torch.tensor(self.x), torch.tensor(self.y)
        run = _runner(plan, x)
        slopes = torch.func.jacfwd(lambda v: run(v).ravel())
        numbers, damping, since = torch.tensor(plan.vector()), 1e-3, 0
        with torch.no_grad():
            missed = (run(numbers) - y).ravel()
            loss = mark = float((missed**2).mean())
            for _ in range(_STEPS):
                if loss <= enough or not np.isfinite(loss):
                    break
                with warnings.catch_warnings():  # torch's forward mode uses what torch deprecates
                    warnings.simplefilter("ignore", DeprecationWarning)
                    jacobian: Tensor = slopes(numbers)
                square, down = jacobian.T @ jacobian, jacobian.T @ missed
                diagonal = square.diagonal() + 1e-12 * square.diagonal().max()
                while damping < _DAMPED:
                    step = torch.linalg.solve(square + damping * torch.diag(diagonal), -down)
                    tried = (run(numbers + step) - y).ravel()
                    value = float((tried**2).mean())
                    if value < loss:
                        break
                    damping *= 5
                else:
                    break
                numbers, missed, loss, damping, since = numbers + step, tried, value, max(damping / 5, 1e-12), since + 1
                if since == 5:
                    if mark - loss < _GAIN * mark:
                        break
                    mark, since = loss, 0
        return plan.with_vector(numbers.numpy()), loss


def _runner(plan: TiedPlan, x: Tensor) -> Run:
    """The outputs on the rows as a function of the plan's free numbers."""
    act, at = activation_module(plan.modules[0].activation), 0

    def placed(array: np.ndarray, free: Bool[np.ndarray, "..."]) -> Run:
        nonlocal at
        start, count = at, int(free.sum())
        at += count
        fixed, places = torch.tensor(np.where(free, 0.0, array)), torch.tensor(np.flatnonzero(free.ravel()))
        if count == free.size:
            return lambda numbers: numbers[start : start + count].reshape(fixed.shape)
        if not count:
            return lambda numbers: fixed
        spread = torch.zeros(fixed.numel(), count, dtype=torch.float64)
        spread[places, torch.arange(count)] = 1.0
        return lambda numbers: fixed + (spread @ numbers[start : start + count]).reshape(fixed.shape)

    modules = [[(placed(w, w != 0), placed(b, b != 0)) for w, b in part.layers] for part in plan.modules]
    adapters = [(placed(one.weight, one.free), placed(one.shift, one.free_shift)) for one in plan.adapters]

    def run(numbers: Tensor) -> Tensor:
        sources = x
        built = [[(w(numbers), b(numbers)) for w, b in layers] for layers in modules]
        for (module, one), (weight, shift) in zip(plan.uses, adapters, strict=False):
            h = sources[:, : one.weight.shape[1]] @ weight(numbers).T + shift(numbers)
            for number, (w, b) in enumerate(built[module]):
                h = h @ w.T + b
                if number + 1 < len(built[module]):
                    h = act(h)
            sources = torch.cat([sources, h], dim=1)
        weight, shift = adapters[-1]
        return sources @ weight(numbers).T + shift(numbers)

    return run


def plainest(plan: TiedPlan, fitter: Fitter, limit: float) -> TiedPlan:
    """As many numbers of the adapters as may be put to 0 or 1, nearest first, with the loss within a limit.

    Parameters
    ----------
    plan : TiedPlan
        A plan whose loss is within the limit.
    fitter : Fitter
        Retrains after each try.
    limit : float
        The greatest loss.
    """
    for _ in range(_ROUNDS):
        ranked = plan.distances()
        if not ranked:
            break
        low, high, tried = 0, len(ranked), len(ranked)
        held: TiedPlan | None = None
        while tried > low:
            after, value = fitter.fitted(plan.snapped(ranked[:tried]), enough=limit)
            if value <= limit:
                held, low = after, tried
            else:
                high = tried
            tried = (low + high) // 2
        if held is None:
            break
        plan = held.in_unit()
    return fitter.fitted(plan.without_idle())[0]
