"""Which neurons matter: those that an input drives, and those that reach an output."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool

from ..checkpoints import Network
from ..layouts import Layout
from ..layouts.fold import fold
from ..models import HiddenPart, Neurons, Stream
from ..models._hidden_parts import Heads
from ..models.from_spec import options_of

Flags = Mapping[str, Bool[np.ndarray, "_"]]
Q, K, V = range(3)


@dataclass(frozen=True, eq=False)
class Liveness:
    """Which neurons matter: those that an input drives, and those that reach an output, group by group.

    Attributes
    ----------
    driven : mapping of str to ndarray of shape (neurons,)
        Whether what a neuron gives may change with the input. A neuron of an attention is driven by its row of v: with
        a constant v it gives a constant, since attention weights add up to 1.
    reaching : mapping of str to ndarray of shape (neurons,)
        Whether what a neuron gives may move an output. A neuron of an attention reaches by what reads the heads.
    asking : mapping of str to ndarray of shape (neurons,)
        For groups of attention, whether a neuron's rows of q and k shape an attention that matters.
    """

    driven: Flags
    reaching: Flags
    asking: Flags = field(default_factory=dict)

    def alive(self, group: str) -> Bool[np.ndarray, "_"]:
        """Flag the neurons that are driven and reach, and those that shape an attention.

        Parameters
        ----------
        group : str
            A group of the layout.

        Returns
        -------
        ndarray of shape (neurons,)
            True for those that matter.
        """
        both: Bool[np.ndarray, _] = self.driven[group] & self.reaching[group]
        return both | self.asking[group] if group in self.asking else both


def hidden_parts(network: Network) -> tuple[HiddenPart, ...] | None:
    """Read off the network's kind how its hidden groups compute.

    Parameters
    ----------
    network : Network
        Any network.

    Returns
    -------
    tuple of HiddenPart or None
        The parts in the order of computation; None where the kind is unknown or does not say.
    """
    options = options_of(network.model)
    return None if options is None else options.hidden_parts()


def normed(layout: Layout) -> frozenset[str]:
    """Name the groups under a norm: each of their neurons drives all others, by their mean and their deviation.

    Parameters
    ----------
    layout : Layout
        Any layout.

    Returns
    -------
    frozenset of str
        Names of groups.
    """
    return frozenset(g for spec in layout.tensors.values() if spec.role == "norm" for g in spec.plan.groups)


def liveness(network: Network) -> Liveness:
    """Follow the non-zero weights forwards from the inputs and backwards from the outputs.

    Groups that nothing writes to count as driven, but for the dimensions of an embedding that are zero for every token;
    groups that nothing reads count as reaching. Hidden groups of which the kind does not tell the constant count as
    driven too, and so does a dimension of a residual stream that something is added to, were it a bias: what is not
    driven there is 0. Under a norm all neurons of a group are driven, and all reach if one does.

    In an attention, rows of q and k matter where some neuron of their head is driven and reaches, where k changes from
    token to token (another k adds the same to every score) and where q is not 0.

    Parameters
    ----------
    network : Network
        Best a network of which many weights are 0; on a dense one everything matters.

    Returns
    -------
    Liveness
        Flags of each group's neurons.

    Examples
    --------
    >>> import torch
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 3, 1], generator=torch.Generator().manual_seed(0)))
    >>> weight = network.tensors["layers.0.weight"] * [[1], [0], [1]]
    >>> liveness(network.with_tensors({"layers.0.weight": weight})).driven["h1"].tolist()
    [True, False, True]
    """
    parts = hidden_parts(network)
    heads = {part.group: part for part in parts or () if isinstance(part, Heads)}
    edges = _edges(network, heads)
    driven = _driven(network, parts, edges)
    reaching, asking = _reaching(network, heads, edges, driven)
    return Liveness(driven, reaching, asking)


Edge = tuple[str, str, Bool[np.ndarray, "_ _ _"]]  # copies, targets, sources


def _edges(network: Network, heads: Mapping[str, Heads]) -> list[Edge]:
    """Target, source and which pairs a weight joins; of q, k and v each by itself, of other copies all together."""
    found = []
    for name in network.layout.weights():
        plan = network.layout.tensors[name].plan
        target, source = plan.groups
        joined = (network.tensors[name] != 0).astype(float)
        if target in heads and name == f"{heads[target].qkv}.weight":
            found.append((target, source, joined.reshape(3, -1, joined.shape[1]) > 0))
        else:
            found.append((target, source, fold(joined, plan, network.layout.sizes)[None] > 0))
    return found


def _driven(
    network: Network, parts: tuple[HiddenPart, ...] | None, edges: list[Edge]
) -> dict[str, Bool[np.ndarray, "_"]]:
    layout = network.layout
    written = {target for target, _, _ in edges}
    streams = {part.group for part in parts or () if isinstance(part, Stream)}
    constant = {part.group for part in parts or () if not isinstance(part, Neurons) or part.constant is not None}
    driven = {
        g.name: np.full(
            g.size,
            g.name == layout.inputs
            or g.name not in written
            or g.name in normed(layout)
            or (parts is not None and g.name not in {*constant, layout.outputs}),
        )
        for g in layout.groups
    }
    for group in streams - normed(layout):
        driven[group] = np.zeros(layout.sizes[group], dtype=bool)
    tables = embeddings(layout)
    for name, spec in layout.tensors.items():
        groups = spec.plan.groups
        if name in tables:
            driven[groups[0]] = (network.tensors[name] != 0).any(axis=0)
        elif len(groups) == 1 and groups[0] in streams and spec.role in ("bias", "embedding", "buffer"):
            added = np.asarray(fold((network.tensors[name] != 0).astype(float), spec.plan, layout.sizes) > 0)
            driven[groups[0]] = driven[groups[0]] | added
    changed = True
    while changed:
        changed = False
        for target, source, joined in edges:
            changed |= _grown(driven, target, joined[-1] @ driven[source])  # of q, k and v only v
    return driven


def _reaching(
    network: Network, heads: Mapping[str, Heads], edges: list[Edge], driven: Flags
) -> tuple[dict[str, Bool[np.ndarray, "_"]], dict[str, Bool[np.ndarray, "_"]]]:
    layout = network.layout
    read = {source for _, source, _ in edges}
    reaching = {g.name: np.full(g.size, g.name == layout.outputs or g.name not in read) for g in layout.groups}
    able: dict[str, Bool[np.ndarray, _]] = {}  # rows of q and k that can shape an attention at all
    for target, source, joined in edges:
        if len(joined) == 3:
            queries = network.tensors.get(f"{heads[target].qkv}.bias", np.zeros(3 * len(driven[target]))).reshape(3, -1)
            asks = (joined[Q] @ driven[source]) | (queries[Q] != 0)
            able[target] = (joined[K] @ driven[source]) & asks
    asking = {group: np.zeros(len(rows), dtype=bool) for group, rows in able.items()}
    changed = True
    while changed:
        changed = False
        for group, rows in able.items():
            count = layout.group(group).heads
            alive = (driven[group] & reaching[group]).reshape(count, -1).any(axis=1)
            asking[group] = rows & np.repeat(alive, len(rows) // count)
        for target, source, joined in edges:
            if len(joined) == 3:
                back = joined[:V].any(axis=0).T @ asking[target] | joined[V].T @ reaching[target]
            else:
                back = joined[0].T @ reaching[target]
            changed |= _grown(reaching, source, back)
        for group in normed(layout):
            changed |= _grown(reaching, group, np.full(layout.sizes[group], reaching[group].any()))
    return reaching, asking


def _grown(flags: dict[str, Bool[np.ndarray, "_"]], group: str, news: Bool[np.ndarray, "_"]) -> bool:
    """Add flags to a group, and say whether there were new ones."""
    grown = flags[group] | news
    changed = bool((grown != flags[group]).any())
    flags[group] = grown
    return changed


def embeddings(layout: Layout) -> tuple[str, ...]:
    """Find the tables with a row a token and a column a neuron, to which nothing else writes.

    Parameters
    ----------
    layout : Layout
        Any layout.

    Returns
    -------
    tuple of str
        Names of tensors.

    Examples
    --------
    >>> from bimt_train.models import EmbeddingMLP
    >>> embeddings(EmbeddingMLP(tokens=7, copies=2, embedding=6, widths=[8, 7]).layout())
    ('embedding.weight',)
    """
    written = {layout.tensors[name].plan.groups[0] for name in layout.weights()}
    return tuple(
        name
        for name, spec in layout.tensors.items()
        if spec.role == "embedding"
        and spec.plan.factors == (None, *spec.plan.groups)
        and not written & {*spec.plan.groups}
    )
