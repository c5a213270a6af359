"""Products in any group: the irreducible representation of each neuron."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bimt_train.checkpoints import Checkpoint, Network

from .._hidden_activations import can_be_followed
from .._interpretation import INTERPRETATIONS, Cell, Interpretation
from .._irreps import IrrepShares, irrep_shares
from .._targets_as_products import group_of

ALIVE = 1e-2  # standard deviation below which a neuron tells nothing
COLUMNS = 8  # representations that have a column each; of more, the greatest of each neuron is told
LEAST = 3  # elements: two classes of two tokens are better told class by class


def applies(checkpoint: Checkpoint, network: Network) -> bool:
    """Whether targets are the products of a group, and the last hidden layer can be followed.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint, with its probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    bool
        True where `irrep_shares` can be asked.
    """
    found = group_of(checkpoint)
    if found is None or found.group.order < LEAST:
        return False
    return can_be_followed(network, checkpoint.task.to_network_inputs(found.pairs[:2]))


@INTERPRETATIONS.register(
    "irreducible-representations",
    label="irreducible representations of neurons",
    sentence="Gives the irreducible representation of each neuron of a network whose classes are products in a group.",
    applies=applies,
)
def neuron_irreps(checkpoint: Checkpoint, network: Network) -> Interpretation:
    """Table of the irreducible representations of a group in each alive neuron of the last hidden layer.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint whose targets are the products of a group, with probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    Interpretation
        One row a neuron.
    """
    found = group_of(checkpoint)
    assert found is not None  # it applies
    every = irrep_shares(network, found, x=checkpoint.task.to_network_inputs(found.pairs))
    alive = [one for one in every if one.spread > ALIVE]
    names = tuple(every[0].shares)
    columns, cells = _wide(names, alive) if len(names) <= COLUMNS else _narrow(alive)
    return Interpretation(
        f"Irreducible representations of {found.name} in the last hidden layer",
        f"{len(alive)} neurons are alive; {_told(names, alive)}. {found.sentence}",
        ("neuron", "representation", *columns, "deviation"),
        tuple((one.neuron, one.name, *told, one.spread) for one, told in zip(alive, cells, strict=True)),
    )


def _told(names: Sequence[str], alive: Sequence[IrrepShares]) -> str:
    if "sign" in names:
        sign = [str(one.neuron) for one in alive if one.name == "sign"]
        return f"the sign is represented by neuron {', '.join(sign)}" if sign else "no neuron represents the sign alone"
    counted = Counter(one.name for one in alive if one.name in names)
    if not counted:
        return "none represents one alone"
    told = ", ".join(f"{name} ({times})" for name, times in counted.most_common(COLUMNS))
    return f"{counted.total()} represent one alone: {told}{', ...' if len(counted) > COLUMNS else ''}"


def _wide(names: tuple[str, ...], alive: Sequence[IrrepShares]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    return names, [tuple(one.shares[name] for name in names) for one in alive]


def _narrow(alive: Sequence[IrrepShares]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    cells: list[tuple[Cell, ...]] = []
    for one in alive:
        names, shares = tuple(one.shares), np.array(list(one.shares.values()))
        first, second = np.argsort(-shares, kind="stable")[:2].tolist()
        cells.append(
            (names[first], float(shares[first]), names[second], float(shares[second]), 1 - shares.sum().item())
        )
    return ("greatest", "its share", "next", "its share of variance", "no function of the product"), cells
