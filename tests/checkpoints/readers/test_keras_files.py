"""Files of Keras, written by h5py as Keras lays them out: layers that are read, and those that are refused by name."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimt_train import CheckpointError
from bimt_train.checkpoints import read_foreign

X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
DRAW = np.random.default_rng(1)
W1, B1, W2, B2 = (DRAW.normal(size=shape).astype(np.float32) for shape in ((3, 5), 5, (5, 2), 2))
HIDDEN = X @ W1 + B1


def _end(hidden: np.ndarray) -> np.ndarray:
    return hidden @ W2 + B2


def _config(*layers: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    named = [{"class_name": kind, "config": {"name": f"l{index}", **said}} for index, (kind, said) in enumerate(layers)]
    return {"class_name": "Sequential", "config": {"layers": named}}


def _dense(units: int, activation: str = "linear") -> tuple[str, dict[str, Any]]:
    return "Dense", {"units": units, "activation": activation, "use_bias": True}


DENSE = (("InputLayer", {}), _dense(5, "tanh"), _dense(2))


def _keras(path: Path, config: dict[str, Any] | None, arrays: dict[str, np.ndarray]) -> Path:
    h5py = pytest.importorskip("h5py")
    weights = path.with_suffix(".weights.h5")
    with h5py.File(weights, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    if config is None:
        return weights
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", "{}")
        archive.write(weights, "model.weights.h5")
    return path


VARS = {"layers/dense/vars/0": W1, "layers/dense/vars/1": B1, "layers/dense_1/vars/0": W2, "layers/dense_1/vars/1": B2}


def test_a_keras_archive_says_all(tmp_path: Path) -> None:
    found = read_foreign(_keras(tmp_path / "net.keras", _config(*DENSE), VARS), x=X)
    assert np.allclose(found.predict(X), _end(np.tanh(HIDDEN)), atol=1e-6)
    assert found.network.model.options["activation"] == "tanh"


def test_keras_weights_alone_need_an_activation(tmp_path: Path) -> None:
    path = _keras(tmp_path / "net.keras", None, VARS)
    assert np.allclose(read_foreign(path, x=X, activation="tanh").predict(X), _end(np.tanh(HIDDEN)), atol=1e-6)
    with pytest.raises(CheckpointError, match="the file does not say the activation"):
        read_foreign(path, x=X)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((*DENSE, ("LayerNormalization", {})), "LayerNormalization"),
        ((*DENSE, ("BatchNormalization", {})), "BatchNormalization with no gamma"),
        ((*DENSE, ("BatchNormalization", {"axis": 2})), "numbers of axis 2"),
        ((_dense(5, "tanh"), ("Flatten", {}), _dense(2)), "Flatten of what has several axes"),
        ((("Embedding", {}), *DENSE), "Embedding"),
        ((_dense(5, "tanh"), _dense(2, "relu"), _dense(2)), "no kernel"),
        ((_dense(5, "my_own"), _dense(2)), "an activation that is not known"),
        ((_dense(5, "leaky_relu"), _dense(2)), "leaky_relu"),
        ((_dense(5), ("ReLU", {"threshold": 1.0}), _dense(2)), "ReLU with a threshold"),
        ((_dense(5), ("PReLU", {}), _dense(2)), "PReLU"),
        ((*DENSE, ("Activation", {"activation": "tanh"}), ("Rescaling", {"scale": 2.0})), "ends in numbers"),
    ],
)
def test_other_keras_models_are_refused(layers: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=words):
        read_foreign(_keras(tmp_path / "net.keras", _config(*layers), VARS), x=X)


LEAKY = {"class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}


@pytest.mark.parametrize(
    ("between", "function"),
    [
        ([("LeakyReLU", {"alpha": 0.3})], lambda h: np.where(h > 0, h, 0.3 * h)),  # as Keras 2 writes it
        ([("LeakyReLU", {"negative_slope": 0.2})], lambda h: np.where(h > 0, h, 0.2 * h)),
        ([("Activation", {"activation": LEAKY})], lambda h: np.where(h > 0, h, 0.2 * h)),
        ([("ReLU", {"max_value": 6.0})], lambda h: np.clip(h, 0, 6)),
        ([("ReLU", {"max_value": 1.0})], lambda h: np.clip(h, 0, 1)),
        ([("ELU", {"alpha": 0.5})], lambda h: np.where(h > 0, h, 0.5 * np.expm1(h))),
        ([("Activation", {"activation": "exponential"})], np.exp),
        ([("Identity", {}), ("Activation", {"activation": "relu"}), ("Dropout", {})], lambda h: np.maximum(h, 0)),
        ([("Rescaling", {"scale": 2.0, "offset": 1.0}), ("Activation", {"activation": "relu"})],
         lambda h: np.maximum(2 * h + 1, 0)),
        ([("Activation", {"activation": "relu"}), ("Rescaling", {"scale": 2.0, "offset": 1.0})],
         lambda h: 2 * np.maximum(h, 0) + 1),
    ],
)  # fmt: skip
def test_keras_layers_between_dense_ones_are_read(between: Any, function: Any, tmp_path: Path) -> None:
    found = read_foreign(_keras(tmp_path / "net.keras", _config(_dense(5), *between, _dense(2)), VARS), x=X)
    assert np.allclose(found.predict(X), _end(function(HIDDEN)), atol=1e-6)


GAIN, SHIFT, MEAN, VARIANCE = np.random.default_rng(5).uniform(0.5, 2, (4, 5))


def test_a_batch_norm_of_keras_has_its_own_epsilon(tmp_path: Path) -> None:
    norm = ("BatchNormalization", {"axis": [-1], "epsilon": 0.1, "scale": True, "center": True})
    stored = {f"layers/batch_normalization/vars/{i}": a for i, a in enumerate((GAIN, SHIFT, MEAN, VARIANCE))}
    normed = GAIN * (HIDDEN - MEAN) / np.sqrt(VARIANCE + 0.1) + SHIFT
    layers = (_dense(5), norm, ("Activation", {"activation": "tanh"}), _dense(2))
    found = read_foreign(_keras(tmp_path / "net.keras", _config(*layers), VARS | stored), x=X)
    assert np.allclose(found.predict(X), _end(np.tanh(normed)), atol=1e-6)
    plain = ("BatchNormalization", {"epsilon": 0.1, "scale": False, "center": False})
    del stored["layers/batch_normalization/vars/2"], stored["layers/batch_normalization/vars/3"]
    layers = (_dense(5, "tanh"), plain, _dense(2))
    found = read_foreign(_keras(tmp_path / "net.keras", _config(*layers), VARS | stored), x=X)
    assert np.allclose(found.predict(X), _end((np.tanh(HIDDEN) - GAIN) / np.sqrt(SHIFT + 0.1)), atol=1e-6)


@pytest.mark.parametrize("told", [True, False])
def test_normalization_of_inputs_is_folded(told: bool, tmp_path: Path) -> None:
    mean, variance = np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.25, 9.0])
    said = {"axis": [-1], "mean": mean.tolist() if told else None, "variance": variance.tolist() if told else None}
    stored = {} if told else {f"layers/normalization/vars/{i}": a for i, a in enumerate((mean, variance))}
    path = _keras(tmp_path / "net.keras", _config(("Normalization", said), *DENSE[1:]), VARS | stored)
    expected = _end(np.tanh((X - mean) / np.sqrt(variance) @ W1 + B1))
    assert np.allclose(read_foreign(path, x=X).predict(X), expected, atol=1e-6)


def test_a_model_of_keras_within_a_model(tmp_path: Path) -> None:
    inner = (
        "Sequential",
        {"layers": _config(("InputLayer", {"batch_shape": [None, 3]}), _dense(5, "tanh"))["config"]["layers"]},
    )
    stored = {
        "layers/sequential/layers/dense/vars/0": W1, "layers/sequential/layers/dense/vars/1": B1,
        "layers/dense/vars/0": W2, "layers/dense/vars/1": B2,
    }  # fmt: skip
    path = _keras(tmp_path / "net.keras", _config(inner, _dense(2)), stored)
    assert np.allclose(read_foreign(path, x=X).predict(X), _end(np.tanh(HIDDEN)), atol=1e-6)
    alone = _keras(tmp_path / "alone", None, stored)  # two layers called dense, neither of which may be lost
    assert read_foreign(alone, x=X, activation="tanh").predict(X).shape == (len(X), 2)


def test_layers_of_keras_with_each_others_names(tmp_path: Path) -> None:
    config = _config(_dense(5, "tanh"), _dense(2))
    for layer, name in zip(config["config"]["layers"], ("dense_1", "dense"), strict=True):
        layer["config"]["name"] = name
    path = _keras(tmp_path / "net.keras", config, VARS)
    assert np.allclose(read_foreign(path, x=X).predict(X), _end(np.tanh(HIDDEN)), atol=1e-6)


@pytest.mark.parametrize("ends", [["l1", 0, 0], [["l1", 0, 0], ["l2", 0, 0]], {"a": ["l1", 0, 0], "b": ["l2", 0, 0]}])
def test_a_keras_model_that_ends_before_its_last_layer_is_refused(ends: Any, tmp_path: Path) -> None:
    config = {"class_name": "Functional", "config": _config(*DENSE)["config"] | {"output_layers": ends}}
    history = '{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["%s", 0, 0]}}]}'
    for index, layer in enumerate(config["config"]["layers"]):
        layer["inbound_nodes"] = [json.loads(history % f"l{index - 1}")] if index else []
    with pytest.raises(CheckpointError, match="a Keras model with several outputs"):
        read_foreign(_keras(tmp_path / "net.keras", config, VARS), x=X)
    config["config"]["output_layers"] = ["l2", 0, 0]
    found = read_foreign(_keras(tmp_path / "net.keras", config, VARS), x=X)
    assert np.allclose(found.predict(X), _end(np.tanh(HIDDEN)), atol=1e-6)


def test_keras_files_that_say_too_little_name_what_helps(tmp_path: Path) -> None:
    own = {"class_name": "Mine", "config": {"width": 3}}
    with pytest.raises(CheckpointError, match=r"a class of its own.*got Mine; hint: save its weights alone"):
        read_foreign(_keras(tmp_path / "net.keras", own, VARS), x=X)
    norm = {f"layers/batch_normalization/vars/{i}": B1 for i in range(4)}
    with pytest.raises(CheckpointError, match=r"layers that are not Dense.*save the whole model"):
        read_foreign(_keras(tmp_path / "other", None, VARS | norm), x=X, activation="relu")
    sequences = _config(("InputLayer", {"batch_shape": [None, 4, 3]}), *DENSE[1:])
    found = read_foreign(_keras(tmp_path / "rows.keras", sequences, VARS), x=X)
    assert any("a row here is one place of it" in said for said in found.config["assumed"])


def test_an_hdf5_file_that_is_not_filled_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.create_dataset("fc1/kernel", (10**6, 10**6), dtype="f4", chunks=(100, 100))
    with pytest.raises(CheckpointError, match="a file that asks for much more memory than its size"):
        read_foreign(tmp_path / "net.h5", activation="tanh", x=X)
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["fc1/kernel"] = h5py.ExternalLink("net.h5", "fc1/kernel")
    with pytest.raises(CheckpointError, match="a part that lies in another file"):
        read_foreign(tmp_path / "link.h5", activation="tanh", x=X)
