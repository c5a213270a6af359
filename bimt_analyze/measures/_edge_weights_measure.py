"""Do other edge weights, and Infomap, find the same modules?"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..audits import MEASURES, AuditSubject, View
from ..audits._deciding_test import deciding
from ..audits.robustness._edge_weight_robustness import EdgeWeightResult, edge_weight_robustness, partition_ami
from ..audits.robustness._infomap_check import InfomapCheck
from ..modules import choose_level, infomap

_WORTH_PROCESSES = 100_000  # edges; with fewer, a process takes longer to start than to do its work
_AGREE = 0.9  # adjusted mutual information from which two partitions are said to agree


def _sentences(result: tuple[EdgeWeightResult, ...], subject: AuditSubject) -> Iterator[str]:
    level = subject.choice.level
    if level.kind == "function":
        yield f"The level is '{level.name}': {subject.choice.reason}."
        return
    stable = "" if level.stability is None else f", stability {level.stability:.2f}"
    apart = [one.weights for one in result if one.ami < _AGREE]
    least = min((one.ami for one in result), default=1.0)
    if apart:
        said = f"{' and '.join(apart)} as edge weights lead to other modules (AMI {least:.2f})"
    else:
        said = f"all {len(result)} edge weights lead to the same modules (AMI at least {least:.2f})"
    yield f"The level is '{level.name}'{stable}; {said}."


def _record(result: tuple[EdgeWeightResult, ...]) -> Mapping[str, Any]:
    return {one.weights: one.to_json() for one in result}


def _view(result: tuple[EdgeWeightResult, ...], subject: AuditSubject) -> View:
    rows = tuple((one.weights, one.level.name, one.modules, one.ami, one.significance.p) for one in result)
    return View(columns=("edge weight", "level", "modules", "AMI with the audited modules", "p"), rows=rows)


@MEASURES.register(
    "edge_weight_robustness",
    label="edge weights",
    sentence="Finds modules anew under each edge weight and compares them with the audited ones.",
    question="whether other edge weights lead to the same modules",
    topic="partition",
    sentences=_sentences,
    record=_record,
    absent={},
    fields="Edge weight -> level, modules, ami with the audited modules, p.",
    view=_view,
    effort=20,
)
def measured(subject: AuditSubject) -> tuple[EdgeWeightResult, ...]:
    """Modules and their significance under each edge weight.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    tuple of EdgeWeightResult
        One result an edge weight; those that need gradients are left out where inputs are tokens.
    """
    options, tests = subject.options, subject.results.get("nulls")
    known = {subject.graph.weights: (choose_level(subject.levels).level, deciding(tests))} if tests else {}
    return edge_weight_robustness(
        subject.network, subject.x, subject.partition, known=known, options=options,
        processes=options.processes if len(subject.graph.edges.weight) > _WORTH_PROCESSES else 1,
    )  # fmt: skip


def _infomap_sentences(result: InfomapCheck, subject: AuditSubject) -> Iterator[str]:
    if subject.choice.level.kind != "function":
        yield f"Infomap finds {len(result.partition.modules)} modules (AMI {result.ami:.2f} with these)."


@MEASURES.register(
    "infomap_check",
    label="Infomap",
    sentence="Finds modules by Infomap, which minimises a description length and has no resolution to choose.",
    question="whether Infomap finds the same modules",
    topic="partition",
    sentences=_infomap_sentences,
    fields="method, modules, ami with the audited modules.",
    effort=3,
)
def infomap_check(subject: AuditSubject) -> InfomapCheck:
    """Modules by another principle, compared with the audited ones.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    InfomapCheck
        Infomap's partition and its adjusted mutual information with the audited one.
    """
    options = subject.options
    found = infomap(subject.graph, trials=options.leiden_runs, seed=options.seed)
    return InfomapCheck(found, partition_ami(subject.partition, found))
