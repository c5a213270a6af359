"""Networks as they were while a run went on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import InputError
from ..checkpoints import Network
from ..showing import one_line
from ._callbacks import Callback
from ._film_file import Snapshot, film_file, read_film, save_film
from ._runs import checkpoint_name

if TYPE_CHECKING:
    from ._runs import Runs


class Snapshots(Callback):
    """Keeps every seed's network as it is at the beginning and at each measurement: ``snapshots.of(seed)``.

    A run has a hundred measurements at most, so this holds a hundred times the weights.

    Parameters
    ----------
    files : bool, default False
        Whether they are written too as the run ends, each seed's beside its checkpoint, for `load_snapshots`. A
        resumed run goes on with what was written before.

    Raises
    ------
    InputError
        There should be files, and training begins without a folder (``out``).

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> kept = Snapshots()
    >>> runs = train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2), callbacks=[kept])
    >>> [snapshot.step for snapshot in kept.of(0)]
    [0, 1, 2]
    """

    def __init__(self, *, files: bool = False) -> None:
        self._files, self._folder, self._resumed = files, Path(), False
        self._taken: dict[int, list[Snapshot]] = {}

    def __repr__(self) -> str:
        return one_line(self, f"{sum(map(len, self._taken.values()))} networks of {len(self._taken)} seeds")

    def on_folder(self, folder: Path) -> None:
        """Keep where the run's checkpoints will be.

        Parameters
        ----------
        folder : Path
            Its folder.
        """
        self._folder = folder

    def on_start(self, recipe: object, seeds: Sequence[int], step: int) -> None:
        """Forget earlier runs.

        Parameters
        ----------
        recipe : Recipe
            Not used.
        seeds : sequence of int
            The seeds that are trained.
        step : int
            Steps done before.
        """
        if self._files and self._folder == Path():
            hint = "train(..., out=FOLDER), or Snapshots() without files"
            raise InputError("files of snapshots without a folder", expected="out", hint=hint)
        self._taken, self._resumed = {seed: [] for seed in seeds}, step > 0

    def on_networks(self, step: int, network: Callable[[int], Network]) -> None:
        """Keep the network of every seed.

        Parameters
        ----------
        step : int
            Steps done.
        network : callable
            Seed -> its network as it is now.
        """
        for seed, taken in self._taken.items():
            now = network(seed)
            if self._resumed and self._file(seed).is_file():
                taken += [one for one in read_film(self._file(seed), now) if one.step < step]
            taken.append(Snapshot(step, now))
        self._resumed = False

    def on_end(self, runs: "Runs") -> None:
        """Write the files, if there should be any.

        Parameters
        ----------
        runs : Runs
            Not used.
        """
        for seed, taken in self._taken.items() if self._files else ():
            save_film(self._file(seed), taken)
        self._folder = Path()

    def _file(self, seed: int) -> Path:
        return film_file(self._folder / checkpoint_name(seed))

    def of(self, seed: int) -> tuple[Snapshot, ...]:
        """The networks of a seed, first to last.

        Parameters
        ----------
        seed : int
            The seed.

        Returns
        -------
        tuple of Snapshot
            Empty for a seed that was not trained.
        """
        return tuple(self._taken.get(seed, ()))
