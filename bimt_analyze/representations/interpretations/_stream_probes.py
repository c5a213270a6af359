"""Transformers over rows of numbers: where subfunctions of the task are linearly readable."""

import numpy as np

from bimt_train.checkpoints import Checkpoint, Network

from ...transformers._residual_stream import has_stream
from .._interpretation import INTERPRETATIONS, Cell, Interpretation
from .._readout import readability, stream_modules


def applies(checkpoint: Checkpoint, network: Network) -> bool:
    """Whether the network has a residual stream to probe, and the task has subfunctions with formulas.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint, whose task may state formulas.
    network : Network
        Its network or circuit.

    Returns
    -------
    bool
        True for a transformer that `readability` can probe.
    """
    parts = checkpoint.task.decomposition
    return (
        has_stream(network) and parts is not None and parts.has_expressions and bool(stream_modules(network.module()))
    )


@INTERPRETATIONS.register(
    "stream-probes",
    label="linear probes of the residual stream",
    sentence="Says behind which block and at which token each subfunction is linearly readable from a transformer.",
    applies=applies,
)
def stream_probes(checkpoint: Checkpoint, network: Network) -> Interpretation | None:
    """Table of linear probes for each subfunction, behind each block and at each token.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of a task with formulas, with probe rows.
    network : Network
        Its network or circuit, a transformer.

    Returns
    -------
    Interpretation or None
        One row a subfunction, block and token; None where no inner subfunction is finite on all rows.
    """
    task, probe = checkpoint.task, checkpoint.probe
    assert task.decomposition is not None
    x = np.concatenate([probe.x_train, probe.x_test])
    with np.errstate(all="ignore"):
        values = task.decomposition.evaluate(x)
    inner = [name for name in task.decomposition.names if name not in task.outputs and np.isfinite(values[name]).all()]
    rows: list[tuple[Cell, ...]] = []
    for name in inner:
        found = readability(network, task.to_network_inputs(x), values[name])
        rows += [(name, one.module, task.inputs[one.token] if one.token >= 0 else "-", one.r2) for one in found]
    if not rows:
        return None
    best = max(rows, key=lambda row: row[-1])
    return Interpretation(
        "Where subfunctions of the task are linearly readable from the residual stream",
        f"{best[0]} is clearest behind {best[1]} at {best[2]} (r2 {best[3]:.4f}).",
        ("subfunction", "behind", "at token", "r2 of a linear probe"),
        tuple(rows),
    )
