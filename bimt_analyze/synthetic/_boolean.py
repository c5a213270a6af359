"""Boolean functions of Boolean functions, compiled exactly into a ReLU network."""

from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
from jaxtyping import Bool, Float64, Int64

from bimt_train import InputError

from ..audits import rewired
from ._blueprint import Blueprint, Layer
from ._draws import at_least, share, streams
from ._synthetic_network import Specimen

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
) -> Specimen:
    """Outputs that are random Boolean functions of Boolean functions of ... inputs; the modules are the functions.

    The tasks are those of Neural Sculpting (arXiv 2305.18402): functions lack inputs of their own as ``overlap`` grows,
    and serve several functions above as ``reuse`` grows. There networks are trained on the task; here the network is
    written down. A level of m functions has ``m * arguments`` places for what is below it, filled by
    ``max(arguments, round((1 - dial) * m * arguments))`` different things, as evenly as that goes, else at random; dial
    is ``overlap`` where these are the inputs and ``reuse`` where they are functions. Each function depends on each of
    its arguments, and each neuron varies over ``x``; what is drawn is drawn again until it does.

    A function is one ReLU neuron for each row of its truth table that is true, ReLU(sum of ones - sum of others + 1 -
    number of ones), which is 1 on that row and 0 on all others, and one neuron that adds them up. An input, too,
    belongs to the function that reads it, or to none if several do.

    ``x`` has every combination of the inputs, or 1024 random ones where there are more.

    Args:
        outputs: number of functions at the top.
        depth: levels of functions.
        arguments: of each function.
        overlap: 0, each function at the bottom has its own inputs; 1, as few inputs as can be.
        reuse: 0, each function is read by one function above; 1, as few functions as can be.
        scale: as in `block_network`.
        seed: of all that is random.

    Raises:
        InputError: no outputs, depth or arguments, a dial or a scale that is impossible, or no network without a
            neuron that is constant.
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
            return blueprint.specimen("boolean_hierarchy", seed=seed, scale=scale, modular=modular, **options)
    got, mend = f"{_TRIES} draws, each with one", "lower overlap and reuse, or depth"
    raise InputError("a neuron is constant", where="boolean_hierarchy", expected="none", got=got, mend=mend)


@dataclass(frozen=True, eq=False)
class _Level:
    """Functions of equal depth.

    Attributes:
        below: how many things there are to read.
        reads: for each function, its arguments among them.
        tables: for each function, whether it is true on each row of its truth table.
    """

    below: int
    reads: Int64[np.ndarray, "functions arguments"]
    tables: Bool[np.ndarray, "functions rows"]

    @classmethod
    def drawn(cls, functions: int, below: int, arguments: int, rng: np.random.Generator) -> Self:
        """Random functions; everything below is read, as evenly as that goes."""
        dealt = np.zeros((functions, below))
        places = np.arange(functions * arguments)
        dealt[places // arguments, places % below] = 1.0
        mixed = rewired(dealt, schedule=rng, generators=[rng])[0]
        reads = np.nonzero(mixed)[1].reshape(functions, arguments)
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
    """All rows of 0 and 1."""
    return np.array(list(product([0.0, 1.0], repeat=arguments)))


def _drawn(outputs: int, dials: list[float], arguments: int, rng: np.random.Generator) -> list[_Level]:
    """From the top downwards; the lowest level first."""
    levels: list[_Level] = []
    functions = outputs
    for dial in dials:
        below = max(arguments, round((1 - dial) * functions * arguments))
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
