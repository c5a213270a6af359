"""The group whose products a checkpoint's targets are, found in its rows."""

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint

from .group_tables._operation_table import OperationTable, operation_table
from .group_tables._target_group import TargetGroup, target_group


def products_of(checkpoint: Checkpoint) -> OperationTable | None:
    """Read a checkpoint's rows as a table of the class of each pair of tokens.

    Parameters
    ----------
    checkpoint : Checkpoint
        Any checkpoint; training and test rows are read.

    Returns
    -------
    OperationTable or None
        None where rows are no pairs of tokens, or targets are not as many classes.

    Examples
    --------
    >>> from bimt_analyze.representations._targets_as_products import products_of
    >>> from bimt_train.checkpoints import from_state_dict
    >>> products_of(from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))) is None
    True
    """
    task, probe = checkpoint.task, checkpoint.probe
    if not task.classifies or task.reads_sequences:
        return None
    try:
        return operation_table(
            np.concatenate([probe.x_train, probe.x_test]), np.concatenate([probe.y_train, probe.y_test])
        )
    except InputError:
        return None


def group_of(checkpoint: Checkpoint) -> TargetGroup | None:
    """Find the group whose multiplication table a checkpoint's targets are.

    Parameters
    ----------
    checkpoint : Checkpoint
        Any checkpoint, whatever its task is called.

    Returns
    -------
    TargetGroup or None
        None where rows and targets are no such table (`target_group` says why).

    Examples
    --------
    >>> from bimt_analyze.representations import group_of
    >>> from bimt_train.checkpoints import Checkpoint, Network, Probe
    >>> from bimt_train.models import EmbeddingMLP
    >>> from bimt_train.tasks import modular_addition
    >>> task, network = modular_addition(5), Network.of(EmbeddingMLP(5, 2, 2, (4, 5)))
    >>> data = task.data(0)
    >>> probe = Probe(data.x_train, data.y_train, data.x_test, data.y_test)
    >>> group_of(Checkpoint(network, task.spec, probe)).name
    'the cyclic group of order 5'
    """
    table = products_of(checkpoint)
    if table is None:
        return None
    try:
        return target_group(table)
    except InputError:
        return None
