"""Where a network begins and ends, if its inputs or outputs are no neurons."""

from dataclasses import replace

from bimt_train.layouts import Layout

from ._neuron_graph import NeuronGraph


def with_ends(graph: NeuronGraph, layout: Layout) -> NeuronGraph:
    """The graph with a group to begin at and one to end at, those next to the inputs and outputs if these are tokens.

    Where no input is a neuron, the network begins at the group that embeddings fill; where there is no embedding, at
    the group that is read and never written. Where no output is a neuron, it ends at the group that embeddings fill, as
    the same table, or one like it, turns that into tokens. A residual stream can be both. Where that is not one group,
    the graph stays without that end.

    Parameters
    ----------
    graph : NeuronGraph
        Of a network with this layout.
    layout : Layout
        Says which groups embeddings fill.

    Returns
    -------
    NeuronGraph
        The graph with ``inputs`` and ``outputs``, as far as they can be found.

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import EmbeddingMLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> network = Network.of(EmbeddingMLP(5, 2, 4, [6, 5], "silu"))
    >>> graph = neuron_graph(network)
    >>> graph.inputs, with_ends(graph, network.layout).inputs
    ('', 'e')
    """
    return replace(graph, inputs=graph.inputs or _first(layout), outputs=graph.outputs or _embedded(layout))


def _first(layout: Layout) -> str:
    if any(spec.role == "embedding" for spec in layout.tensors.values()):
        return _embedded(layout)
    pairs = [layout.tensors[name].plan.groups for name in layout.weights()]
    return _only({source for _, source in pairs} - {target for target, _ in pairs})


def _embedded(layout: Layout) -> str:
    return _only({g for spec in layout.tensors.values() if spec.role == "embedding" for g in spec.plan.groups})


def _only(found: set[str]) -> str:
    return found.pop() if len(found) == 1 else ""
