"""XML files of others: refused before they can ask for anything."""

from pathlib import Path
from typing import Any
from xml.parsers import expat

from .._neuron_graph import GraphError


def check_plain_xml(path: Path) -> None:
    """Pass if a file is well-formed XML without a document type, the only place where entities are declared.

    A few lines of entities can stand for gigabytes of text, or for other files of the machine. No program writes them
    into a graph.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    GraphError
        The file is not there, is no XML, or declares a document type.
    """

    def refuse(name: str, *rest: Any) -> None:
        hint = "take the <!DOCTYPE ...> out of the file"
        raise GraphError("a graph with a document type", where=str(path), got=f"<!DOCTYPE {name}>", hint=hint)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except OSError as error:
        raise GraphError("a graph that cannot be read", where=str(path), got=str(error.strerror or error)) from error
    except expat.ExpatError as error:
        hint = "the file is damaged, or of another kind"
        raise GraphError("a graph that is no XML", where=str(path), got=str(error), hint=hint) from error
