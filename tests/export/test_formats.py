"""Files that torch, onnxruntime and numpy read, where nothing of this project is there."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from export_cases import CASES
from safetensors.numpy import load_file

from bimt_analyze.export import compact, export_circuit
from bimt_analyze.export._compact import separate
from bimt_analyze.export._formats import export_format_of
from bimt_analyze.export._parts import Parts
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import RowTransformer

# In a program of its own: no module of this project can be imported, wherever it lies.
STRANGER = """
import sys, warnings

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("bimt_train", "bimt_analyze"):
            raise ImportError(name)

sys.meta_path.insert(0, Refused())
warnings.simplefilter("ignore")
import numpy as np

for file in sys.argv[1:]:
    x = np.load(file + ".x.npy")
"""
RUNS = {
    "pt2": """
    import json, torch
    extra = {"circuit.json": ""}
    module = torch.export.load(file, extra_files=extra).module()
    assert json.loads(extra["circuit.json"])["columns"]
    y, one = (module(torch.from_numpy(some)).numpy() for some in (x, x[:1]))
    program = torch.export.load(file)
    weights = (*program.parameters(), *program.buffers())
    assert abs(program.graph_module(*weights, torch.from_numpy(x))[0].numpy() - y).max() < 1e-6
""",
    "onnx": """
    import onnxruntime
    session = onnxruntime.InferenceSession(file)
    y, one = (session.run(None, {"x": some})[0] for some in (x, x[:1]))
""",
}
KEPT = """
    assert abs(one - y[:1]).max() < 1e-5
    np.save(file + ".y.npy", y)
