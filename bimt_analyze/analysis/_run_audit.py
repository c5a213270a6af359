"""From a checkpoint or a network to its audit, in one call."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.expressions import Decomposition
from bimt_train.extras import installed

from .._circuit_of import all_inputs, circuit_to_analyse, graph_of
from .._network_size import check_memory
from .._sources import opened
from ..audits import MEASURES, NULL_MODELS, Audit, AuditSubject
from ..audits._audit import audited
from ..audits._deadline import Deadline
from ..audits._subject import Subject
from ..audits.chance._significance import FEWEST
from ..audits.chance._statistics import STATISTICS
from ..graph import EDGE_WEIGHTS, NeuronGraph
from ..modules import Choice, Hierarchy, choose_level, hierarchy
from ..options._analysis_options import AnalysisOptions
from ._within_reach import within_reach

if TYPE_CHECKING:
    from torch import nn

    from ..audits.functions._functional_modules import FunctionalModules

Progress = Callable[[str], None]


def audit(
    source: "Checkpoint | Network | nn.Module | str | Path",
    options: AnalysisOptions | None = None,
    *,
    x: Any = None,
    y: Any = None,
    decomposition: Decomposition | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Audit:
    """Tell whether a network is modular, how much of that is chance, and what its modules do.

    docs/audit.md explains every number, and what it does not show. One source, one set of options and one seed always
    give the same audit. Where torch is not installed, the network is not run: its weights alone are looked at, and the
    verdict says what is left out.

    Parameters
    ----------
    source : Checkpoint, Network, torch.nn.Module, str or Path
        A checkpoint, its file, a folder of them (the best seed is taken); or a network or any module, with its rows.
    options : AnalysisOptions or None
        Seed, number of null networks and all else; the defaults if left out.
    x : array of shape (rows, ...), tuple or mapping of them, or None
        For a network or a module: rows of what it takes.
    y : array of shape (rows, outputs) or None
        For a network or a module: targets in the units of its outputs; its own outputs if left out.
    decomposition : Decomposition or None
        For a network or a module: the known decomposition of its task, if there is one.
    progress : callable or None
        Is called with the name of each stage as it begins.
    **changes
        Fields of `AnalysisOptions` that differ from ``options``, for instance ``samples=50``.

    Returns
    -------
    Audit
        The results of every measure, and the verdict.

    Raises
    ------
    CheckpointError
        There is no such file or folder, or it cannot be read.
    InputError
        Rows for a checkpoint, none for a network, fewer than 20 null networks, an unknown option, or a network whose
        inputs or outputs are not one group of neurons (`bimt_analyze.graph.with_ends`).

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 4, 1)] * 2, seed=0)
    >>> found = audit(planted.network, x=planted.x, samples=20, retrain_steps=0, refit_steps=0)
    >>> len(found.modules)
    2
    """
    chosen = (options or AnalysisOptions()).with_changes(**changes)
    check_options(chosen, audit=True)
    tell, deadline = progress or silent, Deadline.after(chosen.minutes)
    tell("read")
    name, checkpoint = opened(source, x, y, decomposition)
    tell("prune")
    check_memory(checkpoint.network, chosen.memory)
    circuit = circuit_to_analyse(checkpoint, chosen)
    graph = graph_of(circuit.network, checkpoint, edge_weight=chosen.edge_weight, memory=chosen.memory)
    chosen = within_reach(chosen, graph)
    tell("modules")
    levels = hierarchy_of(graph, chosen)
    subject = Subject(source=name, checkpoint=checkpoint, circuit=circuit, graph=graph, levels=levels, options=chosen)
    return audit_of(subject, deadline=deadline, progress=tell)


def audit_of(subject: Subject, *, deadline: Deadline, progress: Progress) -> Audit:
    """The audit of a circuit whose hierarchy is found.

    Parameters
    ----------
    subject : Subject
        The circuit, and the network that it comes from.
    deadline : Deadline
        When the last measure has to end.
    progress : callable
        Is called with the label of each measure as it begins.

    Returns
    -------
    Audit
        The results of every measure, and the verdict.
    """
    if not subject.graph.has_ends:
        hint = "name the groups inputs and outputs in a layout of your own (bimt_train.layouts.draft_layout)"
        raise InputError("it is not known at which neurons the network begins or ends", where=subject.source, hint=hint)
    progress("effects")
    functional, choice = _by_effects(subject)
    seen = {each.name: getattr(subject, each.name) for each in fields(Subject)}
    return audited(AuditSubject(**seen, functional=functional, choice=choice), deadline=deadline, progress=progress)


def _by_effects(subject: Subject) -> "tuple[FunctionalModules | None, Choice]":
    """The functional modules, and the level that is audited: the one of the weights where there are none."""
    choice, network = choose_level(subject.levels), subject.network
    if not (network.layout.ends_are_neurons and installed("torch")):
        return None, choice
    from ..audits.functions._functional_modules import functional_choice, functional_modules

    try:
        served = functional_modules(network, subject.graph, all_inputs(subject.checkpoint))
    except InputError:
        return None, choice  # the measure of functional modules says so
    return served, functional_choice(choice, subject.levels, served, subject.graph)


def hierarchy_of(graph: NeuronGraph, options: AnalysisOptions) -> Hierarchy:
    """The hierarchy of a graph, with the resolutions, leaks and runs that the options ask for.

    Parameters
    ----------
    graph : NeuronGraph
        The graph of a circuit.
    options : AnalysisOptions
        All that was asked for.

    Returns
    -------
    Hierarchy
        All levels at which the graph can be cut into modules.
    """
    return hierarchy(
        graph, resolutions=options.resolutions, leaks=options.leaks, runs=options.leiden_runs, seed=options.seed
    )


def check_options(options: AnalysisOptions, *, audit: bool) -> None:
    """Pass if every name in the options can be found, and an audit has enough null networks to show anything.

    Parameters
    ----------
    options : AnalysisOptions
        All that was asked for.
    audit : bool
        Whether the modules are audited.

    Raises
    ------
    InputError
        An unknown name, or so few null networks or controls that no p can be below 0.05.
    """
    if options.edge_weight is not None:
        EDGE_WEIGHTS[options.edge_weight]
    if not audit:
        return
    for registry, names in (
        (NULL_MODELS, options.null_models), (STATISTICS, options.statistics), (MEASURES, options.measures),
    ):  # fmt: skip
        for name in names:
            registry[name]
    if options.samples < FEWEST:
        expected, got = f"{FEWEST} or more, as p is at least 1 / (1 + samples)", str(options.samples)
        raise InputError("too few samples", where="samples", expected=expected, got=got, hint="use 200")
    if 0 < options.controls < FEWEST:
        expected, got = f"0, or {FEWEST} or more, as p is at least 1 / (1 + controls)", str(options.controls)
        raise InputError("too few controls", where="controls", expected=expected, got=got, hint="use 20")


def silent(stage: str) -> None:
    """Tell nobody of a stage.

    Parameters
    ----------
    stage : str
        Its name.
    """
