"""``bimt-analyze graph.graphml``: what the weights of somebody's graph say, where there is no network."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..graph import read_graph
from ..graph.exchange._graph_files import graph_text
from ..graph.exchange._graph_format import GRAPH_FORMATS, format_of
from ..viewer import network_view
from ._saying import tell_found

GRAPH_TAKES = frozenset({"checkpoint", "json", "graph", "view", "samples", "seed", "quiet"})
"""The parameters of the command that a graph has a use for."""


def is_graph(given: Mapping[str, Any]) -> bool:
    """Whether a call is for one file of a graph, by its ending.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.
    """
    sources: Sequence[Path] = given["checkpoint"]
    return len(sources) == 1 and sources[0].suffix.lower() in {form.ending for form in GRAPH_FORMATS.entries()}


def audit_of_graph(context: click.Context) -> int:
    """Audit the graph that a call names.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    int
        The exit status.
    """
    from ..audits import audit_graph

    given: Mapping[str, Any] = context.params
    form = None if given["graph"] is None else format_of(given["graph"])
    adopted = read_graph(given["checkpoint"][0])
    found = audit_graph(adopted.graph, samples=given["samples"], seed=given["seed"])
    texts = {}
    if given["json"] is not None:
        texts[given["json"]] = json.dumps({**found.to_json(), "assumed": adopted.assumed}, indent=2) + "\n"
    modules = found.choice.partition.modules
    if given["view"] is not None:
        texts[given["view"]] = network_view(adopted.graph, modules=modules, title=given["checkpoint"][0].stem).html()
    if form is not None:
        numbers = {node: number for number, nodes in enumerate(modules, 1) for node in nodes}
        texts[given["graph"]] = graph_text(adopted.graph, form, numbers)
    said = [*(f"assumed: {sentence}" for sentence in adopted.assumed), *found.summary()]
    return tell_found("\n".join(said), texts, graph=given["graph"])
