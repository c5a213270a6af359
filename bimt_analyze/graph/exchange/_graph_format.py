"""The registry of formats of graph files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bimt_train import Entry, InputError, Registry

_HERE = "bimt_analyze.graph.exchange"


@dataclass(frozen=True, kw_only=True)
class GraphFormat(Entry):
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
    ending: str


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
    ending = Path(path).suffix.lower()
    for entry in GRAPH_FORMATS.entries():
        if entry.ending == ending:
            return entry
    expected = ", ".join(entry.ending for entry in GRAPH_FORMATS.entries())
    hint = "name the file with one of these endings"
    raise InputError(
        "a graph of an unknown format", where=str(path), expected=expected, got=ending or "none", hint=hint
    )
