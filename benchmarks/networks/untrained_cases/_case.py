"""A kind of untrained network with a table: each seed draws both anew."""

from collections.abc import Callable
from dataclasses import dataclass

from bimt_train.checkpoints import Checkpoint


@dataclass(frozen=True)
class Case:
    """Networks of one kind and one table. ``make`` draws the weights and the rows of a seed."""

    kind: str
    table: str
    make: Callable[[int], Checkpoint]
