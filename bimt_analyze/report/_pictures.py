"""The pictures of a report, as SVG to set inside the page."""

from typing import TYPE_CHECKING

import numpy as np

from ..plots import (
    draw_damage,
    draw_hierarchy,
    draw_levels,
    draw_network,
    draw_nulls,
    draw_part,
    draw_predictions,
    draw_stability,
    draw_sweep,
    to_svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..audits import Audit
    from ._content import ReportContent

WHOLE = 20_000  # weights up to which the network before pruning is drawn too


def pictures(report: "ReportContent") -> dict[str, str]:
    """Name -> picture: ``circuit``, ``sweep``, where it is small enough ``whole``, for numbers ``predictions``,
    ``missed-N`` for output number N where its formula and the network part, and those of an audit, ``audit-...``."""
    circuit, checkpoint = report.circuit, report.checkpoint
    drawn = {
        "circuit": draw_network(circuit.network, partition=report.module_sets),
        "sweep": draw_sweep(circuit),
    }
    if checkpoint.network.edges() <= WHOLE:
        modules = [{(group, circuit.kept[group][index]) for group, index in module} for module in report.module_sets]
        drawn["whole"] = draw_network(checkpoint.network, partition=modules, legend=False)
    if not checkpoint.card.classifies:
        probe, card = checkpoint.probe, checkpoint.card
        predictions = {"network": checkpoint.predict(probe.x_test)}
        if len(report.formulas) == len(card.outputs):
            said = np.stack([report.formulas[name].predict(probe.x_test) for name in card.outputs], axis=1)
            if np.isfinite(said).all():
                predictions["formula"] = said
        drawn["predictions"] = draw_predictions(probe.y_test, predictions, names=card.output_labels or card.outputs)
    for number, (output, formula) in enumerate(report.formulas.items()):
        if formula.proof is not None and formula.proof.divergence is not None:
            part = formula.proof.divergence
            sides = {"network": part.network, "formula": part.formula}
            if len(part.inputs) > 1:  # two clouds of dots hide what parts them
                sides = {"formula - network": part.formula - part.network}
            title = f"{output}: the part of {', '.join(part.inputs)}"
            drawn[f"missed-{number}"] = draw_part(part.x, sides, names=part.inputs, title=title)
    if report.audit is not None:
        drawn |= _audit_pictures(report.audit)
    return {name: to_svg(axes, prefix=f"{name}-") for name, axes in drawn.items()}


def _audit_pictures(audit: "Audit") -> dict[str, "Axes"]:
    """The levels as a tree and on the network, how stable they are, null values, and the damage."""
    chosen, levels = audit.choice.level, audit.levels
    nulls = [*audit.nulls.values(), *(one.significance for one in audit.retrained.values())]
    names = {node.key: node.label for node in audit.graph.nodes}
    drawn = {
        "audit-tree": draw_hierarchy(levels, chosen=chosen, names=names),
        "audit-levels": draw_levels(audit.circuit.network, levels.levels, chosen=chosen),
        "audit-stability": draw_stability(levels, chosen=chosen),
        "audit-nulls": draw_nulls(nulls),
    }
    if audit.damage is not None:
        drawn["audit-damage"] = draw_damage(audit.damage)
        drawn["audit-alone"] = draw_damage(audit.damage, alone=True)
    return drawn
