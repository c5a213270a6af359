"""Which modules compute the same function?"""

from collections.abc import Iterator
from typing import Any

from ..audits import MEASURES, AuditSubject
from ..audits.functions._equivalent_modules import equivalent_modules
from ..audits.functions._module_comparison import EquivalentModules
from ._module_numbers import from_one


def _sentences(result: tuple[EquivalentModules, ...], subject: AuditSubject) -> Iterator[str]:
    for family in result:
        if family.kind == "curved" and len(family.members) > 1:
            which = ", ".join(f"{one.module + 1} ({', '.join(one.arguments)})" for one in family.members)
            least = min(one.r2 for one in family.members if one.r2 is not None)
            yield (
                f"Modules {which} compute the same function up to affine changes of inputs and output "
                f"(r2 {least:.4f} or more)."
            )


def _record(result: tuple[EquivalentModules, ...]) -> Any:
    return from_one([one.to_json() for one in result])


def _applies(subject: AuditSubject) -> bool:
    return bool(subject.modules)


@MEASURES.register(
    "equivalent_modules",
    label="equivalent modules",
    sentence="Finds modules whose functions are equal up to affine changes of inputs and output.",
    question="whether modules compute the same function",
    topic="equivalent modules",
    sentences=_sentences,
    record=_record,
    absent=[],
    applies=_applies,
    fields="Families of modules that compute the same function.",
    effort=7,
)
def measured(subject: AuditSubject) -> tuple[EquivalentModules, ...]:
    """Families of modules with equal functions.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    tuple of EquivalentModules
        One family a function.

    Raises
    ------
    InputError
        Inputs and outputs are no neurons, or the network is not read once a row.
    """
    subject.need_neurons()
    return equivalent_modules(subject.network, subject.modules, subject.x, seed=subject.options.seed)
