"""``bimt-analyze graph.graphml``: what the weights of somebody's graph say, where there is no network."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bimt_train import InputError

from ..graph import GRAPH_FORMATS, format_of, graph_text, read_graph

TAKEN = frozenset({"checkpoint", "json", "graph", "samples", "seed", "quiet"})
"""The parameters of the command that a graph has a use for."""


def is_graph(sources: Sequence[Path]) -> bool:
    """Whether a call is for one file of a graph.

    Parameters
    ----------
    sources : sequence of Path
        What the call names.

    Returns
    -------
    bool
        By the ending.
    """
    return len(sources) == 1 and sources[0].suffix.lower() in {form.ending for form in GRAPH_FORMATS.entries()}


def graph_findings(context: click.Context) -> tuple[str, dict[Path, str]]:
    """Audit the graph that a call names.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    said : str
        What was inferred, and what was found.
    texts : dict of Path to str
        The files that were asked for, with their content.

    Raises
    ------
    InputError
        An option that is for networks, or a file that cannot be used.
    """
    from ..audits import audit_graph

    given: Mapping[str, Any] = context.params
    for option in context.command.params:
        name = str(option.name)
        asked = context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
        if option.expose_value and asked and name not in TAKEN:
            hint = "leave it out: a graph has weights and no network"
            raise InputError("an option for networks", where=str(given["checkpoint"][0]), got=option.opts[0], hint=hint)
    form = None if given["graph"] is None else format_of(given["graph"])
    adopted = read_graph(given["checkpoint"][0])
    found = audit_graph(adopted.graph, samples=given["samples"], seed=given["seed"])
    texts = {}
    if given["json"] is not None:
        said = {**found.to_json(), "assumed": adopted.assumed}
        texts[given["json"]] = json.dumps(said, indent=2) + "\n"
    if form is not None:
        modules = {node: number for number, nodes in enumerate(found.choice.partition.modules, 1) for node in nodes}
        texts[given["graph"]] = graph_text(adopted.graph, form, modules)
    return "\n".join((*(f"assumed: {sentence}" for sentence in adopted.assumed), *found.summary())), texts
