"""Whether what is left of measured values looks like noise: no value foretells the next ones."""

import numpy as np
from jaxtyping import Bool, Float64

_LAGS = 5
_CHANCE = 3.0  # standard deviations of what noise alone shows


def foretold(residual: Float64[np.ndarray, "times variables pieces"]) -> Bool[np.ndarray, "variables"]:
    """For each variable, whether what is left at one time foretells what is left at the next ones.

    The autocorrelations of lags one to five are added up. Of noise their sum has the deviation sqrt(sum 1 / n), with
    n pairs of values of each lag, and a mean just below zero, since each piece's start is fitted. More than three
    deviations above zero are no noise.

    Parameters
    ----------
    residual : array of shape [times, variables, pieces]
        What integrated pieces miss.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(25, 1, 16))
    >>> wave = np.sin(np.arange(25) / 3)[:, None, None]
    >>> foretold(noise), foretold(noise + wave)
    (array([False]), array([ True]))
    """
    lags = range(1, min(_LAGS, len(residual) - 1) + 1)
    size = np.mean(residual**2, axis=(0, 2)) + 1e-300
    total = sum((np.mean(residual[k:] * residual[:-k], axis=(0, 2)) / size for k in lags), np.zeros(len(size)))
    chance = np.sqrt(sum(1 / (residual[k:, 0].size) for k in lags))
    return np.asarray(total > _CHANCE * chance, np.bool_)
