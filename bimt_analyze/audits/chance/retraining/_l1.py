"""Null networks trained with L1 alone."""

from bimt_train.checkpoints import Checkpoint

from ._retrainings import RETRAININGS, CheckpointRows, NullTraining


@RETRAININGS.register(
    "l1",
    label="retrained with L1 alone",
    sentence="The same network on the same rows, but no neuron moves and no connection is charged for its length.",
    phrase="trained with L1 alone",
    significant="sparsity alone does not bring it",
    not_significant="it is not shown to take more than sparsity",
)
def l1(checkpoint: Checkpoint) -> NullTraining:
    """Train on the same rows with L1 alone. Asks whether more than sparsity was needed.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network that is held against these.

    Returns
    -------
    NullTraining
        The checkpoint's rows, and training of kind "l1".
    """
    return NullTraining(CheckpointRows(checkpoint).task(), "l1")
