"""TensorBoard: event files, a folder for each run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._tracker import TRACKERS, TrackedRun


@TRACKERS.register(
    "tensorboard",
    label="TensorBoard",
    sentence="Event files, which tensorboard --logdir shows; the checkpoint by its path.",
    module="torch.utils.tensorboard",
    extra="tensorboard",
)
class TensorBoardLogbook:
    """The event file of one run."""

    def __init__(self, run: TrackedRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run.place / run.name))
        self._writer.add_text("parameters", _as_block(run.parameters))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Write a point of each curve."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def end(self, record: Mapping[str, Any], checkpoint: Path) -> None:
        """Write the record with the checkpoint's path, as TensorBoard keeps no files."""
        self._writer.add_text("record", _as_block({**record, "checkpoint": str(checkpoint)}))
        self._writer.close()


def _as_block(said: Mapping[str, Any]) -> str:
    """JSON as TensorBoard's Markdown shows it."""
    return "\n".join(f"    {line}" for line in json.dumps(dict(said), indent=2).splitlines())
