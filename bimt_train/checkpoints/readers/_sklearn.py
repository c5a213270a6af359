"""Multi-layer perceptrons of scikit-learn, from Python: its files are pickles, which are not read."""

from typing import Any, Unpack

import numpy as np

from ..._errors import CheckpointError
from .._checkpoint import Checkpoint
from ._about import About
from ._network_of import checkpoint_of_chain
from ._values import Chain, Linear


def from_sklearn(model: Any, **about: Unpack[About]) -> Checkpoint:
    """Make a checkpoint of a fitted ``MLPRegressor`` or ``MLPClassifier``.

    Parameters
    ----------
    model : estimator
        With ``coefs_``, ``intercepts_``, ``activation`` and ``out_activation_``.
    **about
        ``x``, ``y``, ``ranges``, ``inputs``, ``outputs`` and ``decomposition``, as `from_state_dict` takes them.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "sklearn", "assumed": [...]}`` as its config. A classifier's outputs are the numbers before
        its softmax or sigmoid.

    Raises
    ------
    CheckpointError
        The model is of another class, or not fitted.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    >>> model = MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", tol=1.0).fit(x, x[:, 0])
    >>> bool(np.allclose(from_sklearn(model, x=x).predict(x)[:, 0], model.predict(x)))
    True
    """
    fields = ("coefs_", "intercepts_", "activation", "out_activation_")
    missing = [field for field in fields if not hasattr(model, field)]
    if missing:
        raise CheckpointError(
            "not a fitted perceptron of scikit-learn", where=type(model).__name__,
            expected="MLPRegressor or MLPClassifier, after fit", got=f"no {', '.join(missing)}",
            hint="fit it first, and give the last step of a Pipeline: model[-1], with rows as it sees them",
        )  # fmt: skip
    pairs = zip(model.coefs_, model.intercepts_, strict=True)
    layers = [
        Linear(f"coefs_[{index}]", np.asarray(coef).T, np.asarray(intercept))
        for index, (coef, intercept) in enumerate(pairs)
    ]
    assumed = (f"order, orientation and activation ({model.activation}) are those of the model",)
    chain = Chain(layers, str(model.activation), str(model.out_activation_), assumed)
    return checkpoint_of_chain(chain, "sklearn", None, about)
