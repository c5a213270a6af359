"""Language models: which heads, neurons and positions of the stream are alive."""

from bimt_train.checkpoints import Checkpoint, Network

from ...transformers import alive
from ...transformers._residual_stream import has_stream
from .._interpretation import INTERPRETATIONS, Cell, Interpretation


@INTERPRETATIONS.register(
    "alive",
    label="what is alive in a transformer",
    sentence="Counts the heads, MLP neurons and positions of the residual stream that are alive in a language model.",
    applies=lambda checkpoint, network: checkpoint.task.reads_sequences and has_stream(network),
)
def alive_parts(checkpoint: Checkpoint, network: Network) -> Interpretation:
    """Table of the heads and neurons of a language model that are alive.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of a language model.
    network : Network
        Its network or circuit.

    Returns
    -------
    Interpretation
        One row an attention or MLP.
    """
    found = alive(network)
    rows: list[tuple[Cell, ...]] = [
        (part.group, "heads" if part.attending else "neurons", len(part.alive), part.count,
         sum(part.attending) if part.attending else "-")
        for part in found.parts
    ]  # fmt: skip
    used, all_ = sum(found.positions), len(found.positions)
    return Interpretation(
        "What is alive in the transformer",
        f"{found.heads} heads and {found.neurons} MLP neurons are alive; {used} of {all_} positions of the residual "
        "stream are used.",
        ("part", "of", "in all", "alive", "of these attending"),
        tuple(rows),
    )
