"""ONNX files as converters of scikit-learn write them: scalers, labels beside chances, rows reshaped at the end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from bimt_train import CheckpointError
from bimt_train.checkpoints import read_foreign

onnx = pytest.importorskip("onnx")
DRAW = np.random.default_rng(0)
SIZES = ((3, 4), (4, 2))
LAYERS = [(DRAW.normal(size=size).astype(np.float32), DRAW.normal(size=size[1]).astype(np.float32)) for size in SIZES]
X = DRAW.normal(size=(20, 3))


def saved(path: Path, end: list[Any], outputs: dict[str, int], slope: float = 0.2, **more: np.ndarray) -> Path:
    """A scaler, two layers with a leaky ReLU, and the operators of the end, which read "h2"."""
    make, held = onnx.helper.make_node, {}
    nodes = [make("Scaler", ["X"], ["h0"], domain="ai.onnx.ml", offset=[0.1, 0.2, 0.3], scale=[1.0, 2.0, 0.5])]
    for index, (weight, bias) in enumerate(LAYERS):
        held |= {f"w{index}": weight, f"b{index}": bias[None]}
        nodes += [make("MatMul", [f"h{index}", f"w{index}"], ["m"]), make("Add", ["m", f"b{index}"], ["a"])]
        for node in nodes[-2:]:
            node.input[:] = [f"{name}{index}" if name == "m" else name for name in node.input]
            node.output[:] = [f"{name}{index}" for name in node.output]
        after = f"h{index + 1}"
        nodes.append(
            make("Identity" if index else "LeakyRelu", [f"a{index}"], [after], **({} if index else {"alpha": slope}))
        )
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [*nodes, *end], "g", [tensor("X", onnx.TensorProto.FLOAT, [None, 3])],
        [tensor(name, kind, None) for name, kind in outputs.items()],
        [onnx.numpy_helper.from_array(array, name) for name, array in (held | more).items()],
    )  # fmt: skip
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)]), str(path))
    return path


def logits(x: np.ndarray) -> np.ndarray:
    h = (x - [0.1, 0.2, 0.3]) * [1.0, 2.0, 0.5] @ LAYERS[0][0] + LAYERS[0][1]
    return np.where(h > 0, h, 0.2 * h) @ LAYERS[1][0] + LAYERS[1][1]


def test_the_label_beside_the_chances_is_left_out(tmp_path: Path) -> None:
    make, kinds = onnx.helper.make_node, onnx.TensorProto
    end = [make("Softmax", ["h2"], ["chances"], axis=1), make("ArgMax", ["chances"], ["best"], axis=1, keepdims=0),
           make("Gather", ["classes", "best"], ["label"])]  # fmt: skip
    outputs = {"label": kinds.INT64, "chances": kinds.FLOAT}
    path = saved(tmp_path / "net.onnx", end, outputs, classes=np.array([0, 1]))
    checkpoint = read_foreign(path, x=X)
    np.testing.assert_allclose(softmax(checkpoint.predict(X), 1), softmax(logits(X), 1), atol=1e-6)
    assert any("'label' is left out: the class of the largest" in said for said in checkpoint.config["assumed"])


def test_rows_may_be_reshaped_to_rows_only(tmp_path: Path) -> None:
    make, kinds = onnx.helper.make_node, onnx.TensorProto
    for shape in ([-1, 2], [-1, 1]):
        end = [make("Reshape", ["h2", "shape"], ["y"])]
        path = saved(tmp_path / "net.onnx", end, {"y": kinds.FLOAT}, shape=np.array(shape))
        if shape == [-1, 2]:
            np.testing.assert_allclose(read_foreign(path, x=X).predict(X), logits(X), atol=1e-6)
        else:
            with pytest.raises(CheckpointError, match="Reshape"):
                read_foreign(path, x=X)
