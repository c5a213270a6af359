"""How a config's rotary positions turn: each kind of scaling is a function of the turns without it."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from ...._errors import CheckpointError
from ._config import Config

THETA = 10_000.0  # transformers' own default


class Rotary(NamedTuple):
    """The base of the turns, and the turns themselves where they do not follow from it.

    Attributes
    ----------
    theta : float
        The base.
    frequencies : list of float or None
        Radians from one token to the next, for each pair of a head's neurons.
    said : str
        A sentence on where they are from; empty where config.json says all.
    """

    theta: float
    frequencies: list[float] | None
    said: str = ""


def rotary_of(config: Config, size: int, context: int) -> Rotary:
    """Read how positions turn, from ``rope_parameters``, or ``rope_theta`` and ``rope_scaling`` of older versions.

    Parameters
    ----------
    config : Config
        What config.json says.
    size : int
        Neurons of a head.
    context : int
        How many tokens the model reads at most.

    Returns
    -------
    Rotary
        The turns.

    Raises
    ------
    CheckpointError
        Another kind of scaling, or a field of it that is missing or wrong.
    """
    name = "rope_scaling" if config.values.get("rope_scaling") else "rope_parameters"
    given = config.values.get(name) or {}
    if not isinstance(given, Mapping):
        raise config.wrong(name, "an object of fields", given)
    scaling = Config(config.path, given, within=name)
    said = "rope_theta" in given or config.has("rope_theta")
    theta = scaling.number("rope_theta", config.number("rope_theta", THETA))
    kind = scaling.text("rope_type", scaling.text("type", "default"))
    if kind not in _KINDS:
        raise CheckpointError(
            "rotary positions of a kind that is not supported here", where=f"{config.path}, '{name}.rope_type'",
            expected=", ".join(_KINDS), got=repr(kind)[:60], hint="choose another network",
        )  # fmt: skip
    for where in (config, scaling):
        if where.number("partial_rotary_factor", 1.0) != 1.0:
            raise where.wrong(
                "partial_rotary_factor", "1: all neurons of a head turn", where.number("partial_rotary_factor", 1.0)
            )
    turns = theta ** (-np.arange(0, size, 2) / size)
    scaled = _KINDS[kind](turns, scaling, config, context)
    sentence = "" if said else f"config.json does not say rope_theta: {THETA:g}, as in transformers"
    return Rotary(theta, None if scaled is turns else scaled.tolist(), sentence)


Turns = Float64[np.ndarray, " pairs"]


def _as_they_are(turns: Turns, scaling: Config, config: Config, context: int) -> Turns:
    """No scaling; dynamic scaling begins behind the longest context, which is not read here."""
    return turns


def _linear(turns: Turns, scaling: Config, config: Config, context: int) -> Turns:
    return turns / scaling.number("factor")


def _llama3(turns: Turns, scaling: Config, config: Config, context: int) -> Turns:
    """Pairs that turn seldom within the context of the first training turn slower, by a factor."""
    factor, low, high = (scaling.number(name) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    before = scaling.size("original_max_position_embeddings", context)
    before = config.size("original_max_position_embeddings", before)
    if high <= low:
        raise scaling.wrong("high_freq_factor", f"more than low_freq_factor, {low:g}", high)
    rounds = before * turns / (2 * math.pi)  # of a pair, within that context
    unchanged = ((rounds - low) / (high - low)).clip(0, 1)
    return np.asarray(turns * (unchanged + (1 - unchanged) / factor))


_KINDS: Mapping[str, Callable[[Turns, Config, Config, int], Turns]] = {
    "default": _as_they_are,
    "dynamic": _as_they_are,
    "linear": _linear,
    "llama3": _llama3,
}
