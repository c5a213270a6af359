"""GEXF files. The format has no attributes of a graph, so those stand in its name, as JSON."""

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

from bimt_train.extras import need

from ._graph_format import GRAPH_FORMATS
from ._plain_xml import check_plain_xml


def read_gexf_file(path: Path) -> Any:
    """Read anybody's GEXF.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    networkx graph
        Of the kind that the file says.
    """
    need("networkx", "a GEXF file")
    import networkx as nx

    check_plain_xml(path)
    found = nx.read_gexf(path)
    found.graph |= _about(str(found.graph.get("name", "")))
    return found


def _about(name: str) -> dict[str, Any]:
    try:
        said = json.loads(name)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


@GRAPH_FORMATS.register(
    "gexf",
    label="GEXF",
    sentence="Read by Gephi and networkx, with the places of the nodes.",
    read=read_gexf_file,
    ending=".gexf",
)
def gexf_text(graph: Any) -> str:
    """GEXF of a graph whose attributes are plain; nodes stand where they are, a layer above the one before it.

    Parameters
    ----------
    graph : networkx.DiGraph
        The graph.

    Returns
    -------
    str
        The file's text, the same for equal graphs.
    """
    import networkx as nx
    from networkx.readwrite.gexf import GEXFWriter

    placed = nx.DiGraph(name=json.dumps(graph.graph))
    for node, data in graph.nodes(data=True):
        placed.add_node(node, **data, viz={"position": _place(data)})
    placed.add_edges_from(graph.edges(data=True))
    writer = GEXFWriter(placed, version="1.2draft")
    writer.indent(writer.xml)
    del writer.xml.find("meta").attrib["lastmodifieddate"]
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(writer.xml, encoding="unicode") + "\n"


def _place(data: dict[str, Any]) -> dict[str, float]:
    """The coordinates, up to three; a place that is free is the layer's."""
    numbers = [float(word) for word in data["coordinates"].split()][:3]
    return dict(zip("xyz", [*numbers, float(data["depth"]), 0.0, 0.0], strict=False))
