"""The pictures of a report, as SVG to set inside the page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audits import MEASURES
from ..plots import (
    Picture,
    draw_hierarchy,
    draw_levels,
    draw_network,
    draw_part,
    draw_predictions,
    draw_stability,
    draw_sweep,
)

if TYPE_CHECKING:
    from ..audits import Audit
    from ._content import ReportContent

IN_A_CELL = 2_000  # edges of a circuit up to which a notebook shows it
WHOLE = 20_000  # weights up to which the network before pruning is drawn too
DRAWN = 20_000  # neurons up to which a network is drawn at all: beyond, nobody can tell them apart


def pictures(report: "ReportContent") -> dict[str, str]:
    """The pictures of a report by name.

    They are ``sweep``, where it is small enough ``circuit`` and ``whole``, for numbers ``predictions``, ``missed-N``
    for output number N where its formula and the network part, and those of an audit's levels, ``audit-...``.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    dict of str to str
        Name -> picture as SVG.
    """
    circuit, checkpoint = report.circuit, report.checkpoint
    drawn = {"sweep": draw_sweep(circuit)}
    if len(report.graph.nodes) <= DRAWN:
        drawn["circuit"] = draw_network(circuit.network, partition=report.module_sets)
    if checkpoint.network.edges() <= WHOLE:
        modules = [{(group, circuit.kept[group][index]) for group, index in module} for module in report.module_sets]
        drawn["whole"] = draw_network(checkpoint.network, partition=modules, legend=False)
    if not checkpoint.task.classifies:
        probe, task = checkpoint.probe, checkpoint.task
        predictions = {"network": checkpoint.predict(probe.x_test)}
        if len(report.formulas) == len(task.outputs):
            said = np.stack([report.formulas[name].predict(probe.x_test) for name in task.outputs], axis=1)
            if np.isfinite(said).all():
                predictions["formula"] = said
        drawn["predictions"] = draw_predictions(probe.y_test, predictions, names=task.output_labels or task.outputs)
    for number, (output, formula) in enumerate(report.formulas.items()):
        if formula.verification is not None and formula.verification.divergence is not None:
            part = formula.verification.divergence
            sides = {"network": part.network, "formula": part.formula}
            if len(part.inputs) > 1:  # two clouds of dots hide what parts them
                sides = {"formula - network": part.formula - part.network}
            title = f"{output}: the part of {', '.join(part.inputs)}"
            drawn[f"missed-{number}"] = draw_part(part.x, sides, names=part.inputs, title=title)
    if report.audit is not None:
        drawn |= _audit_pictures(report.audit)
    return {name: picture.svg(prefix=f"{name}-") for name, picture in drawn.items()}


def drawn_circuit(report: "ReportContent") -> str:
    """The circuit as an ``<img>`` for a cell of a notebook; nothing where it is too large to be told apart there.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        HTML.
    """
    if report.graph.is_backbone or len(report.graph.edges.weight) > IN_A_CELL:
        return ""
    return draw_network(report.circuit.network, partition=report.module_sets).html()


def _audit_pictures(audit: "Audit") -> dict[str, Picture]:
    """The levels as a tree and, where it is small enough, on the network, and how stable they are."""
    chosen, levels = audit.choice.level, audit.levels
    names = {node.key: node.label for node in audit.graph.nodes}
    drawn = {
        "audit-tree": draw_hierarchy(levels, chosen=chosen, names=names),
        "audit-stability": draw_stability(levels, chosen=chosen),
    }
    if len(audit.graph.nodes) <= DRAWN:
        drawn["audit-levels"] = draw_levels(audit.circuit.network, levels.levels, chosen=chosen)
    return drawn


@dataclass(frozen=True)
class MeasureSection:
    """The section of a page that shows one measure of an audit.

    Attributes
    ----------
    name : str
        The measure's name.
    label : str
        The heading.
    sentence : str
        What was measured.
    figures : tuple of (str, str, bool)
        Picture as SVG, caption, and whether it is narrow.
    columns : tuple of str
        Names of the table's columns.
    rows : tuple of tuple
        The table's cells.
    """

    name: str
    label: str
    sentence: str
    figures: tuple[tuple[str, str, bool], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def measure_sections(audit: "Audit") -> tuple[MeasureSection, ...]:
    """The sections of all measures that have something to show, in the order of the audit.

    Parameters
    ----------
    audit : Audit
        What was found.

    Returns
    -------
    tuple of MeasureSection
        One section a measure.
    """
    sections = []
    for name, result in audit.results.items():
        measure = MEASURES[name]
        if measure.view is None:
            continue
        view = measure.view(result, audit.subject)
        if view.figures or view.rows:
            figures = tuple(
                (Picture(each.axes, each.caption).svg(prefix=f"audit-{name}-{number}-"), each.caption, each.narrow)
                for number, each in enumerate(view.figures)
            )
            sections.append(MeasureSection(name, measure.label, measure.sentence, figures, view.columns, view.rows))
    return tuple(sections)
