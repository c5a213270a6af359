"""A map of the residual stream: who writes each of its positions, and who reads it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network

from ._residual_stream import residual_stream


@dataclass(frozen=True, eq=False)
class StreamMap:
    """Weight mass between the positions of a stream and all that touches it.

    Attributes:
        group: the stream's name.
        columns: what touches it, in the order of computation: name, and whether it writes or reads.
        mass: ``[positions, columns]``, the sum of magnitudes of the weights (of an embedding, of its entries).
        slots: where each position sits, from 0; positions sorted by it lie as the network does in space.
    """

    group: str
    columns: tuple[tuple[str, Literal["writes", "reads"]], ...]
    mass: Float64[np.ndarray, "positions columns"]
    slots: tuple[int, ...]


def stream_map(network: Network) -> StreamMap:
    """The map of a transformer's stream, block by block; of each part first what it reads, then what it writes.

    Raises:
        InputError: no transformer (`residual_stream`).
    """
    stream = residual_stream(network)
    columns: list[tuple[str, Literal["writes", "reads"]]] = []
    mass = []
    for name, weights in stream.sources.items():
        columns.append((name.removesuffix(".weight"), "writes"))
        mass.append(np.abs(weights).sum(0))
    for part in stream.parts:
        columns += [(part.group, "reads"), (part.group, "writes")]
        mass += [np.abs(part.reads).sum((0, 1)), np.abs(part.writes).sum(1)]
    for name, weights in stream.targets.items():
        columns.append((name, "reads"))
        mass.append(np.abs(weights).sum(0))
    return StreamMap(stream.group, tuple(columns), np.stack(mass, axis=1), network.placement.slots[stream.group])
