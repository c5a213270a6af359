import hashlib
import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy as st
import torch

from bimt_train import CheckpointError, TaskError
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, load_checkpoint, save_checkpoint
from bimt_train.checkpoints._checkpoint import PROBES
from bimt_train.expressions import Decomposition
from bimt_train.layouts import Group, Layout, Placement, TensorSpec
from bimt_train.models import MLP, ModelSpec

RNG = np.random.default_rng(0)
X, XT = RNG.uniform(-1, 1, (6, 2)), RNG.uniform(-1, 1, (4, 2))


def _checkpoint(**task: Any) -> Checkpoint:
    module = MLP([2, 3, 3, 1], generator=torch.Generator().manual_seed(0))
    network = Network.of(module)
    network = network.with_placement(network.placement.moved("h1", (2, 0, 1)))
    described: dict[str, Any] = {
        "decomposition": Decomposition(("x1", "x2"), ("y1",), (("y1", "x1*x2"),)),
        "input_shift": (0.5, 0.0),
        "input_scale": (2.0, 1.0),
        "output_shift": (1.0,),
        "output_scale": (4.0,),
        **task,
    }
    probe = Probe(X, X[:, :1] * X[:, 1:], XT, XT[:, :1] * XT[:, 1:])
    return Checkpoint(
        network, TaskSpec("product", ("x1", "x2"), ("y1",), ((-1, 1), (-1, 1)), **described), probe, {"seed": 3}
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seed-000.safetensors"


@pytest.fixture
def saved(path: Path) -> Path:
    save_checkpoint(path, _checkpoint())
    return path


def _rewrite(path: Path, change: Callable[[dict[str, np.ndarray], dict[str, Any]], None]) -> None:
    """Write the file anew with its arrays and its metadata changed."""
    header = _header(path)
    arrays, said = st.load_file(path), json.loads(header["__metadata__"]["bimt"])
    change(arrays, said)
    st.save_file(arrays, path, {"bimt": json.dumps(said)})


def _header(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    return header


def _refusal(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert str(path) in caught.value.where
    assert "\n" not in str(caught.value)
    return caught.value


# ---- there and back


def test_everything_comes_back(saved: Path) -> None:
    before, after = _checkpoint(), load_checkpoint(saved)
    assert after.network.layout == before.network.layout
    assert list(after.network.layout.tensors) == list(before.network.layout.tensors)
    assert after.network.placement == before.network.placement
    assert list(after.network.placement.slots) == ["x", "h1", "h2", "y"]
    assert after.network.model == before.network.model
    assert list(after.network.tensors) == list(before.network.tensors)
    for name, array in before.network.tensors.items():
        assert array.dtype == after.network.tensors[name].dtype
        assert np.array_equal(array, after.network.tensors[name])
    assert after.task == before.task
    assert dict(after.config) == {"seed": 3}
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert np.array_equal(getattr(after.probe, name), getattr(before.probe, name))
    assert np.array_equal(after.predict(X), before.predict(X))


def test_the_same_content_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    first, again, reread = saved.read_bytes(), tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_checkpoint(again, _checkpoint())
    save_checkpoint(reread, load_checkpoint(saved))
    turned = replace(_checkpoint(), config=dict(reversed([*{"a": 1, "seed": 3}.items()])))
    straight = replace(_checkpoint(), config={"a": 1, "seed": 3})
    assert again.read_bytes() == first
    assert reread.read_bytes() == first
    save_checkpoint(again, turned)
    save_checkpoint(reread, straight)
    assert again.read_bytes() == reread.read_bytes() != first


def test_predictions_are_in_the_tasks_own_units() -> None:
    checkpoint = _checkpoint()
    inner = checkpoint.network.predict((X - [0.5, 0.0]) / [2.0, 1.0])
    assert np.allclose(checkpoint.predict(X), inner * 4.0 + 1.0)
    with pytest.raises(TaskError, match=r"expected \[rows, 2\] for x1, x2, got \[6, 1\]"):
        checkpoint.predict(X[:, :1])


def test_three_lines_of_safetensors_read_the_file(saved: Path) -> None:
    with st.safe_open(saved, framework="np") as file:
        said = json.loads(file.metadata()["bimt"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert (said["format"], said["version"]) == ("bimt", 1)
    assert set(said) == {"format", "version", "layout", "placement", "model", "task", "config", "tied", "digest"}
    assert np.array_equal(arrays["probe.x_train"], X)
    assert {n for n in arrays if not n.startswith("probe.")} == set(said_names(said))


def test_the_digest_is_as_the_docs_say(saved: Path) -> None:
    """Written from docs/checkpoint.md alone."""
    with st.safe_open(saved, framework="np") as file:
        said = json.loads(file.metadata()["bimt"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    stated = said.pop("digest")
    found = hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(arrays):
        found.update(f"\n{name!r} {arrays[name].dtype.str} {arrays[name].shape}\n".encode())
        found.update(arrays[name].tobytes())
    assert stated == found.hexdigest()


def test_no_flipped_bit_is_accepted(saved: Path) -> None:
    """A number that changed is as wrong as a name."""
    content = saved.read_bytes()
    rng = np.random.default_rng(0)
    header = 8 + struct.unpack("<Q", content[:8])[0]
    for place in [*rng.integers(header, len(content), 60), *rng.integers(header, size=120)]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            load_checkpoint(saved)


def said_names(said: dict[str, Any]) -> list[str]:
    return [tensor["name"] for tensor in said["layout"]["tensors"]]


def test_tied_tensors_are_stored_once_and_constant_ones_each_on_its_own(path: Path) -> None:
    groups = (Group.line("h", 2),)
    weight = RNG.normal(size=(2, 2)).astype(np.float32)
    tensors = {"a.weight": weight, "b.weight": weight.copy(), "a.bias": np.zeros(2), "b.bias": np.zeros(2)}
    specs = {name: TensorSpec("h h" if "weight" in name else "h") for name in tensors}
    layout = Layout(groups, specs, "h", "h")
    network = Network(ModelSpec("own", {}), layout, Placement.identity(layout), tensors)
    task = TaskSpec("t", ("x1", "x2"), ("y1", "y2"), ((-1, 1),) * 2)
    save_checkpoint(path, Checkpoint(network, task, Probe(X, X, XT, XT)))
    assert {n for n in _header(path) if n[:5] not in ("probe", "__met")} == {"a.weight", "a.bias", "b.bias"}
    assert json.loads(_header(path)["__metadata__"]["bimt"])["tied"] == {"b.weight": "a.weight"}
    loaded = load_checkpoint(path).network.tensors
    assert np.array_equal(loaded["b.weight"], weight)
    _rewrite(path, lambda arrays, said: said["tied"].update({"b.weight": "c.weight"}))
    assert _refusal(path).what == "a tied tensor without a stored copy"


def test_fortran_order_and_slices_are_stored_by_content(path: Path, tmp_path: Path) -> None:
    checkpoint = _checkpoint()
    name = "layers.1.weight"
    array = np.asfortranarray(checkpoint.network.tensors[name])
    probe = Probe(*(np.asfortranarray(getattr(checkpoint.probe, part)) for part in PROBES))
    assert not probe.x_train.flags.c_contiguous
    other = replace(checkpoint, network=checkpoint.network.with_tensors({name: array}), probe=probe)
    save_checkpoint(path, checkpoint)
    save_checkpoint(tmp_path / "f.safetensors", other)
    assert path.read_bytes() == (tmp_path / "f.safetensors").read_bytes()


def test_ten_layers_and_more_keep_their_order(path: Path) -> None:
    network = Network.of(MLP([2] * 13, generator=torch.Generator().manual_seed(0)))
    task = TaskSpec("t", ("x1", "x2"), ("y1", "y2"), ((-1, 1),) * 2)
    save_checkpoint(path, Checkpoint(network, task, Probe(X, X, XT, XT)))
    assert load_checkpoint(path).network.layout.weights() == network.layout.weights()


# ---- values that contradict themselves


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x_train": X[:, 0]},
            "a probe must be a table: probe.x_train: expected [rows, columns], got [6]",
        ),
        ({"x_test": X[:0]}, "a probe must be a table: probe.x_test: expected [rows, columns], got [0, 2]"),
        (
            {"y_test": XT[:, :1] * np.nan},
            "a probe with values that are not finite: probe.y_test; hint: leave out the rows with NaN or infinity",
        ),
        (
            {"y_train": X[:5, :1]},
            "a probe with unequal numbers of rows: probe.y_train: expected 6 rows, as probe.x_train, got 5; "
            "hint: give one target row for each input row",
        ),
        (
            {"x_test": XT[:, :1]},
            "a probe with unequal numbers of columns: probe.x_test: expected 2 columns, as probe.x_train, got 1; "
            "hint: use the same columns",
        ),
    ],
)
def test_a_bad_probe_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        replace(_checkpoint().probe, **change)
    assert str(caught.value) == message


def test_a_probe_is_a_copy() -> None:
    mine = X.copy()
    probe = Probe(mine, X[:, :1], XT, XT[:, :1])
    mine[:] = 9.0
    assert np.array_equal(probe.x_train, X)


def test_a_probe_of_the_wrong_width_is_refused() -> None:
    wide = np.hstack([X, X])
    with pytest.raises(CheckpointError) as caught:
        replace(_checkpoint(), probe=Probe(wide, X[:, :1], wide, X[:, :1]))
    assert str(caught.value) == (
        "a probe of the wrong width: probe.x_train: expected 2 columns, got 4; "
        "hint: give one column for each name in the task"
    )


def test_a_task_of_another_network_is_refused() -> None:
    task = TaskSpec("t", ("x1", "x2"), ("y1", "y2"), ((-1, 1),) * 2)
    with pytest.raises(CheckpointError) as caught:
        replace(_checkpoint(), task=task)
    assert str(caught.value) == (
        "the task does not match the network: task, group 'y': expected 1 names, got 2 (y1, y2); "
        "hint: give one name for each neuron of the group"
    )


def test_classes_may_be_given_by_number() -> None:
    network = Network.of(MLP([2, 3], generator=torch.Generator().manual_seed(0)))
    task = TaskSpec("t", ("x1", "x2"), ("a", "b", "c"), ((-1, 1),) * 2, loss="cross-entropy")
    numbers = np.array([[0.0], [2.0], [1.0], [0.0], [1.0], [2.0]])
    assert Checkpoint(network, task, Probe(X, numbers, X, numbers)).probe.y_train.shape == (6, 1)
    with pytest.raises(CheckpointError, match="expected 3 columns or 1 columns, got 2"):
        Checkpoint(network, task, Probe(X, X, X, X))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    network = _checkpoint().network
    weight = network.tensors["layers.1.weight"].copy()
    weight[0, 1] = value
    with pytest.raises(CheckpointError) as caught:
        replace(_checkpoint(), network=network.with_tensors({"layers.1.weight": weight}))
    assert str(caught.value) == (
        "weights that are not finite: tensor 'layers.1.weight': expected finite numbers, "
        "got 1 of 9 are NaN or infinite; "
        "hint: the training diverged: take another seed, or train with a smaller learning rate"
    )


# ---- files that are damaged, foreign or hostile


@pytest.mark.parametrize("kept", [0, 5, 8, 9, 200, -1])
def test_a_truncated_file_is_refused(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    error = _refusal(saved)
    assert error.what == "a damaged checkpoint"
    assert error.hint == "the file is truncated or damaged: copy it again, or train anew"


@pytest.mark.parametrize(
    "content",
    [
        b"x1,x2,y1\n1,2,3\n",
        b"PK\x03\x04" + bytes(100),
        struct.pack("<Q", 2**62) + b'{"a":1}' + bytes(50),
        struct.pack("<Q", 200_000_000) + b"{" + bytes(50),
        b"\x80\x02cos\nsystem\n",
    ],
)
def test_a_file_of_another_kind_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    error = _refusal(path)
    assert error.what == "not a safetensors file"
    assert "read_foreign(path, activation=...)" in error.hint


def test_another_programs_safetensors_file_is_refused(path: Path) -> None:
    st.save_file({"fc.weight": np.zeros((2, 2)), "fc.bias": np.zeros(2)}, path, {"format": "pt"})
    assert str(_refusal(path)) == (
        f"a safetensors file without the metadata of a checkpoint: {path}: "
        "expected metadata 'bimt', got fc.bias, fc.weight; "
        "hint: if it holds the weights of a plain feed-forward chain, read it with "
        "read_foreign(path, activation=...), on the command line with --activation"
    )


def test_a_missing_file_and_a_folder_are_refused(path: Path, tmp_path: Path) -> None:
    assert str(_refusal(path)) == f"no such file: {path}; hint: correct the path"
    assert _refusal(tmp_path).what == "the file cannot be read"


def _set(*steps: str, value: Any) -> Callable[[dict[str, np.ndarray], dict[str, Any]], None]:
    def change(arrays: dict[str, np.ndarray], said: dict[str, Any]) -> None:
        place: Any = said
        for step in steps[:-1]:
            place = place[int(step) if isinstance(place, list) else step]
        last = int(steps[-1]) if isinstance(place, list) else steps[-1]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


def _put(name: str, array: np.ndarray | None) -> Callable[[dict[str, np.ndarray], dict[str, Any]], None]:
    def change(arrays: dict[str, np.ndarray], said: dict[str, Any]) -> None:
        arrays.pop(name, None)
        if array is not None:
            arrays[name] = array

    return change


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (_set("version", value=2), "'version'", "expected 1, got 2; hint: install a newer version of this program"),
        (_set("version", value=0), "'version'", "expected 1, got 0; hint: write the file anew"),
        (_set("version", value="1"), "'version'", "expected Input should be a valid integer, got '1'"),
        (_set("format", value="onnx"), "'format'", "expected Input should be 'bimt', got 'onnx'"),
        (_set("layout", value=None), "'layout'", "expected Field required; hint"),
        (_set("placement", value=None), "'placement'", "expected Field required; hint"),
        (_set("layout", "groups", "1", "slots", value=[["a"]]), "'layout.groups.1.slots.0.0'", "valid number, got 'a'"),
        (_set("layout", "groups", "1", "color", value="red"), "'layout.groups.1.color'", "not permitted, got 'red'"),
        (_set("layout", "groups", "1", "heads", value=2), "'layout', group 'h1'", "expected a divisor of 3, got 2"),
        (_set("layout", "tensors", "0", "pattern", value="h (x"), "'layout', \"h (x\"", "a parenthesis is not closed"),
        (_set("layout", "tensors", "0", "role", value="toll"), "'layout.tensors.0.role'", "got 'toll'"),
        (_set("placement", "h1", value=[0, 0, 1]), "'placement', group 'h1'", "got (0, 0, 1)"),
        (_set("placement", "h1", value=[0, 1.5, 1]), "'placement.h1.1'", "got 1.5"),
        (_set("task", "inputs", value=None), "'task'", "got KeyError: 'inputs'"),
        (_set("task", "decomposition", "definitions", value=[["y1", "__import__('os')"]]),
         "'task'", "subfunction 'y1'"),
        (_set("task", "input_scale", value=[0, 1]), "'task', task 'product'", "scales above 0, got 0"),
        (_set("config", value=[1]), "'config'", "expected Input should be an object, got [1]"),
        (_set("model", "options", "widths", value=[2, 10**9, 10**9, 1]), "layers.0.weight", "expected (1000000000, 2)"),
        (_set("model", "options", "activation", value="swish"), "model.options", "expected silu, relu"),
        (_set("model", "options", "widths", value="2 3"), "'model.options.widths'", "should be a valid list"),
        (_put("layers.1.weight", np.zeros((3, 4))), "'layers.1.weight'", "expected (3, 3), got (3, 4)"),
        (_put("layers.1.weight", np.full((3, 3), np.nan)), "tensor 'layers.1.weight'", "9 of 9 are NaN or infinite"),
        (_put("layers.1.weight", None), "'layers.1.weight'", "got no such tensor"),
        (_put("layers.9.weight", np.zeros((3, 3))), "'layers.9.weight'", "expected no such tensor, got (3, 3)"),
        (_put("probe.y_test", None), "tensor 'probe.y_test'", "expected float64 [rows, columns]"),
        (_put("probe.y_test", np.zeros((4, 1), np.float32)), "probe.y_test", "expected float64, got float32"),
        (_put("probe.y_test", np.zeros((3, 1))), "probe.y_test", "expected 4 rows, as probe.x_test, got 3"),
        (_put("probe.x_train", np.zeros((6, 5))), "probe.x_test", "expected 5 columns, as probe.x_train, got 2"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(
    saved: Path, change: Callable[[dict[str, np.ndarray], dict[str, Any]], None], field: str, words: str
) -> None:
    _rewrite(saved, change)
    error = _refusal(saved)
    assert field in error.where
    assert words in str(error)


def test_a_shape_that_contradicts_the_layout_is_refused(saved: Path) -> None:
    _rewrite(saved, _set("model", "kind", value="own"))
    _rewrite(saved, _put("layers.0.weight", np.ones((2, 3))))
    assert str(_refusal(saved)) == (
        f"a tensor contradicts the layout: {saved}, field 'tensors', "
        "tensor 'layers.0.weight', pattern \"h1 x\", shape (2, 3), axis 0: expected 3 (h1=3), got 2; "
        'hint: the tensor is transposed: declare "x -> h1" in place of "h1 x", or "x h1" if x is the target'
    )


def test_metadata_nested_too_deeply_is_refused(saved: Path) -> None:
    deep = '{"format":"bimt","version":1,"config":' + "[" * 50_000
    st.save_file(st.load_file(saved), saved, {"bimt": deep})
    assert _refusal(saved).what == "a field that cannot be read"


def test_a_tensor_of_a_kind_that_numpy_lacks_is_refused(saved: Path) -> None:
    content = saved.read_bytes()
    assert content.count(b'"layers.0.bias":{"dtype":"F32"') == 1
    saved.write_bytes(content.replace(b'"layers.0.bias":{"dtype":"F32"', b'"layers.0.bias":{"dtype":"U32"'))
    error = _refusal(saved)
    assert (error.what, error.got) == ("a tensor of an unsupported type", "U32")


# ---- writing


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint(saved, replace(_checkpoint(), config={"seed": 4}))
    assert str(caught.value) == (
        f"the file cannot be written: {saved}: got No space left on device; "
        "hint: choose a folder that exists and can be written"
    )
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No such file or directory; hint: choose a folder"):
        save_checkpoint(tmp_path / "none" / "a.safetensors", _checkpoint())


@pytest.mark.parametrize("value", [{1, 2}, np.float32(1), float("nan")])
def test_a_config_that_is_no_json_is_refused(path: Path, value: object) -> None:
    with pytest.raises(CheckpointError, match="a checkpoint that cannot be written as JSON"):
        save_checkpoint(path, replace(_checkpoint(), config={"a": value}))
    assert not path.exists()


def test_a_tensor_with_the_name_of_a_probe_is_refused(path: Path) -> None:
    layout = Layout((Group.line("h", 2),), {"probe.x_train": TensorSpec("h h")}, "h", "h")
    network = Network(ModelSpec("own", {}), layout, Placement.identity(layout), {"probe.x_train": np.eye(2)})
    task = TaskSpec("t", ("x1", "x2"), ("y1", "y2"), ((-1, 1),) * 2)
    with pytest.raises(CheckpointError, match=r"a tensor has the name of a probe: tensor 'probe\.x_train'"):
        save_checkpoint(path, Checkpoint(network, task, Probe(X, X, XT, XT)))
