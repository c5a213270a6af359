"""Transformers over sequences: to which places the content of each place is carried."""

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network

from ...transformers._residual_stream import has_stream
from .._interpretation import INTERPRETATIONS, Cell, Interpretation
from .._place_readout import PlaceReadout, place_readability, tokens_in
from .._readout import LEAST_ROWS, stream_modules

ROWS = 2000  # of the probe, that probes are fitted and judged on
LISTED = 120  # rows of the table; of more, those behind the last block are told


def applies(checkpoint: Checkpoint, network: Network) -> bool:
    """Whether rows are sequences of two places or more, and the network has a residual stream to read.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint, with its probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    bool
        True for a transformer that `place_readability` can probe.
    """
    x = np.concatenate([checkpoint.probe.x_train, checkpoint.probe.x_test])
    several = len(x) >= LEAST_ROWS and (np.ptp(x, axis=0) > 0).sum() > 1
    return bool(several) and has_stream(network) and bool(stream_modules(network.module()))


@INTERPRETATIONS.register(
    "positions",
    label="what is carried between positions",
    sentence="Says where in a transformer the content of each place of a sequence is linearly readable.",
    applies=applies,
)
def places(checkpoint: Checkpoint, network: Network) -> Interpretation | None:
    """Table of where the content of each place is readable: at its own place, and where it is clearest elsewhere.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of a task over sequences, with probe rows.
    network : Network
        Its network or circuit, a transformer.

    Returns
    -------
    Interpretation or None
        One row a place and block; None where the stream has not one token a place.
    """
    task, probe = checkpoint.task, checkpoint.probe
    x = np.concatenate([probe.x_train, probe.x_test])
    x = x[np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(np.int64)]
    try:
        found = place_readability(network, task.to_network_inputs(x))
    except (InputError, RuntimeError, IndexError):  # what runs the network may refuse its rows
        return None
    if not found:
        return None
    modules = tuple(dict.fromkeys(one.module for one in found))
    told = modules if len(modules) * x.shape[1] <= LISTED else modules[-1:]
    pairs: list[tuple[PlaceReadout, PlaceReadout]] = []
    for place in dict.fromkeys(one.place for one in found):
        for module in told:
            here = [one for one in found if (one.place, one.module) == (place, module)]
            own = next(one for one in here if one.token == place)
            pairs.append((own, max((one for one in here if one.token != place), key=lambda one: one.r2)))
    rows: list[tuple[Cell, ...]] = [
        (task.inputs[own.place], own.module, own.r2, task.inputs[other.token], other.r2) for own, other in pairs
    ]
    best, tokens = max((other for _, other in pairs), key=lambda one: one.r2), tokens_in(x)
    of = f"tokens, {tokens} of them different" if tokens else "numbers"
    return Interpretation(
        "Where the content of each place is linearly readable",
        f"Rows are sequences of {x.shape[1]} {of} ({len(x):,} rows were read). Away from its own place, "
        f"{task.inputs[best.place]} is clearest at {task.inputs[best.token]} behind {best.module} (r2 {best.r2:.4f}).",
        ("content of", "behind", "r2 at its own place", "clearest elsewhere at", "r2 there"),
        tuple(rows),
    )
