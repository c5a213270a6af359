"""A report's circuit as an interactive page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bimt_train import InputError
from bimt_train.extras import installed
from bimt_train.losses import LOSSES
from bimt_train.training import Snapshot

from .._circuit_of import held_out
from ..viewer import NetworkView, film_of, network_view
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


def film_view(report: "ReportContent", snapshots: Sequence[Snapshot]) -> NetworkView:
    """The training, its neurons in the modules of the circuit that came of it.

    Parameters
    ----------
    report : ReportContent
        What was found.
    snapshots : sequence of Snapshot
        The networks of the training, first to last.

    Returns
    -------
    NetworkView
        The page. Neurons that pruning took out are of no module. Where modules are made of other things than neurons,
        such as directions of a residual stream, layers stand for them.

    Raises
    ------
    InputError
        The snapshots are too few, or of another layout than the network.
    """
    film = film_of(snapshots)
    layout, known = snapshots[-1].network.layout, report.checkpoint.network.layout
    if layout != known:
        raise InputError(
            "a film of another network", where="snapshots", expected=str(known), got=str(layout),
            hint="give what load_snapshots reads beside the report's checkpoint",
        )  # fmt: skip
    graph, name = film[-1].graph, f"{report.checkpoint.task.name}: training"
    kept = report.circuit.kept
    modules = [{(group, kept[group][i] if group in kept else i) for group, i in own} for own in report.module_sets]
    if not graph.numbers.keys() >= {key for own in modules for key in own}:
        return network_view(graph, film=film, title=name)
    return network_view(graph, film=film, title=name, modules=modules, notes=_notes(report))


def _notes(report: "ReportContent") -> list[str]:
    """The ends of each module, and the formulas of what it sends where these are known."""
    notes = [str(module).strip("{}").replace("->", "→") for module in report.modules]
    sent = () if report.module_formulas is None else report.module_formulas.quantities
    for quantity in sent:
        if quantity.module >= len(notes):  # a constant, where nothing is connected
            continue
        text = f"{quantity.name} = {quantity.expression}"
        notes[quantity.module] += f"; {text if len(text) <= LONGEST else text[:LONGEST] + ' ...'}"
    return notes
