"""What an analysis of a large graph leaves out, and the lines that say so."""

import numpy as np

from .._network_size import STRONGEST
from ..audits.chance._significance import FEWEST
from ..audits.chance._statistics import STATISTICS
from ..graph import NeuronGraph
from ..options._analysis_options import AnalysisOptions

_NULL_EDGES, _SEARCHED_EDGES, _FEWEST_RUNS = 3_000_000, 500_000, 2  # of all null networks; of all runs of Leiden
_PLACES_OF_AN_EDGE = 10  # where an edge could be: a null network takes time for each of them too
_MANY_EDGES, _VERY_MANY_EDGES = 100_000, 500_000  # from where on every second, and every fourth resolution is kept
_TOO_MANY_TO_SEARCH = 50_000  # from where on null networks are not searched for modules


def within_reach(options: AnalysisOptions, graph: NeuronGraph) -> AnalysisOptions:
    """Options with fewer null networks, runs of Leiden and resolutions, where a graph has very many edges.

    Up to 15,000 edges nothing is changed by the defaults. From there on null networks have three million edges in all,
    or thirty million pairs of neurons that edges could join, but are 20 at least. From 50,000 on the runs at each
    resolution have half a million, but are 2 at least, and statistics for which each null network is searched are left
    out. From 100,000 on every second resolution is kept, counted from the first, and from 500,000 on every fourth.

    Parameters
    ----------
    options : AnalysisOptions
        All that was asked for.
    graph : NeuronGraph
        The graph of a circuit.

    Returns
    -------
    AnalysisOptions
        The options as they take effect.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> within_reach(AnalysisOptions(), neuron_graph(block_network(seed=0).network)).samples
    200
    """
    edges = max(len(graph.edges.weight), 1)
    drawn = max(edges, _places(graph) // _PLACES_OF_AN_EDGE)
    resolutions, quick = tuple(sorted(options.resolutions)), options.statistics
    if edges >= _TOO_MANY_TO_SEARCH:
        quick = tuple(name for name in options.statistics if not STATISTICS[name].searched)
    return options.with_changes(
        samples=min(options.samples, max(FEWEST, _NULL_EDGES // drawn)),
        leiden_runs=min(options.leiden_runs, max(_FEWEST_RUNS, _SEARCHED_EDGES // edges)),
        statistics=quick,
        resolutions=options.resolutions
        if edges < _MANY_EDGES
        else resolutions[:: 2 if edges < _VERY_MANY_EDGES else 4],
    )


def _places(graph: NeuronGraph) -> int:
    """How many pairs of neurons there are in all pairs of groups that edges join."""
    groups = {group: number for number, group in enumerate(graph.groups)}
    of = np.array([groups[node.group] for node in graph.nodes], dtype=np.int64)
    sizes = np.bincount(of, minlength=len(groups))
    joined = np.unique(of[graph.edges.source] * len(groups) + of[graph.edges.target])
    return int((sizes[joined // len(groups)] * sizes[joined % len(groups)]).sum())


def less_than_asked(options: AnalysisOptions, graph: NeuronGraph) -> str:
    """Say what `within_reach` left of the options.

    Parameters
    ----------
    options : AnalysisOptions
        The options as they take effect.
    graph : NeuronGraph
        The graph of a circuit.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> graph = neuron_graph(block_network(blocks=[(1, 2, 1)] * 2, seed=0).network)
    >>> less_than_asked(AnalysisOptions(samples=20), graph)  # doctest: +ELLIPSIS
    'work: 20 null networks, compared by specialisation and modularity, 10 runs of Infomap, and of Leiden at 9 ...'
    """
    return (
        f"work: {options.samples} null networks, compared by {' and '.join(options.statistics) or 'nothing more'}, "
        f"{options.leiden_runs} runs of Infomap, and of Leiden at {len(options.resolutions)} resolutions, which is "
        f"less than was asked for, as there are {len(graph.edges.weight):,} edges"
    )


def backbone_told(graph: NeuronGraph) -> str:
    """Say that a network was too large to be pruned, and which of its edges are looked at.

    Parameters
    ----------
    graph : NeuronGraph
        What `graph_of` gives of a large network.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> network = block_network(blocks=[(12, 20, 12)], seed=0).network
    >>> backbone_told(neuron_graph(network, strongest=STRONGEST))
    'size: not pruned; its graph is a backbone, the 8 strongest edges of each neuron to and from each group, 374 of 480'
    """
    kept, all_edges = len(graph.edges.weight), len(graph.edges.weight) + graph.left_out
    return (
        f"size: not pruned; its graph is a backbone, the {STRONGEST} strongest edges of each neuron to and from each "
        f"group, {kept:,} of {all_edges:,}"
    )
