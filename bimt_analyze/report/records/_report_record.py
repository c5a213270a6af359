"""From a report to the record that is published as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bimt_train import InputError
from bimt_train.extras import installed

from ...modules import Module
from ...modules._module_names import in_task_order, named_modules
from .._content import ReportContent
from ._class_formula_records import ClassFormulasRecord
from ._formula_records import (
    ChiSquareRecord,
    ConstantRecord,
    DataVerdictRecord,
    DivergenceRecord,
    FormulaRecord,
    NetworkFormulaRecord,
    NetworkVerdictRecord,
    ParetoEntryRecord,
    RivalRecord,
    SharedPartRecord,
    SharedRecord,
    StructuralTestRecord,
)
from ._module_formula_records import module_formulas_record
from ._motion_records import MotionRecord, motion_record
from ._record_base import finite
from ._schema import (
    AgreementRecord,
    AuditRecord,
    CircuitRecord,
    HierarchyRecord,
    InterpretationRecord,
    LevelRecord,
    ModuleRecord,
    NetworkRecord,
    ProvenanceRecord,
    ReportFile,
    SignificanceRecord,
    StructureRecord,
    TaskRecord,
)

if TYPE_CHECKING:
    from ...discrete_laws import ClassFormulas
    from ...formulas import Formula
    from ...formulas._verification import Verification
    from ...formulas.verdicts._network_verdict import NetworkVerdict


def record(report: ReportContent) -> ReportFile:
    """The report as it is published; numbers that are not finite become null.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    ReportFile
        The content of report.json.
    """
    task, built = report.checkpoint.task, report.matches_decomposition
    return ReportFile(
        summary=list(report.summary()),
        task=TaskRecord(
            name=task.name, inputs=list(task.inputs), outputs=list(task.outputs), loss=task.loss, notes=list(task.notes)
        ),
        units=task.units,
        network=None if report.fit is None else NetworkRecord(**finite(report.fit.to_json())),
        modules=_modules(report.modules),
        hierarchy=_hierarchy(report),
        structure=StructureRecord(
            level=report.level,
            reason=report.reason,
            unused=list(report.unused),
            **_groups(report),
            matches_decomposition=None if built is None else built.matches,
            decomposition_level=None if built is None else built.level,
        ),
        formulas={name: formula_record(formula, task.units) for name, formula in report.formulas.items()},
        shared=_shared(report),
        class_formulas=None if isinstance(report.class_formulas, str) else _classes(report.class_formulas),
        no_class_formulas=report.class_formulas if isinstance(report.class_formulas, str) else "",
        module_formulas=None if report.module_formulas is None else module_formulas_record(report.module_formulas),
        motion=_motion(report),
        agreement=_agreement(report),
        significance=_significance(report),
        interpretation=None
        if report.interpretation is None
        else InterpretationRecord(**finite(asdict(report.interpretation))),
        circuit=CircuitRecord(**finite(report.circuit.to_json())),
        audit=None if report.audit is None else AuditRecord(**finite(report.audit.to_json())),
        provenance=ProvenanceRecord(**finite(dict(report.provenance))),
    )


def _motion(report: ReportContent) -> MotionRecord | None:
    """The system of motion, where the task is one."""
    ode = report.checkpoint.task.ode
    if ode is None or report.driving is None:
        return None
    return motion_record(ode.time, dict(ode.speeds), report.driving, report.motion)


def _significance(report: ReportContent) -> SignificanceRecord:
    """All tests of structure: their common p, that of each, and the numbers of the wiring's."""
    wiring = {} if report.significance is None else dict(report.significance.to_json())
    groups = report.tested_groups
    tests = {} if groups is None else {"input_groups_p": groups.inputs, "output_groups_p": groups.outputs}
    of_groups = {name: test.p for name, test in tests.items() if test is not None}
    return SignificanceRecord(**finite(wiring | of_groups | {"p": report.p, "wiring_p": wiring.get("p")}))


def _modules(modules: Sequence[Module]) -> list[ModuleRecord]:
    return [
        ModuleRecord(id=n, inputs=list(m.inputs), outputs=list(m.outputs), neurons=list(m.neurons))
        for n, m in enumerate(modules, start=1)
    ]


def _hierarchy(report: ReportContent) -> HierarchyRecord:
    """Every level by names."""
    network, task = report.circuit.network, report.checkpoint.task
    found = []
    for level in report.levels:
        chosen = level.name == report.level and level.partition.same_modules(report.partition)
        named = named_modules(network, task, in_task_order(network, level.partition))
        found.append(
            LevelRecord(
                name=level.name, kind=level.kind, parameter=level.parameter, modularity=finite(level.modularity),
                stability=finite(level.stability), chosen=chosen, reason=report.reason if chosen else None,
                modules=_modules(named),
            )
        )  # fmt: skip
    return HierarchyRecord(levels=found)


def _groups(report: ReportContent) -> dict[str, Any]:
    """Inputs by sub-function and outputs by function, by names."""
    found, task = report.groups, report.checkpoint.task
    if found is None:
        return dict.fromkeys(("input_groups", "output_groups", "shared_inputs", "groups_reason"))
    inputs, outputs = found.named(task.inputs, task.outputs)
    where = f"{found.level}: {found.reason}" if found.level else found.reason
    return {
        "input_groups": inputs, "output_groups": outputs, "shared_inputs": [task.inputs[j] for j in found.shared],
        "groups_reason": where,
    }  # fmt: skip


