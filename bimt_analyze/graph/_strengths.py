"""What functions of edge weights have in common."""

import numpy as np
from jaxtyping import Float, Float64

from bimt_train.checkpoints import Network

Strength = Float64[np.ndarray, "..."]
"""One strength for each entry of a weight tensor, in the tensor's own shape."""


def magnitudes(network: Network) -> dict[str, Strength]:
    """|w| of every weight between neurons, in double precision.

    Parameters
    ----------
    network : Network
        Pruned or not.

    Returns
    -------
    dict of str to array
        Weight tensor -> |w|, in the tensor's shape.
    """
    return {name: np.abs(network.tensors[name].astype(np.float64)) for name in network.layout.weights()}


def rows_are_targets(network: Network, tensor: str) -> bool:
    """Whether a weight tensor is stored as [target, source], as ``torch.nn.Linear`` stores it.

    Parameters
    ----------
    network : Network
        Whose layout says so.
    tensor : str
        A weight tensor of the layout.

    Returns
    -------
    bool
        False where it is stored as [source, target].

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> rows_are_targets(Network.of(MLP((3, 2), "tanh")), "layers.0.weight")
    True
    """
    return not network.layout.tensors[tensor].plan.source_first


def along_source(network: Network, tensor: str, values: Float64[np.ndarray, " sources"]) -> Strength:
    """One number for each source neuron, as a row or column that broadcasts against the weight tensor.

    Parameters
    ----------
    network : Network
        Whose layout says which axis of the tensor is the source's.
    tensor : str
        A weight tensor of the layout.
    values : array [sources]
        One number for each entry of the source axis; for a kernel, of all axes but the targets'.

    Returns
    -------
    array [1, sources] or [sources, 1], [1, sources, ...] for a kernel
        To be multiplied with an array of the tensor's shape.

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> along_source(Network.of(MLP((3, 2), "tanh")), "layers.0.weight", np.array([1.0, 2.0, 3.0])).shape
    (1, 3)
    """
    if not rows_are_targets(network, tensor):
        return values[:, None]
    return values.reshape(1, *network.tensors[tensor].shape[1:])


def deviation(columns: Float[np.ndarray, "samples columns"]) -> Float64[np.ndarray, " columns"]:
    """Standard deviation of each column; what is rounding about a constant counts as 0.

    Parameters
    ----------
    columns : array [samples, columns]
        Values, one sample a row.

    Returns
    -------
    array [columns]
        Standard deviations, 0 where one is below 1e-12 of the column's largest value.

    Examples
    --------
    >>> deviation(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [1.0, 0.0]
    """
    spread = columns.std(axis=0)
    return np.where(spread > 1e-12 * np.abs(columns).max(axis=0, initial=0.0), spread, 0.0)
