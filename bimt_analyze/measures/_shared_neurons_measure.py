"""Which neurons do several modules share?"""

from collections.abc import Iterator
from typing import Any

from ..audits import MEASURES, AuditSubject
from ..audits.functions._shared_neurons import SharedNeuron, shared_neurons
from ._module_numbers import from_one


def _sentences(result: tuple[SharedNeuron, ...], subject: AuditSubject) -> Iterator[str]:
    if result:
        some = ", ".join(one.label for one in result[:6])
        more = f" and {len(result) - 6} more" if len(result) > 6 else ""
        yield f"Several modules share {some}{more}: modules are disjoint sets, these neurons serve more than one."


def _record(result: tuple[SharedNeuron, ...]) -> Any:
    return from_one([one.to_json() for one in result])


@MEASURES.register(
    "shared_neurons",
    label="shared neurons",
    sentence="Lists neurons that read from, or are read by, several modules.",
    question="which neurons several modules share",
    topic="overlap",
    sentences=_sentences,
    record=_record,
    absent=[],
    fields="neuron, module, and the shares of other modules in it.",
    effort=0.2,
    large=True,
)
def measured(subject: AuditSubject) -> tuple[SharedNeuron, ...]:
    """Neurons on which more than one module has a claim.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    tuple of SharedNeuron
        The neurons with their claims.
    """
    return shared_neurons(subject.graph, subject.modules)
