"""The registry of community detection methods, and the call that runs any of them."""

from dataclasses import dataclass

from bimt_train import InputError
from bimt_train.registry import Entry, Registry

from ..graph import NeuronGraph
from ._partition import Partition
from ._quality import check_covers


@dataclass(frozen=True, kw_only=True)
class CommunityMethod(Entry):
    """A way to cut a graph into modules.

    ``function`` takes (graph, *, seed), a `NeuronGraph` and the seed of whatever is random, and returns a `Partition`
    of that graph's neurons.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What it is called in tables, pictures and sentences.
    sentence : str
        One sentence that says what it maximises or minimises.
    function : callable
        As above.

    Examples
    --------
    >>> from bimt_analyze.modules import COMMUNITY_METHODS
    >>> [entry.label for entry in COMMUNITY_METHODS.entries()]
    ['Leiden', 'Infomap']
    """


COMMUNITY_METHODS: Registry[CommunityMethod] = Registry(
    "community method",
    CommunityMethod,
    builtin={"leiden": "bimt_analyze.modules._leiden", "infomap": "bimt_analyze.modules._infomap"},
    group="bimt.community_methods",
)
"""All community detection methods by name; `communities` reads them."""


def communities(graph: NeuronGraph, *, method: str = "leiden", seed: int = 0) -> Partition:
    """The modules that one community detection method finds, with its usual settings.

    Parameters
    ----------
    graph : NeuronGraph
        Directions of edges are up to the method; those built in ignore them.
    method : str, default "leiden"
        A name in `COMMUNITY_METHODS`, or ``file.py:NAME`` of an entry in a user's file.
    seed : int, default 0
        Of the search.

    Returns
    -------
    Partition
        The modules, and how they were found.

    Raises
    ------
    InputError
        An unknown method, or one whose function does not give a partition.
    NotAPartition
        The method's partition is of other neurons.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, scale=1.0, seed=0).network)
    >>> [len(communities(graph, method=name).modules) for name in COMMUNITY_METHODS]
    [2, 2]
    """
    entry = COMMUNITY_METHODS[method]
    found = entry.function(graph, seed=seed)
    if not isinstance(found, Partition):
        raise InputError(
            "a method that finds no partition", where=f"community method {entry.name!r}", expected="a Partition",
            got=type(found).__name__, hint="end with Partition.of(graph, labels, method=...)",
        )  # fmt: skip
    check_covers(graph, found)
    return found
