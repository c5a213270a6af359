"""Graphs as files of any format, and back."""

from collections.abc import Mapping
from pathlib import Path

from bimt_train import InputError
from bimt_train.extras import need
from bimt_train.whole_files import write_whole

from .._convert import to_networkx
from .._neuron_graph import GraphError, NeuronGraph, NodeId
from ._adopt_graph import AdoptedGraph, adopt_graph
from ._graph_format import GraphFormat, format_of


def graph_text(graph: NeuronGraph, form: GraphFormat, modules: Mapping[NodeId, int] | None = None) -> str:
    """The text of a graph's file.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    form : GraphFormat
        Its format.
    modules : mapping of (str, int) to int, optional
        Neuron -> number of its module, which becomes an attribute; neurons without one have -1.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.graph.exchange._graph_format import GRAPH_FORMATS
    >>> text = graph_text(neuron_graph(Network.of(MLP((2, 1), "tanh"))), GRAPH_FORMATS["graphml"])
    >>> text.count("<node "), text.count("<edge ")
    (3, 2)
    """
    need("networkx", "a file of a graph")
    import networkx as nx

    plain = nx.DiGraph(**to_networkx(graph).graph)
    for node in graph.nodes:
        about = {"group": node.group, "index": node.index, "label": node.label, "depth": node.depth}
        about["coordinates"] = " ".join(repr(float(c)) for c in node.coordinates)
        own = {} if modules is None else {"module": modules.get(node.key, -1)}
        plain.add_node(f"{node.group}.{node.index}", **about, **own)
    ids = list(plain)
    for source, target, weight, sign in zip(*(column.tolist() for column in graph.edges), strict=True):
        plain.add_edge(ids[source], ids[target], weight=weight, sign=sign)
    return str(form.function(plain))


def write_graph(graph: NeuronGraph, path: str | Path, *, modules: Mapping[NodeId, int] | None = None) -> None:
    """Write a graph to a file, in the format that its ending says: ``.graphml``, ``.gexf``, or one of `GRAPH_FORMATS`.

    Node ids are ``group.index``; coordinates are one text of numbers parted by spaces, and in GEXF the places of the
    nodes too. Equal graphs give equal bytes.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    path : str or Path
        The file, which is replaced if it is there.
    modules : mapping of (str, int) to int, optional
        Neuron -> number of its module, which becomes the attribute ``module``, to colour a picture by; neurons without
        one have -1.

    Raises
    ------
    InputError
        No format has this ending, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(Network.of(MLP((2, 1), "tanh")))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_graph(graph, f"{folder}/graph.gexf")
    ...     read_graph(f"{folder}/graph.gexf").graph == graph
    True
    """
    write_whole(path, graph_text(graph, format_of(path), modules))


def read_graph(path: str | Path, *, group: str | None = None, weight: str = "weight") -> AdoptedGraph:
    """Read a graph from a file of any format in `GRAPH_FORMATS`; who wrote it does not matter.

    Nothing in the file is run, and what could make it larger than it is (entities of XML) is refused.

    Parameters
    ----------
    path : str or Path
        The file; its ending tells the format.
    group : str, optional
        The attribute of nodes that names their group, as `adopt_graph` takes it.
    weight : str, default "weight"
        The attribute of edges that holds their weight, as `adopt_graph` takes it.

    Returns
    -------
    AdoptedGraph
        The graph, and what was inferred. A file of `write_graph` gives the graph without loss.

    Raises
    ------
    InputError
        No format has this ending.
    GraphError
        There is no such file, it is of another format or damaged, or `adopt_graph` refuses the graph.

    Examples
    --------
    >>> read_graph("nowhere.graphml")
    Traceback (most recent call last):
        ...
    bimt_analyze.graph._neuron_graph.GraphError: a graph that cannot be read: nowhere.graphml: got No such file or \
directory
    """
    path, form = Path(path), format_of(path)
    try:
        found = form.read(path)
    except InputError:
        raise
    except Exception as error:  # whatever a reader of files meets in somebody's file is told in one line
        got = f"{type(error).__name__}: {error}"
        raise GraphError(f"a file that cannot be read as {form.label}", where=str(path), got=got) from error
    try:
        return adopt_graph(found, group=group, weight=weight)
    except GraphError as error:
        where = ", ".join(filter(None, (str(path), error.where)))
        raise GraphError(error.what, where=where, expected=error.expected, got=error.got, hint=error.hint) from error
