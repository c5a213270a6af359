"""More features than neurons: toy models of superposition in closed form."""

import numpy as np

from bimt_train import InputError

from ._blueprint import Blueprint, Layer
from ._draws import at_least, streams
from ._synthetic_network import SyntheticNetwork


def superposition(
    *, features: int = 5, hidden: int = 2, scale: float = 10.0, rows: int = 500, seed: int = 0
) -> SyntheticNetwork:
    """Plant features that share a bottleneck, ``y = ReLU(W^T W x + b)``; each feature is a module.

    Parameters
    ----------
    features : int, default 5
        Number of inputs and of outputs; a multiple of hidden / 2, at least three times that.
    hidden : int, default 2
        Number of neurons of the bottleneck; even.
    scale : float, default 10.0
        Hidden neurons are rescaled by factors between 1/scale and scale, as in `block_network`.
    rows : int, default 500
        Number of rows of ``x``.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    SyntheticNetwork
        The network with its planted modules.

    Raises
    ------
    InputError
        The numbers make no polygons of at least three corners, the scale is impossible, or there are no rows.

    Notes
    -----
    The columns of W are regular polygons of p = 2 features / hidden corners, one in each of hidden / 2 orthogonal
    planes, turned at random: the pentagon of "Toy Models of Superposition" [1]_ for 5 features in 2 neurons. With b =
    -max(0, cos(2 pi / p)), and the outputs divided by 1 + b, y = x (here in another order) as long as x is of 0 and 1
    and has at most one feature of each plane; ``x`` is like this, half of the planes silent. The paper trains W and b
    on graded features, and its bottleneck is linear; here its neurons are raised by a constant, so that their ReLU
    never bends for x in [0, 1].

    An input, its reader and its output are a module; the bottleneck is shared. The network's graph is in one piece:
    only the function says so.

    References
    ----------
    .. [1] Elhage et al. 2022, "Toy Models of Superposition", arXiv:2209.10652.

    Examples
    --------
    >>> from bimt_analyze.synthetic import superposition
    >>> import numpy as np
    >>> planted = superposition(features=5, hidden=2)
    >>> bool(np.allclose(np.sort(planted.network.predict(planted.x)), np.sort(planted.x)))
    True
    """
    at_least("rows", rows, 1)
    planes = max(hidden, 0) // 2
    if hidden < 2 or hidden % 2 or features % planes or features < 3 * planes:
        expected = "hidden even, and features 3, 4, 5, ... times hidden / 2"
        got = f"features={features}, hidden={hidden}"
        raise InputError("no regular polygons", expected=expected, got=got, hint="5 and 2, or 40 and 10, say")
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
    return blueprint.planted("superposition", seed=seed, scale=scale, features=features, hidden=hidden, rows=rows)
