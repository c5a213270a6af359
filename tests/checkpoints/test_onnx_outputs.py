"""ONNX graphs of several outputs: one network, its outputs side by side and named, or the one that a key names."""

from pathlib import Path

import numpy as np
import pytest

from bimt_train import InputError
from bimt_train.checkpoints import read_foreign

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
pytest.importorskip("torch")
node, DRAW = onnx.helper.make_node, np.random.default_rng(0)
HELD = {
    name: DRAW.normal(size=shape).astype(np.float32)
    for name, shape in {"w1": (3, 8), "wz": (2, 4), "w2": (8, 2), "w3": (8, 2), "w4": (8, 1), "wr": (4, 3)}.items()
}
BODY = [node("Gemm", ["x", "w1"], ["h"]), node("Tanh", ["h"], ["a"])]
HEADS = [node("Gemm", ["a", "w2"], ["mean"]), node("Gemm", ["a", "w3"], ["logvar"])]
VALUE = [node("Gemm", ["a", "w4"], ["v"]), node("Squeeze", ["v", "last"], ["value"])]
APART = [node("Gemm", ["z", "wz"], ["q"]), node("Relu", ["q"], ["r"]), node("Gemm", ["r", "wr"], ["s"])]


def saved(
    path: Path,
    nodes: list[object],
    inputs: dict[str, int],
    outputs: list[str],
    more: dict[str, np.ndarray] | None = None,
) -> Path:
    make, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    held = HELD | {"last": np.array([1])} | (more or {})
    graph = onnx.helper.make_graph(
        nodes, "g", [make(name, kind, ["N", width]) for name, width in inputs.items()],
        [make(name, kind, None) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()],
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 19)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    return path


@pytest.mark.parametrize(
    ("nodes", "inputs", "outputs", "names", "patterns"),
    [
        (BODY + HEADS, {"x": 3}, ["mean", "logvar"], "mean1 mean2 logvar1 logvar2",
         {"w2": "h1 -> y[0:2]", "w3": "h1 -> y[2:4]"}),
        (BODY + HEADS + VALUE, {"x": 3}, ["value", "mean"], "value mean1 mean2",
         {"w4": "h1 -> y[0:1]", "w2": "h1 -> y[1:3]"}),
        (BODY + HEADS + APART, {"x": 3, "z": 2}, ["mean", "s"], "mean1 mean2 s1 s2 s3",
         {"w1": "x[0:3] -> h1", "wz": "x[3:5] -> h2", "w2": "h1 -> y[0:2]", "wr": "h2 -> y[2:5]"}),
    ],
    ids=["two heads", "a number beside a vector", "two inputs"],
)  # fmt: skip
def test_outputs_stand_side_by_side_under_their_names(
    nodes: list[object],
    inputs: dict[str, int],
    outputs: list[str],
    names: str,
    patterns: dict[str, str],
    tmp_path: Path,
) -> None:
    path = saved(tmp_path / "net.onnx", nodes, inputs, outputs)
    checkpoint = read_foreign(path, ranges=(-1, 1))
    assert checkpoint.task.outputs == tuple(names.split()) and checkpoint.network.layout.outputs == "y"
    assert {name: checkpoint.network.layout.tensors[name].pattern for name in patterns} == patterns
    x = checkpoint.probe.x_test.astype(np.float32)
    parts = np.split(x, np.cumsum([*inputs.values()])[:-1], axis=1)
    wanted = reference.ReferenceEvaluator(str(path)).run(outputs, dict(zip(inputs, parts, strict=True)))
    columns = np.concatenate([each.reshape(len(x), -1) for each in wanted], axis=1)
    np.testing.assert_allclose(checkpoint.predict(checkpoint.probe.x_test), columns, atol=1e-5)
    counts = [f"{name} ({each.reshape(len(x), -1).shape[1]})" for name, each in zip(outputs, wanted, strict=True)]
    assert f"outputs: {', '.join(counts)}, side by side" in checkpoint.config["assumed"]


def test_a_key_names_the_output(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", BODY + HEADS, {"x": 3}, ["mean", "logvar"])
    both, one = read_foreign(path, ranges=(-1, 1)), read_foreign(path, ranges=(-1, 1), key="logvar")
    np.testing.assert_allclose(one.predict(one.probe.x_test), both.predict(one.probe.x_test)[:, 2:], atol=1e-6)
    assert "the output is 'logvar', as the key says; 'mean' left out" in one.config["assumed"]
    assert not any("is not needed" in sentence for sentence in one.config["assumed"])
    with pytest.raises(InputError, match=r"no output of this name: .*net\.onnx: expected mean, logvar, got sigma"):
        read_foreign(path, ranges=(-1, 1), key="sigma")


def test_an_output_that_no_input_reaches_is_left_out(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", [*BODY, *HEADS], {"x": 3}, ["mean", "w4"])
    found = read_foreign(path, ranges=(-1, 1))
    assert found.task.outputs == ("y1", "y2")
    assert "the output 'w4' is left out: no input reaches it" in found.config["assumed"]
    path = saved(tmp_path / "net.onnx", [*BODY, *HEADS], {"x": 3}, ["mean", "nobody's"])
    with pytest.raises(InputError, match=r"an output that nothing makes: .*net\.onnx, output 'nobody's'"):
        read_foreign(path, ranges=(-1, 1))


@pytest.mark.parametrize(("axis", "count"), [(0, 3), (1, 8), (1, 1)])
def test_weights_of_small_integers_are_scaled(axis: int, count: int, tmp_path: Path) -> None:
    whole, scale = DRAW.integers(-100, 100, (3, 8)).astype(np.int8), DRAW.uniform(0.01, 0.02, count).astype(np.float32)
    zero = DRAW.integers(-5, 5, count).astype(np.int8)
    held = {"q": whole, "s": scale if count > 1 else scale[0], "z": zero if count > 1 else zero[0]}
    nodes = [node("DequantizeLinear", ["q", "s", "z"], ["wq"], axis=axis), node("MatMul", ["x", "wq"], ["h"])]
    nodes += [node("Tanh", ["h"], ["a"]), node("MatMul", ["a", "w2"], ["mean"])]
    path = saved(tmp_path / "net.onnx", nodes, {"x": 3}, ["mean"], held)
    found = read_foreign(path, ranges=(-1, 1))
    x = found.probe.x_test.astype(np.float32)
    wanted = reference.ReferenceEvaluator(str(path)).run(None, {"x": x})[0]
    np.testing.assert_allclose(found.predict(found.probe.x_test), wanted, atol=1e-5)
    assert "small integers are multiplied by their scales: 'wq'" in found.config["assumed"]


def test_an_operator_that_onnx_cannot_evaluate_in_its_version_is_told(tmp_path: Path) -> None:
    held = {"q": np.ones((3, 8), np.int8), "s": np.float32(0.1)}
    nodes = [node("DequantizeLinear", ["q", "s"], ["wq"]), node("MatMul", ["x", "wq"], ["h"]), *BODY[1:], *HEADS]
    path = saved(tmp_path / "net.onnx", nodes, {"x": 3}, ["mean", "logvar"], held)
    model = onnx.load(str(path))
    model.opset_import[0].version = 13
    onnx.save(model, str(path))
    assumed = read_foreign(path, ranges=(-1, 1)).config["assumed"]
    assert any("not held against ONNX' own evaluator: No implementation for operator" in said for said in assumed)
