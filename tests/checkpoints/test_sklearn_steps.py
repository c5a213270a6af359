"""Perceptrons of scikit-learn with steps around them: predictions are those of the whole."""

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler

from bimt_analyze import analyze
from bimt_train import CheckpointError, InputError
from bimt_train.checkpoints import from_sklearn

X = np.random.default_rng(0).uniform(-3, 5, (60, 3)) * [1, 10, 100] + [0, 1e4, 0]
Y = X[:, 0] ** 2 + X[:, 2]
SMALL: dict[str, Any] = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}


def fitted(model: Any, y: np.ndarray = Y) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few steps
        return model.fit(X, y)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), MLPRegressor(**SMALL)),
        make_pipeline(MinMaxScaler(), "passthrough", PCA(2), MLPRegressor(**SMALL)),
        TransformedTargetRegressor(make_pipeline(RobustScaler(), MLPRegressor(**SMALL)), transformer=StandardScaler()),
        GridSearchCV(make_pipeline(StandardScaler(), MLPRegressor(**SMALL)), {"mlpregressor__alpha": [0.1, 1.0]}, cv=2),
    ],
)
def test_affine_steps_are_folded_into_the_layers(model: Any) -> None:
    model = fitted(model)
    checkpoint = from_sklearn(model, x=X, y=Y)
    fresh = X[::-1] * 1.3
    np.testing.assert_allclose(checkpoint.predict(fresh)[:, 0], model.predict(fresh), rtol=1e-9)
    assert any("folded" in said for said in checkpoint.config["assumed"])


def test_classes_by_their_words_are_those_of_the_classifier() -> None:
    words = np.array(["high", "low", "mid"])[np.digitize(Y, np.quantile(Y, [0.3, 0.6]))]
    three = fitted(make_pipeline(StandardScaler(), MLPClassifier(**SMALL)), words)
    checkpoint = from_sklearn(three, x=X, y=words)
    np.testing.assert_allclose(softmax(checkpoint.predict(X), axis=1), three.predict_proba(X), atol=1e-12)
    assert checkpoint.task.loss == "cross-entropy"
    said = "targets: classes by their words, in alphabetical order: 'high' is 0, 'low' is 1, 'mid' is 2"
    assert said in checkpoint.config["assumed"]
    assert list(three.classes_) == ["high", "low", "mid"]
    two = fitted(make_pipeline(StandardScaler(), MLPClassifier(**SMALL)), Y > 0)
    checkpoint = from_sklearn(two, x=X, y=Y > 0, loss="bce")
    np.testing.assert_allclose(expit(checkpoint.predict(X)[:, 0]), two.predict_proba(X)[:, 1], atol=1e-12)


def test_a_step_that_is_not_affine_is_named() -> None:
    model = fitted(make_pipeline(PolynomialFeatures(2), MLPRegressor(**SMALL)))
    with pytest.raises(CheckpointError, match=r"not affine: 'polynomialfeatures'.*model\[:-1\].transform\(x\)"):
        from_sklearn(model, x=X)
    checkpoint = from_sklearn(model[-1], x=model[:-1].transform(X))  # as the hint says
    np.testing.assert_allclose(checkpoint.predict(model[:-1].transform(X))[:, 0], model.predict(X), rtol=1e-9)


def test_targets_and_rows_of_words_are_refused_in_one_line() -> None:
    model = fitted(MLPRegressor(**SMALL))
    with pytest.raises(CheckpointError, match=r"targets that are no numbers: y: .* got shape"):
        from_sklearn(model, x=X, y=np.array([["a", "b"]] * len(X)))
    with pytest.raises(CheckpointError, match="a table that holds no plain numbers: x"):
        from_sklearn(model, x=np.array([["a"] * 3] * len(X)))
    with pytest.raises(InputError, match=r"got MLPRegressor; hint: of scikit-learn's give from_sklearn\("):
        analyze(model, x=X)


def test_a_regressor_that_has_learned_nothing_still_ends_as_it_says() -> None:
    targets = np.c_[np.sin(X[:, 0]), np.cos(X[:, 2])]  # between -1 and 1, as a tanh would give them
    model = fitted(MLPRegressor(**SMALL), targets)
    checkpoint = from_sklearn(model, x=X, y=targets)
    np.testing.assert_allclose(checkpoint.predict(X), model.predict(X), rtol=1e-9)


@pytest.mark.parametrize(("columns", "loss"), [(1, "bce"), (2, "multi-label")])
def test_a_classifier_is_judged_by_what_it_was_fitted_by(columns: int, loss: str) -> None:
    labels = (X[:, :columns] > X[:, :columns].mean(0)).astype(int)
    model = fitted(MLPClassifier(**SMALL), labels if columns > 1 else labels[:, 0])
    checkpoint = from_sklearn(model, x=X, y=labels)
    shares = model.predict_proba(X)
    np.testing.assert_allclose(expit(checkpoint.predict(X)), shares if columns > 1 else shares[:, 1:], atol=1e-12)
    assert checkpoint.task.loss == loss


def test_steps_that_pick_columns_by_name_are_folded() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    steps = ColumnTransformer([("first", StandardScaler(), ["c", "a"]), ("second", MinMaxScaler(), ["b"])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(steps, MLPRegressor(**SMALL)).fit(frame, Y)
    np.testing.assert_allclose(from_sklearn(model, x=X, y=Y).predict(X)[:, 0], model.predict(frame), rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (MLPRegressor(), "fit it first"),
        (MultiOutputRegressor(MLPRegressor(**SMALL)), r"give one of its perceptrons, as model.estimators_\[0\]"),
        (LinearRegression(), "give the perceptron itself"),
        (SimpleNamespace(module_=None), r"from_module\(model.module_, x\)"),  # as skorch has it
    ],
)
def test_what_is_no_perceptron_is_refused_with_what_can_be_read(model: Any, hint: str) -> None:
    model = fitted(model, np.c_[Y, Y]) if hasattr(model, "estimator") else model
    with pytest.raises(CheckpointError, match=hint):
        from_sklearn(model, x=X)
