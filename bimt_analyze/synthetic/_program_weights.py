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

    Attributes:
        owners: for each head the variable that it writes; for an MLP that variable alone.
        reads: for each owner, what it reads.
        read: ``[copies, owners, neurons, width]``; copies are q, k and v, or one.
        bias: one a neuron of an MLP; an attention has 0.
        write: ``[width, owners, neurons]``.
    """

    owners: tuple[str, ...]
    reads: tuple[tuple[str, ...], ...]
    read: Float64[np.ndarray, "copies owners neurons width"]
    bias: Float64[np.ndarray, "copies owners neurons"]
    write: Float64[np.ndarray, "width owners neurons"]

    @property
    def sizes(self) -> tuple[int, ...]:
        """As `ProgramTransformer` takes them."""
        copies, owners, neurons, _ = self.read.shape
        return (neurons,) if copies == 1 else (owners, neurons)

    def tensors(self, prefix: str) -> dict[str, np.ndarray]:
        """By name and in the shapes of `ProgramTransformer`."""
        width = self.read.shape[-1]
        read, write = ("up", "down") if len(self.read) == 1 else ("qkv", "out")
        return {
            f"{prefix}.{read}.weight": self.read.reshape(-1, width),
            f"{prefix}.{read}.bias": self.bias.reshape(-1),
            f"{prefix}.{write}.weight": self.write.reshape(width, -1),
            f"{prefix}.{write}.bias": np.zeros(width),
        }

    def rescaled(self, stream: Float64[np.ndarray, " width"], rng: np.random.Generator, scale: float) -> Self:
        """The same function of a stream whose positions are multiplied by these factors."""
        copies, *neurons, _ = self.read.shape
        inner = factors(rng, scale, neurons)
        carried = inner if copies == 1 else np.stack([inner, 1 / inner, factors(rng, scale, neurons)])
        carried = np.broadcast_to(carried, (copies, *neurons))
        write = self.write * stream[:, None, None] / carried[-1]
        return replace(self, read=self.read * carried[..., None] / stream, bias=self.bias * carried, write=write)


def written_heads(heads: tuple[Head, ...], places: Places, rng: np.random.Generator) -> Part:
    """q.k / sqrt(size) is the sharpness where a key is selected and 0 where it is not."""
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
    """The same weights as the program has them, in another order."""
    width, order = sum(map(len, places.values())), rng.permutation(len(part.bias))
    read, write = np.zeros((1, 1, len(order), width)), np.zeros((width, 1, len(order)))
    for name, matrix in part.read.items():
        read[0, 0][:, places[name]] = matrix[order]
    write[places[part.writes], 0] = part.out[:, order]
    return Part((part.writes,), (part.reads,), read, part.bias[order].reshape(1, 1, -1), write)
