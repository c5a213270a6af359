"""The kinds of things that a call can be about, and which of them it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from bimt_train import InputError
from bimt_train.tasks.tables.table_flags import TABLE_WORDS

from ._certificate_command import check_proof, is_certificate
from ._fleet_command import analyze_fleet, is_fleet
from ._graph_command import GRAPH_TAKES, audit_of_graph, is_graph
from ._law_command import LAW_TAKES, is_law, laws_of_table
from ._motion_command import MOTION_TAKES, is_motion, laws_of_motion
from ._network_command import analyze_network
from ._outputs import check_outputs
from ._saying import is_given


@dataclass(frozen=True)
class Kind:
    """A kind of thing that a call can be about.

    Attributes
    ----------
    what : str
        What the call names.
    is_named : callable
        Whether a call names one, told from its options.
    answer : callable
        What the call then does; returns the exit status.
    takes : frozenset of str
        The parameters that it has a use for; empty for all.
    """

    what: str
    is_named: Callable[[Mapping[str, Any]], bool]
    answer: Callable[[click.Context], int]
    takes: frozenset[str] = frozenset()


KINDS = (
    Kind("a proof", is_certificate, check_proof),
    Kind("a graph", is_graph, audit_of_graph, GRAPH_TAKES),
    Kind("a table of trajectories", is_motion, laws_of_motion, MOTION_TAKES),
    Kind("a table without a network", is_law, laws_of_table, LAW_TAKES),
    Kind("several networks", is_fleet, analyze_fleet),
    Kind("one network", lambda given: True, analyze_network),
)
"""The first that a call names is the one that it is about."""


def answer(context: click.Context) -> int:
    """Do what a call asks of the thing that it names.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    InputError
        An option that this kind of thing has no use for, or a file that would be written over.
    """
    check_outputs(context.params)
    kind = next(kind for kind in KINDS if kind.is_named(context.params))
    for option in context.command.params:
        name = str(option.name)
        if kind.takes and option.expose_value and name not in kind.takes and is_given(context, name):
            source = ", ".join(map(str, context.params["checkpoint"]))
            hint = f"leave it out: {source} is taken for {kind.what}"
            raise InputError("an option for networks", where=source, got=option.opts[0], hint=hint)
        if not kind.takes and name in TABLE_WORDS and is_given(context, name) and context.params["probe"] is None:
            raise InputError("an option for tables", got=option.opts[0], hint="give the table with --probe")
    return kind.answer(context)
