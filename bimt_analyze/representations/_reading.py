"""What the neurons of a network of a known task stand for: one table a task, for reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bimt_train.network import Checkpoint, Network

from ._ablation import ablations
from ._frequencies import frequency_modules
from ._irreps import IRREPS, irrep_shares
from ._readout import readability
from ._signals import module_partition

ALIVE = 1e-2  # standard deviation below which a neuron tells nothing

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
    over rows of numbers the places where a known part of the task can be read off its stream. None for all others.
    """
    known = BY_TASK.get(checkpoint.card.name) or BY_MODEL.get(network.model.kind)
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


Reader = Callable[[Checkpoint, Network], Reading | None]

BY_TASK: Mapping[str, Reader] = MappingProxyType(
    {"modular-addition": _modular_addition, "permutation-s4": _permutation_s4}
)
BY_MODEL: Mapping[str, Reader] = MappingProxyType({"row-transformer": _parts_in_the_stream})
