"""What training returns: one run a seed, and the table of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints import Checkpoint, save_checkpoint
from ._record import Record

RUNS_FILE = "runs.json"


@dataclass(frozen=True, eq=False)
class Run:
    """One seed's network and how it came about.

    Attributes:
        seed: the seed.
        checkpoint: network, task, probe rows and recipe.
        records: measurements of all seeds together; `history` is this seed's.
        index: this seed's place in the records.
        diverged_at: the step before which its loss stopped being finite, or None; the checkpoint is what it
            was when last measured.
        seconds: this seed's share of the time.
    """

    seed: int
    checkpoint: Checkpoint
    records: tuple[Record, ...]
    index: int
    diverged_at: int | None
    seconds: float

    @property
    def history(self) -> tuple[dict[str, int | float], ...]:
        """Step, losses, cost and edges, of classifiers the test accuracy too, measurement by measurement."""
        return tuple(
            {"step": r.step, "train_loss": float(r.train_loss[self.index]), "test_loss": float(r.test_loss[self.index]),
             "cost": float(r.cost[self.index]), "edges": int(r.edges[self.index])}
            | ({} if r.accuracy is None else {"accuracy": float(r.accuracy[self.index])})
            for r in self.records
        )  # fmt: skip

    @property
    def file(self) -> str:
        """The name of this seed's checkpoint file."""
        return f"seed-{self.seed:03d}.safetensors"

    def to_json(self) -> dict[str, Any]:
        """The record of this seed in runs.json; a number that is not finite is null."""
        last = self.history[-1] if self.records else dict.fromkeys(("train_loss", "test_loss", "cost", "edges"), np.nan)
        finite = {k: v if np.isfinite(v) else None for k, v in last.items() if k != "step"}
        return {
            "seed": self.seed,
            **finite,
            "file": self.file,
            "seconds": round(self.seconds, 3),
            "diverged_at": self.diverged_at,
        }


@dataclass(frozen=True, eq=False)
class Runs:
    """All runs of one call of `train`, in the order of the seeds.

    Attributes:
        task: the task's name.
        runs: one a seed.
        interrupted: whether the user stopped it before the last step.
    """

    task: str
    runs: tuple[Run, ...]
    interrupted: bool = False

    def ranked(self) -> tuple[Run, ...]:
        """Least test loss first; diverged seeds last."""

        def loss(run: Run) -> float:
            value = run.history[-1]["test_loss"] if run.records else np.inf
            return value if np.isfinite(value) else np.inf

        return tuple(sorted(self.runs, key=loss))

    @property
    def best(self) -> Run:
        """The run of least test loss."""
        return self.ranked()[0]

    def to_json(self) -> dict[str, Any]:
        """The content of runs.json: the task and one record a seed, best first."""
        return {"task": self.task, "interrupted": self.interrupted, "records": [run.to_json() for run in self.ranked()]}

    def save(self, folder: str | Path) -> Path:
        """Write every checkpoint and runs.json; the folder is made if need be."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for run in self.runs:
            save_checkpoint(folder / run.file, run.checkpoint)
        path = folder / RUNS_FILE
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")
        return path
