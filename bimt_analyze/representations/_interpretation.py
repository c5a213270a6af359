"""What the neurons of a network of a known task stand for: one table a task, for reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bimt_train.checkpoints import Checkpoint, Network

from ..transformers import alive
from ._activations import module_partition
from ._class_ablation import ablations
from ._classes import class_use
from ._frequencies import frequency_modules
from ._irreps import IRREPS, irrep_shares
from ._readout import readability

ALIVE = 1e-2  # standard deviation below which a neuron tells nothing
NEEDED = 0.1  # share of a class's margin that goes with a neuron that it needs
LISTED = 8  # of these that are named

Cell = str | int | float


@dataclass(frozen=True)
class Reading:
    """A table and the sentence that sums it up.

    Attributes:
        title: what the table shows.
        statement: what to see in it.
        columns: their names.
        rows: one cell a column.
    """

    title: str
    statement: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def reading(checkpoint: Checkpoint, network: Network) -> Reading | None:
    """What the neurons of ``network``, the checkpoint's own or its circuit, stand for in the terms of the task.

    Modular addition has the frequency of each module; S4 the irreducible representation of each neuron; a transformer
    over rows of numbers the places where a known part of the task can be read off its stream; a language model what is
    alive in it; any other classifier the neurons that each class needs. None for all others.
    """
    card, placed = checkpoint.card, bool(network.layout.inputs)
    known = BY_TASK.get(card.name) or BY_MODEL.get(network.model.kind)
    if known is None and card.classifies and placed:
        known = _classes
    return None if known is None else known(checkpoint, network)


def _modular_addition(checkpoint: Checkpoint, network: Network) -> Reading:
    modules = module_partition(network).modules
    found = frequency_modules(network, modules)
    whole, *each = ablations(network, modules, checkpoint.probe.x_test, checkpoint.probe.y_test)
    single = sum(module.single for module in found)
    rows: list[tuple[Cell, ...]] = []
    for number, (module, lost) in enumerate(zip(found, each, strict=True), start=1):
        best = max(module.features, key=lambda feature: feature.r2_harmonics, default=None)
        wave = ("-", "-") if best is None else (str(best.expression), best.r2_harmonics)
        rows.append(
            (number, module.frequency, module.share, lost.without_accuracy, lost.without_loss, lost.alone_accuracy,
             lost.alone_loss, *wave)
        )  # fmt: skip
    return Reading(
        "Frequencies of the modules before the output layer",
        f"{single} of {len(found)} modules carry a single frequency (95 % of the power of their embedding in k, 2k and "
        f"3k); accuracy with all of them {whole.alone_accuracy:.4f}.",
        ("module", "k", "share of k", "accuracy without it", "loss without it", "accuracy alone", "loss alone",
         "its clearest feature", "r2 with harmonics"),
        tuple(rows),
    )  # fmt: skip


def _permutation_s4(checkpoint: Checkpoint, network: Network) -> Reading:
    alive = [one for one in irrep_shares(network) if one.spread > ALIVE]
    sign = [str(one.neuron) for one in alive if one.name == "sign"]
    told = f"the sign is carried by neuron {', '.join(sign)}" if sign else "no neuron carries the sign alone"
    return Reading(
        "Irreducible representations of S4 in the last hidden layer",
        f"{len(alive)} neurons are alive; {told}.",
        ("neuron", "representation", *IRREPS, "deviation"),
        tuple((one.neuron, one.name, *(one.shares[irrep] for irrep in IRREPS), one.spread) for one in alive),
    )


def _parts_in_the_stream(checkpoint: Checkpoint, network: Network) -> Reading | None:
    card, probe = checkpoint.card, checkpoint.probe
    if card.parts is None or not card.parts.has_expressions:
        return None
    x = np.concatenate([probe.x_train, probe.x_test])
    with np.errstate(all="ignore"):
        values = card.parts.evaluate(x)
    inner = [name for name in card.parts.names if name not in card.outputs and np.isfinite(values[name]).all()]
    rows: list[tuple[Cell, ...]] = []
    for part in inner:
        seen = readability(network, card.to_network_inputs(x), values[part])
        rows += [(part, one.module, card.inputs[one.token] if one.token >= 0 else "-", one.r2) for one in seen]
    if not rows:
        return None
    best = max(rows, key=lambda row: row[-1])
    return Reading(
        "Where parts of the task can be read off the residual stream",
        f"{best[0]} is clearest behind {best[1]} at {best[2]} (r2 {best[3]:.4f}).",
        ("part", "behind", "at token", "r2 of a linear readout"),
        tuple(rows),
    )


def _alive(checkpoint: Checkpoint, network: Network) -> Reading:
    found = alive(network)
    rows: list[tuple[Cell, ...]] = [
        (part.group, "heads" if part.attending else "neurons", len(part.alive), part.count,
         sum(part.attending) if part.attending else "-")
        for part in found.parts
    ]  # fmt: skip
    used, all_ = sum(found.positions), len(found.positions)
    return Reading(
        "What is alive in the transformer",
        f"{found.heads} heads and {found.neurons} MLP neurons are alive; {used} of {all_} positions of the residual "
        "stream are used.",
        ("part", "of", "in all", "alive", "of these attending"),
        tuple(rows),
    )


def _classes(checkpoint: Checkpoint, network: Network) -> Reading | None:
    card, probe = checkpoint.card, checkpoint.probe
    x, y = np.concatenate([probe.x_train, probe.x_test]), np.concatenate([probe.y_train, probe.y_test])
    if y.shape[1] != len(card.outputs) or not y.sum(axis=0).all():
        return None
    use = class_use(network, card.to_network_inputs(x), y)
    rows: list[tuple[Cell, ...]] = []
    for k, name in enumerate(use.classes):
        order = [i for i in np.argsort(-use.shares[k]).tolist() if use.shares[k, i] >= NEEDED]
        needed = [f"{use.neurons[i][0]}.{use.neurons[i][1]} ({use.shares[k, i]:.0%})" for i in order]
        told = ", ".join(needed[:LISTED]) + (", ..." if len(needed) > LISTED else "")
        rows.append((name, float(use.accuracy[k]), len(needed), told or "-"))
    counts = [row[2] for row in rows]
    return Reading(
        "Which neurons each class needs",
        f"A class needs {min(counts)} to {max(counts)} of {len(use.neurons)} hidden neurons: set to its mean, each "
        f"costs it {NEEDED:.0%} of its margin or more.",
        ("class", "accuracy", "neurons", "the most needed (share of the margin that goes with it)"),
        tuple(rows),
    )


Reader = Callable[[Checkpoint, Network], Reading | None]

BY_TASK: Mapping[str, Reader] = MappingProxyType(
    {"modular-addition": _modular_addition, "permutation-s4": _permutation_s4}
)
BY_MODEL: Mapping[str, Reader] = MappingProxyType({"row-transformer": _parts_in_the_stream, "gpt": _alive})
