"""The registry of null networks that are trained: each says on what, and with which kind of training."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bimt_train import TrainingType
from bimt_train.checkpoints import Checkpoint
from bimt_train.registry import Entry, Registry
from bimt_train.showing import brief, one_line
from bimt_train.tasks import Dataset, Task


class NullTraining(NamedTuple):
    """How one kind of null network is trained.

    Attributes
    ----------
    task : Task
        Its data for each seed.
    kind : str
        What its training charges for: "bimt", "l1", ...

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.audits.chance.retraining._retrainings import RETRAININGS
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> RETRAININGS["l1"].function(checkpoint).kind
    'l1'
    """

    task: Task
    kind: TrainingType

    def __repr__(self) -> str:
        return one_line(self, brief(self._asdict()))


@dataclass(frozen=True, kw_only=True)
class Retraining(Entry):
    """A way to train a checkpoint's network anew as a null network.

    ``function`` takes the checkpoint and returns a `NullTraining`.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What the null networks are, for tables, pictures and reports.
    sentence : str
        One sentence that says what is different.
    function : callable
        As above.
    phrase : str
        What follows the word "networks" in a sentence, as in "3 of 200 networks ``phrase`` are as specialised".
    significant : str
        What follows where few null networks are as modular as the checkpoint's.
    not_significant : str
        What is said where many are.

    Examples
    --------
    >>> from bimt_analyze.audits.chance.retraining._retrainings import RETRAININGS
    >>> RETRAININGS["l1"].label
    'retrained with L1 alone'
    """

    phrase: str
    significant: str
    not_significant: str


RETRAININGS: Registry[Retraining] = Registry(
    "retraining",
    Retraining,
    builtin={
        "l1": "bimt_analyze.audits.chance.retraining._l1",
        "label_permutation": "bimt_analyze.audits.chance.retraining._label_permutation",
    },
    group="bimt.retrainings",
)
"""All retrainings by name; `retrained` reads them."""


@dataclass(frozen=True)
class CheckpointRows:
    """A checkpoint's rows as the data of a task.

    Attributes
    ----------
    checkpoint : Checkpoint
        Its probe's rows are trained on.
    permuted : bool, default False
        Whether the targets of each seed change places among the rows.
    """

    checkpoint: Checkpoint
    permuted: bool = False

    def task(self) -> Task:
        """The checkpoint's task with these rows, and its own model."""
        return Task(self.checkpoint.task, self.checkpoint.network.model, self)

    def __call__(self, seed: int) -> Dataset:
        """The rows of one seed."""
        task, probe = self.checkpoint.task, self.checkpoint.probe
        train_targets, test_targets = task.one_hot(probe.y_train), task.one_hot(probe.y_test)
        if self.permuted:
            rng = np.random.default_rng(seed)
            train_targets, test_targets = (rng.permutation(y) for y in (train_targets, test_targets))
        return Dataset(probe.x_train, train_targets, probe.x_test, test_targets)


def own_kind(checkpoint: Checkpoint) -> TrainingType:
    """The kind of training that the checkpoint had; BIMT where it does not say.

    Parameters
    ----------
    checkpoint : Checkpoint
        Whose ``config`` says so.

    Returns
    -------
    str
        "bimt", "l1", ...
    """
    kind: TrainingType = checkpoint.config.get("kind", "bimt")
    return kind
