"""Files other than torch's: ONNX by its wire format, scikit-learn from Python; folders, and names of files."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

from bimt_train import CheckpointError
from bimt_train.checkpoints import from_sklearn, read_foreign

X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
DRAW = np.random.default_rng(1)
W1, B1, W2, B2 = (DRAW.normal(size=shape).astype(np.float32) for shape in ((3, 5), 5, (5, 2), 2))

# ---- ONNX: a writer of the wire format, by its specification


def _varint(number: int) -> bytes:
    done = b""
    while number > 127:
        done, number = done + bytes([number & 127 | 128]), number >> 7
    return done + bytes([number])


def _field(number: int, content: bytes | int | float | str) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    if isinstance(content, float):
        return _varint(number << 3 | 5) + struct.pack("<f", content)
    content = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _tensor(name: str, array: np.ndarray) -> bytes:
    dims = b"".join(_field(1, size) for size in array.shape)
    return dims + _field(2, 1) + _field(8, name) + _field(9, array.astype("<f4").tobytes())


def _attribute(name: str, value: Any) -> bytes:
    number, kind = {int: (3, 2), float: (2, 1), str: (4, 3)}[type(value)]
    return _field(1, name) + _field(number, value) + _field(20, kind)


def _node(kind: str, inputs: str, output: str, **attributes: Any) -> bytes:
    ends = b"".join(_field(1, name) for name in inputs.split()) + _field(2, output)
    return ends + _field(4, kind) + b"".join(_field(5, _attribute(*pair)) for pair in attributes.items())


CONSTANTS = {"W1": W1, "W1t": W1.T.copy(), "b1": B1, "W2": W2, "b2": B2, "half": np.array(0.5), "units": B2 + 3,
             "gain": B1 + 3, "var": B1**2 + 0.5}  # fmt: skip


def _onnx(path: Path, *nodes: bytes, end: str = "y", more: bytes = b"") -> Path:
    graph = b"".join(_field(1, node) for node in nodes)
    graph += b"".join(_field(5, _tensor(name, array)) for name, array in CONSTANTS.items())
    graph += _field(11, _field(1, "x")) + _field(12, _field(1, end)) + more
    path.write_bytes(_field(1, 8) + _field(7, graph) + _field(8, _field(2, 17)))
    return path


FIRST = [_node("MatMul", "x W1", "a"), _node("Add", "a b1", "h")]
LAST = [_node("MatMul", "z W2", "c"), _node("Add", "b2 c", "y")]
_H, _Y = X @ W1 + B1, lambda z: z @ W2 + B2
_T = torch.tensor(_H)
ACTIVATIONS = {
    "relu": ([_node("Relu", "h", "z")], nn.functional.relu(_T)),
    "tanh": ([_node("Tanh", "h", "z")], torch.tanh(_T)),
    "silu": ([_node("Sigmoid", "h", "s"), _node("Mul", "h s", "z")], nn.functional.silu(_T)),
    "gelu": ([_node("Gelu", "h", "z")], nn.functional.gelu(_T)),
    "gelu_tanh": ([_node("Gelu", "h", "z", approximate="tanh")], nn.functional.gelu(_T, approximate="tanh")),
    "mish": ([_node("Softplus", "h", "p"), _node("Tanh", "p", "t"), _node("Mul", "t h", "z")], nn.functional.mish(_T)),
    "elu": ([_node("Elu", "h", "z", alpha=1.0)], nn.functional.elu(_T)),
    "leaky_relu": ([_node("LeakyRelu", "h", "z", alpha=0.01)], nn.functional.leaky_relu(_T)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_graph_says_the_activation(name: str, tmp_path: Path) -> None:
    nodes, after = ACTIVATIONS[name]
    found = read_foreign(_onnx(tmp_path / "net.onnx", *FIRST, *nodes, *LAST), x=X)
    assert found.network.model.options["activation"] == name
    assert np.allclose(found.predict(X), _Y(after.numpy()), atol=1e-5)


def test_gemm_has_its_settings(tmp_path: Path) -> None:
    nodes = [_node("Gemm", "x W1t b1", "h", transB=1, alpha=2.0, beta=0.5), _node("Relu", "h", "z"), *LAST]
    hidden = np.maximum(2 * X @ W1 + 0.5 * B1, 0)
    assert np.allclose(read_foreign(_onnx(tmp_path / "n", *nodes), x=X).predict(X), _Y(hidden), atol=1e-5)


def test_units_and_norms_of_a_graph_are_folded(tmp_path: Path) -> None:
    norm = _node("BatchNormalization", "h gain b1 b1 var", "n", epsilon=0.01)
    nodes = [
        _node("Sub", "x half", "x1"), _node("Div", "x1 half", "x2"), _node("MatMul", "x2 W1", "a"),
        _node("Add", "a b1", "h"), norm, _node("Relu", "n", "z"), _node("MatMul", "z W2", "c"),
        _node("Mul", "units c", "y"),
    ]  # fmt: skip
    h = (X - 0.5) / 0.5 @ W1 + B1
    h = np.maximum((h - B1) / np.sqrt(B1**2 + 0.5 + 0.01) * (B1 + 3) + B1, 0)
    assert np.allclose(read_foreign(_onnx(tmp_path / "n", *nodes), x=X).predict(X), h @ W2 * (B2 + 3), atol=1e-4)


def test_the_numbers_before_a_softmax_are_given(tmp_path: Path) -> None:
    nodes = [*FIRST, *ACTIVATIONS["tanh"][0], *LAST, _node("Softmax", "y", "end", axis=1)]
    found = read_foreign(_onnx(tmp_path / "n", *nodes, end="end"), x=X)
    assert np.allclose(found.predict(X), _Y(np.tanh(_H)), atol=1e-5)
    assert any("ends in softmax" in said for said in found.config["assumed"])


def test_another_end_is_the_networks_own(tmp_path: Path) -> None:
    nodes = [*FIRST, *ACTIVATIONS["relu"][0], *LAST, _node("Tanh", "y", "end")]
    found = read_foreign(_onnx(tmp_path / "n", *nodes, end="end"), x=X)
    assert np.allclose(found.predict(X), np.tanh(_Y(np.maximum(_H, 0))), atol=1e-5)
    assert found.network.model.options["final"] == "tanh" and "the file ends in tanh" in found.config["assumed"]


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([*FIRST, *LAST], "value 'z'|value 'h'"),
        ([*FIRST, _node("Loop", "h", "z"), *LAST], "an operator that is not read: .*the Loop that makes 'z'"),
        ([_node("MatMul", "x W2", "y")], "no chain|does not fit|wrong shape"),
    ],
)
def test_a_graph_that_cannot_be_read_is_refused(nodes: list[bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=words):
        read_foreign(_onnx(tmp_path / "net.onnx", *nodes), x=X)


@pytest.mark.parametrize(
    ("nodes", "wanted"),
    [
        ([*FIRST, _node("Relu", "h", "r"), _node("Add", "r h", "z"), *LAST], _Y(np.maximum(_H, 0) + _H)),
        ([*FIRST, _node("Erf", "h", "z"), *LAST], _Y(torch.erf(_T).numpy())),
        ([_node("MatMul", "x W1", "h"), _node("MatMul", "h W2", "y")], X @ W1 @ W2),
        ([_node("Relu", "x", "h"), _node("MatMul", "h W1", "y")], np.maximum(X, 0) @ W1),
    ],
)
def test_a_graph_that_is_no_chain_is_run(nodes: list[bytes], wanted: np.ndarray, tmp_path: Path) -> None:
    found = read_foreign(_onnx(tmp_path / "net.onnx", *nodes), x=X)
    assert np.allclose(found.predict(X), wanted, atol=1e-5) and "no chain of layers" in found.config["assumed"][0]


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    elsewhere = (
        _field(8, "W9") + _field(2, 1) + _field(14, 1) + _field(13, _field(1, "location") + _field(2, "/etc/passwd"))
    )
    with pytest.raises(CheckpointError, match="a tensor that lies in another file"):
        read_foreign(_onnx(tmp_path / "net.onnx", *FIRST, more=_field(5, elsewhere), end="h"), x=X)


def test_another_activation_than_the_files_is_refused(tmp_path: Path) -> None:
    path = _onnx(tmp_path / "net.onnx", *FIRST, *ACTIVATIONS["tanh"][0], *LAST)
    assert read_foreign(path, x=X, activation="Tanh")
    with pytest.raises(CheckpointError, match=r"another activation than the file says: .*expected tanh, got relu"):
        read_foreign(path, x=X, activation="relu")


# ---- scikit-learn


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_regressor_predicts_what_it_did(activation: str) -> None:
    model = MLPRegressor(hidden_layer_sizes=(6, 4), activation=activation, solver="lbfgs", tol=1.0, random_state=0)
    model.fit(X, np.stack([X[:, 0], X[:, 1] * X[:, 2]], 1))
    assert np.allclose(from_sklearn(model, x=X).predict(X), model.predict(X), atol=1e-9)


def test_a_classifier_gives_its_logits() -> None:
    model = MLPClassifier(hidden_layer_sizes=(6,), solver="lbfgs", tol=1.0, random_state=0)
    model.fit(X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0))
    found = from_sklearn(model, x=X)
    logits = found.predict(X)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert np.allclose(shares, model.predict_proba(X), atol=1e-9)
    assert any("softmax" in said for said in found.config["assumed"])


def test_what_is_no_fitted_perceptron_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"not a fitted perceptron of scikit-learn: MLPRegressor: .*no coefs_"):
        from_sklearn(MLPRegressor(), x=X)


# ---- folders, programs, names of files


def test_the_suffix_makes_no_difference(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    for name in ("net", "net.txt", "net.onnx", "net.safetensors", "net.npz", "net.h5"):
        torch.save(net.state_dict(), tmp_path / name)
        found = read_foreign(tmp_path / name, activation="tanh", x=X)
        with torch.no_grad():
            assert np.allclose(found.predict(X), net(torch.tensor(X, dtype=torch.float32)), atol=1e-5)


def test_a_folder_of_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pt"):
        torch.save({"0.weight": torch.eye(3)}, tmp_path / name)
    with pytest.raises(CheckpointError, match=r"a folder without one file of weights: .*got a.pt, b.pt"):
        read_foreign(tmp_path, activation="tanh", x=X)
    (tmp_path / "b.pt").unlink()
    assert "of the folder, 'a.pt' was read" in read_foreign(tmp_path, activation="tanh", x=X).config["assumed"]


def test_a_folder_says_what_is_missing_or_left_out(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"got none; hint: copy its weights into it"):
        read_foreign(tmp_path, activation="tanh", x=X)
    for number in (1, 2):
        torch.save({f"{number}.weight": torch.eye(3)}, tmp_path / f"pytorch_model-0000{number}-of-00002.bin")
    with pytest.raises(CheckpointError, match=r"shards: copy pytorch_model.bin.index.json beside them"):
        read_foreign(tmp_path, activation="tanh", x=X)
    torch.save({"0.weight": torch.eye(3)}, tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").write_bytes(safetensors.torch.save({"0.weight": 2 * torch.eye(3)}))
    found = read_foreign(tmp_path, activation="tanh", x=X)
    assert "of the folder, 'model.safetensors' was read, 'pytorch_model.bin' left out" in found.config["assumed"]
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(CheckpointError, match=r"an adapter, which is a part of another model.*merge_and_unload"):
        read_foreign(tmp_path, activation="tanh", x=X)


def test_a_packed_file_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "net.pt.gz").write_bytes(gzip.compress(b"weights"))
    with pytest.raises(CheckpointError, match="hint: unpack it"):
        read_foreign(tmp_path / "net.pt.gz", activation="tanh", x=X)


def test_a_real_exported_program_is_refused(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    torch.export.save(torch.export.export(net, (torch.ones(2, 3),)), tmp_path / "net.pt2")
    with pytest.raises(CheckpointError, match=r"a program, which would have to be run: .*exported program"):
        read_foreign(tmp_path / "net.pt2", activation="tanh", x=X)
