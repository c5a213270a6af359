"""Multi-layer perceptrons of scikit-learn, from Python: its files are pickles, which are not read."""

import warnings
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from ..._errors import CheckpointError
from .._checkpoint import Checkpoint
from ._about import About
from ._judging import AUTO
from ._network_of import checkpoint_of_chain
from ._values import Chain, Linear

_TRIED = 12  # rows on which a step is held against its matrix
_SLACK = 1e-9


def from_sklearn(model: Any, **about: Unpack[About]) -> Checkpoint:
    """Make a checkpoint of a fitted ``MLPRegressor`` or ``MLPClassifier``, alone or last in a Pipeline.

    Steps before it that are affine, as ``StandardScaler``, are folded into the first layer; the transformer of a
    ``TransformedTargetRegressor`` into the last. Of a search, as ``GridSearchCV``, the best estimator is read.

    Parameters
    ----------
    model : estimator
        With ``coefs_``, ``intercepts_``, ``activation`` and ``out_activation_``, or one of these around it.
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
        The model is of another class, or not fitted, or a step before it is not affine.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    >>> model = MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", tol=1.0).fit(x, x[:, 0])
    >>> bool(np.allclose(from_sklearn(model, x=x).predict(x)[:, 0], model.predict(x)))
    True
    """
    fields = ("coefs_", "intercepts_", "activation", "out_activation_")
    perceptron, before, after, opened = _opened(model)
    missing = [field for field in fields if not hasattr(perceptron, field)]
    if missing:
        raise CheckpointError(
            "not a fitted perceptron of scikit-learn", where=type(perceptron).__name__,
            expected="MLPRegressor or MLPClassifier, after fit, alone or last in a Pipeline",
            got=f"no {', '.join(missing)}", hint=_hint(perceptron),
        )  # fmt: skip
    pairs = zip(perceptron.coefs_, perceptron.intercepts_, strict=True)
    layers = [
        Linear(f"coefs_[{index}]", np.asarray(coef).T, np.asarray(intercept))
        for index, (coef, intercept) in enumerate(pairs)
    ]
    for name, step in reversed(before):
        matrix, shift = _affine(name, _with_names(step), int(step.n_features_in_))
        weight = layers[0].weight
        layers[0] = Linear(layers[0].name, weight @ matrix, layers[0].bias + weight @ shift)
    if after is not None:
        matrix, shift = _affine("transformer", after.inverse_transform, len(layers[-1].bias))
        layers[-1] = Linear(layers[-1].name, matrix @ layers[-1].weight, matrix @ layers[-1].bias + shift)
    said = f"order, orientation and activation ({perceptron.activation}) are those of the model"
    end = str(perceptron.out_activation_)
    chain = Chain(layers, str(perceptron.activation), end, (said, *opened))
    if hasattr(perceptron, "classes_") and about.get("y") is not None and about.get("loss", AUTO) == AUTO:
        labels = "bce" if len(layers[-1].bias) == 1 else "multi-label"
        about = {**about, "loss": "cross-entropy" if end == "softmax" else labels}  # what a classifier was fitted by
    return checkpoint_of_chain(chain, "sklearn", None, about)


def _hint(model: Any) -> str:
    """What can be read of an estimator that is no perceptron."""
    if hasattr(model, "module_"):
        return "give its module: from_module(model.module_, x)"
    if hasattr(model, "estimators_"):
        return "give one of its perceptrons, as model.estimators_[0]"
    return "fit it first" if hasattr(model, "hidden_layer_sizes") else "give the perceptron itself, if it has one"


def _opened(model: Any) -> tuple[Any, list[tuple[str, Any]], Any, list[str]]:
    """The perceptron, the steps before it, what comes after it, and what is said of these."""
    before: list[tuple[str, Any]] = []
    after, said = None, []
    while True:
        if hasattr(model, "best_estimator_"):
            said.append(f"of {type(model).__name__}, the best estimator is read")
            model = model.best_estimator_
        elif hasattr(model, "regressor_") and hasattr(model, "transformer_"):
            said.append("the outputs are in the units of the targets: their transformer is folded into the last layer")
            model, after = model.regressor_, model.transformer_
        elif hasattr(model, "steps"):
            found = [(name, step) for name, step in model.steps[:-1] if step not in (None, "passthrough")]
            if found:
                names = ", ".join(f"'{name}'" for name, _ in found)
                said.append(f"the rows are as the Pipeline takes them: {names} folded into the first layer")
            before += found
            model = model.steps[-1][1]
        else:
            return model, before, after, said


def _with_names(step: Any) -> Callable[[Any], Any]:
    """The step as a function of rows; one that was fitted with names picks its columns by them."""
    names = getattr(step, "feature_names_in_", None)
    if names is None:
        return step.transform  # type: ignore[no-any-return]
    import pandas as pd

    return lambda rows: step.transform(pd.DataFrame(rows, columns=names))


def _affine(name: str, transform: Callable[[Any], Any], columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix and the shift of a step, which must be affine; held against rows of all sizes."""
    rows = np.random.default_rng(0).normal(size=(_TRIED, columns)) * np.logspace(-2, 4, _TRIED)[:, None]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rows without the names that a step was fitted with
            shift = np.asarray(transform(np.zeros((1, columns))), dtype=np.float64)[0]
            matrix = (np.asarray(transform(np.eye(columns)), dtype=np.float64) - shift).T
            wanted = np.asarray(transform(rows), dtype=np.float64)
        apart = np.abs(rows @ matrix.T + shift - wanted).max()
    except Exception:  # whatever a step refuses
        apart, wanted = np.inf, np.ones(1)
    if not apart <= _SLACK * np.abs(wanted).max():
        raise CheckpointError(
            "a step of a Pipeline that is not affine", where=f"'{name}'",
            expected="scaling, shifting or a matrix, as StandardScaler or PCA",
            hint="give the last step alone, model[-1], and x as that step sees it: model[:-1].transform(x)",
        )  # fmt: skip
    return matrix, shift
