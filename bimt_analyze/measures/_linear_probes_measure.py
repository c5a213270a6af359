"""From which module can each known subfunction be read linearly?"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..audits import MEASURES, AuditSubject
from ..audits.functions._linear_probes import LinearProbes, linear_probes
from ._module_numbers import from_one

_QUESTION = "which module carries which known subfunction"


def _sentences(result: LinearProbes, subject: AuditSubject) -> Iterator[str]:
    encoded = [
        f"{one.subfunction} of module {one.module + 1} (r2 {one.output_r2:.3f})" for one in result.found if one.encoded
    ]
    missing = [one.subfunction for one in result.found if not one.encoded]
    if encoded:
        yield f"A module output equals a known subfunction up to scale and offset: {', '.join(encoded)}."
    if missing:
        yield f"No module output equals {', '.join(missing)} up to scale and offset."


def _record(result: LinearProbes) -> Any:
    return from_one(result.to_json())


def _undecided(result: LinearProbes) -> Mapping[str, str]:
    return {} if result.found else {_QUESTION: result.reason}


def _applies(subject: AuditSubject) -> bool:
    return "agreement" in subject.results


@MEASURES.register(
    "linear_probes",
    label="linear probes",
    sentence="Fits a linear probe from each module's neurons to each known subfunction.",
    question=_QUESTION,
    topic="truth",
    sentences=_sentences,
    record=_record,
    applies=_applies,
    undecided=_undecided,
    fields="found: subfunction, the module from whose neurons it is read best, layer, r2, p, ...",
    effort=0.6,
)
def measured(subject: AuditSubject) -> LinearProbes:
    """A linear probe for each known subfunction that has a formula.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    LinearProbes
        The best module for each subfunction.
    """
    return linear_probes(subject.network, subject.modules, subject.task, x=subject.x, seed=subject.options.seed)
