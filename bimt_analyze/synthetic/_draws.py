"""What the makers of specimens ask of their options, and what they draw from."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError


def streams(seed: int, *names: str) -> list[np.random.Generator]:
    """One generator for each thing that is drawn, so that an option of one does not move the others."""
    return [np.random.default_rng([seed, *name.encode()]) for name in names]


def at_least(option: str, value: int, least: int) -> int:
    """The value.

    Raises:
        InputError: it is below the least.
    """
    if value < least:
        raise InputError("too few", where=option, expected=f"{least} or more", got=str(value))
    return value


def share(option: str, value: float) -> float:
    """The value.

    Raises:
        InputError: it is not between 0 and 1.
    """
    if not 0 <= value <= 1:
        raise InputError("not a share", where=option, expected="a number from 0 to 1", got=str(value))
    return value


def factors(rng: np.random.Generator, scale: float, shape: int | Sequence[int]) -> Float64[np.ndarray, "..."]:
    """Log-uniform numbers between 1/scale and scale.

    Raises:
        InputError: a scale below 1.
    """
    if not 1 <= scale < np.inf:
        raise InputError("an impossible scale", expected="1 or more", got=str(scale), mend="use 10, say")
    return np.exp(rng.uniform(-np.log(scale), np.log(scale), shape))
