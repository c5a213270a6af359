"""The registry of experiment trackers, and what each of them is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ..._errors import InputError
from ...registry import Entry, Registry
from ...showing import Shown

_HERE = "bimt_train.training.trackers"


@dataclass(frozen=True, repr=False)
class TrackedRun(Shown):
    """One seed's run, as it is introduced to a tracker.

    Attributes
    ----------
    place : Path
        A folder for all that the tracker writes, shared with other runs; it need not exist.
    experiment : str
        What runs that belong together are called.
    name : str
        What tells this run from them, as ``seed-003``, or ``lambda=0.01/seed-003`` in a sweep.
    parameters : mapping of str to plain values
        Seed and recipe; names of nested fields have dots.

    Examples
    --------
    >>> TrackedRun(Path("runs/moons/mlflow"), "moons", "seed-000", {"seed": 0, "recipe.lr": 0.01}).name
    'seed-000'
    """

    place: Path
    experiment: str
    name: str
    parameters: Mapping[str, str | int | float | bool | None]


class Logbook(Protocol):
    """What a tracker writes one run into.

    Examples
    --------
    >>> class Nowhere:
    ...     def log(self, step, figures): ...
    ...     def end(self, record, checkpoint): ...
    >>> book: Logbook = Nowhere()
    >>> book.log(1, {"test_loss": 0.5})
    """

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Take a measurement.

        Parameters
        ----------
        step : int
            Steps done.
        figures : mapping of str to float
            What was measured, finite.
        """

    def end(self, record: Mapping[str, Any], checkpoint: Path) -> None:
        """Take what came of the run, and close the book.

        Parameters
        ----------
        record : mapping of str to plain values
            The seed's record in runs.json.
        checkpoint : Path
            The file of the trained network.
        """


@dataclass(frozen=True, kw_only=True)
class Tracker(Entry):
    """An experiment tracker. Its function takes a `TrackedRun` and returns a `Logbook`.

    Attributes
    ----------
    name : str
        The word by which it is chosen, and its folder in that of the run.
    label : str
        What it is called in messages.
    sentence : str
        One sentence that says what is written, and how it is looked at.
    function : callable
        As above.
    module : str
        What is imported to write; empty where nothing is needed besides this package.
    extra : str
        The extra of this package that installs it.

    Examples
    --------
    >>> TRACKERS["mlflow"].module
    'mlflow'
    """

    module: str = ""
    extra: str = ""

    def check_installed(self) -> None:
        """Pass if the tracker's own package is installed.

        Raises
        ------
        InputError
            It is not.
        """
        try:
            import_module(self.module or __name__)
        except ImportError as error:
            hint = f"pip install 'bimt[{self.extra}]'" if self.extra else "install it"
            what = f"{self.label} needs another package"
            raise InputError(what, expected=self.module, got=str(error), hint=hint) from None


TRACKERS: Registry[Tracker] = Registry(
    "tracker",
    Tracker,
    builtin={name: f"{_HERE}._{name}" for name in ("tensorboard", "mlflow", "wandb")},
    group="bimt.trackers",
)
"""All trackers by name; `LogTo` and ``--log-to`` read them. Each writes files on this machine, and sends nothing."""
