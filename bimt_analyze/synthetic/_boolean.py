"""Boolean functions of Boolean functions, compiled exactly into a ReLU network."""

from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
from jaxtyping import Bool, Float64, Int64

from bimt_train import InputError

from ..audits.chance._degree_preserving import degree_preserving
from ._blueprint import Blueprint, Layer
from ._draws import at_least, share, streams
from ._synthetic_network import SyntheticNetwork

_TRIES = 200
_ROWS = 1024


def boolean_hierarchy(
    *,
    outputs: int = 2,
    depth: int = 2,
    arguments: int = 2,
    overlap: float = 0.0,
    reuse: float = 0.0,
    scale: float = 10.0,
    seed: int = 0,
) -> SyntheticNetwork:
    """Plant a hierarchy of random Boolean functions of Boolean functions of inputs; the modules are the functions.

    Parameters
    ----------
    outputs : int, default 2
        Number of functions at the top.
    depth : int, default 2
        Levels of functions.
    arguments : int, default 2
        Number of arguments of each function, at least 2.
    overlap : float, default 0.0
        0 to 1. At 0 each function at the bottom has its own inputs; at 1 there are as few inputs as can be.
    reuse : float, default 0.0
        0 to 1. At 0 each function is read by one function above; at 1 there are as few functions as can be.
    scale : float, default 10.0
        Hidden neurons are rescaled by factors between 1/scale and scale, as in `block_network`.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    SyntheticNetwork
        The network with its planted modules.

    Raises
    ------
    InputError
        There are no outputs, depth or arguments, a share or a scale is impossible, or every network that was drawn has
        a constant neuron.

    Notes
    -----
    The tasks are those of Neural Sculpting [1]_: functions lack inputs of their own as ``overlap`` grows, and serve
    several functions above as ``reuse`` grows. There networks are trained on the task; here the network is written
    down. A level of m functions has ``m * arguments`` places for what is below it, filled by ``max(arguments, round((1
    - share) * m * arguments))`` different things, as evenly as that goes, else at random; share is ``overlap`` where
    these are the inputs and ``reuse`` where they are functions. Each function depends on each of its arguments, and
    each neuron varies over ``x``; what is drawn is drawn again until it does.

    A function is one ReLU neuron for each row of its truth table that is true, ReLU(sum of ones - sum of others + 1 -
    number of ones), which is 1 on that row and 0 on all others, and one neuron that adds them up. An input, too,
    belongs to the function that reads it, or to none if several do.

    ``x`` has every combination of the inputs, or 1024 random ones where there are more.

    References
    ----------
    .. [1] "Neural Sculpting", arXiv:2305.18402.

    Examples
    --------
    >>> from bimt_analyze.synthetic import boolean_hierarchy
    >>> planted = boolean_hierarchy(outputs=2, depth=2, seed=1)
    >>> len(planted.partition.modules), sorted(set(planted.network.predict(planted.x).round(9).ravel().tolist()))
    (6, [0.0, 1.0])
    """
    for option, value, least in (("outputs", outputs, 1), ("depth", depth, 1), ("arguments", arguments, 2)):
        at_least(option, value, least)
    share("overlap", overlap)
    share("reuse", reuse)
    wiring, data = streams(seed, "functions", "x")
    for _ in range(_TRIES):
        levels = _drawn(outputs, [reuse] * (depth - 1) + [overlap], arguments, wiring)
        x = _rows(levels[0].below, data)
        layers = tuple(layer for level in levels for layer in level.layers())
        if _all_vary(layers, x):
            options = {"outputs": outputs, "depth": depth, "arguments": arguments, "overlap": overlap, "reuse": reuse}
            modular = sum(len(level.reads) for level in levels) > 1
            blueprint = Blueprint(layers, _owners(levels), x)
            return blueprint.planted("boolean_hierarchy", seed=seed, scale=scale, modular=modular, **options)
    got, hint = f"{_TRIES} draws, each with one", "lower overlap and reuse, or depth"
    raise InputError("a neuron is constant", where="boolean_hierarchy", expected="none", got=got, hint=hint)


