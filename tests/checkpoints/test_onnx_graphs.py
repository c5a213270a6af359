"""ONNX graphs that are no chains: read as modules, equal to ONNX' own evaluator, or refused by the node."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimt_train import InputError
from bimt_train.checkpoints import read_foreign

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")
node, DRAW = onnx.helper.make_node, np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return DRAW.normal(size=shape).astype(np.float32)


def saved(path: Path, nodes: list[Any], inputs: dict[str, list[Any]], held: dict[str, np.ndarray]) -> Path:
    make, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    given = [make(name, kinds.INT64 if name == "t" else kinds.FLOAT, shape) for name, shape in inputs.items()]
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in held.items()]
    graph = onnx.helper.make_graph(nodes, "g", given, [make("y", kinds.FLOAT, None)], stored)
    opset = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    return path


W = {"w1": weights(3, 8), "b1": weights(8), "w2": weights(8, 8), "w3": weights(8, 2), "w4": weights(4, 2)}
FIRST = node("Gemm", ["x", "w1", "b1"], ["h"])
GRAPHS: dict[str, tuple[list[Any], dict[str, list[Any]], dict[str, np.ndarray], dict[str, str]]] = {
    "a branch around a layer": (
        [FIRST, node("Relu", ["h"], ["a"]), node("MatMul", ["a", "w2"], ["g"]), node("Add", ["g", "a"], ["s"]),
         node("Gemm", ["s", "w3"], ["y"])],
        {"x": ["N", 3]}, W, {"w1": "x -> h1", "w2": "h1 -> h1", "w3": "h1 -> y"},
    ),
    "two inputs, side by side behind a layer each": (
        [node("Gemm", ["a", "u"], ["p"]), node("Tanh", ["p"], ["pa"]), node("MatMul", ["b", "v"], ["q"]),
         node("Erf", ["q"], ["qb"]), node("Concat", ["qb", "pa"], ["c"], axis=-1), node("MatMul", ["c", "w"], ["y"])],
        {"a": ["N", 2], "b": ["N", 3]}, {"u": weights(2, 4), "v": weights(3, 5), "w": weights(9, 2)},
        {"u": "x[0:2] -> h1", "v": "x[2:5] -> h2", "w.0": "h2 -> y", "w.1": "h1 -> y"},
    ),
    "a gate, in a file of one row": (
        [FIRST, node("Reshape", ["h", "s"], ["r"]), node("Split", ["r"], ["p", "q"], axis=1, num_outputs=2),
         node("Sigmoid", ["p"], ["sp"]), node("Mul", ["sp", "q"], ["m"]), node("Flatten", ["m"], ["f"]),
         node("Gemm", ["f", "w4"], ["y"])],
        {"x": [1, 3]}, W | {"s": np.array([1, 2, 4])}, {"w1": "x -> (2 h1)", "w4": "h1 -> y"},
    ),
    "a shape that is computed, and neurons in another order": (
        [FIRST, node("Tanh", ["h"], ["e"]), node("Shape", ["e"], ["n"]), node("Gather", ["n", "zero"], ["n0"], axis=0),
         node("Concat", ["n0", "rest"], ["t"], axis=0), node("Reshape", ["e", "t"], ["r"]),
         node("Transpose", ["r"], ["q"], perm=[0, 2, 1]), node("Flatten", ["q"], ["f"]),
         node("Gemm", ["f", "w3"], ["y"])],
        {"x": ["N", 3]}, W | {"zero": np.array([0]), "rest": np.array([2, 4])}, {"w1": "x -> h1", "w3.0": "h1 -> y"},
    ),
    "a convolution with a skip": (
        [node("Conv", ["x", "k1"], ["h"], pads=[1, 1, 1, 1]), node("Relu", ["h"], ["a"]),
         node("Conv", ["a", "k2"], ["g"], auto_pad="SAME_UPPER"), node("Add", ["g", "a"], ["s"]),
         node("GlobalAveragePool", ["s"], ["p"]), node("Flatten", ["p"], ["f"]), node("Gemm", ["f", "w"], ["y"])],
        {"x": ["N", 1, 4, 4]}, {"k1": weights(3, 1, 3, 3), "k2": weights(3, 3, 3, 3), "w": weights(3, 2)},
        {"k1": "h1 x _ _", "k2": "h1 h1 _ _", "w": "h1 -> y"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_gives_what_onnx_own_evaluator_gives(name: str, tmp_path: Path) -> None:
    nodes, inputs, held, patterns = GRAPHS[name]
    path = saved(tmp_path / "net.onnx", nodes, inputs, held)
    shapes = {each: shape[1:] for each, shape in inputs.items()}
    x = {each: np.random.default_rng(1).normal(size=(20, *shape)) for each, shape in shapes.items()}
    checkpoint = read_foreign(path, x=x if len(x) > 1 else x["x"].reshape(20, -1))
    evaluator = onnx.reference.ReferenceEvaluator(str(path))
    count = 1 if inputs.get("x", [0])[0] == 1 else 20
    wanted = [
        evaluator.run(None, {each: rows[k : k + count].astype(np.float32) for each, rows in x.items()})[0]
        for k in range(0, 20, count)
    ]
    columns = checkpoint.network.rows(tuple(x.values()))
    np.testing.assert_allclose(checkpoint.network.predict(columns), np.concatenate(wanted), atol=1e-4)
    found = {n: spec.pattern for n, spec in checkpoint.network.layout.tensors.items() if n in patterns}
    assert found == patterns and checkpoint.network.layout.ends_are_neurons
    said = checkpoint.config["assumed"]
    assert "no chain of layers" in said[0] and "held against ONNX' own evaluator" in said[1]
    assert len(x) == 1 or checkpoint.task.inputs == ("a1", "a2", "b1", "b2", "b3")


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([FIRST, node("CumSum", ["h", "one"], ["y"])], "an operator that is not read: .*the CumSum that makes 'y'"),
        ([FIRST, node("Gelu", ["h"], ["y"], domain="com.own")], r"the Gelu that makes 'y'.*got com\.own\.Gelu"),
        (
            [FIRST, node("Erf", ["h"], ["e"]), node("Relu", ["e"], ["y"], slope=2.0)],
            "a setting that is not read.*slope",
        ),
        ([FIRST, node("ReduceMean", ["h", "zero"], ["m"]), node("Sub", ["h", "m"], ["y"])], "rows must be independent"),
        ([FIRST, node("Erf", ["h"], ["e"]), node("MatMul", ["e", "w4"], ["y"])], "cannot be run|Incompatible|mismatch"),
    ],
)
def test_what_cannot_be_run_is_refused_by_the_node(nodes: list[Any], said: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", nodes, {"x": ["N", 3]}, W | {"one": np.array(1), "zero": np.array([0])})
    with pytest.raises(InputError, match=said) as caught:
        read_foreign(path, ranges=(-1, 1))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_graph_that_is_run_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bimt_train.checkpoints.readers.graphs import _onnx_operators

    nodes = [FIRST, node("Erf", ["h"], ["e"]), node("Gemm", ["e", "w3"], ["y"])]
    path = saved(tmp_path / "net.onnx", nodes, {"x": ["N", 3]}, W)
    wrong = {**_onnx_operators.OPERATORS, "Erf": _onnx_operators.OPERATORS["Tanh"]}
    monkeypatch.setattr("bimt_train.checkpoints.readers.graphs._graph_module.OPERATORS", wrong)
    with pytest.raises(InputError, match="a graph that ONNX' own evaluator computes otherwise"):
        read_foreign(path, ranges=(-1, 1))


def test_a_graph_that_holds_its_number_of_rows_elsewhere_says_how_to_export_it(tmp_path: Path) -> None:
    nodes = [FIRST, node("Expand", ["row", "sizes"], ["r"]), node("Add", ["h", "r"], ["e"]),
             node("Gemm", ["e", "w3"], ["y"])]  # fmt: skip
    held = W | {"row": weights(1, 8), "sizes": np.array([20, 8])}
    path = saved(tmp_path / "net.onnx", nodes, {"x": [20, 3]}, held)
    with pytest.raises(InputError, match=r"the file is for 20 rows at once: export it for any number"):
        read_foreign(path, x=np.random.default_rng(0).normal(size=(20, 3)))
