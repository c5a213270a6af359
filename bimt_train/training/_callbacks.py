"""What a run tells while it goes on."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._record import Record

if TYPE_CHECKING:
    from ..checkpoints import Network
    from ._recipe import Recipe
    from ._runs import Runs


class Callback:
    """Base of all listeners: methods that do nothing, each called at one moment of a run."""

    def on_start(self, recipe: "Recipe", seeds: Sequence[int], step: int) -> None:
        """The run is about to begin, or to go on after ``step`` steps."""

    def on_record(self, record: Record) -> None:
        """The run was just measured."""

    def on_networks(self, step: int, network: "Callable[[int], Network]") -> None:
        """The run begins, or was just measured; ``network(seed)`` is that seed's network as it is now."""

    def on_diverged(self, seed: int, step: int) -> None:
        """A seed's loss stopped being finite; it rests from now on, and the others go on."""

    def on_interrupt(self, step: int) -> None:
        """The user stopped the run; everything up to ``step`` is kept."""

    def on_end(self, runs: "Runs") -> None:
        """The run is over, finished or interrupted."""


class ProgressBar(Callback):
    """A bar with the best seed's loss, the median cost and the median number of edges."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, TextColumn("{task.fields[said]}"), transient=False)
        self._task = self._bar.add_task("training", total=None, said="")

    def on_start(self, recipe: "Recipe", seeds: Sequence[int], step: int) -> None:
        """Show the empty bar."""
        self._bar.update(self._task, total=recipe.steps, completed=step)
        self._bar.start()

    def on_record(self, record: Record) -> None:
        """Move the bar."""
        loss = np.nanmin(record.test_loss) if np.isfinite(record.test_loss).any() else np.nan
        cost, edges = np.median(record.cost), np.median(record.edges)
        said = f"best test loss {loss:.2e}  cost {cost:.2f}  edges {edges:.0f}"
        self._bar.update(self._task, completed=record.step, said=said)

    def on_diverged(self, seed: int, step: int) -> None:
        """Say it above the bar."""
        self._bar.console.log(f"seed {seed} diverged before step {step}; the others go on")

    def on_interrupt(self, step: int) -> None:
        """Say it above the bar."""
        self._bar.console.log(f"interrupted; everything up to step {step} is kept")

    def on_end(self, runs: "Runs") -> None:
        """Leave the bar standing."""
        self._bar.stop()
