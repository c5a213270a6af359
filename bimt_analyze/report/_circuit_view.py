"""A report's circuit as an interactive page."""

from typing import TYPE_CHECKING

from bimt_train.extras import installed
from bimt_train.losses import LOSSES

from .._circuit_of import held_out
from ..viewer import NetworkView, network_view
from ..viewer._cuts import cut_losses
from ..viewer._neuron_effects import neuron_effects

if TYPE_CHECKING:
    from ._content import ReportContent

LONGEST = 60  # characters of a formula in the line about a module


def view_of(report: "ReportContent") -> NetworkView:
    """The circuit in its modules, with the loss at thresholds and the effects of neurons where these can be computed.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    NetworkView
        The page. Losses and effects are those on the held-out rows; networks over sequences have none.
    """
    network, task = report.circuit.network, report.checkpoint.task
    about = network_view(report.graph, modules=report.module_sets, title=task.name, notes=_notes(report))
    if not installed("torch") or task.reads_sequences or not network.layout.ends_are_neurons:
        return about
    x, y = held_out(report.checkpoint)
    return network_view(
        report.graph,
        modules=report.module_sets,
        title=task.name,
        notes=_notes(report),
        effects=neuron_effects(network, x),
        cuts=cut_losses(network, report.graph, x, y, loss=task.loss),
        loss=LOSSES[task.loss].label,
    )


def _notes(report: "ReportContent") -> list[str]:
    """The ends of each module, and the formulas of what it sends where these are known."""
    notes = [str(module).strip("{}").replace("->", "→") for module in report.modules]
    sent = () if report.module_formulas is None else report.module_formulas.quantities
    for quantity in sent:
        text = f"{quantity.name} = {quantity.expression}"
        notes[quantity.module] += f"; {text if len(text) <= LONGEST else text[:LONGEST] + ' ...'}"
    return notes
