"""How local is the circuit, against chance and against the best placement found?"""

from collections.abc import Iterator, Mapping

from bimt_train.checkpoints import Network

from ..audits import MEASURES, AuditSubject
from ..audits.chance._wiring import Wiring, wiring

_STARTS, _SWEEPS = 5, 20  # random placements to relocate from, and sweeps over all groups from each
_EASY, _FEWEST_SWEEPS = 400, 4  # neurons of a group that is relocated in a second; sweeps where a group has more


def relocations_within_reach(network: Network) -> tuple[int, int]:
    """From how many random placements relocation starts, and how many sweeps it makes.

    Both are fewer where a group is large, as the time of a sweep grows with the cube of its size.

    Parameters
    ----------
    network : Network
        The circuit.

    Returns
    -------
    starts, max_sweeps : int
        5 and 20; where a movable group has more than 400 neurons, fewer starts, down to none, and 4 sweeps.
    """
    largest = max((group.size for group in network.layout.groups if group.movable), default=0)
    if largest <= _EASY:
        return _STARTS, _SWEEPS
    return int(_STARTS * (_EASY / largest) ** 3), _FEWEST_SWEEPS


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
    effort=7,
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
    starts, sweeps = relocations_within_reach(network)
    return wiring(network, samples=options.samples, starts=starts, max_sweeps=sweeps, seed=options.seed)
