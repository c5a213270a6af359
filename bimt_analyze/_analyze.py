"""From a checkpoint to a report, in one call."""

import importlib.metadata
import logging
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bimt_train import Circuit
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.expressions import Decomposition

from ._circuit_of import all_inputs, circuit_to_analyse, graph_of
from ._network_size import check_memory
from ._output_formulas import formulas_of, withheld
from ._run_audit import (
    Progress,
    audit_of,
    backbone_told,
    check_options,
    hierarchy_of,
    less_than_asked,
    silent,
    within_reach,
)
from ._sources import opened
from .audits import Agreement, Audit, Significance, agreement
from .audits._deadline import Deadline
from .audits._deciding_test import deciding, deciding_test
from .audits.functions._group_significance import significance_of_groups
from .audits.functions._input_and_output_groups import groups_of_circuit
from .graph import NeuronGraph
from .module_formulas import module_formulas
from .modules import Hierarchy, choose_level, in_task_order
from .options._analysis_options import AnalysisOptions
from .report import NetworkFit, Report
from .representations import interpretation

if TYPE_CHECKING:
    from torch import nn


_log = logging.getLogger(__name__)

PACKAGES = ("bimt", "torch", "numpy", "scipy", "sympy", "igraph", "scikit-learn")


@dataclass(frozen=True)
class _Stages:
    """Tells what is done now, and keeps how long it took."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        _log.info("analysis: %s", name)
        if self.progress is not None:
            self.progress(name)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


def analyze(
    source: "Checkpoint | Network | nn.Module | str | Path",
    options: AnalysisOptions | None = None,
    *,
    x: Any = None,
    y: Any = None,
    decomposition: Decomposition | None = None,
    progress: Progress | None = None,
    name: str | None = None,
    **changes: Any,
) -> Report:
    """Prune a network, find its modules and formulas, and compare them with what is known of the task.

    The circuit (`bimt_train.prune`) gives the graph, the graph its hierarchy of modules and the level to report
    (`choose_level`, which never sees the decomposition), and hints for the formulas. Formulas are searched on the
    checkpoint's training rows and verified on its test rows and, where the task states them, the known formulas.

    Parameters
    ----------
    source : Checkpoint, Network, torch.nn.Module, str or Path
        A checkpoint, its file, a folder of them (the best seed is taken); or a network or any module, with its rows.
    options : AnalysisOptions or None
        Seed, tolerance of pruning, null networks, time limit and all else; the defaults if left out. A network whose
        inputs are tokens is not compared with a decomposition. Classifiers have no formulas.
    x : array of shape (rows, ...), tuple or mapping of them, or None
        For a network or a module: rows of what it takes.
    y : array of shape (rows, outputs) or None
        For a network or a module: targets in the units of its outputs; its own outputs if left out.
    decomposition : Decomposition or None
        For a network or a module: the known decomposition of its task, if there is one.
    progress : callable or None
        Is called with the name of each stage as it begins.
    name : str or None
        What the report calls the source; the file's path if left out.
    **changes
        Fields of `AnalysisOptions` that differ from ``options``, for instance ``samples=50``.

    Returns
    -------
    Report
        All that was found.

    Raises
    ------
    CheckpointError
        There is no such file or folder, or it cannot be read.
    InputError
        An option out of its range or unknown, ``genetic`` without pyoperon, or an audit of too few samples or of a
        network that begins or ends at no one group of neurons.

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import formula_task
    >>> runs = train(formula_task(["y = x1 + x2"]), seeds=1, recipe=Recipe(steps=40))
    >>> report = analyze(runs.best.checkpoint, samples=0, time_limit=0)
    >>> report.circuit.edges > 0
    True
    """
    chosen = (options or AnalysisOptions()).with_changes(**changes)
    check_options(chosen, audit=chosen.audit)
    stages = _Stages(progress)
    deadline = Deadline.after(chosen.minutes, reserved=2 * chosen.time_limit)  # of outputs and of modules
    with stages.stage("read"):
        called, checkpoint = opened(source, x, y, decomposition)
        name, fit = called if name is None else name, NetworkFit.of(checkpoint)
    check_memory(checkpoint.network, chosen.memory)
    with stages.stage("prune"):
        circuit = circuit_to_analyse(checkpoint, chosen)
    network = circuit.network
    with stages.stage("modules"):
        graph = graph_of(network, checkpoint, edge_weight=chosen.edge_weight, memory=chosen.memory)
        if graph.weights == "magnitude" and chosen.edge_weight is None:
            fit = fit.assuming("edges: weighed by magnitude, as what a weight reads and writes cannot be followed")
        if graph.is_backbone:
            fit = fit.assuming(backbone_told(graph))
        asked, chosen = chosen, within_reach(chosen, graph)
        if chosen != asked:
            fit = fit.assuming(less_than_asked(chosen, graph))
        levels = hierarchy_of(graph, chosen)
        choice = choose_level(levels)
        groups = groups_of_circuit(network, checkpoint, levels)
    audited: Audit | None = None
    agreed: Agreement | None
    tested: Significance | None
    with stages.stage("audit"):
        if chosen.audit:
            tell = progress or silent
            audited = audit_of(name, checkpoint, circuit, graph, levels, chosen, deadline=deadline, progress=tell)
            agreed, tested, choice = audited.get("agreement"), deciding(audited["nulls"]), audited.choice
            tested_groups = audited.get("group_significance")
        else:
            tested_groups = significance_of_groups(
                network, checkpoint, groups, samples=chosen.samples, seed=chosen.seed
            )
            agreed, tested = _held_against(checkpoint, network, graph, levels, chosen)
    with stages.stage("representations"):
        read = interpretation(checkpoint, network)
    with stages.stage("formulas"):
        formulas = withheld(formulas_of(checkpoint, network, chosen), fit)
    with stages.stage("module formulas"):
        written = None
        if chosen.time_limit > 0:
            modules = in_task_order(network, choice.level.partition)
            written = module_formulas(
                checkpoint, network, modules, formulas, time_limit=chosen.time_limit, seed=chosen.seed
            )
    return Report(
        checkpoint=checkpoint,
        circuit=circuit,
        graph=graph,
        partition=choice.level.partition,
        level=choice.level.name,
        reason=choice.reason,
        formulas=formulas,
        agreement=agreed,
        significance=tested,
        interpretation=read,
        provenance=_provenance(name, checkpoint, circuit, graph, chosen, stages.seconds),
        audit=audited,
        fit=fit,
        levels=tuple(dict.fromkeys((*levels.levels, choice.level))),
        groups=groups,
        tested_groups=tested_groups,
        module_formulas=written,
    )


def _provenance(
    name: str,
    checkpoint: Checkpoint,
    circuit: Circuit,
    graph: NeuronGraph,
    options: AnalysisOptions,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """What would be needed to make the report again; options as they took effect."""
    parameters = options.to_json() | {"refit_steps": circuit.refit_steps, "edge_weight": graph.weights}
    del parameters["seed"], parameters["processes"]  # the one stands beside, the other changes no number
    return {
        "source": name,
        "versions": _versions(),
        "seeds": {"training": checkpoint.config.get("seed"), "analysis": options.seed},
        "parameters": parameters,
        "training": dict(checkpoint.config),
        "seconds": dict(seconds),
    }


def _held_against(
    checkpoint: Checkpoint, network: Network, graph: NeuronGraph, levels: Hierarchy, options: AnalysisOptions
) -> tuple[Agreement | None, Significance | None]:
    """The modules against the decomposition, where inputs and outputs are neurons, and against null networks."""
    known, x = checkpoint.task.decomposition, all_inputs(checkpoint)
    agreed = None
    if known is not None and network.layout.ends_are_neurons:
        agreed = agreement(network, known, x=x, graph=graph, levels=levels)
    if not options.samples or not graph.has_ends:
        return agreed, None
    return agreed, deciding_test(network, graph, x, options)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
