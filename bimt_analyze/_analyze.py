"""From a checkpoint to a report, in one call."""

import importlib.metadata
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bimt_train.checkpoints import Checkpoint, Network

from ._circuit_of import all_inputs, circuit_of, graph_of
from ._run_audit import Progress, audit_of, check_samples
from ._sources import best_checkpoint, open_checkpoint
from .audits import HEADLINE, Agreement, Audit, Significance, agreement, significance
from .graph import NeuronGraph
from .modules import Hierarchy, choose_level, hierarchy
from .report import Report
from .representations import reading

if TYPE_CHECKING:
    from .formulas import Formula, Structure

PACKAGES = ("bimt", "torch", "numpy", "scipy", "sympy", "igraph", "scikit-learn")


@dataclass(frozen=True)
class _Stages:
    """Tells what is done now, and keeps how long it took."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(name)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


def analyze(
    source: Checkpoint | str | Path,
    *,
    seed: int = 0,
    tolerance: float = 0.05,
    refit_steps: int = 60,
    samples: int = 200,
    seconds: float = 10.0,
    evolve: bool = False,
    audit: bool = False,
    retrain_steps: int = 1000,
    processes: int | None = None,
    progress: Progress | None = None,
    name: str | None = None,
) -> Report:
    """Prune the network, find its modules, read its formulas, and hold all of it against what is known of the task.

    The circuit (`bimt_train.prune`) gives the graph, the graph its hierarchy of modules and the level to report
    (`choose_level`, which never sees the known parts), and hints for the formulas. Formulas are searched on the
    checkpoint's training rows and proven on its test rows and, where the task states them, the known formulas.

    Args:
        source: a checkpoint, its file, or a folder of them, of which the best seed is taken.
        seed: of everything random in the analysis.
        tolerance: of pruning, a fraction of the loss.
        refit_steps: of pruning; a short refit lets weights that only correct for others' absence go. 0 keeps the
            weights as they are, and so does a network too large for it (`circuit_of`).
        samples: null networks that the modules are held against; 0 for no test of significance. A network whose inputs
            are tokens is not held against known parts.
        seconds: for the search of all formulas together; 0 looks for none. Classifiers have none.
        evolve: genetic programming by pyoperon, in the last third of that time, for what has no formula by then.
        audit: the whole audit too (`bimt_analyze.audit`), with as many samples of every null model.
        retrain_steps: of the audit's null networks that are trained anew; 0 trains none.
        processes: that train these at once; one a core if left out.
        progress: is called with the name of each stage as it begins.
        name: of the source, as the report says it; the file's path if left out.

    Raises:
        CheckpointError: no such file or folder, or one that cannot be read.
        InputError: an impossible tolerance, ``evolve`` without pyoperon, or an audit of too few samples or of a network
            that begins or ends at no one group of neurons.
    """
    if audit:
        check_samples(samples)
    stages = _Stages(progress)
    with stages.stage("read"):
        checkpoint = source if isinstance(source, Checkpoint) else open_checkpoint(source)
        if name is None:
            name = "in memory" if isinstance(source, Checkpoint) else str(best_checkpoint(source))
    with stages.stage("prune"):
        circuit = circuit_of(checkpoint, tolerance=tolerance, refit_steps=refit_steps)
    network = circuit.network
    with stages.stage("modules"):
        graph = graph_of(network, checkpoint)
        levels = hierarchy(graph, seed=seed)
        choice = choose_level(levels)
    audited: Audit | None = None
    agreed: Agreement | None
    tested: Significance | None
    with stages.stage("audit"):
        if audit:
            audited = audit_of(
                name, checkpoint, circuit, graph, levels, seed=seed, samples=samples, retrain_steps=retrain_steps,
                processes=processes, progress=progress or (lambda stage: None),
            )  # fmt: skip
            agreed, tested, choice = audited.agreement, audited.nulls[HEADLINE], audited.choice
        else:
            agreed, tested = _held_against(checkpoint, network, graph, levels, samples=samples, seed=seed)
    with stages.stage("representations"):
        read = reading(checkpoint, network)
    with stages.stage("formulas"):
        formulas = formulas_of(checkpoint, network, seconds=seconds, seed=seed, evolve=evolve)
    parameters = {
        "tolerance": tolerance,
        "refit_steps": circuit.refit_steps,
        "samples": samples,
        "formula_seconds": seconds,
        "evolve": evolve,
        "edge_weights": graph.weights,
    } | ({"retrain_steps": retrain_steps} if audit else {})
    provenance = {
        "source": name,
        "versions": _versions(),
        "seeds": {"training": checkpoint.config.get("seed"), "analysis": seed},
        "parameters": parameters,
        "training": dict(checkpoint.config),
        "seconds": stages.seconds,
    }
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
        reading=read,
        provenance=provenance,
        audit=audited,
    )


def _held_against(
    checkpoint: Checkpoint, network: Network, graph: NeuronGraph, levels: Hierarchy, *, samples: int, seed: int
) -> tuple[Agreement | None, Significance | None]:
    """The modules against the known parts, where inputs and outputs are neurons, and against null networks."""
    known, x = checkpoint.card.parts, all_inputs(checkpoint)
    agreed = None
    if known is not None and network.layout.ends_are_neurons:
        agreed = agreement(network, known, x=x, graph=graph, levels=levels)
    ends = {graph.inputs, graph.outputs} <= set(graph.groups)
    return agreed, significance(graph, samples=samples, seed=seed) if samples and ends else None


def formulas_of(
    checkpoint: Checkpoint, circuit: Network, *, seconds: float, seed: int, evolve: bool = False
) -> Mapping[str, "Formula"]:
    """A formula for each output of a task with numbers as targets; what one leaves of its time, the next may use.

    None where there is no time for them.
    """
    from .formulas import Differentiable, find_formula, prove

    card, probe = checkpoint.card, checkpoint.probe
    found: dict[str, Formula] = {}
    if card.classifies or seconds == 0:
        return found
    ends = time.monotonic() + seconds
    for place, output in enumerate(card.outputs):
        share = (ends - time.monotonic()) / (len(card.outputs) - place)

        network = Differentiable((checkpoint,), place)
        structure = hints(checkpoint, circuit, place)
        formula = find_formula(
            probe.x_train, probe.y_train[:, place], names=card.inputs, output=output,
            structure=structure, network=network, seconds=max(share, 0.1), seed=seed, evolve=evolve,
        )  # fmt: skip
        if formula.message.startswith("interrupted"):
            ends = time.monotonic()  # the others get the least there is
        known = card.parts is not None and card.parts.has_expressions
        truth = card.parts.expression(output).sympy() if card.parts is not None and known else None
        found[output] = prove(
            formula,
            x_held=probe.x_test,
            y_held=probe.y_test[:, place],
            truth=truth,
            ranges=card.ranges,
            network=network,
            terms=() if structure is None else structure.terms,
            seed=seed,
        )
    return found


def hints(checkpoint: Checkpoint, circuit: Network, output: int) -> "Structure | None":
    """What the circuit says about an output, in the task's units; None where it is no plain chain of layers."""
    from .formulas import read_structure

    connections = circuit.connections()
    order = [group.name for group in circuit.layout.groups]
    if [(c.source, c.target) for c in connections] != list(pairwise(order)):
        return None
    matrices = [c.matrix.astype(np.float64) for c in connections]
    if checkpoint.card.input_scale is not None:
        matrices[0] = matrices[0] / np.array(checkpoint.card.input_scale)
    return read_structure(matrices, names=checkpoint.card.inputs, output=output)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
