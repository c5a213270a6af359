"""The graph of a transformer without its residual stream: which parts read what others have written."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network

from ..graph import Edges, Neuron, NeuronGraph
from ._residual_stream import residual_stream

Matrix = Float64[np.ndarray, "_ _"]


@dataclass(frozen=True, eq=False)
class _Unit:
    """One layer of nodes: what each neuron reads and writes, and which node it belongs to."""

    group: str
    nodes: int
    reads: Matrix  # [copies of neurons, positions]
    writes: Matrix  # [positions, neurons]

    def summed(self, virtual: Matrix, axis: int) -> Matrix:
        """Entries added up over the neurons of each node, along one axis; copies of neurons lie one after the other.

        Parameters
        ----------
        virtual : array of float64
            Virtual weights, with neurons along the axis.
        axis : int
            0 or 1.

        Returns
        -------
        array of float64
            One entry a node along the axis.
        """
        size = virtual.shape[axis]
        neurons = self.writes.shape[1] or size
        node = np.arange(size) % neurons * self.nodes // neurons
        onto = (node == np.arange(self.nodes)[:, None]).astype(np.float64)
        return np.asarray(onto @ virtual if axis == 0 else virtual @ onto.T)


def virtual_graph(network: Network) -> NeuronGraph:
    """Join heads, MLP neurons and outputs of a transformer by virtual weights.

    Parameters
    ----------
    network : Network
        A transformer.

    Returns
    -------
    NeuronGraph
        Nodes (group, head), (group, neuron) and (outputs, class); embeddings have none, and weights from groups that
        only write (the kinds of a RowTransformer) do. ``weights`` is "virtual". Take the outputs out
        (`NeuronGraph.without`) before you ask for components: each reads all over the stream.

    Raises
    ------
    InputError
        The network is no transformer (`residual_stream`).

    Notes
    -----
    An edge from writer j to a later reader i has the strength ``|sum_p R[i, p] W[p, j]|`` [1]_, with W the writer's
    weights into the positions p of the stream and R the reader's out of them; norms are left out. A head is one node,
    because its neurons act together through its attention: strengths are summed over its neurons, and over q, k and v.
    So the stream, through which everything touches everything, is gone, and components and modules become visible.

    References
    ----------
    .. [1] Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", "Virtual Weights and the Residual
       Stream as a Communication Channel".

    Examples
    --------
    >>> from bimt_analyze.transformers import virtual_graph
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import GPT
    >>> graph = virtual_graph(Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6)))
    >>> len(graph.nodes), graph.weights
    (13, 'virtual')
    """
    stream, layout, place = residual_stream(network), network.layout, network.placement
    nothing = np.zeros((layout.sizes[stream.group], 0))
    units = [_Unit(g, len(w), nothing.T, w.T) for g, w in stream.sources.items() if g in layout.sizes]
    units += [
        _Unit(part.group, part.heads or part.writes.shape[1], part.reads.reshape(-1, len(part.writes)), part.writes)
        for part in stream.parts
    ]
    units += [_Unit(group, len(weights), weights, nothing) for group, weights in stream.targets.items()]
    nodes: list[Neuron] = []
    first: dict[str, int] = {}
    for depth, unit in enumerate(units):
        first[unit.group] = len(nodes)
        group, places = layout.group(unit.group), place.coordinates(layout, unit.group)
        heads = unit.nodes != group.size
        for k, members in enumerate(np.split(places, unit.nodes)):
            label = f"{group.name} head {k}" if heads else group.label(k)
            nodes.append(Neuron(group.name, k, label, tuple(members.mean(0).tolist()), depth))
    return NeuronGraph(tuple(nodes), _edges(units, first), "virtual", layout.inputs, layout.outputs)


def _edges(units: list[_Unit], first: Mapping[str, int]) -> Edges:
    columns = []
    for place, reader in enumerate(units):
        for writer in units[:place]:
            virtual = reader.reads @ writer.writes
            strength, signed = (writer.summed(reader.summed(values, 0), 1) for values in (np.abs(virtual), virtual))
            i, j = np.nonzero(strength)
            columns.append((first[writer.group] + j, first[reader.group] + i, strength[i, j], np.sign(signed[i, j])))
    source, target, weight, sign = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Edges(source, target, weight, sign.astype(np.int8))
