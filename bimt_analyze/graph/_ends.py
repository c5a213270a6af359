"""Where a network begins and ends, if its inputs or outputs are no neurons."""

from collections.abc import Sequence
from dataclasses import replace

from bimt_train.layouts import Layout

from ._neuron_graph import NeuronGraph


def with_ends(graph: NeuronGraph, layout: Layout) -> NeuronGraph:
    """The graph with a group to begin at and one to end at, those next to the inputs and outputs if these are tokens.

    Where no input is a neuron, the network begins at the group that embeddings fill; where there is no embedding, at
    the group that is read and never written. Where no output is a neuron, it ends at the group that embeddings fill, as
    the same table, or one like it, turns that into tokens; where there is no embedding, at the group that is written
    and never read, or failing that at y or resid, as traced outputs are called. A residual stream can be both. Where
    embeddings fill several groups, the graph stays without that end; a module of several inputs begins at several
    groups.

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
    order = graph.groups
    return replace(graph, inputs=graph.inputs or _first(layout, order), outputs=graph.outputs or _last(layout, order))


def _first(layout: Layout, order: Sequence[str]) -> str:
    sources, targets = _read_and_written(layout)
    return _embedded(layout) if _embeds(layout) else _named(sources - targets, order)


def _last(layout: Layout, order: Sequence[str]) -> str:
    sources, targets = _read_and_written(layout)
    found = _named(targets - sources, order) or _named({"y"}, order) or _named({"resid"}, order)
    return _embedded(layout) if _embeds(layout) else found


def _named(found: set[str], order: Sequence[str]) -> str:
    return " ".join(group for group in order if group in found)


def _read_and_written(layout: Layout) -> tuple[set[str], set[str]]:
    pairs = [layout.tensors[name].plan.groups for name in layout.weights()]
    return {source for _, source in pairs}, {target for target, _ in pairs}


def _embeds(layout: Layout) -> bool:
    return any(spec.role == "embedding" for spec in layout.tensors.values())


def _embedded(layout: Layout) -> str:
    return _only({g for spec in layout.tensors.values() if spec.role == "embedding" for g in spec.plan.groups})


def _only(found: set[str]) -> str:
    return found.pop() if len(found) == 1 else ""
