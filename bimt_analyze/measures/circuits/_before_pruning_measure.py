"""How specialised was the network before anything was cut?"""

from collections.abc import Iterator

from ..._circuit_of import graph_of
from ...audits import MEASURES, AuditSubject, specialisation
from ...audits.robustness._before_pruning import BeforePruning, before_pruning


def _sentences(result: BeforePruning, subject: AuditSubject) -> Iterator[str]:
    leaked = (
        ""
        if result.leak is None
        else (f", and {result.leak:.1e} of its squared gradients lie where no dependency is known")
    )
    yield (
        f"Before pruning the network's specialisation is {result.specialisation:.2f} bits, the circuit's "
        f"{specialisation(subject.graph):.2f}{leaked}."
    )


@MEASURES.register(
    "before_pruning",
    label="before pruning",
    sentence="Measures specialisation and leak of the network before anything is cut.",
    question="the network before pruning",
    topic="training",
    sentences=_sentences,
    fields="specialisation, in bits, and leak of the network before anything is cut.",
)
def measured(subject: AuditSubject) -> BeforePruning:
    """Specialisation and leak of the network before pruning.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    BeforePruning
        The two numbers.
    """
    network = subject.checkpoint.network
    options = subject.options
    graph = graph_of(network, subject.checkpoint, edge_weight=options.edge_weight, memory=options.memory)
    return before_pruning(network, graph, subject.x, subject.decomposition)
