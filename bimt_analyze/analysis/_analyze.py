"""From a checkpoint to a report, in one call."""

import importlib.metadata
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.expressions import Decomposition
from bimt_train.extras import installed

from .._circuit_of import all_inputs, circuit_to_analyse, graph_of
from .._network_size import check_memory
from .._sources import opened
from ..audits._deadline import Deadline
from ..audits._deciding_test import deciding, deciding_test
from ..modules import choose_level
from ..options._analysis_options import AnalysisOptions
from ..report import Report
from ..report._network_fit import NetworkFit
from ._run_audit import Progress, check_options, hierarchy_of
from ._seen import AnalysisSubject, Stages, Told
from ._within_reach import backbone_told, less_than_asked, within_reach

if TYPE_CHECKING:
    from torch import nn

PACKAGES = ("bimt", "torch", "numpy", "scipy", "sympy", "igraph", "scikit-learn")


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

    The circuit (`bimt_train.prune`) gives the graph, and hints for the formulas. The graph gives the hierarchy of
    modules and the level to report (`choose_level`, which never sees the decomposition). Formulas are searched on the
    checkpoint's training rows. They are verified on its test rows and, where the task states them, by the known
    formulas.

    Parameters
    ----------
    source : Checkpoint, Network, torch.nn.Module, str or Path
        A checkpoint, its file, a folder of them (the best seed is taken); or a network or any module, with its rows.
    options : AnalysisOptions or None
        Seed, tolerance of pruning, null networks, time limit and all else; the defaults if left out. A network whose
        inputs are tokens is not compared with a decomposition. Of a classifier, the log-odds of its classes are sought.
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
        network whose inputs or outputs are not one group of neurons.

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
    stages = Stages(progress)
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
        if installed("torch") and graph.weights == "magnitude" and chosen.edge_weight is None:
            fit = fit.assuming("edges: weighted by magnitude, as what a weight reads and writes cannot be followed")
        if graph.is_backbone:
            fit = fit.assuming(backbone_told(graph))
        asked, chosen = chosen, within_reach(chosen, graph)
        if chosen != asked:
            fit = fit.assuming(less_than_asked(chosen, graph))
        levels = hierarchy_of(graph, chosen)
    seen = AnalysisSubject(
        source=name, checkpoint=checkpoint, circuit=circuit, graph=graph, levels=levels, options=chosen,
        fit=fit, deadline=deadline,
    )  # fmt: skip
    if installed("torch"):
        from ._by_running import by_running

        told = by_running(seen, stages)
    else:
        told = _by_weights(seen, stages)
    return Report(
        checkpoint=checkpoint,
        circuit=circuit,
        graph=graph,
        partition=told.choice.level.partition,
        level=told.choice.level.name,
        reason=told.choice.reason,
        formulas=told.formulas,
        agreement=told.agreement,
        significance=told.significance,
        interpretation=told.interpretation,
        provenance=_provenance(seen, stages.seconds),
        audit=told.audit,
        fit=fit,
        levels=tuple(dict.fromkeys((*levels.levels, told.choice.level))),
        groups=told.groups,
        tested_groups=told.tested_groups,
        class_formulas=told.class_formulas,
        module_formulas=told.module_formulas,
        driving=told.driving,
        motion=told.motion,
    )


def _by_weights(seen: AnalysisSubject, stages: Stages) -> Told:
    """What the weights tell by themselves."""
    chosen, graph = seen.options, seen.graph
    with stages.stage("audit"):
        if chosen.audit:
            found = seen.audit(stages.tell)
            return Told(choice=found.choice, significance=deciding(found["nulls"]), audit=found)
        tested = None
        if chosen.samples and graph.has_ends:
            tested = deciding_test(seen.network, graph, all_inputs(seen.checkpoint), chosen)
        return Told(choice=choose_level(seen.levels), significance=tested)


def _provenance(seen: AnalysisSubject, seconds: Mapping[str, float]) -> dict[str, Any]:
    """What would be needed to make the report again; options as they took effect."""
    config, options = seen.checkpoint.config, seen.options
    parameters = options.to_json() | {"refit_steps": seen.circuit.refit_steps, "edge_weight": seen.graph.weights}
    del parameters["seed"], parameters["processes"]  # the one stands beside, the other changes no number
    return {
        "source": seen.source,
        "versions": _versions(),
        "seeds": {"training": config.get("seed"), "analysis": options.seed},
        "parameters": parameters,
        "training": dict(config),
        "seconds": dict(seconds),
    }


def _versions() -> dict[str, str]:
    """Of Python, and of those of `PACKAGES` that are installed."""
    told = {name: _version(name) for name in PACKAGES}
    return {"python": platform.python_version()} | {name: version for name, version in told.items() if version}


@cache
def _version(package: str) -> str:
    """Of a package; nothing where it is not installed. To read it takes a millisecond."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
