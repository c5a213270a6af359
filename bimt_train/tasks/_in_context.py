"""Linear regression in context: y2 from x1, y1 and x2, where y = w x with a fresh w in every row."""

from dataclasses import dataclass

import numpy as np

from ..checkpoints._task_spec import TaskCard
from ..expressions._decomposition import KnownParts
from ..models._model_spec import ModelSpec
from ._task import Dataset, Task

PARTS = (("w", "y1/x1"), ("y2", "w*x2"))


@dataclass(frozen=True)
class RegressionSampler:
    """w and x uniform in these ranges, y = w x; anew for every seed."""

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


def in_context(
    *,
    rows: tuple[int, int] = (10_000, 1000),
    weights: tuple[float, float] = (-1.0, 1.0),
    points: tuple[float, float] = (-1.0, 1.0),
) -> Task:
    """The sequence x1, y1, x2 and its continuation y2 (arXiv 2305.08746, section 3.5, with d = 1 and T = 2).

    How w and x are drawn is our choice: uniform in [-1, 1], as in the formula tasks. Near x1 = 0 the continuation
    y1 x2 / x1 is steep, and the error lies there. ``rows``: training and test rows; ``weights``, ``points``: ranges.
    """
    top = max(abs(v) for v in weights) * max(abs(v) for v in points)
    parts = KnownParts(("x1", "y1", "x2"), ("y2",), PARTS)
    card = TaskCard("in-context", parts.inputs, parts.outputs, (points, (-top, top), points), parts=parts)
    options = {"kinds": [0, 1, 0], "outputs": 1, "width": 32, "heads": 1, "layers": 2, "hidden": 128}
    return Task(card, ModelSpec("row-transformer", options), RegressionSampler(rows, weights, points))
