"""From a network to its graph."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Num

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts.fold import fold
from bimt_train.showing import brief, one_line

from ._backbone import among_strongest
from ._edge_weights import EDGE_WEIGHTS, EdgeWeight
from ._group_depths import group_depths
from ._neuron_graph import Edges, Neuron, NeuronGraph
from ._strengths import Strength

_NONE = np.zeros(0, dtype=np.int64)


class Strengths(NamedTuple):
    """All that joins two groups.

    Attributes
    ----------
    strength : array of float, [targets, sources]
        How strong each edge is; 0 where there is none.
    signed : array of float, [targets, sources]
        The sums of the weights, for their signs.

    Examples
    --------
    >>> Strengths(np.ones((1, 2)), np.array([[1.0, -1.0]])).strength.shape
    (1, 2)
    """

    strength: Float64[np.ndarray, "targets sources"]
    signed: Float64[np.ndarray, "targets sources"]

    def __repr__(self) -> str:
        return one_line(self, brief(self._asdict()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Strengths) and all(map(np.array_equal, self, other))

    def __ne__(self, other: object) -> bool:  # a tuple's own would compare arrays
        return not self == other


def neuron_graph(
    network: Network,
    *,
    weights: str = "magnitude",
    x: Num[np.ndarray, "rows ..."] | None = None,
    strongest: int | None = None,
) -> NeuronGraph:
    """The neurons and connections of a network as a weighted directed graph.

    Only weights that are not exactly 0 become edges. Strengths of tensors between the same two neurons are added up,
    and so are those of folded copies (unlike `Network.connections`, which adds the weights themselves, so that copies
    of opposite sign would cancel). An edge of strength 0 (a constant source under ``activation``) is left out. The sign
    is that of the sum of the weights.

    Parameters
    ----------
    network : Network
        Pruned or not.
    weights : str, default "magnitude"
        Which strength an edge has: a name in `EDGE_WEIGHTS`, or ``file.py:NAME`` of an entry in a user's file.
    x : array [rows, ...], optional
        Probe rows as the network sees them. All edge weights but ``magnitude`` need them.
    strongest : int or None
        Keep of each neuron's edges to and from each group this many, the strongest: the backbone of a network of very
        many weights. An edge that is among the strongest of either of its ends stays. None keeps all.

    Returns
    -------
    NeuronGraph
        Its ``weights`` is the entry's name, and ``left_out`` the number of edges that are not in the backbone.

    Raises
    ------
    InputError
        An unknown ``weights``, fewer than one edge to keep, a missing ``x``, a module around a weight tensor that is
        not affine (`Trace`), or an edge weight whose function gives something other than one strength for each weight.

    Notes
    -----
    An edge from source j to target i with weight w has, according to ``weights``, the strength

    - ``magnitude``: |w|.
    - ``activation``: |w| sd(a_j), with sd(a_j) the standard deviation of the source's activation over the rows of
      ``x``: how much the target's pre-activation moves because of this source. It does not change if a neuron is
      scaled up and its outgoing weights are scaled down, as seen from that neuron's readers.
    - ``attribution``: mean over rows of |w (a_j - mean(a_j))| * ||g_i||, with g_i[k] = (d y_k / d p_i) / sd(y_k), p_i
      the target's pre-activation, y_k the outputs, and || || the Euclidean norm over outputs: to first order, how far
      the outputs, each in units of its own standard deviation, move when the source is replaced by its mean on this
      edge alone. (An output that is constant on x is left out.) Adding a constant to a_j, with the bias taking it
      back, changes nothing; nor does rescaling neurons (as ReLU allows) or outputs. A neuron at which no output has a
      gradient on these rows, saturated as the detectors of Boolean functions are, keeps its edges in proportion to
      ``activation``, adding up to a thousandth of the least that any other neuron reads: so they are there, and weigh
      next to nothing.

    Magnitudes depend on how neurons happen to be scaled, activations half, attributions not at all.

    Examples
    --------
    >>> import torch
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP((3, 4, 2), "tanh", generator=torch.Generator().manual_seed(0)))
    >>> graph = neuron_graph(network)
    >>> graph.groups, len(graph.nodes), len(graph.edges.weight)
    (('x', 'h1', 'y'), 9, 20)
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> neuron_graph(network, weights="attribution", x=x).weights
    'attribution'
    """
    entry = EDGE_WEIGHTS[weights]
    if strongest is not None and strongest < 1:
        raise InputError("a backbone needs edges", where="strongest", expected="1 or more", got=str(strongest))
    if x is None and entry.needs_rows:
        hint = "give x, rows as the network sees them"
        raise InputError("edge weights that need data", where=f'weights="{entry.name}"', expected="x", hint=hint)
    layout, placement, depths = network.layout, network.placement, group_depths(network.layout)
    ordered = sorted(layout.groups, key=lambda group: depths[group.name])
    nodes = tuple(
        Neuron(group.name, i, group.label(i), tuple(map(float, place)), depths[group.name])
        for group in ordered
        for i, place in enumerate(placement.coordinates(layout, group.name))
    )
    first = {group.name: sum(g.size for g in ordered[:n]) for n, group in enumerate(ordered)}
    joined = group_strengths(network, weights=weights, x=x)
    edges, left_out = _edges(joined, first, len(nodes), strongest)
    return NeuronGraph(nodes, edges, entry.name, layout.inputs, layout.outputs, left_out)


def group_strengths(
    network: Network, *, weights: str = "magnitude", x: Num[np.ndarray, "rows ..."] | None = None
) -> dict[tuple[str, str], Strengths]:
    """What joins each two groups: the strengths of `neuron_graph`, before any edge is left out.

    Parameters
    ----------
    network : Network
        Pruned or not.
    weights : str, default "magnitude"
        A name in `EDGE_WEIGHTS`.
    x : array [rows, ...], optional
        Probe rows as the network sees them.

    Returns
    -------
    dict of (str, str) to Strengths
        (target group, source group) -> matrices.

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP((2, 1))).with_tensors({"layers.0.weight": np.array([[0.5, -2.0]])})
    >>> group_strengths(network)["y", "x"].strength
    array([[0.5, 2. ]])
    """
    entry, joined = EDGE_WEIGHTS[weights], dict[tuple[str, str], Strengths]()
    for name, strength in _checked(network, entry, entry.function(network, x)).items():
        plan, sizes = network.layout.tensors[name].plan, network.layout.sizes
        pair = (plan.groups[0], plan.groups[1])
        total, signed = fold(strength, plan, sizes), fold(network.tensors[name].astype(np.float64), plan, sizes)
        if pair in joined:
            total, signed = total + joined[pair].strength, signed + joined[pair].signed
        joined[pair] = Strengths(total, signed)
    return joined


def _checked(network: Network, entry: EdgeWeight, found: Mapping[str, Strength]) -> dict[str, Strength]:
    """One strength for each weight, 0 where the weight is 0."""
    where, hint = f'weights="{entry.name}"', "correct its function"
    names = tuple(network.layout.weights())
    if set(found) != set(names):
        got = ", ".join(sorted(found)) or "none"
        raise InputError("strengths of other tensors", where=where, expected=", ".join(names), got=got, hint=hint)
    checked = {}
    for name in names:
        weight, strength = network.tensors[name], np.asarray(found[name], dtype=np.float64)
        if strength.shape != weight.shape:
            expected, got = str(list(weight.shape)), str(list(strength.shape))
            raise InputError(
                "strengths of another shape", where=f"{where}, tensor {name!r}", expected=expected, got=got, hint=hint
            )
        strength = np.where(weight != 0, strength, 0.0)
        if not (np.isfinite(strength) & (strength >= 0)).all():
            got = str(strength[~(np.isfinite(strength) & (strength >= 0))][0])
            raise InputError(
                "an impossible strength", where=f"{where}, tensor {name!r}", expected="0 or more, finite", got=got,
                hint=hint,
            )  # fmt: skip
        checked[name] = strength
    return checked


def _edges(
    joined: Mapping[tuple[str, str], Strengths], first: Mapping[str, int], nodes: int, strongest: int | None
) -> tuple[Edges, int]:
    """The edges, numbered over all groups, and how many are left out."""
    pairs, values, signs, left_out = [_NONE], [np.zeros(0)], [_NONE.astype(np.int8)], 0
    for (target, source), (total, signed) in joined.items():
        stays = total > 0
        if strongest is not None:
            there, stays = int(stays.sum()), among_strongest(total, strongest)
            left_out += there - int(stays.sum())
        i, j = np.nonzero(stays)
        pairs.append((first[source] + j) * nodes + first[target] + i)
        values.append(total[i, j])
        signs.append(np.sign(signed[i, j]).astype(np.int8))
    found = np.concatenate(pairs)
    order = np.argsort(found)
    found = found[order]
    weight, sign = np.concatenate(values)[order], np.concatenate(signs)[order]
    return Edges(found // nodes, found % nodes, weight, sign), left_out
