"""More features than neurons: toy models of superposition in closed form."""

import numpy as np

from bimt_train import InputError

from ._blueprint import Blueprint, Layer
from ._draws import at_least, streams
from ._synthetic_network import Specimen


def superposition(
    *, features: int = 5, hidden: int = 2, scale: float = 10.0, rows: int = 500, seed: int = 0
) -> Specimen:
    """Features that share a bottleneck, ``y = ReLU(W^T W x + b)``; each feature is a module, the bottleneck is shared.

    The columns of W are regular polygons of p = 2 features / hidden corners, one in each of hidden / 2 orthogonal
    planes, turned at random: the pentagon of "Toy Models of Superposition" (Elhage et al., arXiv 2209.10652) for 5
    features in 2 neurons. With b = -max(0, cos(2 pi / p)), and the outputs divided by 1 + b, y = x as long as x is of 0
    and 1 and has at most one feature of each plane; ``x`` is like this, half of the planes silent. The paper trains W
    and b on graded features, and its bottleneck is linear; here its neurons are raised by a constant, so that their
    ReLU never bends for x in [0, 1].

    An input, its reader and its output are a module. The network's graph is in one piece: only the function says so.

    Args:
        features: inputs and outputs; a multiple of hidden / 2.
        hidden: neurons of the bottleneck; an even number.
        scale: as in `block_network`.
        rows: of ``x``.
        seed: of all that is random.

    Raises:
        InputError: numbers that make no polygons of at least three corners, an impossible scale, or no rows.
    """
    at_least("rows", rows, 1)
    planes = max(hidden, 0) // 2
    if hidden < 2 or hidden % 2 or features % planes or features < 3 * planes:
        expected = "hidden even, and features 3, 4, 5, ... times hidden / 2"
        got = f"features={features}, hidden={hidden}"
        raise InputError("no regular polygons", expected=expected, got=got, mend="5 and 2, or 40 and 10, say")
    turn, data = streams(seed, "weights", "x")
    corners = features // planes
    angles = 2 * np.pi * np.arange(corners) / corners
    polygon = np.stack([np.cos(angles), np.sin(angles)])
    rotation = np.linalg.qr(turn.normal(size=(hidden, hidden)))[0]
    w = rotation @ np.kron(np.eye(planes), polygon)
    raised = np.maximum(-w, 0).sum(1)
    threshold = max(0.0, float(np.cos(2 * np.pi / corners)))
    layers = (
        Layer(w, raised),
        Layer(w.T, -w.T @ raised - threshold),
        Layer(np.eye(features) / (1 - threshold), np.zeros(features)),
    )
    own = tuple(range(features))
    chosen = data.integers(0, corners, (rows, planes, 1)) == np.arange(corners)
    x = (chosen & (data.random((rows, planes, 1)) < 0.5)).reshape(rows, features).astype(np.float64)
    blueprint = Blueprint(layers, (own, (None,) * hidden, own, own), x)
    return blueprint.specimen("superposition", seed=seed, scale=scale, features=features, hidden=hidden, rows=rows)
