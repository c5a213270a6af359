"""Weights & Biases, offline: files that wandb sync sends, if somebody calls it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._tracker import TRACKERS, TrackedRun


@TRACKERS.register(
    "wandb",
    label="Weights & Biases",
    sentence="Offline runs with their checkpoints, which wandb sync sends when you call it.",
    module="wandb",
    extra="wandb",
)
class WandbLogbook:
    """One offline run, beside any that the caller has."""

    def __init__(self, run: TrackedRun) -> None:
        import wandb

        run.place.mkdir(parents=True, exist_ok=True)
        quiet = {"silent": True, "console": "off", "x_disable_stats": True, "disable_git": True, "save_code": False}
        self._run = wandb.init(
            mode="offline",
            dir=str(run.place.parent),  # in which it makes a folder called wandb
            project=_project(run.experiment),
            name=run.name,
            config=dict(run.parameters),
            reinit="create_new",
            settings=wandb.Settings(**quiet),
        )

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures."""
        self._run.log(dict(figures), step=step)

    def end(self, record: Mapping[str, Any], checkpoint: Path) -> None:
        """Keep the record as the run's summary and the checkpoint as an artifact, and finish."""
        import wandb

        self._run.summary.update(dict(record))
        artifact = wandb.Artifact(checkpoint.stem, type="model", metadata=dict(record))
        artifact.add_file(str(checkpoint), policy="immutable")  # which is not copied into the user's home
        self._run.log_artifact(artifact)
        self._run.finish()


def _project(name: str) -> str:
    """A name that a project may have."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)[:100] or "bimt"
