"""What the results of an audit come to: one word at the top, and plain sentences, each with its number and its test."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bimt_train.showing import Shown

from ._audit_subject import AuditSubject
from ._deciding_test import HEADLINE, deciding
from ._measure import MEASURES, Sentence
from .chance._significance import LEVEL, Significance, corrected_p

if TYPE_CHECKING:  # brings torch
    from .functions._group_significance import GroupSignificance


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """An audit in words.

    Attributes
    ----------
    modular : bool
        Whether there is structure, and chance has as much in fewer than one case of twenty. Structure is more than one
        module of weights, held against networks wired at random with the same degrees and weights; or, where inputs
        and outputs take two values each, groups of inputs or outputs of the table that the network computes, held
        against tables in random order. Where both can be tested, p is corrected for it (`corrected_p`). Modules by
        functional effects alone do not count.
    sentences : tuple of Sentence
        The statements: the headline first, what could not be decided last.

    Examples
    --------
    >>> from bimt_analyze.audits._measure import Sentence
    >>> from bimt_analyze.audits._verdict import Verdict
    >>> found = Verdict(modular=True, sentences=(Sentence("verdict", "Modular: 2 modules were found (p = 0.005)."),))
    >>> found.modular, found.sentences[0].topic
    (True, 'verdict')
    """

    modular: bool
    sentences: tuple[Sentence, ...]

    def _brief(self) -> str:
        return self.sentences[0].text if self.sentences else ("modular" if self.modular else "not modular")


def verdict(subject: AuditSubject, undecided: Mapping[str, str]) -> Verdict:
    """The sentences that the results of an audit allow.

    Parameters
    ----------
    subject : AuditSubject
        What was audited, with the results of all measures.
    undecided : mapping of str to str
        Question that could not be answered -> why.

    Returns
    -------
    Verdict
        One word and the sentences behind it.
    """
    wiring = deciding(subject.results["nulls"])
    groups: GroupSignificance | None = subject.results.get("group_significance")
    tests = (wiring, *(groups.tests if groups is not None else ()))
    evidence = f"p = {corrected_p(tests):.2g}, the best of {len(tests)} tests" if len(tests) > 1 else wiring.p_and_z
    by_weights, ends = shown(wiring, groups)
    by_weights &= len(subject.modules) > 1 and subject.choice.level.kind != "function"
    if ends and not by_weights:
        said = f"groups of {' and of '.join(ends)} this good are rare by chance"
        headline = f"Modular in the table that it computes: {said} ({evidence})."
    else:
        headline = _of_the_weights(subject, by_weights, evidence, wiring.statistic)
    told = (Sentence(topic, text) for topic, text in _statements(subject, undecided, headline))
    return Verdict(by_weights or bool(ends), tuple(told))


def shown(wiring: Significance, groups: "GroupSignificance | None") -> tuple[bool, tuple[str, ...]]:
    """What is more than chance, each p times the number of tests: the wiring, and which ends of the table.

    Parameters
    ----------
    wiring : Significance
        The test of the weights.
    groups : GroupSignificance or None
        The tests of the table that the network computes.

    Returns
    -------
    wiring : bool
        Whether it is.
    ends : tuple of str
        "inputs" and "outputs", as far as their groups are.
    """
    ends = {} if groups is None else {"inputs": groups.inputs, "outputs": groups.outputs}
    made = {end: test for end, test in ends.items() if test is not None}
    level = LEVEL / (1 + len(made))
    return wiring.p < level, tuple(end for end, test in made.items() if test.p < level)


def _statements(subject: AuditSubject, undecided: Mapping[str, str], headline: str) -> Iterator[tuple[str, str]]:
    yield "verdict", headline
    for name, result in subject.results.items():
        measure = MEASURES[name]
        for text in measure.sentences(result, subject):
            yield measure.topic, text
    for what, why in undecided.items():
        yield "undecided", f"Not decided: {what} ({why})."


def _of_the_weights(subject: AuditSubject, modular: bool, evidence: str, statistic: str) -> str:
    count = len(subject.modules)
    if subject.choice.level.kind == "function":
        return f"Not modular in its weights, which are in one piece; what it does falls into {count} modules."
    if modular:
        word = "specialised" if statistic == HEADLINE[0] else "modular"
        return f"Modular: {count} modules, and wiring this {word} is rare by chance ({evidence})."
    if count < 2:
        return f"Not modular: no way to cut the network into parts is worth reporting ({evidence})."
    return f"Not shown to be modular: {count} modules were found, and chance may well find as much ({evidence})."
