"""Linear regression in context: y2 from x1, y1 and x2, where y = w x with a fresh w in every row."""

from dataclasses import dataclass

import numpy as np

from ..checkpoints._task_spec import TaskSpec
from ..expressions._decomposition import Decomposition
from ..models._model_spec import ModelSpec
from ._task import Dataset, Task
from ._tasks import TASKS

PARTS = (("w", "y1/x1"), ("y2", "w*x2"))


@dataclass(frozen=True)
class RegressionSampler:
    """Rows with w and x uniform in their ranges, and y = w x; anew for every seed.

    Attributes
    ----------
    rows : (int, int)
        Numbers of training and test rows.
    weights : (float, float)
        Range of w.
    points : (float, float)
        Range of x1 and x2.
    """

    rows: tuple[int, int]
    weights: tuple[float, float]
    points: tuple[float, float]

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        rng = np.random.default_rng(seed)
        sets = []
        for rows in self.rows:
            w, (x1, x2) = rng.uniform(*self.weights, rows), rng.uniform(*self.points, (2, rows))
            sets += [np.stack([x1, w * x1, x2], axis=1), (w * x2)[:, None]]
        return Dataset(*sets)


@TASKS.register(
    "in-context",
    label="in-context regression",
    sentence="The value w x2 after the sequence x1, w x1, x2, with a fresh w in every row.",
    seconds=21,
)
def in_context(
    *,
    rows: tuple[int, int] = (10_000, 1000),
    weights: tuple[float, float] = (-1.0, 1.0),
    points: tuple[float, float] = (-1.0, 1.0),
) -> Task:
    """Linear regression in context: the sequence x1, y1, x2 and its continuation y2.

    How w and x are drawn is this project's choice: uniform in [-1, 1], as in the formula tasks. Near x1 = 0 the
    continuation y1 x2 / x1 is steep, and the error lies there.

    Parameters
    ----------
    rows : (int, int)
        Numbers of training and test rows.
    weights : (float, float)
        Range of w.
    points : (float, float)
        Range of x1 and x2.

    Returns
    -------
    Task
        The task, with its decomposition.

    Notes
    -----
    ``y1 = w x1`` and ``y2 = w x2``, with a fresh w in every row; so ``w = y1/x1`` and ``y2 = w*x2``.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.5, with d = 1 and T = 2.

    Examples
    --------
    >>> in_context(rows=(5, 2)).data(0).x_train.shape
    (5, 3)
    """
    top = max(abs(v) for v in weights) * max(abs(v) for v in points)
    decomposition = Decomposition(("x1", "y1", "x2"), ("y2",), PARTS)
    spec = TaskSpec(
        "in-context",
        decomposition.inputs,
        decomposition.outputs,
        (points, (-top, top), points),
        decomposition=decomposition,
    )
    options = {"kinds": [0, 1, 0], "outputs": 1, "width": 32, "heads": 1, "layers": 2, "hidden": 128}
    return Task(spec, ModelSpec("row-transformer", options), RegressionSampler(rows, weights, points))
