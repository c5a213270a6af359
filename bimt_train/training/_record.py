"""What a run measures of all its seeds at one step."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

PerSeed = Float64[np.ndarray, "seeds"]


@dataclass(frozen=True, eq=False)
class Record:
    """Where every seed stands after a number of steps; a seed that diverged shows NaN losses from then on.

    Attributes:
        step: steps done.
        train_loss: on the training rows, in the network's units; of very many, on some evenly spaced.
        test_loss: on the test rows, likewise.
        cost: connection cost, biases included.
        edges: weights of a magnitude above 1e-2.
        accuracy: share of the test rows whose class is right; None where the targets are no classes.
    """

    step: int
    train_loss: PerSeed
    test_loss: PerSeed
    cost: PerSeed
    edges: Int64[np.ndarray, "seeds"]
    accuracy: PerSeed | None = None
