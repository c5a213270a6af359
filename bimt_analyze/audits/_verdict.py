"""What the results of an audit come to: one word at the top, and plain sentences, each with its number and its test."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ._audit_subject import AuditSubject
from ._measure import MEASURES, Sentence
from .chance._significance import LEVEL, Significance

HEADLINE = ("specialisation", "degree_preserving")
"""Statistic and null model of the test that decides."""


@dataclass(frozen=True)
class Verdict:
    """An audit in words.

    Attributes
    ----------
    modular : bool
        Whether the weights fall into more than one module, and a network wired at random with the same degrees and
        weights is as specialised in fewer than one case of twenty. This is a statement about weights: modules by
        function alone do not count.
    sentences : tuple of Sentence
        The statements: the headline first, what could not be decided last.

    Examples
    --------
    >>> from bimt_analyze.audits import Sentence, Verdict
    >>> found = Verdict(modular=True, sentences=(Sentence("verdict", "Modular: 2 modules were found (p = 0.005)."),))
    >>> found.modular, found.sentences[0].topic
    (True, 'verdict')
    """

    modular: bool
    sentences: tuple[Sentence, ...]


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
    test: Significance = subject.results["nulls"][HEADLINE]
    by_function = subject.choice.level.kind == "function"
    modular = len(subject.modules) > 1 and not by_function and test.p < LEVEL
    told = (Sentence(topic, text) for topic, text in _statements(subject, undecided, modular, test))
    return Verdict(modular, tuple(told))


def _statements(
    subject: AuditSubject,
    undecided: Mapping[str, str],
    modular: bool,
    test: Significance,
) -> Iterator[tuple[str, str]]:
    yield "verdict", _headline(subject, modular, test)
    for name, result in subject.results.items():
        measure = MEASURES[name]
        for text in measure.sentences(result, subject):
            yield measure.topic, text
    for what, why in undecided.items():
        yield "undecided", f"Not decided: {what} ({why})."


def _headline(subject: AuditSubject, modular: bool, test: Significance) -> str:
    count = len(subject.modules)
    if subject.choice.level.kind == "function":
        return f"Not modular in its weights, which are in one piece; what it does falls into {count} modules."
    if modular:
        return f"Modular: {count} modules, and wiring this specialised is rare by chance ({test.p_and_z})."
    if count < 2:
        return f"Not modular: no way to cut the network into parts is worth reporting ({test.p_and_z})."
    return f"Not shown to be modular: {count} modules were found, and chance may well find as much ({test.p_and_z})."
