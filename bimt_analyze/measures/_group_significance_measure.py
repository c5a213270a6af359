"""Would a table without structure have groups of inputs and outputs as good?"""

from collections.abc import Iterator

from ..audits import MEASURES, AuditSubject, View
from ..audits._measure import Figure
from ..audits.functions._group_significance import GroupSignificance, has_small_table, significance_of_groups
from ..audits.functions._input_and_output_groups import groups_of_circuit


def _sentences(result: GroupSignificance, subject: AuditSubject) -> Iterator[str]:
    order = "tables of these values in random order"
    if (test := result.inputs) is not None:
        ends = f"save the {test.observed:.3g} bits that its groups of inputs save"
        yield f"{test.reached} {order} {ends} ({test.p_and_z}): {test.conclusion}."
    if (test := result.outputs) is not None:
        ends = "have as many equal outputs"
        yield f"{test.reached} {order} {ends} ({test.p_and_z}): {test.conclusion}."


def _applies(subject: AuditSubject) -> bool:
    return has_small_table(subject.checkpoint)


def _view(result: GroupSignificance, subject: AuditSubject) -> View:
    from ..plots import draw_nulls  # brings matplotlib
    from ..plots.modules._draw_nulls import nulls_in_words

    if not result.tests:
        return View()
    caption = "What random tables reach, and the network's own table as a line."
    rows = [(t.statistic, t.p, t.z, t.observed, t.null_mean, len(t.null)) for t in result.tests]
    return View(
        figures=(Figure(draw_nulls(*result.tests).axes, caption, nulls_in_words(result.tests)),),
        columns=("statistic", "p", "z", "observed", "null mean", "samples"),
        rows=tuple(rows),
    )


@MEASURES.register(
    "group_significance",
    label="groups of inputs and outputs",
    sentence="Compares the table that the network computes with tables of its values in random order.",
    question="whether groups of inputs and outputs are more than chance",
    topic="chance",
    sentences=_sentences,
    fields="inputs, outputs: p, z, observed, null_mean, ... each; null where there is nothing to test",
    applies=_applies,
    view=_view,
    effort=0.5,
)
def measured(subject: AuditSubject) -> GroupSignificance:
    """The tests of the groups of a circuit, where each of its inputs and outputs takes two values.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    GroupSignificance
        One test for the inputs and one for the outputs, where there is something to test.
    """
    network, options = subject.circuit.network, subject.options
    groups = groups_of_circuit(network, subject.checkpoint, subject.levels)
    return significance_of_groups(network, subject.checkpoint, groups, samples=options.samples, seed=options.seed)
