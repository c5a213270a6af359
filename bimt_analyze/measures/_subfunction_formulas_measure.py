"""What do the modules that compute known subfunctions put out, as formulas?"""

from collections.abc import Iterator
from typing import Any

from ..audits import MEASURES, AuditSubject, View
from ..audits.functions._subfunction_formulas import SubfunctionFormula, subfunction_formulas
from ._module_numbers import from_one


def _sentences(result: tuple[SubfunctionFormula, ...], subject: AuditSubject) -> Iterator[str]:
    for one in result:
        yield (
            f"Module {one.module + 1} puts out about {one.expression} (r2 {one.r2:.4f}), which up to scale and offset "
            f"is {one.subfunction} with r2 {one.subfunction_r2:.4f}; the search did not see {one.subfunction}."
        )


def _record(result: tuple[SubfunctionFormula, ...]) -> Any:
    return from_one([one.to_json() for one in result])


def _view(result: tuple[SubfunctionFormula, ...], subject: AuditSubject) -> View:
    rows = tuple((one.subfunction, one.module + 1, one.expression, one.r2, one.subfunction_r2) for one in result)
    columns = ("subfunction", "module", "module output", "r2 of formula and output", "r2 of formula and subfunction")
    return View(columns=columns if rows else (), rows=rows)


def _applies(subject: AuditSubject) -> bool:
    return "linear_probes" in subject.results


@MEASURES.register(
    "subfunction_formulas",
    label="module outputs as formulas",
    sentence="Searches a formula for the output of each module that computes a known subfunction.",
    question="formulas of the module outputs",
    topic="truth",
    sentences=_sentences,
    record=_record,
    absent=[],
    applies=_applies,
    fields="subfunction, module, expression of the module output, r2 of the two, subfunction_r2 with the subfunction.",
    view=_view,
    effort=5,
)
def measured(subject: AuditSubject) -> tuple[SubfunctionFormula, ...]:
    """A formula for the output of each module that a linear probe singled out.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    tuple of SubfunctionFormula
        One formula a subfunction.
    """
    probes = subject.results["linear_probes"]
    return subfunction_formulas(
        subject.network, subject.modules, probes, subject.task, x=subject.x, seed=subject.options.seed
    )
