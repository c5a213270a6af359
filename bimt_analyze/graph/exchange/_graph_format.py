"""The registry of formats of graph files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bimt_train.registry import Registry

from ..._file_format import FileFormat, format_by_ending

_HERE = "bimt_analyze.graph.exchange"


@dataclass(frozen=True, kw_only=True)
class GraphFormat(FileFormat):
    """A format of files that hold graphs.

    ``function`` takes a networkx.DiGraph whose attributes are plain (texts, whole numbers, floats) and returns the
    file's text.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What it is called in messages.
    sentence : str
        One sentence that says who reads it.
    function : callable
        As above.
    read : callable
        Takes the path of a file, which may be anybody's, and returns a networkx graph of any kind.
    ending : str
        Of the files, with its dot.

    Examples
    --------
    >>> GRAPH_FORMATS["gexf"].ending
    '.gexf'
    """

    read: Callable[[Path], Any]


GRAPH_FORMATS: Registry[GraphFormat] = Registry(
    "graph format",
    GraphFormat,
    builtin={"graphml": f"{_HERE}._graphml", "gexf": f"{_HERE}._gexf"},
    group="bimt.graph_formats",
)
"""Every format that graphs are read from and written in."""


def format_of(path: str | Path) -> GraphFormat:
    """The format that the ending of a file's name says.

    Parameters
    ----------
    path : str or Path
        The file, which need not be there.

    Returns
    -------
    GraphFormat
        Its format.

    Raises
    ------
    InputError
        No format has this ending.

    Examples
    --------
    >>> format_of("circuit.graphml").label
    'GraphML'
    """
    return format_by_ending(GRAPH_FORMATS, path, "a graph of an unknown format")
