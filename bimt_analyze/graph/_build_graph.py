"""From a network to its graph, with three meanings of an edge's weight."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Float64, Int8, Int64, Num

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts import fold

from ._group_depths import group_depths
from ._neuron_graph import Edges, Neuron, NeuronGraph

Strength = Float64[np.ndarray, "..."]

_SATURATED = 1e-3


def neuron_graph(
    network: Network, *, weights: str = "magnitude", x: Num[np.ndarray, "rows ..."] | None = None
) -> NeuronGraph:
    """The network as a weighted directed graph. Only weights that are not exactly 0 become edges.

    An edge from source j to target i with weight w has, according to ``weights``, the strength

    - ``magnitude``: |w|.
    - ``activation``: |w| sd(a_j), with sd(a_j) the standard deviation of the source's activation over the rows of
      ``x``: how much the target's pre-activation moves because of this source. It does not change if a neuron is
      scaled up and its outgoing weights are scaled down, as seen from that neuron's readers.
    - ``attribution``: mean over rows of |w (a_j - mean(a_j))| * ||g_i||, with g_i[k] = (d y_k / d p_i) / sd(y_k), p_i
      the target's pre-activation, y_k the outputs, and || || the Euclidean norm over outputs: to first order, how far
      the outputs, each in units of its own deviation, move when the source is replaced by its mean on this edge alone.
      (An output that is constant on x is left out.) Adding a constant to a_j, with the bias taking it back, changes
      nothing; nor does rescaling neurons (as ReLU allows) or outputs. A neuron at which no output has a gradient on
      these rows, saturated as the detectors of Boolean functions are, keeps its edges in proportion to ``activation``,
      adding up to a thousandth of the least that any other neuron reads: so they are there, and weigh next to nothing.

    Strengths of tensors between the same two neurons are added up, and so are those of folded copies (unlike
    `Network.connections`, which adds the weights themselves, so that copies of opposite sign would cancel). An edge of
    strength 0 (a constant source under ``activation``) is left out. The sign is that of the sum of the weights.

    Args:
        network: pruned or not.
        weights: which strength.
        x: probe rows as the network sees them; needed for all but ``magnitude``.

    Raises:
        InputError: an unknown ``weights``, a missing ``x``, or a module around a weight tensor that is not affine
            (`Trace`).
    """
    if weights not in _STRENGTHS:
        expected, mend = ", ".join(_STRENGTHS), "name one of these"
        raise InputError("unknown edge weights", where="weights", expected=expected, got=repr(weights), mend=mend)
    if x is None and weights != "magnitude":
        mend = "give x, rows as the network sees them"
        raise InputError("edge weights that need data", where=f'weights="{weights}"', expected="x", mend=mend)
    layout, placement, depths = network.layout, network.placement, group_depths(network.layout)
    ordered = sorted(layout.groups, key=lambda group: depths[group.name])
    nodes = tuple(
        Neuron(group.name, i, group.label(i), tuple(map(float, place)), depths[group.name])
        for group in ordered
        for i, place in enumerate(placement.coordinates(layout, group.name))
    )
    first = {group.name: sum(g.size for g in ordered[:n]) for n, group in enumerate(ordered)}
    edges = _edges(network, _STRENGTHS[weights](network, x), first, len(nodes))
    return NeuronGraph(nodes, edges, weights, layout.inputs, layout.outputs)


def _edges(network: Network, strengths: Mapping[str, Strength], first: Mapping[str, int], nodes: int) -> Edges:
    """Fold every tensor, number its ends over all groups, and add up what joins the same pair."""
    pairs: list[Int64[np.ndarray, " found"]] = []
    values: list[Float64[np.ndarray, " found"]] = []
    signed: list[Float64[np.ndarray, " found"]] = []
    for name, strength in strengths.items():
        plan, sizes = network.layout.tensors[name].plan, network.layout.sizes
        target, source = plan.groups
        total = fold(strength, plan, sizes)
        i, j = np.nonzero(total)
        pairs.append((first[source] + j) * nodes + first[target] + i)
        values.append(total[i, j])
        signed.append(fold(network.tensors[name].astype(np.float64), plan, sizes)[i, j])
    if not pairs:
        none = np.zeros(0, dtype=np.int64)
        return Edges(none, none, np.zeros(0), np.zeros(0, dtype=np.int8))
    found, place = np.unique(np.concatenate(pairs), return_inverse=True)
    weight = np.bincount(place, np.concatenate(values), len(found))
    sign: Int8[np.ndarray, " edges"] = np.sign(np.bincount(place, np.concatenate(signed), len(found))).astype(np.int8)
    return Edges(found // nodes, found % nodes, weight, sign)


def _magnitudes(network: Network, x: Num[np.ndarray, "..."] | None) -> dict[str, Strength]:
    return {name: np.abs(network.tensors[name].astype(np.float64)) for name in network.layout.weights()}


def _activations(network: Network, x: Num[np.ndarray, "..."] | None) -> dict[str, Strength]:
    from ._forward_trace import Trace

    assert x is not None
    trace = Trace(network, x)
    spreads = {name: _deviation(trace.sources(name)) for name in trace.tensors}
    return {name: size * _along_source(network, name, spreads[name]) for name, size in _magnitudes(network, x).items()}


def _attributions(network: Network, x: Num[np.ndarray, "..."] | None) -> dict[str, Strength]:
    from ._forward_trace import Trace

    assert x is not None
    trace = Trace(network, x)
    spreads = _deviation(trace.outputs())
    squares: dict[str, Strength] = dict.fromkeys(trace.tensors, np.zeros(()))
    for spread, slopes in zip(spreads, trace.output_gradients(), strict=True):
        if spread > 0:
            squares = {name: square + (slopes[name] / spread) ** 2 for name, square in squares.items()}
    found = {}
    for name, size in _magnitudes(network, x).items():
        moved = trace.sources(name)
        moved = np.abs(moved - moved.mean(0))
        slope = np.broadcast_to(
            np.sqrt(squares[name]), (len(moved), size.shape[0 if _rows_are_targets(network, name) else 1])
        )
        effect = slope.T @ moved / len(moved)
        found[name] = size * (effect if _rows_are_targets(network, name) else effect.T)
    return _with_saturated(network, found, _activations(network, x))


def _with_saturated(
    network: Network, attributions: dict[str, Strength], activations: Mapping[str, Strength]
) -> dict[str, Strength]:
    """Neurons without a gradient get their edges back, in proportion to activation."""
    axis = {name: 1 if _rows_are_targets(network, name) else 0 for name in attributions}
    totals = {name: strength.sum(axis=axis[name], keepdims=True) for name, strength in attributions.items()}
    least = min((float(total[total > 0].min()) for total in totals.values() if (total > 0).any()), default=1.0)
    found = {}
    for name, strength in attributions.items():
        heard = activations[name].sum(axis=axis[name], keepdims=True)
        shares = np.divide(activations[name], heard, out=np.zeros_like(strength), where=heard > 0)
        found[name] = np.where(totals[name] > 0, strength, _SATURATED * least * shares)
    return found


def _rows_are_targets(network: Network, name: str) -> bool:
    return not network.layout.tensors[name].plan.source_first


def _along_source(network: Network, name: str, values: Float64[np.ndarray, " sources"]) -> Strength:
    return values[None, :] if _rows_are_targets(network, name) else values[:, None]


def _deviation(columns: Float[np.ndarray, "samples columns"]) -> Float64[np.ndarray, " columns"]:
    """Standard deviations; rounding about a constant is no deviation."""
    spread = columns.std(axis=0)
    return np.where(spread > 1e-12 * np.abs(columns).max(axis=0, initial=0.0), spread, 0.0)


_STRENGTHS: Mapping[str, Callable[[Network, Num[np.ndarray, "..."] | None], dict[str, Strength]]] = MappingProxyType(
    {"magnitude": _magnitudes, "activation": _activations, "attribution": _attributions}
)
