"""Networks without modules."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bimt_train import InputError

from ..audits.chance._degree_preserving import degree_preserving
from ..graph import neuron_graph
from ..modules import connected_components
from ._blocks import Weight, block_network, block_owners, block_weights, calibrated, standard_rows
from ._blueprint import Blueprint
from ._draws import streams
from ._synthetic_network import SyntheticNetwork

_TRIES = 30


def dense_network(
    *, widths: Sequence[int] = (6, 12, 12, 3), scale: float = 10.0, rows: int = 500, seed: int = 0
) -> SyntheticNetwork:
    """Draw a dense random ReLU network: `block_network` of a single block, and not modular.

    Parameters
    ----------
    widths : sequence of int, default (6, 12, 12, 3)
        Neurons a layer, inputs and outputs included.
    scale : float, default 10.0
        Hidden neurons are rescaled by factors between 1/scale and scale, as in `block_network`.
    rows : int, default 500
        Number of rows of ``x``, at least 4.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    SyntheticNetwork
        The network; all neurons are one module.

    Raises
    ------
    InputError
        The widths are none, the scale is impossible, or there are too few rows.

    Examples
    --------
    >>> from bimt_analyze.synthetic import dense_network
    >>> dense_network(widths=(3, 5, 2)).modular
    False
    """
    single = block_network(blocks=[widths], scale=scale, rows=rows, seed=seed)
    options = {"widths": tuple(widths), "rows": rows, "scale": scale}
    return replace(single, kind="dense_network", options=options)


def rewired_network(
    *,
    blocks: Sequence[Sequence[int]] = ((2, 4, 4, 1),) * 3,
    crosstalk: float = 0.0,
    scale: float = 10.0,
    rows: int = 500,
    seed: int = 0,
) -> SyntheticNetwork:
    """Draw the `block_network` of these options with each pair of layers rewired at random: as sparse, and not modular.

    Parameters
    ----------
    blocks : sequence of sequence of int, default ((2, 4, 4, 1),) * 3
        For each block its widths, as in `block_network`.
    crosstalk : float, default 0.0
        Size of a weight between blocks, 0 to 1, as in `block_network`; above 0 every edge is there, and a neuron's
        weights, large and small, are assigned to edges anew.
    scale : float, default 10.0
        Hidden neurons are rescaled by factors between 1/scale and scale, as in `block_network`.
    rows : int, default 500
        Number of rows of ``x``, at least 4.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    SyntheticNetwork
        The network; all neurons are one module.

    Raises
    ------
    InputError
        As `block_network` raises it; or the blocks cannot be joined without changing degrees.

    Notes
    -----
    Before scales are drawn, each neuron reads as many neurons as it did, with the same weights, and is read by as many;
    which ones is random (`degree_preserving`). Networks are drawn again until one is in one piece. Biases are set anew.

    Examples
    --------
    >>> from bimt_analyze.synthetic import rewired_network
    >>> planted = rewired_network(blocks=[(2, 4, 1)] * 2, seed=1)
    >>> planted.modular, len(planted.partition.modules)
    (False, 1)
    """
    weights, x = block_weights(blocks, crosstalk, seed), standard_rows(blocks, rows, seed)
    owners = tuple((0,) * len(row) for row in block_owners(blocks))
    (rng,) = streams(seed, "wiring")
    for _ in range(_TRIES):
        layers = calibrated([_rewired(weight, rng) for weight in weights], x, seed)
        blueprint = Blueprint(layers, owners, x)
        if len(connected_components(neuron_graph(blueprint.network())).modules) == 1:
            options = {"blocks": tuple(map(tuple, blocks)), "crosstalk": crosstalk, "rows": rows}
            return blueprint.planted("rewired_network", seed=seed, scale=scale, modular=False, **options)
    got, hint = f"{_TRIES} draws, all in several", "use wider blocks"
    raise InputError("not to be wired into one piece", where="blocks", expected="one piece", got=got, hint=hint)


def _rewired(weight: Weight, rng: np.random.Generator) -> Weight:
    """Wired anew: `degree_preserving` takes numbers above 0, so places in the row are moved, and the weights follow."""
    places = np.where(weight != 0, np.arange(1.0, weight.shape[1] + 1), 0.0)
    moved = degree_preserving(places, schedule=rng, generators=[rng])[0].astype(np.int64)
    return np.where(moved > 0, np.take_along_axis(weight, np.maximum(moved - 1, 0), axis=1), 0.0)
