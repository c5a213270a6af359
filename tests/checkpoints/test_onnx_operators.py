"""Each operator of ONNX by itself gives what onnxruntime gives, in a network that is read, or is refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimt_train import InputError
from bimt_train.checkpoints import read_foreign

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
pytest.importorskip("torch")
node, DRAW = onnx.helper.make_node, np.random.default_rng(3)


def weights(*shape: int) -> np.ndarray:
    return DRAW.normal(size=shape).astype(np.float32)


def saved(
    path: Path, nodes: list[Any], shape: tuple[int, ...], held: dict[str, np.ndarray], outputs: dict[str, int]
) -> Path:
    make, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in held.items()]
    given, found = make("x", kinds.FLOAT, ["N", *shape]), [make(name, kind, None) for name, kind in outputs.items()]
    graph = onnx.helper.make_graph(nodes, "g", [given], found, stored)
    opset = [onnx.helper.make_opsetid("", 21)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), str(path))
    return path


HELD = {
    "w": weights(3, 6), "b": weights(6), "v": weights(6, 2), 
    "half": np.array(0.5, np.float32), "two": np.array([2]), "three": np.array([3.0], np.float32),
    "last": np.array([-1]),
}  # fmt: skip
FIRST, END = node("Gemm", ["x", "w", "b"], ["h"]), node("Gemm", ["e", "v"], ["y"])


def both(kind: str, **settings: Any) -> list[Any]:
    """A layer, an operator, a layer."""
    return [FIRST, node(kind, ["h"], ["e"], **settings), END]


def chosen(kind: str) -> list[Any]:
    """A comparison that says which of two functions a neuron has."""
    choice = [node(kind, ["h", "half"], ["c"]), node("Exp", ["h"], ["f"]), node("Where", ["c", "f", "h"], ["e"])]
    return [FIRST, *choice, END]


VECTORS: dict[str, list[Any]] = {
    **{kind: both(kind) for kind in ["Tan", "Atan", "Sinh", "Cosh", "Asinh", "Floor", "Ceil", "Round", "Sign"]},
    **{kind: chosen(kind) for kind in ["Greater", "GreaterOrEqual", "Less", "LessOrEqual"]},
    "Equal, Not": [FIRST, node("Equal", ["h", "half"], ["c"]), node("Not", ["c"], ["n"]), 
                   node("Cast", ["n"], ["f"], to=1), node("Mul", ["f", "h"], ["e"]), END],
    "And, Or, Xor": [FIRST, node("Greater", ["h", "half"], ["c"]), node("Less", ["h", "three"], ["d"]),
                     node("And", ["c", "d"], ["p"]), node("Or", ["p", "d"], ["q"]), node("Xor", ["q", "c"], ["z"]),
                     node("Where", ["z", "h", "three"], ["e"]), END],
    "Mod, of C": [FIRST, node("Mod", ["h", "three"], ["e"], fmod=1), END],
    "ArgMax chooses": [FIRST, node("ArgMax", ["h"], ["k"], axis=1, keepdims=1), node("Gemm", ["x", "w"], ["g"]),
                       node("GatherElements", ["g", "k"], ["y"], axis=1)],
    "TopK": [FIRST, node("TopK", ["h", "two"], ["e", "k"], axis=-1), node("ReduceSum", ["e", "last"], ["y"])],
    **{kind: [FIRST, node(kind, ["h", "last"], ["s"]), node("Mul", ["s", "h"], ["e"]), END]
       for kind in ["ReduceProd", "ReduceL1", "ReduceSumSquare", "ReduceLogSumExp"]},
}  # fmt: skip


def pictures(kind: str, *stored: np.ndarray, between: int = 3, after: int = 3, **settings: Any) -> Any:
    """A convolution, an operator on pixels with what it stores, a convolution; an empty array is left out."""
    held = {f"s{k}": array for k, array in enumerate(stored)}
    inputs = ["h", *(name if array.size else "" for name, array in held.items())]
    held |= {"k": weights(between, 3, 2, 2), "o": weights(2, after, 1, 1)}
    return [
        node("Conv", ["x", "k"], ["h"]),
        node(kind, inputs, ["e"], **settings),
        node("Conv", ["e", "o"], ["y"]),
    ], held


NONE = np.array([])
PICTURES = {
    "ConvTranspose": pictures("ConvTranspose", weights(3, 2, 2, 2), after=2, strides=[2, 2]),
    "ConvTranspose, uneven": pictures("ConvTranspose", weights(3, 2, 3, 3), weights(2), after=2, strides=[2, 2],
                                      pads=[0, 1, 1, 0], output_padding=[1, 0]),
    "ConvTranspose, in groups": pictures("ConvTranspose", weights(3, 2, 3, 3), after=6, group=3, dilations=[2, 1],
                                         pads=[1, 1, 1, 1]),
    "Resize, nearest": pictures("Resize", NONE, np.array([1, 1, 2, 1.5], np.float32), mode="nearest",
                                nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
    "Resize, nearest, as ONNX has it": pictures("Resize", NONE, np.array([1, 1, 3, 2], np.float32)),
    "Resize, linear": pictures("Resize", NONE, np.array([1, 1, 2, 2.5], np.float32), mode="linear"),
    "Resize, linear, corners": pictures("Resize", NONE, np.array([1, 1, 2, 2], np.float32), mode="linear",
                                        coordinate_transformation_mode="align_corners"),
    "DepthToSpace": pictures("DepthToSpace", between=8, after=2, blocksize=2),
    "DepthToSpace, of torch": pictures("DepthToSpace", between=8, after=2, blocksize=2, mode="CRD"),
    "InstanceNormalization": pictures("InstanceNormalization", weights(3), weights(3)),
    "GroupNormalization": pictures("GroupNormalization", weights(4), weights(4), between=4, after=4, num_groups=2),
}  # fmt: skip


def recurrent(
    kind: str, gates: int, *, both: bool = False, biased: bool = True, first: bool = False, **settings: Any
) -> Any:
    """Sequences, the recurrent operator, and a layer on its last state or on all of them."""
    count = 2 if both else 1
    held = {"w": weights(count, gates * 4, 3), "r": weights(count, gates * 4, 4), "b": weights(count, gates * 8),
            "o": weights(4 * count, 2), "f": np.abs(weights(count, 1, 4)),
            "size": np.array([0, -1])}  # fmt: skip
    settings |= {"direction": "bidirectional"} if both else {}
    inputs = ["t", "w", "r", *(["b"] if biased else [] if not first else [""]), *(["", "f2"] if first else [])]
    ahead = [node("Transpose", ["x"], ["t"], perm=[1, 0, 2])]
    ahead += [node("Shape", ["x"], ["sx"], start=0, end=1), node("Concat", ["c0", "sx", "c4"], ["fs"], axis=0),
              node("Expand", ["f", "fs"], ["f2"])] if first else []  # fmt: skip
    held |= {"c0": np.array([count]), "c4": np.array([4])} if first else {}
    behind = [node("Transpose", ["s"], ["p"], perm=[1, 0, 2]), node("Reshape", ["p", "size"], ["q"]),
              node("Gemm", ["q", "o"], ["y"])]  # fmt: skip
    return [*ahead, node(kind, inputs, ["", "s"], hidden_size=4, **settings), *behind], held


RECURRENT = {
    "LSTM": recurrent("LSTM", 4),
    "LSTM, no bias, a first state": recurrent("LSTM", 4, biased=False, first=True),
    "LSTM, both directions": recurrent("LSTM", 4, both=True, first=True),
    "LSTM, in reverse": recurrent("LSTM", 4, direction="reverse"),
    "GRU": recurrent("GRU", 3),
    "GRU, of torch": recurrent("GRU", 3, both=True, linear_before_reset=1),
    "GRU, no bias": recurrent("GRU", 3, biased=False),
    "RNN": recurrent("RNN", 1, first=True),
    "RNN, rectified, both directions": recurrent("RNN", 1, both=True, activations=["Relu", "Tanh"]),
}


def assert_agrees(path: Path, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=(20, *shape)).astype(np.float32)
    checkpoint = read_foreign(path, x=x.reshape(20, -1))
    wanted = runtime.InferenceSession(str(path)).run(None, {"x": x})[0]
    found = checkpoint.network.predict(checkpoint.network.rows(x))
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-4 * max(1, np.abs(wanted).max()))
    assert any("held against ONNX' own evaluator" in one for one in checkpoint.config["assumed"])


@pytest.mark.parametrize("name", VECTORS)
def test_an_operator_on_vectors_gives_what_onnxruntime_gives(name: str, tmp_path: Path) -> None:
    assert_agrees(saved(tmp_path / "net.onnx", VECTORS[name], (3,), HELD, {"y": 1}), (3,))


@pytest.mark.parametrize("name", PICTURES)
def test_an_operator_on_pixels_gives_what_onnxruntime_gives(name: str, tmp_path: Path) -> None:
    nodes, held = PICTURES[name]
    assert_agrees(saved(tmp_path / "net.onnx", nodes, (3, 4, 5), held, {"y": 1}), (3, 4, 5))


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_operator_gives_what_onnxruntime_gives(name: str, tmp_path: Path) -> None:
    nodes, held = RECURRENT[name]
    assert_agrees(saved(tmp_path / "net.onnx", nodes, (5, 3), held, {"y": 1}), (5, 3))


def test_directions_have_neurons_of_their_own(tmp_path: Path) -> None:
    nodes, held = recurrent("GRU", 3, both=True)
    held |= {"o1": weights(4, 2), "o2": weights(4, 2), "zero": np.array([0])}
    nodes[-3:] = [node("Split", ["s"], ["s1", "s2"], axis=0, num_outputs=2), node("Squeeze", ["s1", "zero"], ["q1"]),
                  node("Squeeze", ["s2", "zero"], ["q2"]), node("Gemm", ["q1", "o1"], ["y1"]),
                  node("Gemm", ["q2", "o2", "y1"], ["y"])]  # fmt: skip
    path = saved(tmp_path / "net.onnx", nodes, (5, 3), held, {"y": 1})
    layout = read_foreign(path, x=np.random.default_rng(1).normal(size=(20, 15))).network.layout
    assert layout.tensors["w_forward"].pattern == "(3 h1) x"
    assert layout.tensors["w_reverse"].pattern == "(3 h2) x"


@pytest.mark.parametrize(
    ("nodes", "held", "said"),
    [
        (*recurrent("LSTM", 4, input_forget=1), "the LSTM.*input_forget"),
        (*recurrent("LSTM", 4, clip=3.0), "the LSTM.*clip"),
        (*recurrent("RNN", 1, activations=["Softsign"]), "activations that are not read.*the RNN.*Softsign"),
    ],
)
def test_another_recurrent_operator_is_refused_by_name(
    nodes: list[Any], held: dict[str, np.ndarray], said: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / "net.onnx", nodes, (5, 3), held, {"y": 1})
    with pytest.raises(InputError, match=said):
        read_foreign(path, x=np.zeros((20, 15)) + np.arange(20)[:, None])


def test_an_output_behind_a_choice_is_no_class(tmp_path: Path) -> None:
    """ArgMax inside the network chooses an expert; only what ends with it names a class."""
    nodes = [FIRST, node("ArgMax", ["h"], ["k"], axis=1), node("Gemm", ["x", "w"], ["g"]),
             node("GatherElements", ["g", "k"], ["y"], axis=1), node("Cast", ["k"], ["label"], to=7)]  # fmt: skip
    path = saved(tmp_path / "net.onnx", nodes, (3,), HELD, {"y": 1, "label": 7})
    checkpoint = read_foreign(path, x=np.random.default_rng(1).normal(size=(20, 3)))
    assert checkpoint.task.outputs == ("y1",)
    assert any("'label' is left out: the class" in one for one in checkpoint.config["assumed"])
