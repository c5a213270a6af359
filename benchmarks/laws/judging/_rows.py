"""Rows of a target: uniform in its ranges, with noise or without, the same for all that is measured on them."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.laws.cases._equations import Target
from benchmarks.laws.judging._refit import evaluator

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TargetRows:
    """Training rows and as many held-out ones; ``noise`` is the deviation of the noise in both, in y's own units."""

    x: Array
    y: Array
    x_test: Array
    y_test: Array
    noise: float


def draw(target: Target, *, rows: int, noise: float, seed: int) -> TargetRows:
    """``rows`` training rows and as many held-out ones; ``noise`` is relative to y's deviation."""
    rng = np.random.default_rng((seed, zlib.crc32(target.name.encode())))
    value = evaluator(target.truth(), target.inputs)
    low, high = np.array(target.ranges, dtype=np.float64).T
    x = rng.uniform(low, high, (2 * rows, len(low)))
    y = value(x)
    while not np.isfinite(y).all():
        bad = ~np.isfinite(y)
        x[bad] = rng.uniform(low, high, (int(bad.sum()), len(low)))
        y = value(x)
    level = noise * float(np.std(y))
    y = y + level * rng.normal(size=len(y))
    return TargetRows(x[:rows], y[:rows], x[rows:], y[rows:], level)
