"""How far a network follows a formula: the scale of words, each with its one definition, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Float64

from bimt_train.showing import Shown

from ..problem._search_problem import deviation

NetworkWord = Literal["follows", "close", "rough", "departs"]

NETWORK_WORDS: Mapping[NetworkWord, str] = MappingProxyType(
    {
        "follows": "the largest deviation on fresh points is at most 1e-6 of the output's deviation",
        "close": "r2 is 0.999 or more on fresh points",
        "rough": "r2 is 0.9 or more on fresh points",
        "departs": "r2 is below 0.9 on fresh points",
    }
)
"""Each word for how far a network follows a formula, the strongest first, with its definition."""

_FOLLOWED = 1e-6  # of the output's deviation
_CLOSE, _ROUGH = 0.999, 0.9  # r2


@dataclass(frozen=True, repr=False)
class NetworkVerdict(Shown):
    """How far a network follows a formula, on fresh points within the ranges.

    Attributes
    ----------
    word : {"follows", "close", "rough", "departs"}
        See `NETWORK_WORDS`.
    r2 : float
        1 - mean (network - formula)**2 / variance of the network.
    worst : float
        The largest deviation, over the network's standard deviation.
    points : int
        How many points were compared: where both are finite.

    Examples
    --------
    >>> NetworkVerdict("rough", r2=0.9975, worst=0.21, points=10000).words()
    'the network follows it to r2 0.9975'
    """

    word: NetworkWord
    r2: float
    worst: float
    points: int

    def words(self) -> str:
        """The verdict in one clause."""
        if self.word == "follows":
            return f"the network follows it to {self.worst:.0e} of its deviation"
        if self.word == "departs":
            return f"the network departs from it: r2 {self.r2:.4g}"
        return f"the network follows it to r2 {self.r2:.4f}"


def network_verdict(seen: Float64[np.ndarray, " points"], said: Float64[np.ndarray, " points"]) -> NetworkVerdict:
    """How far values of a network follow those of a formula.

    Parameters
    ----------
    seen : array of float64, shape (points,)
        What the network gives.
    said : array of float64, shape (points,)
        What the formula says. Points where either is not finite are left out.

    Returns
    -------
    NetworkVerdict
        The word, with its numbers. Where the network is constant, its size stands for its deviation.

    Examples
    --------
    >>> network_verdict(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])).word
    'follows'
    >>> network_verdict(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.9])).word
    'rough'
    """
    counted = np.isfinite(said) & np.isfinite(seen)
    if not np.any(counted):
        return NetworkVerdict("departs", float("-inf"), float("inf"), 0)
    with np.errstate(all="ignore"):
        miss = (seen[counted] - said[counted]) / deviation(seen[counted])
        r2, worst = 1.0 - float(np.mean(miss**2)), float(np.max(np.abs(miss)))
    return NetworkVerdict(network_word(r2, worst), r2, worst, int(counted.sum()))


def network_word(r2: float, worst: float) -> NetworkWord:
    """The word for how far a network follows a formula.

    Parameters
    ----------
    r2 : float
        Of the formula against the network, on fresh points.
    worst : float
        The largest deviation, over the network's own standard deviation.

    Examples
    --------
    >>> network_word(0.9975, 0.2), network_word(1.0, 1e-9)
    ('rough', 'follows')
    """
    if worst <= _FOLLOWED:
        return "follows"
    return "close" if r2 >= _CLOSE else "rough" if r2 >= _ROUGH else "departs"
