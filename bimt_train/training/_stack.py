"""Many networks of one shape as one: a leading seed axis on every parameter, all of them views of one flat tensor."""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._seeds_side_by_side import Forward, seeds_side_by_side
from .parameters._parameters import Direct, Parameters

Flat = Float[Tensor, "seeds entries"]

_ROWS_AT_ONCE = 512  # of each seed


@dataclass(frozen=True)
class Stack:
    """How the parameters of one module lie in a flat row, and how rows of many seeds are run at once.

    One flat tensor makes the connection cost and the optimiser a handful of operations, however many layers there are.

    Attributes
    ----------
    parameters : Parameters
        What is trained, and how the tensors of a network come of it; their order is that of the row.
    buffers : mapping of str to tensor
        Tensors that are not trained, shared by all seeds.
    forward : callable
        Tensors with a seed axis and inputs with a seed axis -> outputs with a seed axis.
    width : int
        Entries of a row, padded to a whole number of vector lanes.
    """

    parameters: Parameters
    buffers: Mapping[str, Tensor]
    forward: Forward
    width: int

    @classmethod
    def of(cls, module: nn.Module, x: Tensor, parameters: Parameters | None = None) -> "Stack":
        """The stack for modules like this one.

        A module may bring ``stacked_forward``; any other is called for all seeds at once, or for one after the other.

        Parameters
        ----------
        module : torch.nn.Module
            One of the networks.
        x : tensor, [rows, inputs]
            Rows, of which the first show whether the module can be called for all seeds at once.
        parameters : Parameters, optional
            What is trained; left out, the module's own parameters.
        """
        trained = parameters or Direct(shapes_of(module))
        buffers = {name: b.detach().clone() for name, b in module.named_buffers()}
        entries = sum(math.prod(shape) for shape in trained.shapes.values())
        run = _never_alone(getattr(module, "stacked_forward", None) or seeds_side_by_side(module, buffers, x[:2]))
        made = run if trained.direct else lambda tensors, x: run(trained.tensors(tensors), x)
        return cls(trained, buffers, made, -(-entries // 64) * 64)

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of the parameters by their names, in the order of the row."""
        return self.parameters.shapes

    def pack(self, networks: Sequence[Mapping[str, np.ndarray | Tensor]]) -> Flat:
        """One row a network, zero beyond its entries. Names that the stack does not hold are left out.

        Parameters
        ----------
        networks : sequence of mapping of str to array
            The tensors of each network by name.

        Returns
        -------
        tensor, [networks, width]
            The rows.
        """
        rows = np.zeros((len(networks), self.width), np.result_type(*(np.asarray(networks[0][n]) for n in self.shapes)))
        for row, tensors in zip(rows, networks, strict=True):
            filled = np.concatenate([np.asarray(tensors[name]).ravel() for name in self.shapes])
            row[: len(filled)] = filled
        return torch.from_numpy(rows)

    def unpack(self, flat: Flat) -> dict[str, Tensor]:
        """Views ``[seeds, *shape]`` into the rows.

        Parameters
        ----------
        flat : tensor, [seeds, width]
            The rows.

        Returns
        -------
        dict of str to tensor
            The views by the tensors' names.
        """
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        parts = torch.split_with_sizes(flat, [*sizes, self.width - sum(sizes)], dim=1)
        seeds = flat.shape[0]
        return {n: part.view(seeds, *shape) for (n, shape), part in zip(self.shapes.items(), parts, strict=False)}

    def outputs(self, tensors: Mapping[str, Tensor], x: Tensor, threads: int) -> Tensor:
        """What every network gives, so many rows at a time that what lies between its layers stays in the cache.

        Parameters
        ----------
        tensors : mapping of str to tensor, [seeds, *shape]
            The parameters by name.
        x : tensor, [seeds, rows, ...]
            Inputs.
        threads : int
            How many threads compute side by side; they change no bit.

        Returns
        -------
        tensor, [seeds, rows, ...]
            The outputs, without their gradients.
        """

        def some(rows: Tensor) -> Tensor:
            with torch.no_grad(), for_small_products():  # both hold for one thread only
                return self.forward(tensors, rows)

        pieces = torch.split(x, _ROWS_AT_ONCE, dim=1)
        if min(threads, len(pieces)) == 1:
            return torch.cat([some(rows) for rows in pieces], dim=1)
        with ThreadPoolExecutor(threads) as pool:
            return torch.cat(list(pool.map(some, pieces)), dim=1)

    def weights(self, flat: Flat) -> Mapping[str, Tensor]:
        """The parameters of the networks, each ``[seeds, *shape]``: the rows themselves, or what they generate.

        Parameters
        ----------
        flat : tensor, [seeds, width]
            The rows.
        """
        return self.parameters.tensors(self.unpack(flat))

    def generator(self, flat: Flat, index: int) -> Mapping[str, np.ndarray]:
        """The parameters of one network by their names, copied out; none where they are its tensors.

        Parameters
        ----------
        flat : tensor, [seeds, width]
            The rows.
        index : int
            Number of the row.
        """
        views = self.unpack(flat[[index]])
        return self.parameters.generator({name: view[0].cpu().numpy().copy() for name, view in views.items()})

    def tensors(self, flat: Flat, index: int) -> dict[str, np.ndarray]:
        """Everything one network is made of, copied out, buffers included.

        Parameters
        ----------
        flat : tensor, [seeds, width]
            The rows.
        index : int
            Number of the row.

        Returns
        -------
        dict of str to array
            The arrays by name.
        """
        made = self.weights(flat[[index]])
        views = {name: tensor[0].detach().cpu().numpy().copy() for name, tensor in made.items()}
        return views | {name: b.cpu().numpy().copy() for name, b in self.buffers.items()}


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shapes of the module's parameters by their names.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    """
    return {name: tuple(p.shape) for name, p in module.named_parameters()}


def _never_alone(forward: Forward) -> Forward:
    """Run a single seed twice, side by side, and keep one of the two.

    BLAS rounds one product otherwise than one of several, and seed k must give the same network whichever seeds are
    trained with it.
    """

    def run(tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        if x.shape[0] > 1:
            return forward(tensors, x)
        twins = {name: tensor.expand(2, *tensor.shape[1:]) for name, tensor in tensors.items()}
        return forward(twins, x.expand(2, *x.shape[1:]))[:1]

    return run


@contextmanager
def for_small_products() -> Iterator[None]:
    """One thread, on which products this small run faster, and no denormal numbers; settings come back afterwards.

    Numbers below 1e-38 count as 0 meanwhile: gradients of classes that are all but certain are that small, and
    processors take a hundred times as long over them.
    """
    threads, flushing = torch.get_num_threads(), not bool((torch.tensor([1e-39]) * 1.0).any())
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushing)
        torch.set_num_threads(threads)
