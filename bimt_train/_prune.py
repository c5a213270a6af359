"""Pruning: the smallest circuit whose loss stays within a tolerance. The threshold is found, not chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ._circuit import count_components, shrink, without_dead_ends
from ._errors import InputError
from ._optimise import LOSSES, Moments, adam_step, task_gradient
from ._stack import Flat, Stack, one_thread
from .network import Network

POINTS = 47  # thresholds tried, evenly spaced in the logarithm
AT_ONCE = 24  # of them evaluated together


@dataclass(frozen=True)
class SweepPoint:
    """What is left of a network when weights up to a threshold are cut.

    Attributes:
        threshold: weights of at most this magnitude are zero.
        edges: weights left, dead ends not counted.
        loss: after cutting, and after the refit where one was asked for.
        components: connected components among the neurons that have an edge.
    """

    threshold: float
    edges: int
    loss: float
    components: int


@dataclass(frozen=True, eq=False)
class Circuit:
    """The smallest network found that does the task as well, within a tolerance.

    Attributes:
        network: the circuit; cut weights are exactly zero, dead hidden neurons gone, biases folded onwards.
        kept: for each group, the numbers that its neurons had in the original network.
        threshold: weights of at most this magnitude were cut.
        loss: of the circuit.
        full_loss: of the original network.
        tolerance: the loss may exceed ``full_loss`` by this fraction of it.
        refit_steps: steps of Adam on the weights left, for every threshold tried.
        sweep: every threshold that was tried.
    """

    network: Network
    kept: Mapping[str, tuple[int, ...]]
    threshold: float
    loss: float
    full_loss: float
    tolerance: float
    refit_steps: int
    sweep: tuple[SweepPoint, ...]

    @property
    def edges(self) -> int:
        """Weights left."""
        return self.network.edges()

    @property
    def neurons(self) -> int:
        """Neurons left, inputs and outputs included."""
        return sum(self.network.layout.sizes.values())

    def to_json(self) -> dict[str, Any]:
        """The figures, as plain values."""
        numbers = ("edges", "neurons", "threshold", "loss", "full_loss", "tolerance", "refit_steps")
        return {name: getattr(self, name) for name in numbers} | {"sweep": [vars(point) for point in self.sweep]}


def prune(
    network: Network,
    x: Float[np.ndarray, "rows inputs"],
    y: Float[np.ndarray, "targets outputs"],
    *,
    loss: str = "mse",
    tolerance: float = 0.05,
    refit_steps: int = 60,
    lr: float = 3e-3,
) -> Circuit:
    """Cut all weights up to the greatest threshold at which the loss stays within the tolerance.

    With L(t) the loss once every weight of magnitude <= t is cut (and what is left refitted for ``refit_steps``),
    the threshold is the greatest t of the sweep with L(t) <= (1 + tolerance) L(0). Biases are never cut.

    Args:
        network: is left as it is.
        x: inputs, in the network's own units. Give held-out rows too: on its training rows alone a network keeps
            weak connections that fit their accidents.
        y: targets, in the network's own units (one-hot for cross-entropy).
        loss: ``mse`` or ``cross-entropy``.
        tolerance: fraction of the loss.
        refit_steps: steps of Adam for every threshold of the sweep; 0 leaves the weights as they are.
        lr: learning rate of the refit.

    Raises:
        InputError: unknown loss, a negative tolerance, or data that do not fit the network.
    """
    if loss not in LOSSES:
        raise InputError("unknown loss", expected=", ".join(LOSSES), got=loss, mend="name one of these")
    if not tolerance >= 0:
        raise InputError("a tolerance is a fraction of the loss", expected="0 or more", got=str(tolerance))
    if len(x) != len(y) or len(x) == 0:
        raise InputError("inputs and targets must pair up", expected=f"{len(x)} > 0 rows", got=f"{len(y)} targets")
    layout = network.layout
    for name, array, width in (("x", x, layout.columns), ("y", y, layout.sizes.get(layout.outputs, 0))):
        if width and array.shape[1] != width:
            raise InputError(f"{name} does not fit the network", expected=f"{width} columns", got=f"{array.shape[1]}")
    magnitudes = np.concatenate([np.abs(network.tensors[name]).ravel() for name in network.layout.weights()])
    greatest = float(magnitudes.max(initial=0.0))
    least = max(float(magnitudes[magnitudes > 0].min(initial=greatest)), greatest * 1e-6)
    thresholds = np.array([0.0]) if greatest == 0 else np.append(0.0, np.geomspace(least * 0.999, greatest, POINTS))
    points: list[SweepPoint] = []
    best: tuple[SweepPoint, Network] | None = None
    limit = np.inf
    for threshold, cut, value in _cut_networks(network, thresholds, x, y, loss, refit_steps, lr):
        clean = without_dead_ends(cut)
        point = SweepPoint(threshold, clean.edges(), value, count_components(clean.layout, clean.connections()))
        if not points:
            limit = _loss_of(network, x, y, loss) * (1 + tolerance)
        points.append(point)
        if value <= limit or best is None:
            best = (point, clean)
    assert best is not None
    chosen, kept = shrink(best[1])
    full_loss = _loss_of(network, x, y, loss)
    return Circuit(
        chosen, kept, best[0].threshold, _loss_of(chosen, x, y, loss), full_loss, tolerance, refit_steps, tuple(points)
    )


def _loss_of(network: Network, x: np.ndarray, y: np.ndarray, loss: str) -> float:
    outputs = torch.tensor(network.predict(x))[None]
    return float(LOSSES[loss](outputs, torch.tensor(y, dtype=torch.float64)[None])[0])


def _cut_networks(
    network: Network, thresholds: np.ndarray, x: np.ndarray, y: np.ndarray, loss: str, refit_steps: int, lr: float
) -> Iterator[tuple[float, Network, float]]:
    """For each threshold the cut network, refitted if asked, and its loss; many thresholds are one stack."""
    stack = Stack.of(network.module().double())
    for start in range(0, len(thresholds), AT_ONCE):
        chunk = thresholds[start : start + AT_ONCE]
        kept = {name: np.abs(network.tensors[name]) for name in network.layout.weights()}
        masks = [
            {n: np.where(kept[n] > t, 1.0, 0.0) if n in kept else np.ones(v.shape) for n, v in network.tensors.items()}
            for t in chunk
        ]
        mask = stack.pack(masks)
        flat = stack.pack([network.tensors] * len(chunk)).double() * mask
        rows = [torch.tensor(a, dtype=torch.float64).expand(len(chunk), *a.shape) for a in (x, y)]
        with one_thread():
            flat, losses = _refit(stack, flat, mask, rows[0], rows[1], loss, refit_steps, lr)
        for index, threshold in enumerate(chunk):
            tensors = stack.tensors(flat, index)
            same = {name: tensors[name].astype(network.tensors[name].dtype) for name in stack.shapes}
            yield float(threshold), network.with_tensors(same), float(losses[index])


def _refit(
    stack: Stack, flat: Flat, mask: Flat, x: Tensor, y: Tensor, loss: str, steps: int, lr: float
) -> tuple[Flat, Tensor]:
    """Adam on the weights that the mask leaves, with a rate that falls to nothing; the best loss is never given up."""
    moments, none = Moments.start(flat.clone()), torch.zeros_like(flat)
    first, gradient = task_gradient(stack, flat, x, y, LOSSES[loss])
    losses = first
    for step in range(steps):
        adam_step(moments, gradient * mask, none, lr=lr * (1 - step / steps), step=step, frozen=None)
        losses, gradient = task_gradient(stack, moments.flat, x, y, LOSSES[loss])
    better = losses <= first
    return torch.where(better[:, None], moments.flat, flat), torch.where(better, losses, first)
