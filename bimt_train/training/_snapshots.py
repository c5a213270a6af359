"""Networks as they were while a run went on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..checkpoints import Network
from ..showing import Shown, one_line
from ._callbacks import Callback


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot(Shown):
    """A network after a number of steps.

    Attributes
    ----------
    step : int
        Steps done.
    network : Network
        The network as it was then.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> snapshot = Snapshot(step=100, network=Network.of(MLP((2, 1))))
    >>> snapshot.network.edges()
    2
    """

    step: int
    network: Network


class Snapshots(Callback):
    """Keeps every seed's network as it is at the beginning and at each measurement: ``snapshots.of(seed)``.

    A run has a hundred measurements at most, so this holds a hundred times the weights.

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> kept = Snapshots()
    >>> runs = train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2), callbacks=[kept])
    >>> [snapshot.step for snapshot in kept.of(0)]
    [0, 1, 2]
    """

    def __init__(self) -> None:
        self._taken: dict[int, list[Snapshot]] = {}

    def __repr__(self) -> str:
        return one_line(self, f"{sum(map(len, self._taken.values()))} networks of {len(self._taken)} seeds")

    def on_start(self, recipe: object, seeds: Sequence[int], step: int) -> None:
        """Forget earlier runs.

        Parameters
        ----------
        recipe : Recipe
            Not used.
        seeds : sequence of int
            The seeds that are trained.
        step : int
            Not used.
        """
        self._taken = {seed: [] for seed in seeds}

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
            taken.append(Snapshot(step, network(seed)))

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
