"""How local is the circuit, against chance and against the best placement found?"""

from collections.abc import Iterator, Mapping

from bimt_train.checkpoints import Network

from ..audits import MEASURES, AuditSubject, Wiring, wiring

_STARTS, _EASY = 5, 400  # random placements to relocate from; neurons of a group that is relocated in a second


def starts_within_reach(network: Network) -> int:
    """From how many random placements relocation starts: fewer where a group is large, as its time grows with the cube.

    Parameters
    ----------
    network : Network
        The circuit.

    Returns
    -------
    int
        5, or fewer, down to 1, where a movable group has more than 400 neurons.
    """
    largest = max((group.size for group in network.layout.groups if group.movable), default=0)
    return max(1, min(_STARTS, int(_STARTS * (_EASY / max(largest, 1)) ** 3)))


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
    options, network = subject.options, subject.network
    return wiring(network, samples=options.samples, starts=starts_within_reach(network), seed=options.seed)
