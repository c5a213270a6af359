"""A transformer as seen from its residual stream: what writes it and what reads it, in the order of computation."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

QKV = 3  # copies of its neurons that an attention reads into


@dataclass(frozen=True, eq=False, repr=False)
class Part(Shown):
    """Neurons that read the stream and write to it: those of a block's heads, or of its MLP.

    Attributes
    ----------
    group : str
        Name of the group of neurons.
    heads : int
        Number of heads that they form; 0 for an MLP.
    reads : array of float64, shape (copies, neurons, positions)
        Weights by which they read, a copy a tensor or a fold: for heads q, k and v, in this order.
    biases : array of float64, shape (copies, neurons)
        What is added to each copy.
    writes : array of float64, shape (positions, neurons)
        Weights by which they write.
    head_size : int
        Copies that k and v have, each: 1 where a neuron is an entry of a head, more where it is a whole head.

    Examples
    --------
    >>> from bimt_analyze.transformers._residual_stream import residual_stream
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> network = Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))
    >>> attention, mlp = residual_stream(network).parts
    >>> attention.heads, attention.reads.shape, mlp.heads, mlp.writes.shape
    (2, (3, 8, 8), 0, (8, 6))
    """

    group: str
    heads: int
    reads: Float64[np.ndarray, "copies neurons positions"]
    biases: Float64[np.ndarray, "copies neurons"]
    writes: Float64[np.ndarray, "positions neurons"]
    head_size: int = 1


@dataclass(frozen=True, eq=False, repr=False)
class Stream(Shown):
    """A residual stream with all that touches it.

    Norms are left out: they scale positions, and mix none.

    Attributes
    ----------
    group : str
        Name of the stream's group.
    sources : mapping of str to array of float64, shape (_, positions)
        What writes it first, name -> ``[rows, positions]``: embeddings by their tensors' names, one row a token, and
        weights from groups that read nothing of it, by the groups' names.
    parts : tuple of Part
        What reads it and writes it, in the order of computation.
    targets : mapping of str to array of float64, shape (_, positions)
        Groups that only read it: name -> ``[neurons, positions]``.

    Examples
    --------
    >>> from bimt_analyze.transformers._residual_stream import residual_stream
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> network = Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))
    >>> stream = residual_stream(network)
    >>> list(stream.sources), list(stream.targets)
    (['embedding.weight', 'positions.weight'], ['y'])
    """

    group: str
    sources: Mapping[str, Float64[np.ndarray, "_ positions"]]
    parts: tuple[Part, ...]
    targets: Mapping[str, Float64[np.ndarray, "_ positions"]]


def has_stream(network: Network) -> bool:
    """Whether some group is both read and written by another, as a residual stream is.

    Parameters
    ----------
    network : Network
        Any network.

    Returns
    -------
    bool
        True for a transformer.

    Examples
    --------
    >>> from bimt_analyze.transformers._residual_stream import has_stream
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT, MLP
    >>> has_stream(Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))), has_stream(Network.of(MLP([2, 3, 1])))
    (True, False)
    """
    pairs = {network.layout.tensors[name].plan.groups for name in network.layout.weights()}
    return any(target != source and (source, target) in pairs for target, source in pairs)


def residual_stream(network: Network) -> Stream:
    """Find the residual stream in the layout: the group that most others both read and write.

    Parameters
    ----------
    network : Network
        A transformer.

    Returns
    -------
    Stream
        The stream, and all that reads and writes it.

    Raises
    ------
    InputError
        No group is both read and written by another.

    Notes
    -----
    Of those others, one that the stream's reading tensors name three times is taken for an attention with q, k and v in
    this order. So is one that three tensors read into, each neuron several times over, k and v equally often: there a
    neuron is a whole head, with all heads that ask it. Any other is taken for an MLP. Tensors count in the order of the
    layout.

    Examples
    --------
    >>> from bimt_analyze.transformers._residual_stream import residual_stream
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> stream = residual_stream(Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6)))
    >>> stream.group, [part.group for part in stream.parts]
    ('resid', ['a1', 'm1'])
    """
    layout = network.layout
    ends = [layout.tensors[name].plan.groups for name in layout.weights()]  # (target, source)
    partners = {g: [n for n in layout.sizes if n != g and {(n, g), (g, n)} <= set(ends)] for g in layout.sizes}
    hub = max(layout.sizes, key=lambda group: len(partners[group]))
    if not partners[hub]:
        hint = "ask about a transformer"
        raise InputError(
            "no residual stream", where="layout", expected="a group that others read and write", got="none", hint=hint
        )
    readers, writers = (_between(network, hub, as_source) for as_source in (True, False))
    reads, writes = ({g: np.concatenate(found) for g, found in each.items()} for each in (readers, writers))
    sources = {
        name: _copies(network, name)[:, 0] for name in layout.touching(hub) if layout.tensors[name].role == "embedding"
    }
    sources |= {g: w.sum(0).T for g, w in writes.items() if g not in partners[hub]}
    parts = []
    for group in (g for g in reads if g in partners[hub]):
        size = _head_size([len(copies) for copies in readers[group]])
        heads = layout.sizes[group] if size > 1 else layout.group(group).heads if len(reads[group]) == QKV else 0
        biases = _biases(network, group, len(reads[group]))
        parts.append(Part(group, heads, reads[group], biases, writes[group].sum(0), size))
    return Stream(hub, sources, tuple(parts), {g: w.sum(0) for g, w in reads.items() if g not in partners[hub]})


def _head_size(copies: list[int]) -> int:
    """Of an attention whose neurons are whole heads, entries of a head; else 1. Copies of each tensor are given."""
    whole = len(copies) == QKV and copies[1] == copies[2] > 1 and copies[0] % copies[1] == 0
    return copies[1] if whole else 1


def _between(network: Network, hub: str, as_source: bool) -> dict[str, list[Float64[np.ndarray, "_ _ _"]]]:
    """Group -> its weights from the hub, or to it, in the order of the tensors."""
    found: dict[str, list[Float64[np.ndarray, "_ _ _"]]] = {}
    for name in network.layout.weights():
        target, source = network.layout.tensors[name].plan.groups
        if (source if as_source else target) == hub:
            found.setdefault(target if as_source else source, []).append(_copies(network, name))
    return found


def _copies(network: Network, name: str) -> Float64[np.ndarray, "copies _ _"]:
    """A tensor as ``[copies, target, source]``, whatever is no neuron being a copy; of one group ``[copies, 1, _]``."""
    plan, tensor = network.layout.tensors[name].plan, network.tensors[name].astype(np.float64)
    opened = tensor.reshape(plan.open_shape(tensor.shape, network.layout.sizes))
    neurons = [place for place, _ in plan.group_factors()]
    others = [place for place in range(opened.ndim) if place not in neurons]
    sizes = [opened.shape[place] for place in neurons]
    found = opened.transpose(*others, *neurons).reshape(-1, *([1] * (2 - len(sizes))), *sizes)
    return found.swapaxes(1, 2) if plan.source_first else found


def _biases(network: Network, group: str, copies: int) -> Float64[np.ndarray, "copies neurons"]:
    layout = network.layout
    found = [_copies(network, name)[:, 0] for name in layout.touching(group) if layout.tensors[name].role == "bias"]
    together = np.concatenate(found) if found else np.zeros((0, layout.sizes[group]))
    return together if len(together) == copies else np.zeros((copies, layout.sizes[group]))
