"""A network in memory with rows, as a checkpoint."""

from typing import TYPE_CHECKING

from bimt_train import InputError

if TYPE_CHECKING:
    import numpy as np

    from bimt_train.checkpoints import Checkpoint, Network
    from bimt_train.expressions import Decomposition


def checkpoint_of(
    network: "Network",
    x: "np.ndarray",
    y: "np.ndarray | None" = None,
    decomposition: "Decomposition | None" = None,
) -> "Checkpoint":
    """A network with rows as a checkpoint: every second row is held out.

    Parameters
    ----------
    network : Network
        The network.
    x : float array [rows, inputs]
        Rows as the network sees them.
    y : float array [rows, outputs] or None
        Targets in the units of the outputs; for a network that predicts a token at each place of a sequence, the
        right tokens by number. Left out, the network's own outputs.
    decomposition : Decomposition or None
        The known decomposition of the task, whose names inputs and outputs then have; else they are x1, x2, ... and
        y1, y2, ...

    Returns
    -------
    Checkpoint
        The network with its rows.

    Raises
    ------
    CheckpointError
        Rows that do not fit the network.
    InputError
        Rows that the network cannot read, unknown tokens, or one output at each place, which is no choice among
        tokens.
    """
    import numpy as np

    from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec
    from bimt_train.checkpoints.own_outputs import OWN_OUTPUTS

    x = np.asarray(x, dtype=np.float64)
    said = _answers(network, x)
    tokens = said.ndim == 3
    if tokens and said.shape[-1] == 1:
        got = "one output at each place"
        raise InputError("a sequence of numbers is no choice among tokens", expected="an output a token", got=got)
    targets = np.asarray((said.argmax(-1) if tokens else said) if y is None else y, dtype=np.float64)
    if tokens and not np.isin(targets, np.arange(said.shape[-1])).all():
        expected, got = f"tokens from 0 to {said.shape[-1] - 1}", f"{targets.min():g} to {targets.max():g}"
        raise InputError("targets that are no tokens of the network", where="y", expected=expected, got=got)
    inputs = tuple(f"x{j + 1}" for j in range(x.shape[1])) if decomposition is None else decomposition.inputs
    outputs = tuple(f"y{k + 1}" for k in range(said.shape[-1])) if decomposition is None else decomposition.outputs
    low, high = x.min(axis=0), x.max(axis=0)
    ranges = tuple((float(a), float(b) if b > a else float(a) + 1.0) for a, b in zip(low, high, strict=True))
    task = TaskSpec(
        "network", inputs, outputs, ranges, loss="next-token" if tokens else "mse", decomposition=decomposition
    )
    config = {"targets": OWN_OUTPUTS} if y is None else {}
    return Checkpoint(network, task, Probe(x[::2], targets[::2], x[1::2], targets[1::2]), config)


def _answers(network: "Network", x: "np.ndarray") -> "np.ndarray":
    """What the network says on these rows.

    Raises
    ------
    InputError
        It cannot read them.
    """
    import numpy as np

    reads, unreadable = network.layout.columns, "rows that the network cannot read"
    if x.ndim != 2 or len(x) < 2 or (reads and x.shape[1] != reads):
        expected, got = f"[rows, {reads or 'columns'}], 2 rows or more", str(list(x.shape))
        raise InputError(unreadable, where="x", expected=expected, got=got)
    embeds = any(spec.role == "embedding" for spec in network.layout.tensors.values())
    if embeds and not reads and (x != np.floor(x)).any():
        raise InputError("rows that are no tokens", where="x", expected="whole numbers", got="fractions")
    try:
        return network.predict(x)
    except RuntimeError as error:  # torch's own words
        expected = "tokens that it knows, as many in a row as it takes"
        raise InputError(unreadable, where="x", expected=expected, got=str(error)) from None
