"""The strip on top of a page: what was asked, what came of it, three numbers, what was assumed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .._facts import number
from .._matches_decomposition import modules_line

if TYPE_CHECKING:
    from ...formulas.verdicts._network_verdict import NetworkVerdict
    from .._content import ReportContent
    from .._network_fit import NetworkFit

Asked = Literal["audit", "law", "network"]
QUESTIONS: dict[Asked, str] = {
    "audit": "Is this network modular, and more so than chance makes one?",
    "law": "Which law do the data follow, and does the network compute it?",
    "network": "How is this network made, and does it do its task?",
}


@dataclass(frozen=True)
class Headline:
    """The strip on top of a page.

    Attributes
    ----------
    asked : {"audit", "law", "network"}
        What was asked.
    word : str
        The answer in a word or two.
    good : bool
        Whether the answer is a yes.
    verdict : str
        The answer in a sentence or two.
    numbers : tuple of (str, str)
        What is counted or measured, and the number; three at most.
    assumed : tuple of str or None
        What had to be assumed of the network; None where it was not held against its rows.
    """

    asked: Asked
    word: str
    good: bool
    verdict: str
    numbers: tuple[tuple[str, str], ...]
    assumed: tuple[str, ...] | None

    @property
    def question(self) -> str:
        """What was asked, as a question."""
        return QUESTIONS[self.asked]


def headline(report: "ReportContent") -> Headline:
    """What a reader sees first. The audit was asked where one was made, else the formulas, else the network.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    Headline
        The strip.
    """
    asked: Asked = "audit" if report.audit is not None else "law" if report.formulas else "network"
    word, good, verdict, numbers = {"audit": _audit, "law": _law, "network": _network}[asked](report)
    return Headline(asked, word, good, verdict, numbers[:3], None if report.fit is None else report.fit.assumed)


_Answer = tuple[str, bool, str, tuple[tuple[str, str], ...]]


def _audit(report: "ReportContent") -> _Answer:
    audit = report.audit
    assert audit is not None
    word = "modular" if audit.verdict.modular else "not shown to be modular"
    p = () if report.p is None else (("p: how often chance does as well", f"{report.p:.2g}"),)
    agreement = (
        () if report.agreement is None else (("agreement with the decomposition", number(report.agreement.score)),)
    )
    return word, audit.verdict.modular, audit.summary()[0], (*_modules(report), *p, *agreement, *_score(report))


def _law(report: "ReportContent") -> _Answer:
    formulas = report.formulas.values()
    identified, every = sum(formula.identified for formula in formulas), len(report.formulas)
    seen = [
        f.verification.network for f in formulas if f.verification is not None and f.verification.network is not None
    ]
    word = {0: "no law identified", every: "identified"}.get(identified, "identified in part")
    outputs = f"{every} output{'' if every == 1 else 's'}"
    said = [f"A law of the data is identified for {identified or 'none'} of {outputs}."]
    if departed := sum(one.word == "departs" for one in seen):
        said.append(f"The network departs from {departed} of {len(seen)} formulas.")
    elif seen:
        said.append(f"The network follows {'the formula' if len(seen) == 1 else 'the formulas'} to r2 {_least(seen)}.")
    if report.fit is not None and report.fit.fits is False:
        said.insert(0, _stated(report.fit))
    if any(formula.cut_after is not None for formula in formulas):
        said.append("The clock ended the search: another run may find more.")
    follows = (("least r2 of the network against a formula", _least(seen)),) if seen else ()
    numbers = (("laws identified", f"{identified} of {every}"), *follows, *_score(report), *_modules(report))
    return word, identified == every, " ".join(said), numbers


def _network(report: "ReportContent") -> _Answer:
    fits = None if report.fit is None else report.fit.fits
    word = {None: "no targets known", True: "does its task", False: "not shown to do its task"}[fits]
    edges = (("edges after pruning", str(report.circuit.edges)),)
    said = [] if report.fit is None else [_stated(report.fit)]
    said.append(f"{modules_line(report.modules, report.matches_decomposition)}.")
    return word, bool(fits), " ".join(said), (*_score(report), *edges, *_modules(report))


def _stated(fit: "NetworkFit") -> str:
    """How the network does on its rows, as a sentence."""
    return f"{fit.statement[:1].upper()}{fit.statement[1:]}."


def _least(seen: "list[NetworkVerdict]") -> str:
    return number(min(one.r2 for one in seen))


def _score(report: "ReportContent") -> tuple[tuple[str, str], ...]:
    if report.fit is None or report.fit.score is None:
        return ()
    score = report.fit.score
    return ((f"{score.measure} of the network on its rows", number(score.score)),)


def _modules(report: "ReportContent") -> tuple[tuple[str, str], ...]:
    return (("module" if len(report.modules) == 1 else "modules", str(len(report.modules))),)
