"""What training returns: one run a seed, the table of them, and the file of that table."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..extras import need
from ..showing import Shown, to_cell
from ..whole_files import made_folder, write_whole
from ._record import Record

if TYPE_CHECKING:  # brings torch, which a reader of the table does without
    import pandas as pd

    from ..checkpoints import Checkpoint

RUNS_FILE = "runs.json"


def checkpoint_name(seed: int) -> str:
    """The name of the checkpoint file of a seed: ``seed-000.safetensors``."""
    return f"seed-{seed:03d}.safetensors"


@dataclass(frozen=True, eq=False, repr=False)
class Run(Shown):
    """One seed's network and how it came about.

    Attributes
    ----------
    seed : int
        The seed.
    checkpoint : Checkpoint
        Network, task, probe rows and recipe.
    records : tuple of Record
        Measurements of all seeds together; `history` is of this seed alone.
    index : int
        Place of this seed in the arrays of the records.
    diverged_at : int or None
        The step before which the loss stopped being finite, or None. The checkpoint is what it was when last measured.
    seconds : float
        This seed's share of the time.

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> run = train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2)).best
    >>> run.seed, [measured["step"] for measured in run.history]
    (0, [1, 2])
    """

    seed: int
    checkpoint: "Checkpoint"
    records: tuple[Record, ...]
    index: int
    diverged_at: int | None
    seconds: float

    def _brief(self) -> str:
        last = f", test loss {self.history[-1]['test_loss']:.2g}" if self.records else ""
        return f"seed {self.seed} of {self.checkpoint.task.name}{last}"

    @property
    def history(self) -> tuple[dict[str, int | float], ...]:
        """Step, losses, cost and edges, of classifiers the test accuracy too, measurement by measurement."""
        return tuple(record.of(self.index) for record in self.records)

    @property
    def file(self) -> str:
        """The name of the checkpoint file of this seed."""
        return checkpoint_name(self.seed)

    def to_json(self) -> dict[str, Any]:
        """The record of this seed in runs.json.

        Returns
        -------
        dict
            Seed, last losses, cost, edges, trained numbers that make the network, file, seconds and divergence; a
            number that is not finite is None.
        """
        last = self.history[-1] if self.records else dict.fromkeys(("train_loss", "test_loss", "cost", "edges"), np.nan)
        finite = {k: v if np.isfinite(v) else None for k, v in last.items() if k != "step"}
        return {
            "seed": self.seed,
            **finite,
            "parameters": self.checkpoint.network.parameters,
            "file": self.file,
            "seconds": round(self.seconds, 3),
            "diverged_at": self.diverged_at,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Runs(Shown):
    """All runs of one call of `train`, in the order of the seeds.

    Attributes
    ----------
    task : str
        Name of the task.
    runs : tuple of Run
        One for each seed.
    interrupted : bool
        Whether the user stopped the training before the last step.

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> runs = train(two_moons(rows=(20, 20)), seeds=2, recipe=Recipe(steps=2))
    >>> [run.file for run in runs.runs]
    ['seed-000.safetensors', 'seed-001.safetensors']
    >>> sorted(runs.to_json())
    ['interrupted', 'records', 'task']
    """

    task: str
    runs: tuple[Run, ...]
    interrupted: bool = False

    def _brief(self) -> str:
        many = f"{len(self.runs)} seed{'' if len(self.runs) == 1 else 's'} of {self.task}"
        measured = [run.history[-1]["test_loss"] for run in self.ranked()[:1] if run.records]
        best = "".join(f", best loss {loss:.2g}" for loss in measured)
        return f"{many}{best}{', interrupted' if self.interrupted else ''}"

    def _repr_html_(self) -> str:
        table = self.to_frame()
        return to_cell(self._brief(), columns=tuple(table), rows=table.to_numpy(dtype=object).tolist())

    def to_frame(self) -> "pd.DataFrame":
        """One row a seed, best first.

        Returns
        -------
        pandas.DataFrame
            The columns of runs.json.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        return pd.DataFrame([run.to_json() for run in self.ranked()])

    def ranked(self) -> tuple[Run, ...]:
        """The runs, least test loss first; diverged seeds last.

        Returns
        -------
        tuple of Run
            All runs.
        """

        def loss(run: Run) -> float:
            value = run.history[-1]["test_loss"] if run.records else np.inf
            return value if np.isfinite(value) else np.inf

        return tuple(sorted(self.runs, key=loss))

    @property
    def best(self) -> Run:
        """The run of least test loss."""
        return self.ranked()[0]

    def to_json(self) -> dict[str, Any]:
        """The content of runs.json: the task and one record a seed, best first.

        Returns
        -------
        dict
            ``task``, ``interrupted`` and ``records``.
        """
        return {"task": self.task, "interrupted": self.interrupted, "records": [run.to_json() for run in self.ranked()]}

    def save(self, folder: str | Path) -> Path:
        """Write every checkpoint and runs.json.

        Parameters
        ----------
        folder : str or Path
            Where; it is made if need be.

        Returns
        -------
        Path
            The file runs.json.
        """
        from ..checkpoints import save_checkpoint

        folder = made_folder(folder)
        for run in self.runs:
            save_checkpoint(folder / run.file, run.checkpoint)
        return self.save_table(folder)

    def save_table(self, folder: str | Path) -> Path:
        """Write runs.json alone.

        Parameters
        ----------
        folder : str or Path
            Where the checkpoints are.

        Returns
        -------
        Path
            The file.
        """
        path = Path(folder) / RUNS_FILE
        write_whole(path, json.dumps(self.to_json(), indent=2) + "\n")
        return path
