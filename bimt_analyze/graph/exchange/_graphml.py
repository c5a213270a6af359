"""GraphML files."""

from pathlib import Path
from typing import Any

from bimt_train.extras import need

from ._graph_format import GRAPH_FORMATS
from ._plain_xml import check_plain_xml


def read_graphml_file(path: Path) -> Any:
    """Read anybody's GraphML.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    networkx graph
        Of the kind that the file says.
    """
    need("networkx", "a GraphML file")
    import networkx as nx

    check_plain_xml(path)
    return nx.read_graphml(path)


@GRAPH_FORMATS.register(
    "graphml",
    label="GraphML",
    sentence="Read by Gephi, Cytoscape, yEd, igraph and networkx.",
    read=read_graphml_file,
    ending=".graphml",
)
def graphml_text(graph: Any) -> str:
    """GraphML of a graph whose attributes are plain.

    Parameters
    ----------
    graph : networkx.DiGraph
        The graph.

    Returns
    -------
    str
        The file's text.
    """
    import networkx as nx

    return "\n".join(nx.generate_graphml(graph, named_key_ids=True)) + "\n"
