"""Classifiers: the neurons that each class needs."""

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network

from .._classes import class_use
from .._interpretation import INTERPRETATIONS, Cell, Interpretation
from .._targets_as_products import products_of
from ..group_tables._target_group import target_group

NEEDED = 0.1  # share of a class's margin that goes with a neuron that it needs
LISTED = 8  # of these that are named
LEAST = 3  # tokens from which rows look like a table of products


@INTERPRETATIONS.register(
    "classes",
    label="neurons that classes need",
    sentence="Names the neurons that each class of a classifier needs.",
    applies=lambda checkpoint, _: checkpoint.task.classifies and not checkpoint.task.reads_sequences,
)
def class_needs(checkpoint: Checkpoint, network: Network) -> Interpretation | None:
    """Table of the neurons that each class needs.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of a classifier, with probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    Interpretation or None
        One row a class; None where a class has no probe rows, or the network no hidden neurons that can be set.
    """
    task, probe = checkpoint.task, checkpoint.probe
    x, y = np.concatenate([probe.x_train, probe.x_test]), np.concatenate([probe.y_train, probe.y_test])
    y = task.one_hot(y)
    if y.shape[1] != len(task.outputs):
        return None
    try:
        use = class_use(network, task.to_network_inputs(x), y)
    except InputError:  # a class has no rows, or something reads hidden neurons that is no affine map
        return None
    if not use.neurons:
        return None
    rows: list[tuple[Cell, ...]] = []
    for k, name in enumerate(use.classes):
        order = [i for i in np.argsort(-use.shares[k]).tolist() if use.shares[k, i] >= NEEDED]
        needed = [f"{use.neurons[i][0]}.{use.neurons[i][1]} ({use.shares[k, i]:.0%})" for i in order]
        told = ", ".join(needed[:LISTED]) + (", ..." if len(needed) > LISTED else "")
        rows.append((name, float(use.accuracy[k]), len(needed), told or "-"))
    least, most = min(row[2] for row in rows), max(row[2] for row in rows)
    counted = str(least) if least == most else f"{least} to {most}"
    return Interpretation(
        "Which neurons each class needs",
        f"A class needs {counted} of {len(use.neurons)} hidden neurons: set to its mean, each "
        f"costs it {NEEDED:.0%} of its margin or more.{_no_group(checkpoint)}",
        ("class", "accuracy", "neurons", "the most needed (share of the margin that goes with it)"),
        tuple(rows),
    )


def _no_group(checkpoint: Checkpoint) -> str:
    """Why neurons are not told by a group's representations, where rows look like a table of products."""
    table = products_of(checkpoint)
    if table is None or len(table.classes) < LEAST:
        return ""
    try:
        target_group(table)
    except InputError as refused:
        told = f"{refused.what}, {refused.got}" if refused.got else refused.what
        return f" The classes of {table.known:,} pairs of tokens are not read as the products of a group: {told}."
    return ""
