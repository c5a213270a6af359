"""What a run measures of all its seeds at one step."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from ..showing import Shown

PerSeed = Float64[np.ndarray, "seeds"]


@dataclass(frozen=True, eq=False, repr=False)
class Record(Shown):
    """Where every seed stands after a number of steps; a seed that diverged shows NaN losses from then on.

    Attributes
    ----------
    step : int
        Steps done.
    train_loss : array of float, [seeds]
        Loss on the training rows, in the network's units; of very many rows, on some evenly spaced.
    test_loss : array of float, [seeds]
        Loss on the test rows, likewise.
    cost : array of float, [seeds]
        Connection cost, biases included.
    edges : array of int, [seeds]
        Number of weights of a magnitude above 1e-2.
    accuracy : array of float, [seeds], or None
        Share of the test rows whose class is right; None where the targets are no classes.

    Examples
    --------
    >>> two = np.array([0.1, np.nan])  # of two seeds, of which the second diverged
    >>> record = Record(100, train_loss=two, test_loss=two, cost=np.ones(2), edges=np.array([7, 9]))
    >>> np.isfinite(record.test_loss).tolist()
    [True, False]
    """

    step: int
    train_loss: PerSeed
    test_loss: PerSeed
    cost: PerSeed
    edges: Int64[np.ndarray, "seeds"]
    accuracy: PerSeed | None = None

    def of(self, index: int) -> dict[str, int | float]:
        """The measurement of one seed.

        Parameters
        ----------
        index : int
            The place of the seed in the arrays.

        Returns
        -------
        dict
            ``step``, ``train_loss``, ``test_loss``, ``cost`` and ``edges``; of classifiers ``accuracy`` too.
        """
        own = {name: float(getattr(self, name)[index]) for name in ("train_loss", "test_loss", "cost")}
        found = {"step": self.step, **own, "edges": int(self.edges[index])}
        return found if self.accuracy is None else {**found, "accuracy": float(self.accuracy[index])}
