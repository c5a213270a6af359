"""Would a network without modular structure look as modular?"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..audits import MEASURES, NULL_MODELS, AuditSubject, Significance, View, significance
from ..audits._deciding_test import HEADLINE, deciding_test
from ..audits._measure import Figure
from ..audits.chance._backbone_significance import BACKBONE, PHRASE
from ..audits.chance._statistics import STATISTICS

Tests = Mapping[tuple[str, str], Significance]


def _sentences(result: Tests, subject: AuditSubject) -> Iterator[str]:
    for (statistic, model), test in result.items():
        phrase, what = PHRASE, f"the {statistic} of its backbone"
        if (statistic, model) != BACKBONE:
            phrase, what = NULL_MODELS[model].phrase, f"its {statistic}"
        yield f"{test.reached} networks {phrase} reach {what} ({test.p_and_z}): {test.conclusion}."


def _record(result: Tests) -> Mapping[str, Any]:
    plain: dict[str, dict[str, Any]] = {}
    for (statistic, model), test in result.items():
        plain.setdefault(model, {})[statistic] = test.to_json()
    return plain


def _view(result: Tests, subject: AuditSubject) -> View:
    from ..plots import draw_nulls  # brings matplotlib
    from ..plots.modules._draw_nulls import nulls_in_words

    caption = "The values that null networks reach, and the circuit's own value as a line."
    rows = []
    for (statistic, _), test in result.items():
        rows.append((test.null_model, statistic, test.p, test.z, test.observed, test.null_mean, len(test.null)))
    return View(
        figures=(Figure(draw_nulls(*result.values()).axes, caption, nulls_in_words(list(result.values()))),),
        columns=("null networks", "statistic", "p", "z", "observed", "null mean", "samples"),
        rows=tuple(rows),
    )


@MEASURES.register(
    "nulls",
    label="null networks",
    sentence="Compares the circuit's statistics with those of random networks, one set of samples a null model.",
    question="whether a network without modular structure looks as modular",
    topic="chance",
    sentences=_sentences,
    record=_record,
    absent={},
    fields="Null model -> statistic -> p, z, observed, null_mean, null_deviation, samples, ...",
    view=_view,
    effort=0,
    large=True,
)
def measured(subject: AuditSubject) -> Tests:
    """Every statistic against every null model; the test that decides the verdict is always among them.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    mapping of (str, str) to Significance
        (statistic, null model) -> test.
    """
    options = subject.options
    if subject.graph.is_backbone:
        return {BACKBONE: deciding_test(subject.network, subject.graph, subject.x, options)}
    wanted = [(statistic, model) for model in options.null_models for statistic in options.statistics]
    tests: dict[tuple[str, str], Significance] = {}
    for statistic, model in dict.fromkeys((HEADLINE, *wanted)):
        key = STATISTICS[statistic].name, NULL_MODELS[model].name
        if key not in tests:
            tests[key] = significance(
                subject.graph, statistic=statistic, null_model=model, samples=options.samples, seed=options.seed
            )
    return tests
