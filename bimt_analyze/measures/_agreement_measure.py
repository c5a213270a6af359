"""Do the modules match the task's known decomposition?"""

from collections.abc import Iterator

from bimt_train import InputError

from ..audits import MEASURES, AuditSubject
from ..audits.truth._agreement import Agreement, agreement


def _sentences(result: Agreement, subject: AuditSubject) -> Iterator[str]:
    at = result.matched
    ami = "" if at.ami is None else f", AMI {at.ami:.2f} with '{at.known}'"
    leaked = "" if result.leak is None else f", leak {result.leak:.1e}"
    said = f"dependencies F1 {result.dependencies.f1:.2f}{ami}{leaked}"
    yield f"Agreement with the known decomposition is {result.score:.2f} ({said})."


def _record(result: Agreement) -> float:
    return result.score


@MEASURES.register(
    "agreement",
    label="agreement with the decomposition",
    sentence="Compares modules and dependencies with the task's known decomposition.",
    question="agreement",
    topic="truth",
    sentences=_sentences,
    record=_record,
    fields="The score of `agreement`; null where no decomposition is known.",
    effort=0.5,
)
def measured(subject: AuditSubject) -> Agreement:
    """The modules held against the known decomposition.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    Agreement
        The scores.

    Raises
    ------
    InputError
        No decomposition is known, or inputs and outputs are no neurons.
    """
    stated = subject.task.decomposition
    if stated is None:
        raise InputError("no decomposition of the task is known")
    subject.need_neurons()
    return agreement(
        subject.network, stated, x=subject.x, graph=subject.graph, levels=subject.levels,
        partition=subject.partition, seed=subject.options.seed,
    )  # fmt: skip
