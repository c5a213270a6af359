"""Pruning: the smallest circuit whose loss stays within a tolerance. The threshold is found, not chosen."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from .._errors import InputError
from ..checkpoints import Network
from ..losses import LOSSES
from ..training._stack import Flat, Stack, for_small_products
from ..training.engines._engine import Moments
from ..training.engines._torch_engine import adam_step, task_gradient, task_losses
from ._circuit import Circuit, Search, SweepPoint
from ._dead_neurons import count_components, shrink, without_dead_ends
from ._liveness import embeddings, hidden_parts
from ._narrowing import narrowed
from ._tried_cuts import without_free_edges

_log = logging.getLogger(__name__)

POINTS = 47  # thresholds tried, evenly spaced in the logarithm
AT_ONCE = 24  # of them evaluated together
FEW, FINER = 3, 4  # evaluated together when narrowing down, between thresholds so many times closer
FEW_REFITTED = 2  # of them refitted together


def prune(
    network: Network,
    x: Float[np.ndarray, "rows inputs"],
    y: Float[np.ndarray, "targets outputs"],
    *,
    loss: str = "mse",
    tolerance: float = 0.05,
    refit_steps: int = 60,
    lr: float = 3e-3,
    search: Search = "sweep",
    allowance: float = 0.0,
) -> Circuit:
    """Cut all weights up to the greatest threshold at which the loss stays within the tolerance.

    Biases are never cut; an embedding's dimension is cut once it is small for every token.

    Parameters
    ----------
    network : Network
        The network; it is left as it is.
    x : ndarray of shape (rows, inputs)
        Inputs, in the network's own units. Give held-out rows too: on its training rows alone a network keeps weak
        connections that fit their accidents.
    y : ndarray of shape (rows, outputs)
        Targets, in the network's own units (one-hot for cross-entropy, tokens by number for next-token).
    loss : str
        One of `LOSSES`.
    tolerance : float
        Fraction of the loss by which it may grow.
    refit_steps : int
        Steps of Adam for every threshold of the sweep; 0 leaves the weights as they are.
    lr : float
        Learning rate of the refit.
    search : {"sweep", "narrowing", "none"}
        ``sweep`` tries 48 thresholds. ``narrowing``, for networks of many weights, tries some twelve: three between the
        greatest that held and the least beyond it that did not, again and again. It begins without a refit, because
        what holds without one holds with one, and then refits two at a time beyond what it found. Where L rises with
        t, it finds the threshold of the sweep or, by its finer steps, one a little greater. It computes in single
        precision. ``none`` cuts and refits nothing: only what is dead goes.
    allowance : float
        By how much the loss may grow besides, in its own units; for a network whose loss is 0.

    Returns
    -------
    Circuit
        The smallest network that was found, with every threshold tried.

    Raises
    ------
    InputError
        Unknown loss or search, a negative tolerance, or data that do not fit the network.

    Notes
    -----
    With L(t) the loss once every weight of magnitude <= t is cut, and what is left refitted for ``refit_steps``, the
    threshold is the greatest t of the sweep with ``L(t) <= (1 + tolerance) L(0) + allowance``. A dimension of an
    embedding is cut if it is <= t for every token.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 3, 1], generator=torch.Generator().manual_seed(0)))
    >>> weight = network.tensors["layers.0.weight"] * np.array([[1], [1], [1e-4]])
    >>> network = network.with_tensors({"layers.0.weight": weight})
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    >>> circuit = prune(network, x, network.predict(x) + 0.01, refit_steps=0)
    >>> circuit.kept["h1"]
    (0, 1)
    """
    if search not in get_args(Search):
        known = ", ".join(get_args(Search))
        raise InputError("unknown search", expected=known, got=str(search), hint="name one of these")
    if not allowance >= 0:
        raise InputError("an allowance is an amount of loss", expected="0 or more", got=str(allowance))
    if not tolerance >= 0:
        raise InputError("a tolerance is a fraction of the loss", expected="0 or more", got=str(tolerance))
    _check_rows(network, x, y, loss)
    if search == "none":
        return _uncut(network, x, y, loss, tolerance)
    thresholds = _thresholds(network, POINTS if search == "sweep" else (POINTS - 1) * FINER + 1)
    full_loss = _loss_of(network, x, y, loss)
    limit = full_loss * (1 + tolerance) + allowance
    tried: dict[int, tuple[SweepPoint, Network]] = {}
    cutter = _Cutter.of(network, x, y, loss, lr, torch.float32 if search == "narrowing" else torch.float64)

    def holds(places: list[int], *, steps: int = refit_steps) -> list[bool]:
        counts = cutter.counts(thresholds[places])
        alike = [np.flatnonzero(counts == count).tolist() for count in dict.fromkeys(counts.tolist())]
        firsts = thresholds[[places[same[0]] for same in alike]]  # one of those that cut the same weights is enough
        for same, (cut, value) in zip(alike, cutter.cut(firsts, steps), strict=True):
            clean = without_dead_ends(cut)
            edges, components = clean.edges(), count_components(clean.layout, clean.connections())
            for place in (places[k] for k in same):
                tried[place] = SweepPoint(float(thresholds[place]), edges, value, components), clean
        _log.info("pruning: %d thresholds tried", len(tried))
        return [tried[place][0].loss <= limit for place in places]

    if search == "narrowing":
        holds([0], steps=0)
        held = narrowed(partial(holds, steps=0), 0, len(thresholds), few=FEW)
        if refit_steps:  # what holds as it is holds after a refit too
            tried = {place: found for place, found in tried.items() if place <= held}
            first, held = held, narrowed(holds, held, len(thresholds), few=FEW_REFITTED, reach=FINER)
            if held == first:
                holds([held])
    else:
        held = max((place for place, held in enumerate(holds(list(range(len(thresholds))))) if held), default=0)
    best, clean = tried[held]
    if hidden_parts(network) is None:
        clean = without_free_edges(clean, x)
        best = replace(best, edges=clean.edges(), components=count_components(clean.layout, clean.connections()))
        tried[held] = best, clean
    chosen, kept = shrink(clean)
    return Circuit(
        chosen, kept, best.threshold, _loss_of(chosen, x, y, loss), full_loss, tolerance, refit_steps,
        tuple(tried[place][0] for place in sorted(tried)),
    )  # fmt: skip


def _check_rows(network: Network, x: np.ndarray, y: np.ndarray, loss: str) -> None:
    """Refuse rows that do not fit a network."""
    if len(x) != len(y) or len(x) == 0:
        raise InputError("inputs and targets must pair up", expected=f"{len(x)} > 0 rows", got=f"{len(y)} targets")
    layout = network.layout
    outputs = x.shape[1] if LOSSES[loss].targets == "tokens" else layout.sizes.get(layout.outputs, 0)
    for name, array, columns in (("x", x, layout.columns), ("y", y, outputs)):
        if columns and array.shape[1] != columns:
            raise InputError(f"{name} does not fit the network", expected=f"{columns} columns", got=f"{array.shape[1]}")


def _thresholds(network: Network, count: int) -> np.ndarray:
    """Zero, and so many magnitudes from just below the least weight to the greatest, at equal ratios."""
    magnitudes = np.concatenate([np.abs(network.tensors[name]).ravel() for name in network.layout.weights()])
    greatest = float(magnitudes.max(initial=0.0))
    least = max(float(magnitudes[magnitudes > 0].min(initial=greatest)), greatest * 1e-6)
    return np.array([0.0]) if greatest == 0 else np.append(0.0, np.geomspace(least * 0.999, greatest, count))


def _uncut(network: Network, x: np.ndarray, y: np.ndarray, loss: str, tolerance: float) -> Circuit:
    """The network without what is dead in it, and nothing else cut."""
    clean = without_dead_ends(network)
    if hidden_parts(network) is None:
        clean = without_free_edges(clean, x)
    chosen, kept = shrink(clean)
    full_loss = _loss_of(network, x, y, loss)
    same = chosen.layout == network.layout and all(
        np.array_equal(tensor, chosen.tensors[name]) for name, tensor in network.tensors.items()
    )
    value = full_loss if same else _loss_of(chosen, x, y, loss)
    point = SweepPoint(0.0, clean.edges(), value, count_components(clean.layout, clean.connections()))
    return Circuit(chosen, kept, 0.0, value, full_loss, tolerance, 0, (point,))


def _loss_of(network: Network, x: np.ndarray, y: np.ndarray, loss: str) -> float:
    outputs = torch.tensor(network.predict(x))[None]
    return float(LOSSES[loss].function(outputs, torch.tensor(y, dtype=torch.float64)[None])[0])


@dataclass(frozen=True, eq=False)
class _Cutter:
    """A network that is cut at many thresholds, and the rows on which each cut network is refitted and judged."""

    network: Network
    stack: Stack
    x: Tensor
    y: Tensor
    loss: str
    lr: float
    kept: Mapping[str, np.ndarray]  # of each weight the magnitude by which it stays

    @classmethod
    def of(
        cls, network: Network, x: np.ndarray, y: np.ndarray, loss: str, lr: float, precision: torch.dtype
    ) -> "_Cutter":
        magnitudes = {name: np.abs(network.tensors[name]) for name in network.layout.weights()}
        # of an embedding whole dimensions: a small entry may be what tells two tokens apart
        magnitudes |= {
            name: np.broadcast_to(np.abs(network.tensors[name]).max(axis=0), network.tensors[name].shape)
            for name in embeddings(network.layout)
        }
        rows, targets = (torch.tensor(a, dtype=precision) for a in (x, y))
        stack = Stack.of(network.module().to(precision), rows)
        return cls(network, stack, rows, targets, loss, lr, magnitudes)

    def counts(self, thresholds: Float64[np.ndarray, " thresholds"]) -> Int64[np.ndarray, " thresholds"]:
        """How many weights each of the ``thresholds`` cuts: two that cut as many cut the same ones."""
        sizes = np.sort(np.concatenate([sizes.ravel() for sizes in self.kept.values()]))
        return np.searchsorted(sizes, thresholds, side="right")

    def cut(self, thresholds: np.ndarray, refit_steps: int) -> Iterator[tuple[Network, float]]:
        """For each threshold the cut network after ``refit_steps``, and its loss; many thresholds are one stack."""
        tensors, precision = self.network.tensors, self.x.dtype
        for start in range(0, len(thresholds), AT_ONCE):
            chunk = thresholds[start : start + AT_ONCE]
            masks = [
                {n: np.where(self.kept[n] > t, 1.0, 0.0) if n in self.kept else np.ones(v.shape)
                 for n, v in tensors.items()}
                for t in chunk
            ]  # fmt: skip
            mask = self.stack.pack(masks).to(precision)
            flat = self.stack.pack([tensors] * len(chunk)).to(precision) * mask
            x, y = (rows.expand(len(chunk), *rows.shape) for rows in (self.x, self.y))
            with for_small_products():
                flat, losses = _refit(self.stack, flat, mask, x, y, self.loss, refit_steps, self.lr)
            for index in range(len(chunk)):
                found = self.stack.tensors(flat, index)
                same = {name: found[name].astype(tensors[name].dtype) for name in self.stack.shapes}
                yield self.network.with_tensors(same), float(losses[index])


def _refit(
    stack: Stack, flat: Flat, mask: Flat, x: Tensor, y: Tensor, loss: str, steps: int, lr: float
) -> tuple[Flat, Tensor]:
    """Adam on the weights that the mask leaves, with a rate that falls to nothing; the best loss is never given up."""
    function = LOSSES[loss].function
    if steps == 0:
        return flat, task_losses(stack, flat, x, y, function)
    moments, none = Moments.start(flat.clone()), torch.zeros_like(flat)
    first, gradient = task_gradient(stack, flat, x, y, function)
    for step in range(steps):
        adam_step(moments, gradient * mask, none, lr=lr * (1 - step / steps), step=step, frozen=None)
        if step + 1 < steps:
            _, gradient = task_gradient(stack, moments.flat, x, y, function)
    losses = task_losses(stack, moments.flat, x, y, function)
    better = losses <= first
    return torch.where(better[:, None], moments.flat, flat), torch.where(better, losses, first)
