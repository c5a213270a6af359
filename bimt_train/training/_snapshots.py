"""Networks as they were while a run went on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..checkpoints import Network
from ._callbacks import Callback


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A network after a number of steps."""

    step: int
    network: Network


class Snapshots(Callback):
    """Keeps every seed's network as it is at the beginning and at each measurement: ``snapshots.of(seed)``.

    A run has a hundred measurements at most, so this holds a hundred times the weights.
    """

    def __init__(self) -> None:
        self._taken: dict[int, list[Snapshot]] = {}

    def on_start(self, recipe: object, seeds: Sequence[int], step: int) -> None:
        """Forget earlier runs."""
        self._taken = {seed: [] for seed in seeds}

    def on_networks(self, step: int, network: Callable[[int], Network]) -> None:
        """Keep them."""
        for seed, taken in self._taken.items():
            taken.append(Snapshot(step, network(seed)))

    def of(self, seed: int) -> tuple[Snapshot, ...]:
        """The networks of a seed, first to last; none of a seed that was not trained."""
        return tuple(self._taken.get(seed, ()))
