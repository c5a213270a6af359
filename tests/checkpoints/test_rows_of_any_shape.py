"""Rows out of a file of arrays, as a network's inputs are: by name, of any shape, with targets; and what is no row."""

from pathlib import Path

import numpy as np
import pytest

from bimt_analyze import Sampling, open_checkpoint
from bimt_train import InputError

torch = pytest.importorskip("torch")
DRAW = np.random.default_rng(0)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.SiLU(), torch.nn.Linear(4, 1))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_a_table_in_one_array_and_its_targets(chain: Path) -> None:
    x, y = DRAW.uniform(-1, 1, (20, 2)), DRAW.normal(size=20)
    np.savez(chain.with_name("rows.npz"), x=x, y=y[:, None])
    found = open_checkpoint(chain, Sampling(activation="silu", probe=chain.with_name("rows.npz")))
    test = np.arange(20) % 5 == 4
    np.testing.assert_array_equal(found.probe.x_test, x[test])
    np.testing.assert_array_equal(found.probe.y_test[:, 0], y[test])


def test_columns_stay_a_table(chain: Path) -> None:
    columns = {name: DRAW.normal(size=20) for name in ("a", "b", "c")}
    np.savez(chain.with_name("rows.npz"), **columns)
    found = open_checkpoint(chain, Sampling(activation="silu", probe=chain.with_name("rows.npz"), target=("c",)))
    assert found.task.inputs == ("a", "b") and found.task.outputs == ("c",)


def test_inputs_of_a_graph_by_name_in_any_order(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    make, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    held = {"k": DRAW.normal(size=(3, 1, 3, 3)), "u": DRAW.normal(size=(2, 3)), "w": DRAW.normal(size=(6, 2))}
    nodes = [
        onnx.helper.make_node("Conv", ["image", "k"], ["c"]),
        onnx.helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        onnx.helper.make_node("Flatten", ["p"], ["f"]),
        onnx.helper.make_node("MatMul", ["extra", "u"], ["g"]),
        onnx.helper.make_node("Concat", ["f", "g"], ["h"], axis=1),
        onnx.helper.make_node("Tanh", ["h"], ["t"]),
        onnx.helper.make_node("MatMul", ["t", "w"], ["y"]),
    ]
    stored = [onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in held.items()]
    given = [make("image", kind, ["N", 1, 4, 4]), make("extra", kind, ["N", 2])]
    graph = onnx.helper.make_graph(nodes, "g", given, [make("y", kind, None)], stored)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(tmp_path / "net.onnx"))
    rows = {"extra": DRAW.normal(size=(20, 2)), "image": DRAW.normal(size=(20, 1, 4, 4))}
    feeds = {name: array.astype(np.float32) for name, array in rows.items()}
    y = reference.ReferenceEvaluator(model).run(None, feeds)[0]
    np.savez(tmp_path / "rows.npz", **rows, y=y)
    found = open_checkpoint(tmp_path / "net.onnx", Sampling(probe=tmp_path / "rows.npz"))
    assert found.task.inputs[0] == "image1" and found.task.inputs[16:] == ("extra1", "extra2")
    np.testing.assert_allclose(found.predict(found.probe.x_train), found.probe.y_train, atol=1e-5)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"u": np.ones((20, 2)), "v": np.ones((20, 1))},
         r"several arrays for one end of a network: .*expected one table, \[rows, 2\], got 2: u, v; hint: give"),
        ({"x": np.ones((20, 2, 2))}, r"a table of the wrong shape: .*expected \[rows, 2\], got \[20, 2, 2\]"),
        ({"y": np.ones((20, 2))}, "no inputs in the file"),
    ],
)  # fmt: skip
def test_arrays_that_a_chain_does_not_take(arrays: dict[str, np.ndarray], said: str, chain: Path) -> None:
    np.savez(chain.with_name("rows.npz"), **arrays)
    with pytest.raises(InputError, match=said):
        open_checkpoint(chain, Sampling(activation="silu", probe=chain.with_name("rows.npz")))


def test_a_table_in_the_place_of_a_network(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match=r"a table in the place of a network: .*t\.csv --target y$"):
        open_checkpoint(tmp_path / "t.csv", Sampling(target=("b",)))
