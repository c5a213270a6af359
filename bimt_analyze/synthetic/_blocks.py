"""Networks of separate blocks, and of blocks that hear each other a little."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError

from ._blueprint import Blueprint, Layer
from ._draws import at_least, share, streams
from ._synthetic_network import Specimen

Weight = Float64[np.ndarray, "_ _"]


def block_network(
    *,
    blocks: Sequence[Sequence[int]] = ((2, 4, 4, 1),) * 3,
    crosstalk: float = 0.0,
    scale: float = 10.0,
    rows: int = 500,
    seed: int = 0,
) -> Specimen:
    """Blocks side by side, each a dense random ReLU network of its own; the modules are the blocks.

    A weight inside a block is +-u sqrt(2 / n), with u uniform in [1/2, 3/2] and n the number of neurons that its reader
    reads in its own block; so no edge is too weak to count. A weight between blocks is drawn alike and multiplied by
    ``crosstalk``: at 0 there is no edge, at 1 nothing tells the blocks apart. A hidden neuron's bias is such that of
    the values it takes before its ReLU a quarter to three quarters are above 0: none is dead and none is linear. Inputs
    are independent and standard normal. The same seed draws the same blocks at every ``crosstalk`` and ``scale``.

    Args:
        blocks: for each block its widths, inputs and outputs included; all of one depth.
        crosstalk: size of a weight between blocks, relative to one inside. There are more of the former: with three
            equal blocks, a neuron hears 2 ``crosstalk`` as much from others as from its own.
        scale: hidden neurons are rescaled by factors between 1/scale and scale; 1 leaves them.
        rows: of ``x``.
        seed: of all that is random.

    Raises:
        InputError: blocks without neurons or of unequal depth, an impossible crosstalk or scale, or too few rows.
    """
    x = standard_rows(blocks, rows, seed)
    layers = calibrated(block_weights(blocks, crosstalk, seed), x, seed)
    options = {"blocks": tuple(map(tuple, blocks)), "crosstalk": crosstalk, "rows": rows}
    blueprint, modular = Blueprint(layers, block_owners(blocks), x), len(blocks) > 1 and crosstalk < 1
    return blueprint.specimen("block_network", seed=seed, scale=scale, modular=modular, **options)


def block_owners(blocks: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """For each layer, the block of each neuron, block after block.

    Raises:
        InputError: blocks without neurons, or of unequal depth.
    """
    depths = {len(widths) for widths in blocks}
    if len(depths) != 1 or min(depths) < 2 or min(min(widths) for widths in blocks) < 1:
        raise InputError(
            "blocks that do not fit side by side",
            where="blocks",
            expected="for each block its widths, two or more positive numbers, of all blocks equally many",
            got=str(blocks),
            mend="for instance [(2, 4, 4, 1), (3, 5, 5, 2)]",
        )
    layers = zip(*blocks, strict=True)
    return tuple(tuple(block for block, width in enumerate(widths) for _ in range(width)) for widths in layers)


def block_weights(blocks: Sequence[Sequence[int]], crosstalk: float, seed: int) -> list[Weight]:
    """The weights of `block_network`, undisguised."""
    share("crosstalk", crosstalk)
    (rng,) = streams(seed, "weights")
    owners = [np.array(row) for row in block_owners(blocks)]
    found = []
    for sources, targets in pairwise(owners):
        inside = targets[:, None] == sources[None, :]
        size = rng.uniform(0.5, 1.5, inside.shape) * np.sqrt(2 / inside.sum(1, keepdims=True))
        found.append(size * rng.choice([-1.0, 1.0], inside.shape) * np.where(inside, 1.0, crosstalk))
    return found


def standard_rows(blocks: Sequence[Sequence[int]], rows: int, seed: int) -> Float64[np.ndarray, "rows inputs"]:
    """Independent standard normal inputs."""
    (rng,) = streams(seed, "x")
    return rng.normal(size=(at_least("rows", rows, 4), len(block_owners(blocks)[0])))


def calibrated(weights: Sequence[Weight], x: Float64[np.ndarray, "rows inputs"], seed: int) -> tuple[Layer, ...]:
    """Layers with biases: of the distinct values before a hidden neuron's ReLU, a random 1/4 to 3/4 are below 0."""
    (rng,) = streams(seed, "biases")
    layers, h = [], x
    for weight in weights[:-1]:
        before = h @ weight.T
        # distinct ones: where all that it reads is silent, a neuron takes one value on many rows
        silent = rng.uniform(0.25, 0.75, len(weight))
        bias = -np.array([np.quantile(np.unique(column), q) for column, q in zip(before.T, silent, strict=True)])
        layers.append(Layer(weight, bias))
        h = np.maximum(before + bias, 0)
    return (*layers, Layer(weights[-1], np.zeros(len(weights[-1]))))
