"""What a run tells while it goes on."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ._record import Record

if TYPE_CHECKING:
    from rich.console import Console

    from ..checkpoints import Network
    from ._runs import Runs
    from .recipes._recipe import Recipe


LINES = 10  # of the log, a run

_log = logging.getLogger(__name__)


class Callback:
    """Base of all listeners: methods that do nothing, each called at one moment of a run.

    Examples
    --------
    >>> class Losses(Callback):
    ...     def on_record(self, record: Record) -> None:
    ...         print(record.step, len(record.test_loss))
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> runs = train(two_moons(rows=(20, 20)), seeds=3, recipe=Recipe(steps=2), callbacks=[Losses()])
    1 3
    2 3
    """

    def on_folder(self, folder: Path) -> None:
        """The run has a folder; told before `on_start`, and not at all where nothing is written.

        Parameters
        ----------
        folder : Path
            Where checkpoints and runs.json will be.
        """

    def on_start(self, recipe: "Recipe", seeds: Sequence[int], step: int) -> None:
        """The run is about to begin, or to go on.

        Parameters
        ----------
        recipe : Recipe
            The recipe of the run.
        seeds : sequence of int
            The seeds that are trained.
        step : int
            Steps done before; 0 for a new run.
        """

    def on_record(self, record: Record) -> None:
        """The run was just measured.

        Parameters
        ----------
        record : Record
            The measurement of all seeds.
        """

    def on_networks(self, step: int, network: "Callable[[int], Network]") -> None:
        """The run begins, or was just measured.

        Parameters
        ----------
        step : int
            Steps done.
        network : callable
            Seed -> its network as it is now.
        """

    def on_diverged(self, seed: int, step: int) -> None:
        """A seed's loss stopped being finite; it is trained no further, and the others go on.

        Parameters
        ----------
        seed : int
            The seed.
        step : int
            The step at which this was noticed.
        """

    def on_interrupt(self, step: int) -> None:
        """The user stopped the run.

        Parameters
        ----------
        step : int
            Everything up to this step is kept.
        """

    def on_end(self, runs: "Runs") -> None:
        """The run is over, finished or interrupted.

        Parameters
        ----------
        runs : Runs
            What `train` returns.
        """


class LoggedProgress(Callback):
    """The progress of a run in the log, ten lines a run; `train` adds one to its listeners."""

    def __init__(self) -> None:
        self._steps, self._next = 0, 0.0

    def on_start(self, recipe: "Recipe", seeds: Sequence[int], step: int) -> None:
        """Log what begins.

        Parameters
        ----------
        recipe : Recipe
            Its number of steps is told.
        seeds : sequence of int
            Their number is told.
        step : int
            Steps done before.
        """
        self._steps, self._next = recipe.steps, step + recipe.steps / LINES
        _log.info("training: %d seeds, step %d of %d", len(seeds), step, recipe.steps)

    def on_record(self, record: Record) -> None:
        """Log the measurement, if the last one that was logged is a tenth of the run away.

        Parameters
        ----------
        record : Record
            The measurement.
        """
        if record.step >= self._next or record.step == self._steps:
            self._next = record.step + self._steps / LINES
            _log.info("training: step %d of %d, %s", record.step, self._steps, _said(record))

    def on_diverged(self, seed: int, step: int) -> None:
        """Log it.

        Parameters
        ----------
        seed : int
            The seed that diverged.
        step : int
            When this was noticed.
        """
        _log.info("training: seed %d diverged before step %d; the others go on", seed, step)


def _said(record: Record) -> str:
    """The best seed's loss, the median cost and the median number of edges."""
    loss = np.nanmin(record.test_loss) if np.isfinite(record.test_loss).any() else np.nan
    cost, edges = np.median(record.cost), np.median(record.edges)
    return f"best test loss {loss:.2e}  cost {cost:.2f}  edges {edges:.0f}"


class ProgressBar(Callback):
    """A bar with the best seed's loss, the median cost and the median number of edges.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where it is drawn; standard error if left out.

    Examples
    --------
    >>> from rich.console import Console
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> bar = ProgressBar(Console())
    >>> runs = train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2), callbacks=[bar])  # doctest: +ELLIPSIS
    training ... 2/2 ... best test loss ... edges ...
    """

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        where = Console(stderr=True) if console is None else console
        self._bar = Progress(*columns, TextColumn("{task.fields[said]}"), console=where, transient=False)
        self._task = self._bar.add_task("training", total=None, said="")

    def on_start(self, recipe: "Recipe", seeds: Sequence[int], step: int) -> None:
        """Show the empty bar.

        Parameters
        ----------
        recipe : Recipe
            Its number of steps is the length of the bar.
        seeds : sequence of int
            Not used.
        step : int
            Steps done before.
        """
        self._bar.update(self._task, total=recipe.steps, completed=step)
        self._bar.start()

    def on_record(self, record: Record) -> None:
        """Move the bar.

        Parameters
        ----------
        record : Record
            The measurement to show.
        """
        self._bar.update(self._task, completed=record.step, said=_said(record))

    def on_diverged(self, seed: int, step: int) -> None:
        """Print a line above the bar.

        Parameters
        ----------
        seed : int
            The seed that diverged.
        step : int
            When this was noticed.
        """
        self._bar.console.log(f"seed {seed} diverged before step {step}; the others go on")

    def on_interrupt(self, step: int) -> None:
        """Print a line above the bar.

        Parameters
        ----------
        step : int
            The last step that is kept.
        """
        self._bar.console.log(f"interrupted; everything up to step {step} is kept")

    def on_end(self, runs: "Runs") -> None:
        """Stop the bar and leave it visible.

        Parameters
        ----------
        runs : Runs
            Not used.
        """
        self._bar.stop()
