"""The graph of a residual stream's positions: which of them are written and read together."""

import numpy as np
from jaxtyping import Bool, Float64

from bimt_train.checkpoints import Network

from ..graph import Edges, Neuron, NeuronGraph
from ._residual_stream import Part, Stream, residual_stream

Touched = Bool[np.ndarray, "units positions"]


def subspace_graph(network: Network, *, threshold: float = 0.0) -> NeuronGraph:
    """Join positions of the residual stream that are read together or written together.

    Parameters
    ----------
    network : Network
        A transformer; best a circuit, whose cut weights are 0.
    threshold : float, default 0.0
        Weights of at most this magnitude do not count.

    Returns
    -------
    NeuronGraph
        Nodes (stream, position), edges from the smaller number to the larger; ``weights`` is "together".

    Raises
    ------
    InputError
        The network is no transformer (`residual_stream`).

    Notes
    -----
    A variable that a transformer keeps in a subspace of its stream is written as a whole and read as a whole, while no
    weight joins its positions to each other: weights lead from one variable to the next. So modules of `neuron_graph`
    and `virtual_graph`, which follow weights, are not the variables; components of this graph can be.

    A unit is an embedding, a head in one of its four places (q, k, v and output), a neuron of an MLP in one of its two,
    or a neuron that only writes or only reads. One that touches k > 1 positions adds 1 / (k - 1) to the edge between
    any two of them, so that each of these receives 1 from it, however many they are.

    Weights count as there or not, so positions and neurons may be rescaled. Only variables along positions are seen, in
    a network whose other weights are cut; where everything touches everything, all edges are equal. A variable of one
    position is unused, and two that one neuron reads together are joined.

    Examples
    --------
    >>> from bimt_analyze.transformers import subspace_graph
    >>> from bimt_analyze.modules import connected_components
    >>> from bimt_analyze.synthetic import compiled_program
    >>> planted = compiled_program(program="reverse", vocabulary=3, length=3)
    >>> len(connected_components(subspace_graph(planted.network)).modules), len(planted.variables)
    (4, 4)
    """
    stream = residual_stream(network)
    weights = together(stream_units(network, threshold=threshold))
    source, target = np.nonzero(weights)
    group = network.layout.group(stream.group)
    places = network.placement.coordinates(network.layout, stream.group).tolist()
    nodes = tuple(Neuron(group.name, k, group.label(k), tuple(place), 0) for k, place in enumerate(places))
    return NeuronGraph(
        nodes, Edges(source, target, weights[source, target], np.zeros(len(source), np.int8)), "together"
    )


def stream_units(network: Network, *, threshold: float = 0.0) -> Touched:
    """For each unit of `subspace_graph`, which positions of the stream it touches.

    Parameters
    ----------
    network : Network
        A transformer.
    threshold : float, default 0.0
        Weights of at most this magnitude do not count.

    Returns
    -------
    array of bool, shape (units, positions)
        One row a unit, one column a position.

    Raises
    ------
    InputError
        The network is no transformer (`residual_stream`).

    Examples
    --------
    >>> from bimt_analyze.transformers._subspace_graph import stream_units
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> network = Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))
    >>> units = stream_units(network)  # 2 embeddings, 2 heads in 4 places, 6 neurons in 2 places, 5 outputs
    >>> units.shape
    (27, 8)
    """
    return np.concatenate(_touched(residual_stream(network), network, threshold))


def together(units: Touched) -> Float64[np.ndarray, "positions positions"]:
    """How strongly each two positions are joined by units, above the diagonal; see `subspace_graph`.

    Parameters
    ----------
    units : array of bool, shape (units, positions)
        Which positions each unit touches.

    Returns
    -------
    array of float64, shape (positions, positions)
        An upper triangular matrix.

    Examples
    --------
    >>> from bimt_analyze.transformers._subspace_graph import together
    >>> import numpy as np
    >>> together(np.array([[True, True, True]])).tolist()
    [[0.0, 0.5, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]
    """
    several = units[units.sum(1) > 1].astype(np.float64)
    return np.triu(several.T @ (several / (several.sum(1, keepdims=True) - 1)), 1)


def _touched(stream: Stream, network: Network, threshold: float) -> list[Touched]:
    """For each unit, which positions it touches."""
    found = []
    for name, weights in stream.sources.items():
        joined = np.abs(weights) > threshold
        found.append(joined if name in network.layout.sizes else joined.any(0, keepdims=True))  # an embedding is one
    for part in stream.parts:
        found += [_units(part, copy, threshold) for copy in (*part.reads, part.writes.T)]
    return found + [np.abs(weights) > threshold for weights in stream.targets.values()]


def _units(part: Part, weights: Float64[np.ndarray, "neurons positions"], threshold: float) -> Touched:
    joined = np.abs(weights) > threshold
    return np.asarray(joined.reshape(part.heads or len(joined), -1, joined.shape[1]).any(1))
