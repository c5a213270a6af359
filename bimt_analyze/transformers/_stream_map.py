"""A map of the residual stream: what writes each of its positions, and what reads it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._residual_stream import residual_stream


@dataclass(frozen=True, eq=False, repr=False)
class StreamMap(Shown):
    """Sums of weight magnitudes between the positions of a stream and all that touches it.

    Attributes
    ----------
    group : str
        Name of the stream's group.
    columns : tuple of (str, {"writes", "reads"})
        What touches it, in the order of computation: name, and whether it writes or reads.
    mass : array of float64, shape (positions, columns)
        Sum of the magnitudes of the weights (of an embedding, of its entries).
    slots : tuple of int
        Slot of each position, from 0; positions sorted by it lie as the network does in space.

    Examples
    --------
    >>> from bimt_analyze.transformers import stream_map
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> network = Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))
    >>> stream_map(network).columns[2:4]
    (('a1', 'reads'), ('a1', 'writes'))
    """

    group: str
    columns: tuple[tuple[str, Literal["writes", "reads"]], ...]
    mass: Float64[np.ndarray, "positions columns"]
    slots: tuple[int, ...]


def stream_map(network: Network) -> StreamMap:
    """Sum the weights that write and read each position of a transformer's stream, block by block.

    Of each part first what it reads is listed, then what it writes.

    Parameters
    ----------
    network : Network
        A transformer.

    Returns
    -------
    StreamMap
        The map.

    Raises
    ------
    InputError
        The network is no transformer (`residual_stream`).

    Examples
    --------
    >>> from bimt_analyze.transformers import stream_map
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> found = stream_map(Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6)))
    >>> found.mass.shape, found.columns[0]
    ((8, 7), ('embedding', 'writes'))
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
