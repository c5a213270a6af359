"""Checks of the options of synthetic networks, and the generators that they draw from."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError


def streams(seed: int, *names: str) -> list[np.random.Generator]:
    """One generator for each thing that is drawn, so that an option of one does not change the others.

    Parameters
    ----------
    seed : int
        Seed of all.
    *names : str
        What is drawn.

    Returns
    -------
    list of numpy.random.Generator
        One generator a name.
    """
    return [np.random.default_rng([seed, *name.encode()]) for name in names]


def at_least(option: str, value: int, least: int) -> int:
    """Refuse a number that is too small.

    Parameters
    ----------
    option : str
        Name of the option, for the message.
    value : int
        Its value.
    least : int
        The least that is allowed.

    Returns
    -------
    int
        The value.

    Raises
    ------
    InputError
        The value is below the least.
    """
    if value < least:
        raise InputError("too few", where=option, expected=f"{least} or more", got=str(value))
    return value


def share(option: str, value: float) -> float:
    """Refuse a number that is not between 0 and 1.

    Parameters
    ----------
    option : str
        Name of the option, for the message.
    value : float
        Its value.

    Returns
    -------
    float
        The value.

    Raises
    ------
    InputError
        The value is not between 0 and 1.
    """
    if not 0 <= value <= 1:
        raise InputError("not a share", where=option, expected="a number from 0 to 1", got=str(value))
    return value


def factors(rng: np.random.Generator, scale: float, shape: int | Sequence[int]) -> Float64[np.ndarray, "..."]:
    """Log-uniform numbers between 1/scale and scale.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator of the numbers.
    scale : float
        The greatest, at least 1.
    shape : int or sequence of int
        How many.

    Returns
    -------
    array of float64, shape (...,)
        The factors.

    Raises
    ------
    InputError
        The scale is below 1.
    """
    if not 1 <= scale < np.inf:
        raise InputError("an impossible scale", expected="1 or more", got=str(scale), hint="use 10, say")
    return np.exp(rng.uniform(-np.log(scale), np.log(scale), shape))