@dataclass(frozen=True, eq=False)
class _Level:
    """Functions of equal depth.

    Attributes
    ----------
        below: how many things there are to read.
        reads: for each function, its arguments among them.
        tables: for each function, whether it is true on each row of its truth table.
    """

    below: int
    reads: Int64[np.ndarray, "functions arguments"]
    tables: Bool[np.ndarray, "functions rows"]

    @classmethod
    def drawn(cls, functions: int, below: int, arguments: int, rng: np.random.Generator) -> Self:
        """Draw random functions; everything below is read, as evenly as that goes.

        Parameters
        ----------
        functions : int
            Number of functions.
        below : int
            How many things there are to read.
        arguments : int
            Number of arguments of each function.
        rng : numpy.random.Generator
            Generator of wiring and tables.

        Returns
        -------
        Self
            The level.
        """
        drawn_reads = np.zeros((functions, below))
        places = np.arange(functions * arguments)
        drawn_reads[places // arguments, places % below] = 1.0
        rewired_reads = degree_preserving(drawn_reads, schedule=rng, generators=[rng])[0]
        reads = np.nonzero(rewired_reads)[1].reshape(functions, arguments)
        return cls(below, reads, np.stack([_table(arguments, rng) for _ in range(functions)]))

    def layers(self) -> tuple[Layer, Layer]:
        """One neuron for each true row of each table, then one for each function."""
        rows = truth_rows(self.reads.shape[1])
        function, row = np.nonzero(self.tables)
        detect = np.zeros((len(function), self.below))
        np.put_along_axis(detect, self.reads[function], 2 * rows[row] - 1, axis=1)
        add = (np.arange(len(self.reads))[:, None] == function).astype(np.float64)
        return Layer(detect, 1 - rows[row].sum(1)), Layer(add, np.zeros(len(self.reads)))


def truth_rows(arguments: int) -> Float64[np.ndarray, "rows arguments"]:
    """All rows of 0 and 1.

    Parameters
    ----------
    arguments : int
        Length of a row.

    Returns
    -------
    array of float64, shape (rows, arguments)
        2**arguments rows, in counting order.
    """
    return np.array(list(product([0.0, 1.0], repeat=arguments)))


def _drawn(outputs: int, shares: list[float], arguments: int, rng: np.random.Generator) -> list[_Level]:
    """From the top downwards; the lowest level first."""
    levels: list[_Level] = []
    functions = outputs
    for share_of_less in shares:
        below = max(arguments, round((1 - share_of_less) * functions * arguments))
        levels.insert(0, _Level.drawn(functions, below, arguments, rng))
        functions = below
    return levels


def _table(arguments: int, rng: np.random.Generator) -> Bool[np.ndarray, " rows"]:
    """A random truth table that depends on every argument."""
    while True:
        table = rng.random((2,) * arguments) < 0.5
        if all((table != np.flip(table, axis)).any() for axis in range(arguments)):
            return table.ravel()


def _rows(inputs: int, rng: np.random.Generator) -> Float64[np.ndarray, "rows inputs"]:
    if 2**inputs <= _ROWS:
        return truth_rows(inputs)
    return rng.integers(0, 2, (_ROWS, inputs)).astype(np.float64)


def _all_vary(layers: tuple[Layer, ...], h: Float64[np.ndarray, "rows inputs"]) -> bool:
    for layer in layers:
        h = np.maximum(h @ layer.weight.T + layer.bias, 0)
        if not np.ptp(h, axis=0).all():
            return False
    return True


def _owners(levels: list[_Level]) -> tuple[tuple[int | None, ...], ...]:
    readers = [np.flatnonzero((levels[0].reads == i).any(1)).tolist() for i in range(levels[0].below)]
    found: list[tuple[int | None, ...]] = [tuple(own[0] if len(own) == 1 else None for own in readers)]
    first = 0
    for level in levels:
        found += [tuple((first + np.nonzero(level.tables)[0]).tolist()), tuple(range(first, first + len(level.reads)))]
        first += len(level.reads)
    return tuple(found)
