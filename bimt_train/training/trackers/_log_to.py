"""The listener that tells a tracker what a training measures."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._errors import InputError
from ...showing import one_line
from .._callbacks import Callback
from .._record import Record
from ._tracker import TRACKERS, Logbook, TrackedRun

if TYPE_CHECKING:
    from .._runs import Runs
    from ..recipes._recipe import Recipe


class LogTo(Callback):
    """A listener of `train` and `sweep` that writes every seed's run for an experiment tracker, in files.

    A seed is a run of the tracker: losses, accuracy where targets are classes, edges, connection cost, lambda and
    learning rate at each measurement; in the end its record in runs.json and its checkpoint. A resumed training is a
    new run, which begins at the step where the other ended. Nothing is sent anywhere.

    Parameters
    ----------
    tracker : str
        A name in `TRACKERS`, or ``file.py:NAME``.
    folder : str or Path, optional
        The tracker writes into a folder of its own name in here; that of each training if left out. Give it for a
        sweep, so that all its runs are in one place.

    Raises
    ------
    InputError
        There is no such tracker, or its package is not installed; or, as training begins, it has no folder (``out``).

    Examples
    --------
    >>> import tempfile
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> class Printed:
    ...     def __init__(self, run):
    ...         print(run.name, run.parameters["recipe.steps"])
    ...     def log(self, step, figures):
    ...         print(step, *figures)
    ...     def end(self, record, checkpoint):
    ...         print(checkpoint.name)
    >>> _ = TRACKERS.register("printed", label="printed", sentence="Prints.")(Printed)
    >>> out = tempfile.mkdtemp()
    >>> runs = train(
    ...     two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=1), out=out, callbacks=[LogTo("printed")]
    ... )
    seed-000 1
    1 train_loss test_loss cost edges accuracy lambda lr
    seed-000.safetensors
    """

    def __init__(self, tracker: str, folder: str | Path | None = None) -> None:
        self._tracker = TRACKERS[tracker]
        self._tracker.check_installed()
        self._root = None if folder is None else Path(folder)
        self._folder: Path | None = None
        self._recipe: Recipe | None = None
        self._books: tuple[Logbook, ...] = ()

    def __repr__(self) -> str:
        return one_line(self, self._tracker.name)

    def on_folder(self, folder: Path) -> None:
        """Keep where the run's checkpoints will be.

        Parameters
        ----------
        folder : Path
            Its folder.
        """
        self._folder = folder

    def on_start(self, recipe: "Recipe", seeds: Sequence[int], step: int) -> None:
        """Open a logbook for each seed.

        Parameters
        ----------
        recipe : Recipe
            Its fields are parameters of the run.
        seeds : sequence of int
            Which are trained.
        step : int
            Not used.
        """
        if self._folder is None:
            hint = "train(..., out=FOLDER)"
            raise InputError("a tracker without a folder", where=self._tracker.label, expected="out", hint=hint)
        root = (self._root or self._folder).resolve()
        inside = self._folder.resolve()
        within = f"{inside.relative_to(root).as_posix()}/" if inside != root and inside.is_relative_to(root) else ""
        told = dict(_flat(recipe.to_json(), "recipe"))
        self._recipe = recipe
        self._books = tuple(
            self._tracker.function(
                TrackedRun(root / self._tracker.name, root.name, f"{within}seed-{seed:03d}", {"seed": seed, **told})
            )
            for seed in seeds
        )

    def on_record(self, record: Record) -> None:
        """Log the measurement of each seed; what is not finite is left out.

        Parameters
        ----------
        record : Record
            The measurement.
        """
        assert self._recipe is not None
        last = min(record.step, self._recipe.steps) - 1  # the step that was just made
        rates = {"lambda": self._recipe.phase_at(last).strength, "lr": self._recipe.lr_at(last)}
        for index, book in enumerate(self._books):
            figures = {name: float(value) for name, value in (record.of(index) | rates).items() if math.isfinite(value)}
            del figures["step"]
            book.log(record.step, figures)

    def on_end(self, runs: "Runs") -> None:
        """Give every logbook its record and checkpoint, and close it.

        Parameters
        ----------
        runs : Runs
            What came of the training.
        """
        assert self._folder is not None
        for run, book in zip(runs.runs, self._books, strict=True):
            book.end(run.to_json(), self._folder.resolve() / run.file)
        self._books, self._folder = (), None


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Nested values as names with dots, and plain values."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{place}")
    else:
        yield name, value
