"""What the pictures of a page show, in words, for those who do not see them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...modules._module_names import listed
from ...plots.representations._draw_predictions import r_squared

if TYPE_CHECKING:
    from bimt_train.pruning import Circuit

    from ...audits import Audit
    from .._content import ReportContent

TOLD = 6  # modules, outputs or levels that are told one by one


def circuit_in_words(report: "ReportContent") -> str:
    """How many neurons, edges and modules the drawn circuit has, and which ends each module joins.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        A sentence or two.
    """
    circuit, modules = report.circuit, report.modules
    said = [f"{listed(one.inputs)} to {listed(one.outputs)}" for one in modules[:TOLD] if one.inputs and one.outputs]
    joined = f": {'; '.join(said)}" if said else ""
    return (
        f"Graph of the circuit, inputs below, outputs above: {count(circuit.neurons, 'neuron')}, "
        f"{count(circuit.edges, 'edge')}, {count(len(modules), 'module')}{joined}."
    )


def whole_in_words(report: "ReportContent", drawn: int) -> str:
    """How many weights the network had, how many are drawn, and how many neurons pruning left.

    Parameters
    ----------
    report : ReportContent
        What was found.
    drawn : int
        Weights that are drawn at most.

    Returns
    -------
    str
        A sentence or two.
    """
    network, edges = report.checkpoint.network, report.checkpoint.network.edges()
    neurons = sum(network.layout.sizes.values())
    shown = "all drawn" if edges <= drawn else f"the greatest {drawn} drawn"
    return (
        f"Graph of the network before pruning: {count(neurons, 'neuron')}, {count(edges, 'weight')}, {shown}; "
        f"{count(report.circuit.neurons, 'neuron')} of the circuit in the colours of their modules."
    )


def sweep_in_words(circuit: "Circuit") -> str:
    """Which thresholds were tried, which was chosen, and what it leaves.

    Parameters
    ----------
    circuit : Circuit
        The circuit, with the sweep that led to it.

    Returns
    -------
    str
        A sentence or two.
    """
    tried = [point.threshold for point in circuit.sweep if point.threshold > 0]
    span = f", from {min(tried):.2g} to {max(tried):.2g}" if tried else ""
    return (
        f"Loss, edges and components against the threshold below which weights are cut{span}. Chosen: "
        f"{circuit.threshold:.2g}, which leaves {count(circuit.edges, 'edge')} and a loss of {circuit.loss:.3g}; "
        f"allowed is {circuit.full_loss * (1 + circuit.tolerance):.3g}."
    )


def predictions_in_words(targets: np.ndarray, predictions: Mapping[str, np.ndarray], names: Sequence[str]) -> str:
    """On how many rows each output was predicted, and how close each prediction is.

    Parameters
    ----------
    targets : array of shape (rows, outputs)
        The true values.
    predictions : mapping of str to array of shape (rows, outputs)
        Who predicts -> the predictions.
    names : sequence of str
        The outputs.

    Returns
    -------
    str
        A sentence or two.
    """
    said = []
    for who, values in predictions.items():
        each = [f"{name} {r_squared(targets[:, k], values[:, k]):.4f}" for k, name in enumerate(names[:TOLD])]
        said.append(f"r2 of the {who}: {', '.join(each)}")
    more = f", and {len(names) - TOLD} outputs more" if len(names) > TOLD else ""
    return f"Predicted against true values on {count(len(targets), 'test row')}; {'; '.join(said)}{more}."


def missed_in_words(output: str, inputs: Sequence[str], gap: np.ndarray) -> str:
    """Between which values the difference of formula and network lies, over which inputs.

    Parameters
    ----------
    output : str
        The output.
    inputs : sequence of str
        The inputs that are drawn.
    gap : array of shape (points,)
        Formula minus network.

    Returns
    -------
    str
        A sentence or two.
    """
    spread = f"from {gap.min():.3g} to {gap.max():.3g}"
    return f"Formula minus network for {output} over {listed(inputs)}, on {count(len(gap), 'point')}: {spread}."


def tree_in_words(audit: "Audit") -> str:
    """Into how many modules the chosen level cuts the circuit, and how many levels there are.

    Parameters
    ----------
    audit : Audit
        The audit whose levels are drawn.

    Returns
    -------
    str
        A sentence or two.
    """
    level = audit.choice.level
    return (
        f"Tree of {count(len(audit.levels.levels), 'level')}, each module above those that it falls into. "
        f"Chosen: {level.name}, {count(len(level.partition.modules), 'module')}."
    )


def stability_in_words(audit: "Audit") -> str:
    """How many modules each resolution gives, and how well its searches agree.

    Parameters
    ----------
    audit : Audit
        The audit whose levels are drawn.

    Returns
    -------
    str
        A sentence or two.
    """
    found = sorted(audit.levels.resolutions, key=lambda level: level.parameter)
    if not found:
        return "No resolution was searched."
    kept = found if len(found) <= TOLD else [found[0], found[len(found) // 2], found[-1]]
    said = [
        f"{count(len(one.partition.modules), 'module')} at {one.parameter:g}"
        + ("" if one.stability is None else f" (stability {one.stability:.2g})")
        for one in kept
    ]
    return f"Stability, modularity and number of modules against the resolution: {', '.join(said)}."


def levels_in_words(audit: "Audit") -> str:
    """Which level of a circuit that is coloured level by level is the chosen one.

    Parameters
    ----------
    audit : Audit
        The audit whose levels are drawn.

    Returns
    -------
    str
        A sentence or two.
    """
    chosen = audit.choice.level
    return f"The circuit in the modules of several levels; chosen: {chosen.name}, " + (
        f"{count(len(chosen.partition.modules), 'module')}."
    )


def count(number: int, noun: str) -> str:
    """A number with its noun, which is given in the singular."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
