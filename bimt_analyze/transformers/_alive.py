"""Which heads, neurons and positions of the residual stream of a transformer are alive."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._residual_stream import Part, residual_stream


@dataclass(frozen=True, repr=False)
class AlivePart(Shown):
    """The heads of one attention, or the neurons of one MLP.

    Attributes
    ----------
    group : str
        Name of the group of neurons.
    alive : tuple of bool
        One flag a head, or one a neuron.
    attending : tuple of bool
        One flag a head: it is alive, and its attention depends on the tokens' content; empty for an MLP. Other heads
        average all tokens so far.

    Examples
    --------
    >>> from bimt_analyze.transformers._alive import AlivePart
    >>> AlivePart("a1", alive=(True, False), attending=(True, False)).count
    1
    """

    group: str
    alive: tuple[bool, ...]
    attending: tuple[bool, ...]

    @property
    def count(self) -> int:
        """How many are alive."""
        return sum(self.alive)


@dataclass(frozen=True, repr=False)
class Alive(Shown):
    """What is alive in a transformer.

    Attributes
    ----------
    parts : tuple of AlivePart
        Attentions and MLPs, in the order of computation.
    positions : tuple of bool
        One flag a position of the stream: it is written and read later, by what is alive.

    Examples
    --------
    >>> from bimt_analyze.transformers import Alive
    >>> from bimt_analyze.transformers._alive import AlivePart
    >>> parts = (AlivePart("a1", (True, False), (True, False)), AlivePart("m1", (True, True, False), ()))
    >>> found = Alive(parts, positions=(True, True))
    >>> found.heads, found.neurons
    (1, 2)
    """

    parts: tuple[AlivePart, ...]
    positions: tuple[bool, ...]

    @property
    def heads(self) -> int:
        """Heads alive, over all blocks."""
        return sum(part.count for part in self.parts if part.attending)

    @property
    def neurons(self) -> int:
        """Neurons of MLPs alive, over all blocks."""
        return sum(part.count for part in self.parts if not part.attending)


def alive(network: Network, *, threshold: float = 0.0) -> Alive:
    """Follow the weights from the embeddings on and from the outputs back, and find what is alive.

    Parameters
    ----------
    network : Network
        A transformer; best a circuit, whose cut weights are 0, since in a dense network everything is alive.
    threshold : float, default 0.0
        Weights of at most this magnitude do not count.

    Returns
    -------
    Alive
        Heads, MLP neurons and positions of the stream that are alive.

    Raises
    ------
    InputError
        The network is no transformer (`residual_stream`).

    Notes
    -----
    A neuron of an MLP is alive if it reads a position of the stream that something has written, and writes one that
    something alive reads later. A head is alive if one of its neurons does so by its v and its output; q and k do not
    keep it alive. It is attending if for one of its neurons k reads a written position and q reads one or has a bias: a
    head without is alive still, and averages. Norms, which join all positions a little, are not followed.

    Examples
    --------
    >>> from bimt_analyze.transformers import alive
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> found = alive(Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6)))
    >>> found.heads, found.neurons, sum(found.positions)
    (2, 6, 8)
    """
    stream = residual_stream(network)

    def joins(weights: Float64[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
        return np.asarray(np.abs(weights) > threshold)

    written = np.any([joins(w).any(0) for w in stream.sources.values()], axis=0)
    at, driven = [], []
    for part in stream.parts:
        at.append(written)
        passing = part.reads[-part.head_size :] if part.heads else part.reads  # v alone passes anything on
        driven.append((joins(passing) & written).any((0, 2)))
        written = written | joins(part.writes[:, driven[-1]]).any(1)
    wanted = np.any([joins(w).any(0) for w in stream.targets.values()], axis=0)
    used, found = wanted & written, []
    for part, before, fed in zip(stream.parts[::-1], at[::-1], driven[::-1], strict=True):
        read = joins(part.reads) & before
        neurons = fed & joins(part.writes[wanted]).any(0)
        if part.heads:
            part_alive, read = _heads(part, read, joins(part.biases[: -2 * part.head_size]), neurons)
        else:
            part_alive, read = AlivePart(part.group, tuple(neurons.tolist()), ()), read & neurons[:, None]
        wanted = wanted | read.any((0, 1))
        used = used | read.any((0, 1))
        found.append(part_alive)
    return Alive(tuple(found[::-1]), tuple(used.tolist()))


def _heads(
    part: Part,
    read: Bool[np.ndarray, "copies neurons positions"],
    biases: Bool[np.ndarray, "queries neurons"],
    neurons: Bool[np.ndarray, " neurons"],
) -> tuple[AlivePart, Bool[np.ndarray, "copies neurons positions"]]:
    """An attention, of which these neurons pass something on; and what is left of its reads."""
    size = part.head_size
    queries, keys = (np.asarray(copies.any((0, 2))) for copies in (read[: -2 * size], read[-2 * size : -size]))
    looking = keys & (queries | biases.any(0))  # a query meets a key that depends on its token
    alive, look = (np.any(flags.reshape(part.heads, -1), axis=1) for flags in (neurons, looking))
    looking = looking & np.repeat(alive, len(neurons) // part.heads)
    kept = read & np.stack([looking] * (len(read) - size) + [neurons] * size)[:, :, None]
    return AlivePart(part.group, tuple(alive.tolist()), tuple((alive & look).tolist())), kept
