"""Null networks trained on permuted targets."""

from bimt_train.checkpoints import Checkpoint

from ._retrainings import RETRAININGS, CheckpointRows, NullTraining, own_kind


@RETRAININGS.register(
    "label_permutation",
    label="retrained on permuted targets",
    sentence="The same network trained in the same way, with the targets of its rows moved to other rows.",
    phrase="trained on permuted targets",
    significant="the task has to do with it",
    not_significant="the task is not shown to have to do with it",
)
def label_permutation(checkpoint: Checkpoint) -> NullTraining:
    """Train as the checkpoint was, with each target moved to another row. Asks whether the task has to do with it.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network that is held against these.

    Returns
    -------
    NullTraining
        The checkpoint's rows with targets permuted for each seed, and its own kind of training.
    """
    return NullTraining(CheckpointRows(checkpoint, permuted=True).task(), own_kind(checkpoint))