def _agreement(report: ReportContent) -> AgreementRecord:
    """The agreement, with modules by the ids that the record gives them."""
    if report.agreement is None:
        return AgreementRecord()
    plain = finite(report.agreement.to_json())
    ids = {module: number for number, module in enumerate(report.module_sets, start=1)}
    for part in plain["subfunctions"]:
        if part["module"] is not None:
            part["module"] = ids[report.partition.modules[part["module"]]]
    return AgreementRecord(**plain)


def _shared(report: ReportContent) -> SharedRecord | None:
    found = report.shared
    if found is None:
        return None
    return SharedRecord(
        parts=[
            SharedPartRecord(name=name, expression=str(expression), outputs=list(found.users(name)))
            for name, expression in found.parts.items()
        ],
        outputs={name: str(expression) for name, expression in found.outputs.items()},
    )


def _data_verdict(formula: "Formula", verification: "Verification") -> DataVerdictRecord:
    return DataVerdictRecord(
        word=verification.word,
        statement=verification.statement,
        rivals=[
            RivalRecord(
                expression=str(rival.expression), origin=rival.origin, gap=finite(rival.gap),
                decided_by=[dict(row) for row in rival.decided_by],
            )
            for rival in verification.rivals
        ],
        relations=list(verification.relations),
        precision=formula.precision.words,
        training_rows=formula.distinct_rows,
        held_out_rows=verification.distinct_test,
        apart=list(formula.apart),
    )  # fmt: skip


def _network_verdict(seen: "NetworkVerdict") -> NetworkVerdictRecord:
    return NetworkVerdictRecord(word=seen.word, r2=finite(seen.r2), worst=finite(seen.worst), points=seen.points)


def _of_network(own: "Formula") -> NetworkFormulaRecord:
    """A formula of the network's answers, which was held against the network."""
    from ...formulas.symbolic._rounded import written  # brings sympy

    assert own.verification is not None and own.verification.network is not None
    seen = _network_verdict(own.verification.network)
    return NetworkFormulaRecord(
        expression=str(own.expression), readable=written(own.readable), latex=own.latex(), **seen.model_dump()
    )


def _classes(found: "ClassFormulas") -> ClassFormulasRecord:
    return ClassFormulasRecord(
        classes=list(found.classes),
        reference=found.reference,
        log_odds={name: _of_network(formula) for name, formula in found.formulas.items()},
        agreement=found.agreement,
        fresh_agreement=found.fresh_agreement,
        right=found.right,
        network_right=found.network_right,
        rows=found.rows,
        statement=found.verdict(),
    )


def formula_record(formula: "Formula", units: Mapping[str, str]) -> FormulaRecord:
    """What is told of a formula.

    Parameters
    ----------
    formula : Formula
        The formula.
    units : mapping of str to str
        The unit of each input and output that has one, by its name.

    Returns
    -------
    FormulaRecord
        As pages and JSON have it.
    """
    from ...formulas.symbolic._rounded import written  # brings sympy

    verification = formula.verification
    seen = None if verification is None else verification.network
    missed = None if verification is None else verification.divergence
    return FormulaRecord(
        expression=str(formula.expression),
        readable=written(formula.readable),
        latex=formula.latex(),
        constants=[
            ConstantRecord(
                number=str(one.number), value=finite(one.value), low=finite(one.low), high=finite(one.high),
                level=one.level, error=finite(one.error), method=one.method, words=one.words(),
                agrees_with=list(one.agrees_with),
            )
            for one in formula.intervals
        ],
        variables=list(formula.variables),
        r2=finite(formula.r2),
        exact=formula.exact,
        identified=formula.identified,
        data=None if verification is None else _data_verdict(formula, verification),
        network=None if seen is None else _network_verdict(seen),
        complexity=formula.complexity,
        canonical="no truth" if verification is None else verification.canonical,
        message=formula.message if verification is None else verification.statement,
        cut_after=formula.cut_after,
        pareto_front=[
            ParetoEntryRecord(
                expression=str(entry.expression), complexity=entry.complexity, error=finite(entry.error),
                bits=finite(entry.bits), readable=written(entry.readable),
            )
            for entry in formula.pareto_front
        ],
        units=_units(formula, units),
        choice=formula.choice(),
        chi_square=None
        if formula.chi_square is None
        else ChiSquareRecord(**asdict(formula.chi_square), words=formula.chi_square.words()),
        test_results=[
            StructuralTestRecord(
                kind=e.kind, inputs=list(e.inputs), detail=e.detail, departure=finite(e.departure),
                limit=finite(e.limit), source=e.source,
            )
            for e in formula.test_results
            if e.proposed and e.kind != "depends"
        ],
        of_network=None if formula.of_network is None else _of_network(formula.of_network),
        divergence=None
        if missed is None
        else DivergenceRecord(inputs=list(missed.inputs), share=finite(missed.share), r2=finite(missed.r2)),
    )  # fmt: skip


def _units(formula: "Formula", units: Mapping[str, str]) -> str:
    """Whether a formula's units agree; empty where the output has no unit that is known."""
    from ...formulas import check_units  # brings sympy

    if formula.output not in units or not installed("pint"):
        return ""
    try:
        return check_units(formula.expression, units, output=formula.output).statement
    except InputError:
        return ""
