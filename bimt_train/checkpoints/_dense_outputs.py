"""What layers one after the other give, computed where torch is not installed."""

from collections.abc import Mapping
from itertools import count

import numpy as np
from jaxtyping import Float, Float64

from ..extras import missing_extra
from ..models._model_spec import ModelSpec
from ..models.building_blocks.activations import activated

_KIND = "mlp"  # as which chains of layers are read from files


def dense_outputs(
    model: ModelSpec, tensors: Mapping[str, np.ndarray], x: Float[np.ndarray, "rows inputs"]
) -> Float64[np.ndarray, "rows outputs"]:
    """Compute ``h_l = activation(W_l h_(l-1) + b_l)`` in double precision.

    Parameters
    ----------
    model : ModelSpec
        Of the kind ``mlp``.
    tensors : mapping of str to array
        ``layers.N.weight`` and ``layers.N.bias``.
    x : array of float, shape (rows, inputs)
        Inputs as the network sees them.

    Returns
    -------
    array of float, shape (rows, outputs)
        The outputs, equal to torch's but for rounding.

    Raises
    ------
    MissingExtra
        A model of another kind, which torch alone computes.

    Examples
    --------
    >>> tensors = {"layers.0.weight": np.array([[2.0, 1.0]]), "layers.0.bias": np.array([1.0])}
    >>> dense_outputs(ModelSpec("mlp", {"widths": [2, 1], "activation": "relu"}), tensors, np.array([[1.0, 3.0]]))
    array([[6.]])
    """
    if model.kind != _KIND:
        raise missing_extra("torch", f"running a network of the kind {model.kind}")
    last = next(number for number in count(1) if f"layers.{number}.weight" not in tensors) - 1
    h = np.asarray(x, dtype=np.float64)
    for number in range(last + 1):
        weight, bias = (tensors[f"layers.{number}.{what}"].astype(np.float64) for what in ("weight", "bias"))
        h = h @ weight.T + bias
        name = model.options.get("final") or "identity" if number == last else model.options["activation"]
        h = activated(name, h.ravel()).reshape(h.shape)
    return h
