"""A circuit inside its network, with the rest set to means, to other rows' values, or to the worst values there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64, Num
from torch import Tensor

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.losses import LOSSES
from bimt_train.models.building_blocks.linear_layers import linear_layers

from ...graph import Trace
from ._circuit_edges import WeightMasks, only

_CHECKED_ROWS = 20  # on which it is checked that modules are affine
STEPS, RANDOM_STARTS = 4, 2
"""Of the search for the worst values: steps from each start, and how many starts are random."""


@dataclass(frozen=True)
class _Outside:
    """What the outside weights of one tensor send to its targets: at each call, and the least and most they could."""

    sent: tuple[Tensor, ...]
    least: Tensor
    most: Tensor

    @property
    def mean(self) -> Tensor:
        return torch.cat([one.reshape(-1, one.shape[-1]) for one in self.sent]).mean(0)


class OutsideAblation:
    """What a network gives with all weights outside a circuit sending something else than they would.

    A weight w from neuron j to neuron i sends w a_j. Inside the circuit a_j is what j gives there, with all that was
    changed before it. Outside, it is what the untouched network has for a_j: its mean over rows (and places), its value
    in another row, or the least or greatest value that it has in any row.

    Parameters
    ----------
    network : Network
        The network before pruning.
    edges : mapping of str to array of bool
        The weights inside the circuit.
    x : array, shape (rows, ...)
        Rows as the network sees them.

    Raises
    ------
    InputError
        A weight tensor is read by something that is no affine submodule (`Trace`), or rows are mixed.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> tensors = {"layers.0.weight": np.array([[1.0, 0.5]]), "layers.0.bias": np.zeros(1)}
    >>> network, x = Network.of(MLP([2, 1])).with_tensors(tensors), np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> ablation = OutsideAblation(network, {"layers.0.weight": np.array([[True, False]])}, x)
    >>> ablation.at_means().round(6).ravel().tolist(), ablation.resampled(np.array([1, 0])).round(6).ravel().tolist()
    ([2.5, 4.5], [3.0, 4.0])
    """

    def __init__(self, network: Network, edges: WeightMasks, x: Num[np.ndarray, "rows ..."]) -> None:
        floating = np.issubdtype(x.dtype, np.floating)
        self._x = torch.tensor(x, dtype=torch.float64 if floating else None)
        outside = {name: ~mask & (network.tensors[name] != 0) for name, mask in edges.items()}
        names = [name for name, mask in outside.items() if mask.any()]
        Trace(network, x[:_CHECKED_ROWS], tensors=names)
        self._module = only(network, edges).module().double()
        self._module.requires_grad_(False)
        reads = _activations(network, names, self._x)
        self._outside: dict[str, _Outside] = {}
        for name in names:
            tensor = torch.tensor(np.where(outside[name], network.tensors[name], 0), dtype=torch.float64)
            matrix = tensor if network.layout.tensors[name].plan.source_first else tensor.reshape(len(tensor), -1).T
            every = torch.cat([read.reshape(-1, read.shape[-1]) for read in reads[name]])
            least, most = every.min(0).values, every.max(0).values
            up, down = matrix.clamp(min=0), matrix.clamp(max=0)
            sent = tuple(read @ matrix for read in reads[name])
            self._outside[name] = _Outside(sent, least @ up + most @ down, most @ up + least @ down)

    def cut(self) -> Float64[np.ndarray, "rows *places outputs"]:
        """The outputs with all outside weights at 0: the circuit with the network's own weights."""
        return self._outputs({})

    def at_means(self) -> Float64[np.ndarray, "rows *places outputs"]:
        """The outputs with all outside weights sending what they send on average."""
        return self._outputs({name: [one.mean] * len(one.sent) for name, one in self._outside.items()})

    def resampled(self, order: Int64[np.ndarray, " rows"]) -> Float64[np.ndarray, "rows *places outputs"]:
        """The outputs with all outside weights sending what they send in other rows (interchange).

        Parameters
        ----------
        order : array of int, shape (rows,)
            For each row, the row whose values it is given.

        Returns
        -------
        array of float64, shape (rows, ..., outputs)
            In the units of the network's outputs.
        """
        return self._outputs(
            {name: [_of_rows(part, order, name) for part in one.sent] for name, one in self._outside.items()}
        )

    def adversarial(
        self, y: Float64[np.ndarray, "rows ..."], *, loss: str, seed: int = 0
    ) -> Float64[np.ndarray, "rows *places outputs"]:
        """The outputs with each outside weight sending the least or the most it can, to raise the loss of each row.

        The search starts where all send their least, where all send their most, and at random ends of the ranges; from
        there signs of gradients say which end is worse, row by row and step by step. The worst outputs that were met
        are given; there may be worse ones.

        Parameters
        ----------
        y : array of float64, shape (rows, ...)
            Targets as the loss takes them.
        loss : str
            A name in `bimt_train.losses.LOSSES`.
        seed : int, default 0
            Of the random starts.

        Returns
        -------
        array of float64, shape (rows, ..., outputs)
            For each row the worst that was met.
        """
        wanted, function = torch.tensor(y, dtype=torch.float64)[:, None], LOSSES[loss].function
        worst = torch.tensor(self.cut())
        highest = torch.full((len(self._x),), -torch.inf, dtype=torch.float64)
        for sent in self._starts(seed):
            for step in range(STEPS + 1):
                free = {name: [part.requires_grad_(True) for part in parts] for name, parts in sent.items()}
                with self._sending(free):
                    outputs = self._module(self._x)
                lost = function(outputs[:, None], wanted)
                found = lost.detach().double()
                worse = (found > highest).reshape((-1,) + (1,) * (outputs.ndim - 1))
                worst, highest = torch.where(worse, outputs.detach(), worst), torch.maximum(highest, found)
                ends = [part for parts in free.values() for part in parts]
                if step == STEPS or not lost.requires_grad:
                    break
                slopes = iter(torch.autograd.grad(lost.sum(), ends, allow_unused=True))
                sent = {
                    name: [_towards(next(slopes), part.detach(), self._outside[name]) for part in parts]
                    for name, parts in free.items()
                }
        return np.asarray(worst)

    def _starts(self, seed: int) -> Iterator[dict[str, list[Tensor]]]:
        """What the tensors send when a search begins: all the least, all the most, and one or the other at random."""
        draws = torch.Generator().manual_seed(seed)
        for high in (0.0, 1.0, *[0.5] * RANDOM_STARTS):
            yield {
                name: [
                    torch.where(torch.rand(part.shape, generator=draws, dtype=part.dtype) < high, one.most, one.least)
                    for part in one.sent
                ]
                for name, one in self._outside.items()
            }

    def _outputs(self, sent: dict[str, list[Tensor]]) -> np.ndarray:
        with self._sending(sent), torch.no_grad():
            return np.asarray(self._module(self._x))

    @contextmanager
    def _sending(self, sent: dict[str, list[Tensor]]) -> Iterator[None]:
        layers = linear_layers(self._module)
        handles = []
        for name, parts in sent.items():
            calls = iter(parts)
            handles.append(layers[name].register_forward_hook(partial(_add, calls)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _add(calls: Iterator[Tensor], _: object, args: object, out: Tensor) -> Tensor:
    return out + next(calls)


def _towards(slope: Tensor | None, now: Tensor, outside: _Outside) -> Tensor:
    """The end of the range that the slope points to; where it is flat, as it was."""
    if slope is None:
        return now
    return torch.where(slope > 0, outside.most, torch.where(slope < 0, outside.least, now)).detach()


def _of_rows(part: Tensor, order: np.ndarray, name: str) -> Tensor:
    if len(part) % len(order):
        raise InputError("rows that are mixed where a weight reads them", where=f"tensor '{name}'")
    return part.reshape(len(order), -1)[torch.as_tensor(order)].reshape(part.shape)


def _activations(network: Network, names: list[str], x: Tensor) -> dict[str, list[Tensor]]:
    """What each tensor's own module reads, call by call."""
    module = network.module().double()
    layers = linear_layers(module)
    reads: dict[str, list[Tensor]] = {name: [] for name in names}

    def note(name: str, _: object, args: tuple[Any, ...], out: Tensor) -> None:
        reads[name].append(args[0].detach().clone())

    handles = [layers[name].register_forward_hook(partial(note, name)) for name in names]
    try:
        with torch.no_grad():
            module(x)
    finally:
        for handle in handles:
            handle.remove()
    return reads
