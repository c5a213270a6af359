"""From a report to the record that is published as JSON."""

from typing import TYPE_CHECKING, Any

from ._report import Report
from ._schema import (
    AgreementRecord,
    CircuitRecord,
    FormulaRecord,
    ModuleRecord,
    ProvenanceRecord,
    ReportFile,
    RivalRecord,
    SignificanceRecord,
    StructureRecord,
    TaskRecord,
    finite,
)

if TYPE_CHECKING:
    from ..formulas import Formula


def record(report: Report) -> ReportFile:
    """The report as it is published; numbers that are not finite become null."""
    card, match = report.checkpoint.card, report.match
    return ReportFile(
        summary=list(report.summary()),
        task=TaskRecord(name=card.name, inputs=list(card.inputs), outputs=list(card.outputs), loss=card.loss),
        modules=[
            ModuleRecord(id=n, inputs=list(m.inputs), outputs=list(m.outputs), neurons=list(m.neurons))
            for n, m in enumerate(report.modules, start=1)
        ],
        structure=StructureRecord(
            level=report.level,
            reason=report.reason,
            unused=list(report.unused),
            as_built=None if match is None else match.as_built,
            as_built_level=None if match is None else match.level,
        ),
        formulas={name: _formula(formula) for name, formula in report.formulas.items()},
        agreement=AgreementRecord(**_plain(report.agreement, "score")),
        significance=SignificanceRecord(**_plain(report.significance, "p")),
        circuit=CircuitRecord(**finite(report.circuit.to_json())),
        provenance=ProvenanceRecord(**finite(dict(report.provenance))),
    )


def _plain(value: Any, headline: str) -> dict[str, Any]:
    """The value's fields; the headline alone, unknown, where there is no value."""
    return {headline: None} if value is None else finite(value.to_json())


def _formula(formula: "Formula") -> FormulaRecord:
    proof = formula.proof
    return FormulaRecord(
        expression=str(formula.expression),
        latex=formula.latex(),
        variables=list(formula.variables),
        r2=finite(formula.r2),
        r2_network=None if proof is None else finite(proof.network),
        exact=formula.exact,
        complexity=formula.complexity,
        canonical="no truth" if proof is None else proof.canonical,
        message=formula.message if proof is None else proof.statement,
        rivals=[
            RivalRecord(expression=str(rival.expression), complexity=rival.complexity, error=finite(rival.error))
            for rival in formula.rivals
        ],
    )
