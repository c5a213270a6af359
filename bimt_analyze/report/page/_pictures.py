"""The pictures of a page, each with its caption and with what it shows in words."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bimt_train.extras import installed

from ...audits import MEASURES
from ...plots import (
    Picture,
    draw_driving,
    draw_hierarchy,
    draw_levels,
    draw_network,
    draw_part,
    draw_predictions,
    draw_stability,
    draw_sweep,
)
from . import _in_words as in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from ...audits import Audit
    from ...graph import NodeId
    from .._content import ReportContent

DRAWN = 20_000  # neurons up to which a network is drawn at all: beyond, nobody can tell them apart
WHOLE = 20_000  # weights up to which the network before pruning is drawn too
MOST_EDGES = 2000  # of a network that are drawn: a page stays small, and of more nobody can follow one
MOST_MISSED = 6  # outputs whose difference from the network is drawn


@dataclass(frozen=True)
class PagePicture:
    """A picture as it stands in a page.

    Attributes
    ----------
    svg : Markup
        The element; what it shows in words is its label.
    width : int
        The width that it was drawn for, in pixels of the page.
    caption : str
        What is to be seen, and how to read it.
    """

    svg: Markup
    width: int
    caption: str


def page_picture(name: str, axes: "Axes", alt: str, caption: str) -> PagePicture:
    """A picture as a page has it.

    Parameters
    ----------
    name : str
        What sets its parts apart from those of the page's other pictures.
    axes : Axes
        What was drawn.
    alt : str
        What it shows, in words.
    caption : str
        What is to be seen, and how to read it.

    Returns
    -------
    PagePicture
        The element, its width and its caption.
    """
    svg = Picture(axes, alt).svg(prefix=f"{name}-")
    size = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    assert size is not None
    return PagePicture(Markup(svg), round(float(size[1])), caption)


def pictures(report: "ReportContent") -> dict[str, PagePicture]:
    """The pictures of a report by name.

    They are ``sweep``, where it is small enough ``circuit`` and ``whole``, for numbers ``predictions``, ``missed-N``
    for output number N where its formula and the network part, and those of an audit's levels, ``audit-...``.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    dict of str to PagePicture
        Name -> picture.
    """
    shown = [*_networks(report), *_driving(report), *_predictions(report), *_missed(report)]
    if report.audit is not None:
        shown += _levels(report.audit, report.module_sets)
    return {name: page_picture(name, axes, alt, caption) for name, axes, alt, caption in shown}


def _driving(report: "ReportContent") -> "Iterator[tuple[str, Axes, str, str]]":
    if report.driving is not None:
        drawn = draw_driving(report.driving)
        yield "driving", drawn.axes, drawn.alt, (
            "Which variable drives which: an arrow is the wider, the more of a derivative is changed where its source "
            "is held at its mean; a ring is a variable that drives itself; grey is declared."
        )  # fmt: skip


def _networks(report: "ReportContent") -> "Iterator[tuple[str, Axes, str, str]]":
    circuit, network = report.circuit, report.checkpoint.network
    refitted = f", the weights left refitted for {circuit.refit_steps} steps each" if circuit.refit_steps else ""
    if circuit.sweep:
        yield "sweep", draw_sweep(circuit).axes, in_words.sweep_in_words(circuit), (
            f"Every threshold that was tried{refitted}. The structure is read at the marked one: the greatest at which "
            "the loss stays within the tolerance."
        )  # fmt: skip
    if len(report.graph.nodes) > DRAWN:
        return
    drawn = draw_network(circuit.network, partition=report.module_sets, most=MOST_EDGES, legend=False).axes
    yield "circuit", drawn, in_words.circuit_in_words(report), (
        f"The smallest network found whose loss stays within {100 * circuit.tolerance:g} % of the whole network's. "
        "Neurons stand in their places, inputs at the bottom; an edge's width is its weight."
    )  # fmt: skip
    if network.edges() > WHOLE:
        return
    modules = [{(group, circuit.kept[group][index]) for group, index in module} for module in report.module_sets]
    whole = draw_network(network, partition=modules, most=MOST_EDGES, legend=False).axes
    yield "whole", whole, in_words.whole_in_words(report, MOST_EDGES), (
        "The weights before pruning; neurons that pruning removed carry no colour."
    )  # fmt: skip


def _predictions(report: "ReportContent") -> "Iterator[tuple[str, Axes, str, str]]":
    task, probe = report.checkpoint.task, report.checkpoint.probe
    if task.classifies or not installed("torch"):
        return
    predictions = {"network": report.checkpoint.predict(probe.x_test)}
    if len(report.formulas) == len(task.outputs):
        said = np.stack([report.formulas[name].predict(probe.x_test) for name in task.outputs], axis=1)
        if np.isfinite(said).all():
            predictions["formula"] = said
    names = task.output_labels or task.outputs
    words = in_words.predictions_in_words(probe.y_test, predictions, names)
    units = [task.units.get(name, "") for name in task.outputs]
    drawn = draw_predictions(probe.y_test, predictions, names=names, units=units).axes
    yield "predictions", drawn, words, "Test rows, which neither the network nor the formulas were fitted to."


def _missed(report: "ReportContent") -> "Iterator[tuple[str, Axes, str, str]]":
    parts = [
        (number, output, formula.verification.divergence)
        for number, (output, formula) in enumerate(report.formulas.items())
        if formula.verification is not None and formula.verification.divergence is not None
    ]
    task = report.checkpoint.task
    for number, output, part in parts[:MOST_MISSED]:
        sides = {"network": part.network, "formula": part.formula}
        gap = part.formula - part.network
        if len(part.inputs) > 1:  # two clouds of dots hide what parts them
            sides = {"formula - network": gap}
        title = f"{output}: the part of {', '.join(part.inputs)}"
        inputs = [task.with_unit(name) for name in part.inputs]
        drawn = draw_part(part.x, sides, names=inputs, title=title, unit=task.units.get(output, "")).axes
        caption = (
            "Where the network departs from the formula most: the difference is the network's own error where the "
            "formula is the law."
        )
        yield f"missed-{number}", drawn, in_words.missed_in_words(output, part.inputs, gap), caption


def _levels(audit: "Audit", order: "Sequence[frozenset[NodeId]]") -> "Iterator[tuple[str, Axes, str, str]]":
    """The levels as a tree and, where it is small enough, on the network, and how stable they are."""
    chosen, levels = audit.choice.level, audit.levels
    names = {node.key: node.label for node in audit.graph.nodes}
    tree = draw_hierarchy(levels, chosen=chosen, names=names, order=order).axes
    yield "audit-tree", tree, in_words.tree_in_words(audit), (
        "Every level at which the circuit was cut, each module falling into those below it. The chosen level is "
        "marked; it was chosen without looking at what is known of the task."
    )  # fmt: skip
    if len(audit.graph.nodes) <= DRAWN:
        drawn = draw_levels(audit.circuit.network, levels.levels, chosen=chosen, most=MOST_EDGES, order=order).axes
        yield "audit-levels", drawn, in_words.levels_in_words(audit), (
            "The circuit in the colours of some of these levels."
        )  # fmt: skip
    yield "audit-stability", draw_stability(levels, chosen=chosen).axes, in_words.stability_in_words(audit), (
        "How well runs of Leiden agree at each resolution, and how modular what they find is."
    )  # fmt: skip


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
    pictures : tuple of PagePicture
        What was drawn.
    columns : tuple of str
        Names of the table's columns.
    rows : tuple of tuple
        The table's cells.
    """

    name: str
    label: str
    sentence: str
    pictures: tuple[PagePicture, ...]
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
            drawn = tuple(
                page_picture(f"audit-{name}-{place}", one.axes, one.alt or one.caption, one.caption)
                for place, one in enumerate(view.figures)
            )
            sections.append(MeasureSection(name, measure.label, measure.sentence, drawn, view.columns, view.rows))
    return tuple(sections)
