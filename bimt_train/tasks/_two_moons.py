"""Two interleaved half circles, one class each: the classification task of arXiv 2305.08746, section 3.2."""

from dataclasses import dataclass

import numpy as np

from ..checkpoints._task_spec import TaskCard
from ._task import Dataset, Task, mlp

CLASSES = ("upper", "lower")
RANGES = ((-1.5, 2.5), (-1.0, 1.5))


@dataclass(frozen=True)
class MoonSampler:
    """Points on the two half circles, each class the same number, with normal noise; anew for every seed."""

    rows: tuple[int, int]
    noise: float

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        from sklearn.datasets import make_moons

        random = np.random.RandomState(seed)
        sets = []
        for rows in self.rows:
            x, y = make_moons((rows // 2, rows - rows // 2), noise=self.noise, random_state=random)
            sets += [x.astype(np.float64), np.eye(2)[y]]
        return Dataset(*sets)


def two_moons(*, rows: tuple[int, int] = (400, 400), noise: float = 0.1) -> Task:
    """Which half circle a point is of. ``rows``: training and test points; ``noise``: deviation about the circles."""
    card = TaskCard("two-moons", ("x1", "x2"), CLASSES, RANGES, loss="cross-entropy")
    return Task(card, mlp((2, 20, 20, 2)), MoonSampler(rows, noise))
