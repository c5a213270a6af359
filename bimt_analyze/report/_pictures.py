"""The pictures of a report, as SVG to set inside the page."""

from typing import TYPE_CHECKING

import numpy as np

from ..plots import draw_network, draw_predictions, draw_sweep, to_svg

if TYPE_CHECKING:
    from ._report import Report

WHOLE = 20_000  # weights up to which the network before pruning is drawn too


def pictures(report: "Report") -> dict[str, str]:
    """Name -> picture: ``circuit``, ``sweep``, where it is small enough ``whole``, and for numbers ``predictions``."""
    circuit, checkpoint = report.circuit, report.checkpoint
    drawn = {
        "circuit": draw_network(circuit.network, partition=report.module_sets),
        "sweep": draw_sweep(circuit),
    }
    if checkpoint.network.edges() <= WHOLE:
        modules = [{(group, circuit.kept[group][index]) for group, index in module} for module in report.module_sets]
        drawn["whole"] = draw_network(checkpoint.network, partition=modules, legend=False)
    if checkpoint.card.loss == "mse":
        probe, card = checkpoint.probe, checkpoint.card
        predictions = {"network": checkpoint.predict(probe.x_test)}
        if len(report.formulas) == len(card.outputs):
            said = np.stack([report.formulas[name].predict(probe.x_test) for name in card.outputs], axis=1)
            if np.isfinite(said).all():
                predictions["formula"] = said
        drawn["predictions"] = draw_predictions(probe.y_test, predictions, names=card.output_labels or card.outputs)
    return {name: to_svg(axes, prefix=f"{name}-") for name, axes in drawn.items()}
