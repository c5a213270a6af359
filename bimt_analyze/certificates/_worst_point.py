"""Where a function on a box is largest, as far as a quick search sees: a guess that the proof starts from."""

import itertools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, "points inputs"]

_DRAWN, _STARTS, _TRIES, _ROUNDS, _SHRINK = 20_000, 64, 8, 60, 0.85
_MOST_CORNERS = 10  # inputs, beyond which corners are not tried


def worst_point(
    function: Callable[[Points], Float64[np.ndarray, "points"]],
    low: Float64[np.ndarray, "inputs"],
    high: Float64[np.ndarray, "inputs"],
    *,
    seed: int = 0,
) -> Float64[np.ndarray, "inputs"]:
    """The best of random points and corners, each of the best moved by ever smaller random steps.

    Parameters
    ----------
    function : callable
        From points to what is to be large; NaN counts as small.
    low, high : arrays of shape [inputs]
        The box.
    seed : int, default 0
        Draws points and steps.

    Returns
    -------
    array of shape [inputs]
        A point of the box.

    Examples
    --------
    >>> worst_point(lambda x: -np.abs(x[:, 0] - 0.3), np.zeros(1), np.ones(1)).round(3).tolist()
    [0.3]
    """
    rng, width = np.random.default_rng(seed), len(low)
    points = rng.uniform(low, high, (_DRAWN, width))
    if width <= _MOST_CORNERS:
        points = np.concatenate([points, list(itertools.product(*zip(low, high, strict=True)))])

    def values(some: Points) -> Float64[np.ndarray, "points"]:
        return np.asarray(np.nan_to_num(function(some), nan=-np.inf, posinf=-np.inf))

    found = values(points)
    best = np.argsort(-found)[:_STARTS]
    points, found, step = points[best], found[best], (high - low) / 10
    for _ in range(_ROUNDS):
        tried = np.clip(points[:, None] + step * rng.normal(size=(len(points), _TRIES, width)), low, high)
        seen = values(tried.reshape(-1, width)).reshape(len(points), _TRIES)
        each, k = np.arange(len(points)), seen.argmax(axis=1)
        better = seen[each, k] > found
        points = np.where(better[:, None], tried[each, k], points)
        found, step = np.maximum(found, seen[each, k]), step * _SHRINK
    return np.asarray(points[found.argmax()])
