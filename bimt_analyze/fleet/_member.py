"""One file of a fleet: what was found in it, or the one reason why nothing was."""

from collections.abc import Sequence
from dataclasses import dataclass

from bimt_train.showing import Shown

from .._jobs import Outcome
from ..report import Finding


@dataclass(frozen=True, repr=False)
class Failure(Shown):
    """Why a file was not analysed.

    Attributes
    ----------
    kind : str
        "refused" (bad input, said by its reader), "crashed" (any other error), "died" (the process ended) or "late"
        (the time budget was used up).
    reason : str
        One line.

    Examples
    --------
    >>> Failure("late", "not done within the time budget of 5 s").kind
    'late'
    """

    kind: str
    reason: str


@dataclass(frozen=True, repr=False)
class Member(Shown):
    """One file of a fleet, with what came of it.

    Attributes
    ----------
    name : str
        The name of its report's files, which no other member has.
    source : str
        The file or folder that was given.
    outcome : Outcome or None
        What was found; None where the file was not analysed.
    failure : Failure or None
        Why it was not; None where it was.
    seconds : float
        How long it took.

    Examples
    --------
    >>> Member("net", "nets/net.pt", None, Failure("refused", "no such file"), 0.1).missed
    ()
    """

    name: str
    source: str
    outcome: Outcome | None
    failure: Failure | None
    seconds: float

    def _brief(self) -> str:
        if self.outcome is None or self.failure is not None:
            return f"{self.name}: {'not analysed' if self.failure is None else self.failure.reason}"
        found = self.outcome
        exact = f"{found.exact} of {found.formulas} formulas exact"
        return f"{self.name}: {found.edges} edges, {found.modules} modules, {exact}"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every field that a requirement speaks of."""
        return () if self.outcome is None else self.outcome.findings

    @property
    def missed(self) -> tuple[Finding, ...]:
        """The findings that are not as required."""
        return tuple(finding for finding in self.findings if not finding.holds)


def q_values(ps: Sequence[float | None]) -> list[float | None]:
    """The p-values of many networks, adjusted by Benjamini and Hochberg's procedure; None stays None.

    Parameters
    ----------
    ps : sequence of float or None
        One p-value a network.

    Returns
    -------
    list of float or None
        One q-value a network.

    Examples
    --------
    >>> q_values([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control

    known = [p for p in ps if p is not None]
    adjusted = iter(false_discovery_control(known).tolist() if known else [])
    return [None if p is None else float(next(adjusted)) for p in ps]
