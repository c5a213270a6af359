"""The parts of a program as weights, in random order, and rescaled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64

from ._draws import factors
from ._program_language import Head, Neurons

Places = Mapping[str, Int64[np.ndarray, " _"]]
"""Variable -> its positions of the stream."""

_SHARPNESS = 40.0
"""By how much the score of a selected token is above that of others; exp(-40) is below the rounding of 1."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part as weights, its heads or neurons in random order.

    Attributes
    ----------
    owners : tuple of str
        For each head the variable that it writes; for an MLP that variable alone.
    reads : tuple of tuple of str
        For each owner, the variables that it reads.
    read : array of float64, shape (copies, owners, neurons, width)
        Weights by which it reads; copies are q, k and v, or one.
    bias : array of float64, shape (copies, owners, neurons)
        One number a neuron of an MLP; 0 for an attention.
    write : array of float64, shape (width, owners, neurons)
        Weights by which it writes.
    """

    owners: tuple[str, ...]
    reads: tuple[tuple[str, ...], ...]
    read: Float64[np.ndarray, "copies owners neurons width"]
    bias: Float64[np.ndarray, "copies owners neurons"]
    write: Float64[np.ndarray, "width owners neurons"]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the part, as `ProgramTransformer` takes them."""
        copies, owners, neurons, _ = self.read.shape
        return (neurons,) if copies == 1 else (owners, neurons)

    def tensors(self, prefix: str) -> dict[str, np.ndarray]:
        """Tensors of the part by name and in the shapes of `ProgramTransformer`.

        Parameters
        ----------
        prefix : str
            Name of the part in the module.

        Returns
        -------
        dict of str to array
            Name -> tensor.
        """
        width = self.read.shape[-1]
        read, write = ("up", "down") if len(self.read) == 1 else ("qkv", "out")
        return {
            f"{prefix}.{read}.weight": self.read.reshape(-1, width),
            f"{prefix}.{read}.bias": self.bias.reshape(-1),
            f"{prefix}.{write}.weight": self.write.reshape(width, -1),
            f"{prefix}.{write}.bias": np.zeros(width),
        }

    def rescaled(self, stream: Float64[np.ndarray, " width"], rng: np.random.Generator, scale: float) -> Self:
        """Rescale the part's neurons, and read a stream whose positions are multiplied by given factors.

        Parameters
        ----------
        stream : array of float64, shape (width,)
            Factors of the positions.
        rng : numpy.random.Generator
            Generator of the neurons' factors.
        scale : float
            Greatest factor of a neuron.

        Returns
        -------
        Self
            A part of the same function.
        """
        copies, *neurons, _ = self.read.shape
        inner = factors(rng, scale, neurons)
        carried = inner if copies == 1 else np.stack([inner, 1 / inner, factors(rng, scale, neurons)])
        carried = np.broadcast_to(carried, (copies, *neurons))
        write = self.write * stream[:, None, None] / carried[-1]
        return replace(self, read=self.read * carried[..., None] / stream, bias=self.bias * carried, write=write)


def written_heads(heads: tuple[Head, ...], places: Places, rng: np.random.Generator) -> Part:
    """Weights of an attention: q.k / sqrt(size) is 40 where a key is selected and 0 where it is not.

    Parameters
    ----------
    heads : tuple of Head
        Heads of the program.
    places : Places
        Variable -> its positions of the stream.
    rng : numpy.random.Generator
        Generator of the orders of heads and neurons.

    Returns
    -------
    Part
        The attention as weights.
    """
    width = sum(map(len, places.values()))
    size = max(len(places[name]) for head in heads for name in (head.key, head.value))
    heads = tuple(heads[h] for h in rng.permutation(len(heads)))
    read, write = np.zeros((3, len(heads), size, width)), np.zeros((width, len(heads), size))
    for number, head in enumerate(heads):
        asked, carried = (rng.permutation(size)[: len(places[name])] for name in (head.key, head.value))
        read[0, number][np.ix_(asked, places[head.query])] = _SHARPNESS * np.sqrt(size) * head.selects
        read[1, number][asked, places[head.key]] = 1
        read[2, number][carried, places[head.value]] = 1
        write[places[head.writes], number, carried] = 1
    owners, reads = (tuple(head.writes for head in heads), tuple(head.reads for head in heads))
    return Part(owners, reads, read, np.zeros((3, len(heads), size)), write)


def written_neurons(part: Neurons, places: Places, rng: np.random.Generator) -> Part:
    """Weights of an MLP as the program has them, its neurons in random order.

    Parameters
    ----------
    part : Neurons
        Neurons of the program.
    places : Places
        Variable -> its positions of the stream.
    rng : numpy.random.Generator
        Generator of the order.

    Returns
    -------
    Part
        The MLP as weights.
    """
    width, order = sum(map(len, places.values())), rng.permutation(len(part.bias))
    read, write = np.zeros((1, 1, len(order), width)), np.zeros((width, 1, len(order)))
    for name, matrix in part.read.items():
        read[0, 0][:, places[name]] = matrix[order]
    write[places[part.writes], 0] = part.out[:, order]
    return Part((part.writes,), (part.reads,), read, part.bias[order].reshape(1, 1, -1), write)
