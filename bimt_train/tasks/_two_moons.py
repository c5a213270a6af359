"""Two interleaved half circles, one class each: the classification task of arXiv 2305.08746, section 3.2."""

from dataclasses import dataclass

import numpy as np

from ..checkpoints._task_spec import TaskSpec
from ..extras import need
from ._task import Dataset, Task, mlp
from ._tasks import TASKS

CLASSES = ("upper", "lower")
RANGES = ((-1.5, 2.5), (-1.0, 1.5))


@dataclass(frozen=True)
class MoonSampler:
    """Points on the two half circles, as many of each class, with normal noise; anew for every seed.

    Attributes
    ----------
    rows : (int, int)
        Numbers of training and test points.
    noise : float
        Standard deviation about the circles.
    """

    rows: tuple[int, int]
    noise: float

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        need("sklearn", "the task two-moons")
        from sklearn.datasets import make_moons

        random = np.random.RandomState(seed)
        sets = []
        for rows in self.rows:
            x, y = make_moons((rows // 2, rows - rows // 2), noise=self.noise, random_state=random)
            sets += [x.astype(np.float64), np.eye(2)[y]]
        return Dataset(*sets)


@TASKS.register(
    "two-moons", label="two moons", sentence="Which of two interleaved half circles a point belongs to.", seconds=0.28
)
def two_moons(*, rows: tuple[int, int] = (400, 400), noise: float = 0.1) -> Task:
    """Which of two interleaved half circles a point belongs to.

    Parameters
    ----------
    rows : (int, int)
        Numbers of training and test points.
    noise : float
        Standard deviation about the circles.

    Returns
    -------
    Task
        The task, with two classes.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.2.

    Examples
    --------
    >>> two_moons(rows=(20, 10)).data(0).x_test.shape
    (10, 2)
    """
    spec = TaskSpec("two-moons", ("x1", "x2"), CLASSES, RANGES, loss="cross-entropy")
    return Task(spec, mlp((2, 20, 20, 2)), MoonSampler(rows, noise))
