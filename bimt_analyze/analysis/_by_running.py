"""What a network tells when it is run: groups, agreement, what neurons stand for, formulas. All of it needs torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bimt_train.checkpoints import Checkpoint, Network

from .._circuit_of import all_inputs
from ..audits import Audit, Significance
from ..audits._deciding_test import deciding, deciding_test
from ..audits.functions._group_significance import significance_of_groups
from ..audits.functions._input_and_output_groups import groups_of_circuit
from ..audits.truth._agreement import Agreement, agreement
from ..audits.truth._dependencies import reachable_inputs
from ..graph import NeuronGraph
from ..module_formulas._module_formulas import module_formulas
from ..modules import Hierarchy, choose_level
from ..modules._module_names import in_task_order
from ..options._analysis_options import AnalysisOptions
from ..representations._interpretation import interpretation
from ._output_formulas import class_formulas_of, formulas_of, withheld
from ._seen import AnalysisSubject, Stages, Told

if TYPE_CHECKING:
    from ..formulas import Formula
    from ..motion import Motion
    from ..motion._driving_graph import DrivingGraph


def by_running(seen: AnalysisSubject, stages: Stages) -> Told:
    """Ask a network by running it.

    Parameters
    ----------
    seen : AnalysisSubject
        The network, its circuit, and the circuit's graph.
    stages : Stages
        Is told what is done now.

    Returns
    -------
    Told
        All that was asked for.
    """
    checkpoint, network, chosen = seen.checkpoint, seen.network, seen.options
    audited: Audit | None = None
    agreed: Agreement | None
    tested: Significance | None
    with stages.stage("audit"):
        choice, groups = choose_level(seen.levels), groups_of_circuit(network, checkpoint, seen.levels)
        if chosen.audit:
            audited = seen.audit(stages.tell)
            agreed, tested, choice = audited.get("agreement"), deciding(audited["nulls"]), audited.choice
            tested_groups = audited.get("group_significance")
        else:
            tested_groups = significance_of_groups(
                network, checkpoint, groups, samples=chosen.samples, seed=chosen.seed
            )
            agreed, tested = _held_against(checkpoint, network, seen.graph, seen.levels, chosen)
    with stages.stage("representations"):
        read = interpretation(checkpoint, network)
    with stages.stage("formulas"):
        formulas = withheld(formulas_of(checkpoint, network, chosen), seen.fit)
        classes = class_formulas_of(checkpoint, chosen)
    driving, motion = (None, None) if checkpoint.task.ode is None else _moving(seen, formulas, stages)
    with stages.stage("module formulas"):
        written = None
        if chosen.time_limit > 0:
            modules = in_task_order(network, choice.level.partition)
            written = module_formulas(
                checkpoint, network, modules, formulas, time_limit=chosen.time_limit, seed=chosen.seed
            )
    return Told(
        choice=choice,
        significance=tested,
        audit=audited,
        agreement=agreed,
        groups=groups,
        tested_groups=tested_groups,
        interpretation=read,
        formulas=formulas,
        class_formulas=classes,
        module_formulas=written,
        driving=driving,
        motion=motion,
    )


def _moving(
    seen: AnalysisSubject, formulas: Mapping[str, "Formula"], stages: Stages
) -> "tuple[DrivingGraph, Motion | None]":
    """What drives what, and the equations of motion, of a task of motion."""
    checkpoint, graph, chosen = seen.checkpoint, seen.graph, seen.options
    from ..motion._driving_graph import driving_graph  # brings sympy
    from ..motion._motion_of_checkpoint import motion_of_checkpoint

    joined = reachable_inputs(graph)[graph.members(graph.outputs)]
    driving = driving_graph(checkpoint, seen.network, joined)
    if chosen.time_limit == 0 or checkpoint.probe.measured_train is None:
        return driving, None
    proposed = {name: formula.expression for name, formula in formulas.items()}
    with stages.stage("laws of motion"):
        seconds = float(chosen.time_limit)
        return driving, motion_of_checkpoint(checkpoint, proposed, time_limit=seconds, seed=chosen.seed)


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
