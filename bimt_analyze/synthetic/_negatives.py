"""Networks without modules."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bimt_train import InputError

from ..audits import rewired
from ..graph import neuron_graph
from ..modules import connected_components
from ._blocks import Weight, block_network, block_owners, block_weights, calibrated, standard_rows
from ._blueprint import Blueprint
from ._draws import streams
from ._synthetic_network import Specimen

_TRIES = 30


def dense_network(
    *, widths: Sequence[int] = (6, 12, 12, 3), scale: float = 10.0, rows: int = 500, seed: int = 0
) -> Specimen:
    """A dense random ReLU network: `block_network` of a single block, and not modular.

    Args:
        widths: neurons a layer, inputs and outputs included.
        scale: as in `block_network`.
        rows: of ``x``.
        seed: of all that is random.

    Raises:
        InputError: widths that are none, an impossible scale, or too few rows.
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
) -> Specimen:
    """The `block_network` of these options, each pair of layers wired anew at random: as sparse, and not modular.

    Before scales are drawn, each neuron reads as many neurons as it did, with the same weights, and is read by as many;
    which ones is random (`rewired`). Drawn again until the network is in one piece. Biases are set anew.

    Args:
        blocks: as in `block_network`.
        crosstalk: as there; above 0 every edge is there, and a neuron's weights, large and small, are dealt anew.
        scale: as there.
        rows: of ``x``.
        seed: of all that is random.

    Raises:
        InputError: as `block_network`, or blocks that cannot be joined without changing degrees.
    """
    weights, x = block_weights(blocks, crosstalk, seed), standard_rows(blocks, rows, seed)
    owners = tuple((0,) * len(row) for row in block_owners(blocks))
    (rng,) = streams(seed, "wiring")
    for _ in range(_TRIES):
        layers = calibrated([_rewired(weight, rng) for weight in weights], x, seed)
        blueprint = Blueprint(layers, owners, x)
        if len(connected_components(neuron_graph(blueprint.network())).modules) == 1:
            options = {"blocks": tuple(map(tuple, blocks)), "crosstalk": crosstalk, "rows": rows}
            return blueprint.specimen("rewired_network", seed=seed, scale=scale, modular=False, **options)
    got, mend = f"{_TRIES} draws, all in several", "use wider blocks"
    raise InputError("not to be wired into one piece", where="blocks", expected="one piece", got=got, mend=mend)


def _rewired(weight: Weight, rng: np.random.Generator) -> Weight:
    """`rewired` keeps numbers above 0; so the places of the weights in their row are dealt, and the weights follow."""
    places = np.where(weight != 0, np.arange(1.0, weight.shape[1] + 1), 0.0)
    dealt = rewired(places, schedule=rng, generators=[rng])[0].astype(np.int64)
    return np.where(dealt > 0, np.take_along_axis(weight, np.maximum(dealt - 1, 0), axis=1), 0.0)
