"""Networks of separate blocks, and of blocks with a little cross-talk."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError

from ._blueprint import Blueprint, Layer
from ._draws import at_least, share, streams
from ._synthetic_network import SyntheticNetwork

Weight = Float64[np.ndarray, "_ _"]


def block_network(
    *,
    blocks: Sequence[Sequence[int]] = ((2, 4, 4, 1),) * 3,
    crosstalk: float = 0.0,
    scale: float = 10.0,
    rows: int = 500,
    seed: int = 0,
) -> SyntheticNetwork:
    """Plant blocks side by side, each a dense random ReLU network of its own; the modules are the blocks.

    Parameters
    ----------
    blocks : sequence of sequence of int, default ((2, 4, 4, 1),) * 3
        For each block its widths, inputs and outputs included; all blocks have one depth.
    crosstalk : float, default 0.0
        Size of a weight between blocks, 0 to 1, relative to one inside. There are more of the former: with three equal
        blocks, a neuron reads 2 ``crosstalk`` as much from others as from its own.
    scale : float, default 10.0
        Hidden neurons are rescaled by factors between 1/scale and scale; 1 leaves them.
    rows : int, default 500
        Number of rows of ``x``, at least 4.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    SyntheticNetwork
        The network with its planted modules.

    Raises
    ------
    InputError
        Blocks have no neurons or unequal depth, the crosstalk or scale is impossible, or there are too few rows.

    Notes
    -----
    A weight inside a block is +-u sqrt(2 / n), with u uniform in [1/2, 3/2] and n the number of neurons that its reader
    reads in its own block; so no edge is too weak to count. A weight between blocks is drawn in the same way and
    multiplied by ``crosstalk``: at 0 there is no edge, at 1 nothing tells the blocks apart. A hidden neuron's bias is
    such that of the values it takes before its ReLU a quarter to three quarters are above 0: none is dead and none is
    linear. Inputs are independent and standard normal. The same seed draws the same blocks at every ``crosstalk`` and
    ``scale``.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 4, 1)] * 2, seed=1)
    >>> [len(module) for module in planted.partition.modules], planted.modular
    ([7, 7], True)
    """
    x = standard_rows(blocks, rows, seed)
    layers = calibrated(block_weights(blocks, crosstalk, seed), x, seed)
    options = {"blocks": tuple(map(tuple, blocks)), "crosstalk": crosstalk, "rows": rows}
    blueprint, modular = Blueprint(layers, block_owners(blocks), x), len(blocks) > 1 and crosstalk < 1
    return blueprint.planted("block_network", seed=seed, scale=scale, modular=modular, **options)


def block_owners(blocks: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """For each layer, the block of each neuron, block after block.

    Parameters
    ----------
    blocks : sequence of sequence of int
        For each block its widths.

    Returns
    -------
    tuple of tuple of int
        One tuple a layer, one number of a block a neuron.

    Raises
    ------
    InputError
        Blocks have no neurons, or unequal depth.
    """
    depths = {len(widths) for widths in blocks}
    if len(depths) != 1 or min(depths) < 2 or min(min(widths) for widths in blocks) < 1:
        raise InputError(
            "blocks that do not fit side by side",
            where="blocks",
            expected="for each block its widths, two or more positive numbers, of all blocks equally many",
            got=str(blocks),
            hint="for instance [(2, 4, 4, 1), (3, 5, 5, 2)]",
        )
    layers = zip(*blocks, strict=True)
    return tuple(tuple(block for block, width in enumerate(widths) for _ in range(width)) for widths in layers)


def block_weights(blocks: Sequence[Sequence[int]], crosstalk: float, seed: int) -> list[Weight]:
    """Weights of `block_network`, before neurons are permuted and rescaled.

    Parameters
    ----------
    blocks : sequence of sequence of int
        For each block its widths.
    crosstalk : float
        Size of a weight between blocks, relative to one inside.
    seed : int
        Seed of the weights.

    Returns
    -------
    list of array of float64, shape (targets, sources)
        One matrix a pair of layers.

    Raises
    ------
    InputError
        The crosstalk is no share.
    """
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
    """Independent standard normal inputs.

    Parameters
    ----------
    blocks : sequence of sequence of int
        For each block its widths, the first of which counts its inputs.
    rows : int
        Number of rows, at least 4.
    seed : int
        Seed of the inputs.

    Returns
    -------
    array of float64, shape (rows, inputs)
        One row of inputs a row.

    Raises
    ------
    InputError
        There are fewer than 4 rows.
    """
    (rng,) = streams(seed, "x")
    return rng.normal(size=(at_least("rows", rows, 4), len(block_owners(blocks)[0])))


def calibrated(weights: Sequence[Weight], x: Float64[np.ndarray, "rows inputs"], seed: int) -> tuple[Layer, ...]:
    """Layers with biases: of the distinct values before a hidden neuron's ReLU, a random 1/4 to 3/4 are below 0.

    Parameters
    ----------
    weights : sequence of array of float64, shape (targets, sources)
        One matrix a pair of layers.
    x : array of float64, shape (rows, inputs)
        Input rows that the biases are set on.
    seed : int
        Seed of the shares.

    Returns
    -------
    tuple of Layer
        The layers; the last one has no bias.
    """
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
