"""How local is the circuit, against chance and against the best placement found?"""

from collections.abc import Iterator, Mapping

from ..audits import MEASURES, AuditSubject, Wiring, wiring


def _sentences(result: Wiring, subject: AuditSubject) -> Iterator[str]:
    if result.locality is None:
        return
    ratio = result.length / result.random_mean
    yield (
        f"Its connections are {ratio:.2f} times as long as in random placements (p = {result.p:.2g}), and "
        f"{result.length / result.best:.2f} times as long as in the best placement found."
    )


def _undecided(result: Wiring) -> Mapping[str, str]:
    return {"locality": "no placement found is shorter than random ones"} if result.locality is None else {}


@MEASURES.register(
    "wiring",
    label="wiring length",
    sentence="Compares the wiring length with random placements and with the best placement found.",
    question="locality",
    topic="locality",
    sentences=_sentences,
    undecided=_undecided,
    fields="length, p, relocated, best, locality, random_mean, random_deviation.",
)
def measured(subject: AuditSubject) -> Wiring:
    """The wiring length of the circuit in its placement.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    Wiring
        Lengths and the p-value.
    """
    return wiring(subject.network, samples=subject.options.samples, seed=subject.options.seed)