"""


def run_by_a_stranger(kind, jobs):
    """What each file gives for its rows; jobs are pairs of a file and rows."""
    for file, x in jobs:
        np.save(f"{file}.x.npy", x)
    call = [sys.executable, "-I", "-c", STRANGER + RUNS[kind] + KEPT, *(str(file) for file, _ in jobs)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return [np.load(f"{file}.y.npy") for file, _ in jobs]


@pytest.mark.parametrize("kind", RUNS)
def test_a_stranger_runs_the_file(kind, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime", reason="no onnxruntime, which runs ONNX")
    network, x = CASES["mlp"]
    export_circuit(network, tmp_path / f"net.{kind}", x=x, measure=False)
    kept = x[:, list(compact(network).reads)].astype(np.float32)
    (y,) = run_by_a_stranger(kind, [(tmp_path / f"net.{kind}", kept)])
    np.testing.assert_allclose(y, network.predict(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", ["pt2", "onnx"])
@pytest.mark.parametrize("name", ["mlp", "gated mlp", "rnn", "embedding mlp"])
def test_torch_exports_every_layer_in_every_variant_for_any_number_of_rows(name, form):
    if form == "onnx":
        pytest.importorskip("onnxruntime", reason="no onnxruntime, which runs ONNX")
    network, x = CASES[name]
    whole, to = compact(network), export_format_of(f"net.{form}")
    parts = Parts(whole, (whole,), "net")
    assert to.variants(parts) == ("one module", "one module, neurons first")
    kept = x[:, list(whole.reads)].astype(np.float32)
    for variant in to.variants(parts):
        run = to.load(to.pack(to.function(parts, variant), parts, parts.facts()).data, parts)
        for rows in (len(x), 1):
            np.testing.assert_allclose(run(kept[:rows]), network.predict(x[:rows]), rtol=0, atol=2e-6)


def test_what_torch_cannot_export_is_said_in_one_line(tmp_path, monkeypatch):
    def refused(*args, **options):
        raise RuntimeError("no rule for this\nand pages of advice")

    monkeypatch.setattr("torch.export.export", refused)
    network, x = CASES["mlp"]
    with pytest.raises(InputError, match=r"^a network that torch cannot export: got no rule for this; hint: [^\n]*$"):
        export_circuit(network, tmp_path / "net.pt2", x=x, measure=False)


@pytest.mark.parametrize("name", CASES)
def test_safetensors_holds_all_that_a_program_needs(name, tmp_path):
    network, x = CASES[name]
    found = export_circuit(network, tmp_path / "net.safetensors", x=x, measure=False)
    tensors = load_file(tmp_path / "net.safetensors")
    assert found.worst < 1e-6 and found.measurement.bytes == sum(tensor.nbytes for tensor in tensors.values())
    np.testing.assert_array_equal(tensors["columns"], found.network.reads)
    dense = sum(4 * tensor.size for tensor in network.tensors.values())
    assert found.measurement.dense_bytes == dense and found.measurement.bytes < dense


def test_safetensors_is_sparse_where_that_is_smaller(tmp_path):
    network, x = CASES["image mlp"]
    export_circuit(network, tmp_path / "net.safetensors", x=x, measure=False)
    tensors = load_file(tmp_path / "net.safetensors")
    assert {"layers.0.weight.values", "layers.0.weight.columns", "layers.0.weight.starts"} <= set(tensors)
    assert tensors["layers.0.weight.columns"].dtype == np.uint8  # of fewer than 256 columns that are left
    first = (tmp_path / "net.safetensors").read_bytes()
    export_circuit(network, tmp_path / "again.safetensors", x=x, measure=False)
    assert first == (tmp_path / "again.safetensors").read_bytes()


def test_modules_lie_apart_in_one_file_and_in_many(tmp_path):
    network, x = block_network(blocks=[(2, 3, 1)] * 2, seed=0).network, np.random.default_rng(0).normal(size=(50, 4))
    one = export_circuit(network, tmp_path / "net.pt2", x=x, measure=False)
    assert one.variant == "modules apart" and one.worst < 1e-6
    whole, to = compact(network), export_format_of("net.pt2")
    parts = Parts(whole, separate(whole), "net")
    assert "modules apart, neurons first" in to.variants(parts)
    for variant in to.variants(parts):
        run = to.load(to.pack(to.function(parts, variant), parts, parts.facts()).data, parts)
        np.testing.assert_allclose(run(x.astype(np.float32)), network.predict(x), rtol=0, atol=1e-6)
    many = export_circuit(network, tmp_path / "net.c", x=x, measure=False, apart=True, inputs=["a", "b", "c", "d"])
    assert sorted(path.name for path in tmp_path.glob("*.c")) == ["net.1.c", "net.2.c"] and many.worst < 1e-6
    assert "b (column 1), d (column 3)" in (tmp_path / "net.2.c").read_text()
    assert "void circuit_net_2(" in (tmp_path / "net.2.c").read_text()


def test_the_measurement_stands_in_the_file_beside_the_dense_network(tmp_path):
    network, x = CASES["image mlp"]
    dense = Network(network.model, network.layout, network.placement, {n: t + 1.0 for n, t in network.tensors.items()})
    found = export_circuit(network, tmp_path / "net.safetensors", x=x, dense=dense)
    head = (tmp_path / "net.safetensors").read_bytes()
    size = int.from_bytes(head[:8], "little")
    facts = json.loads(json.loads(head[8 : 8 + size])["__metadata__"]["circuit"])
    assert facts["measurement"] == found.measurement.to_json() and facts["check"]["rows"] == len(x)
    assert [timing.rows for timing in found.measurement.timings] == [1, 100, 2000]
    assert all(timing.dense > 0 and timing.export > 0 for timing in found.measurement.timings)
    assert found.measurement.dense_multiply_adds == 300 * 30 + 30 * 5
    weights = sum((network.tensors[name] != 0).sum() for name in network.layout.weights())
    assert found.measurement.multiply_adds == weights == facts["multiply_adds"]


def test_a_network_that_is_not_taken_apart_is_exported_whole(tmp_path):
    network = Network.of(RowTransformer(kinds=[0, 1, 0], outputs=1, width=8, heads=2, layers=1, hidden=7))
    x = np.random.default_rng(0).normal(size=(20, 3))
    found = export_circuit(network, tmp_path / "net.pt2", x=x, measure=False)
    assert found.worst < 1e-5 and "row-transformer" in found.lines()[1]
    with pytest.raises(InputError, match=r"a kind of model without C.*\.pt2"):
        export_circuit(network, tmp_path / "net.c", x=x, measure=False)


def test_an_unknown_ending_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"expected \.c, \.pt2, \.onnx, \.safetensors, got \.tflite"):
        export_format_of("circuit.tflite")
    with pytest.raises(InputError, match="got no ending"):
        export_format_of("circuit")


def test_the_rows_that_are_checked_may_move_a_little_or_not_at_all(tmp_path):
    network, x = CASES["mlp"]
    with pytest.raises(InputError, match="does not give what the network gives"):
        export_circuit(network, tmp_path / "net.safetensors", x=x, measure=False, tolerance=1e-12)
    assert not list(Path(tmp_path).iterdir())
