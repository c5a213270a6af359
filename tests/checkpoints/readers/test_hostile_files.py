"""Files that were damaged, or made to harm: each ends in one line, runs nothing, and takes no memory to speak of."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from bimt_train import CheckpointError
from bimt_train.checkpoints import read_foreign
from bimt_train.checkpoints.readers.files._harmless import HARMLESS, Held, number

STATE = {"0.weight": torch.ones(5, 2), "0.bias": torch.ones(5), "2.weight": torch.ones(1, 5), "2.bias": torch.ones(1)}
TRACE = "bimt_was_run"


class Evil:
    """Runs a command when a pickle of it is loaded."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch {TRACE}",))


class Wide:
    """A byte array of 50 gigabytes, which torch's reader of weights would make."""

    def __reduce__(self) -> tuple[object, ...]:
        return (bytearray, (50 * 10**9,))


class Huge:
    """A tensor of 4 terabytes, by the constructor that torch's reader of weights allows."""

    def __reduce__(self) -> tuple[object, ...]:
        return (torch.Tensor, (10**6, 10**6))


def _saved(content: object, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def _zip(members: dict[str, bytes], packed: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _npy(array: np.ndarray, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


def _header(shape: str, kind: str = "'<f8'") -> bytes:
    text = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n"


def _safetensors(header: bytes, length: int | None = None, body: bytes = b"\0" * 64) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def _one(shape: list[int], ends: list[int], kind: str = "F32") -> bytes:
    return json.dumps({"a.weight": {"dtype": kind, "shape": shape, "data_offsets": ends}}).encode()


def _field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    done = b""
    while number > 127:
        done, number = done + bytes([number & 127 | 128]), number >> 7
    return done + bytes([number])


def _onnx(graph: bytes) -> bytes:
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 17))


def _graph(weight: bytes, kind: bytes = b"MatMul") -> bytes:
    node = _field(1, b"x") + _field(1, b"W") + _field(2, b"y") + _field(4, kind)
    return _field(1, node) + _field(5, weight) + _field(11, _field(1, b"x")) + _field(12, _field(1, b"y"))


def _onnx_weight(dims: tuple[int, ...], raw: bytes, kind: int = 1) -> bytes:
    return b"".join(_field(1, size) for size in dims) + _field(2, kind) + _field(8, b"W") + _field(9, raw)


def _nested(depth: int) -> dict[str, object]:
    inside: dict[str, object] = {}
    for _ in range(depth):
        inside = {"a": inside, "b": inside}
    return inside


def _endless() -> dict[str, object]:
    round_about: dict[str, object] = {"a": 1}
    round_about["again"] = round_about
    return round_about


def _scripted() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py", "net/version"):
            archive.writestr(name, b"x")
    return buffer.getvalue()


GOOD = _saved(STATE)
OBJECTS = np.empty(2, object)
OBJECTS[:] = [Evil(), Evil()]
CASES: dict[str, Callable[[], bytes]] = {
    "evil.pt": lambda: pickle.dumps(Evil()),
    "evil-in-zip.pt": lambda: _saved({"0.weight": Evil()}),
    "evil-legacy.pt": lambda: _saved({"0.weight": Evil()}, legacy=True),
    "evil-protocol-0.pt": lambda: f"cos\nsystem\n(S'touch {TRACE}'\ntR.".encode(),
    "evil.pkl": lambda: pickle.dumps({"coefs_": Evil()}),
    "evil.npy": lambda: _npy(OBJECTS, pickled=True),
    "evil.npz": lambda: _zip({"W1.npy": _npy(OBJECTS, pickled=True)}),
    "evil-header.npy": lambda: _header("(2, 2)", f"__import__('os').system('touch {TRACE}')") + b"\0" * 64,
    "wide.pt": lambda: _saved({"0.weight": torch.ones(2, 2), "more": Wide()}),
    "huge-constructor.pt": lambda: _saved({"0.weight": Huge()}),
    "expanded.pt": lambda: _saved({"0.weight": torch.zeros(1).expand(10**6, 10**6)}),
    "expanded-legacy.pt": lambda: _saved({"0.weight": torch.zeros(1).expand(10**6, 10**6)}, legacy=True),
    "many-views.pt": lambda: _saved({f"{i}.weight": VIEWED for i in range(3000)}),
    "meta.pt": lambda: _saved({"0.weight": torch.zeros(10**6, 10**6, device="meta")}),
    "sparse.pt": lambda: _saved({"0.weight": torch.eye(5).to_sparse()}),
    "csr.pt": lambda: _saved({"0.weight": SPARSE}),
    "complex.pt": lambda: _saved({"0.weight": torch.ones(2, 2, dtype=torch.complex64)}),
    "no-entries.pt": lambda: _saved({"0.weight": torch.zeros(0, 2), "2.weight": torch.zeros(1, 0)}),
    "not-finite.pt": lambda: _saved({**STATE, "0.bias": torch.full((5,), torch.nan)}),
    "nested-twice-at-each-level.pt": lambda: _saved(_nested(60)),
    "endless.pt": lambda: _saved(_endless()),
    "numbers-as-names.pt": lambda: _saved({0: torch.ones(2, 2)}),
    "half.pt": lambda: GOOD[: len(GOOD) // 2],
    "few-bytes.pt": lambda: GOOD[:60],
    "empty.pt": lambda: b"",
    "text.pt": lambda: b"x1,x2\n1,2\n",
    "bomb.pt": lambda: _zip({"a/data.pkl": b"\x80\x02}.", "a/version": b"3", "a/data/0": b"\0" * (40 * 2**20)}),
    "script.pt": _scripted,
    "exported.pt2": lambda: _zip({"a/archive_format": b"pt2", "a/models/model.json": b"{}"}),
    "bomb.npz": lambda: _zip({"W1.npy": _header("(15000, 1000)") + b"\0" * 120_000_000}),
    "huge-shape.npz": lambda: _zip({"W1.npy": _header("(10**12,)".replace("10**12", "1000000000000"))}),
    "huge-shape.npy": lambda: _header("(1000000, 1000000)") + b"\0" * 64,
    "negative-shape.npy": lambda: _header("(-1, -8)") + b"\0" * 64,
    "many-axes.npy": lambda: _header(str((1,) * 40)) + b"\0" * 64,
    "strange-type.npy": lambda: _header("(2, 2)", "[('a', '<f8')]") + b"\0" * 64,
    "cut.npy": lambda: _npy(np.ones((9, 9)))[:200],
    "cut.npz": lambda: _zip({"W1.npy": _npy(np.ones((9, 9)))[:200]}),
    "traversal.npz": lambda: _zip({"../../evil.npy": _npy(np.ones(3))}),
    "damaged.npz": lambda: _flipped(_zip({"W1.npy": _npy(np.random.default_rng(0).random((9, 9)))}), 120),
    "huge-header.safetensors": lambda: _safetensors(b"{}", length=2**62),
    "long-header.safetensors": lambda: _safetensors(b"{}", length=10**8),
    "no-json.safetensors": lambda: _safetensors(b"{{{{"),
    "deep.safetensors": lambda: _safetensors(b'{"a":' + b"[" * 100_000),
    "past-the-end.safetensors": lambda: _safetensors(_one([10**6, 10**6], [0, 4 * 10**12])),
    "overlap.safetensors": lambda: _safetensors(_one([4, 4], [0, 8])),
    "strange-type.safetensors": lambda: _safetensors(_one([4, 4], [0, 64], "Q99")),
    "huge-weight.onnx": lambda: _onnx(_graph(_onnx_weight((10**6, 10**6), b"\0" * 64))),
    "negative.onnx": lambda: _onnx(_graph(_onnx_weight((2**64 - 2, 2**64 - 2), b"\0" * 16))),
    "unknown-operator.onnx": lambda: _onnx(_graph(_onnx_weight((2, 2), b"\0" * 16), b"Loop")),
    "strange-type.onnx": lambda: _onnx(_graph(_onnx_weight((2, 2), b"\0" * 16, 77))),
    "no-graph.onnx": lambda: _onnx(b"\xff\xff\xff"),
    "config-alone.keras": lambda: _zip({"config.json": b"{" * 10**5, "model.weights.h5": b"\0" * 100}),
    "bomb.keras": lambda: _zip({"config.json": b"{}", "model.weights.h5": b"\0" * (40 * 2**20)}),
    "index.json": lambda: json.dumps({"weight_map": {"0.weight": "../../../etc/passwd"}}).encode(),
    "index-of-itself.json": lambda: json.dumps({"weight_map": {"0.weight": "index-of-itself.json"}}).encode(),
    "deep-index.json": lambda: b'{"weight_map": ' + b"[" * 100_000,
}
VIEWED = torch.ones(300, 300)
with pytest.warns(UserWarning, match="beta"):
    SPARSE = torch.eye(5).to_sparse_csr()


# Where another check would refuse the file as well, but later.
SAID = {
    "expanded.pt": "larger than what is stored",
    "expanded-legacy.pt": "larger than what is stored",
    "many-views.pt": "parts of each other",
    "wide.pt": "a bytearray",
    **dict.fromkeys(("bomb.pt", "bomb.npz", "bomb.keras"), "much more memory than its size"),
    **dict.fromkeys(("evil.npy", "evil.npz"), "no plain numbers"),
    **dict.fromkeys(("evil.pt", "evil.pkl"), "a pickle"),
    "script.pt": "TorchScript",
}


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


def _read(path: Path) -> str:
    """The line that a file ends in."""
    with pytest.raises(CheckpointError) as caught:
        read_foreign(path, activation="silu", ranges=(-1, 1))
    return str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_refused_in_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(CASES[name]())
    line = _read(path)
    assert "\n" not in line and len(line) < 700
    assert str(path) in line and SAID.get(name, "") in line
    assert not (tmp_path / TRACE).exists()


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    """Torch's own reader does not compare checksums."""
    path, ones = tmp_path / "changed.pt", torch.ones(5, 2).numpy().tobytes()
    path.write_bytes(GOOD.replace(ones, torch.full((5, 2), 7.0).numpy().tobytes()))
    assert "another checksum" in _read(path)


def test_a_shard_that_lies_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    safetensors.torch.save_file({"0.weight": torch.ones(2, 2)}, tmp_path / "outer.safetensors")
    index = tmp_path / "inner" / "index.json"
    index.write_text(json.dumps({"weight_map": {"0.weight": "../outer.safetensors"}}))
    assert "beside it" in _read(index)
    index.write_text(json.dumps({"weight_map": {"0.weight": str(tmp_path / "outer.safetensors")}}))
    assert "beside it" in _read(index)


def test_a_cycle_of_a_folder_and_an_index_ends(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model.safetensors"}}))
    assert "beside it" in _read(tmp_path)
    (tmp_path / "model.safetensors").mkdir()
    assert "beside it" in _read(tmp_path)


def test_every_bit_of_a_small_file_may_flip(tmp_path: Path) -> None:
    """What is read then is read as a network, or refused; nothing else is raised."""
    draw = np.random.default_rng(0)
    safe = safetensors.torch.save({name: tensor.contiguous() for name, tensor in STATE.items()})
    npz = io.BytesIO()
    np.savez(npz, **{name: tensor.numpy() for name, tensor in STATE.items()})
    onnx = _onnx(_graph(_onnx_weight((2, 1), np.ones(2, np.float32).tobytes())))
    for whole in (GOOD, _saved(STATE, legacy=True), safe, npz.getvalue(), onnx):
        for _ in range(25):
            content = bytearray(whole)
            content[draw.integers(len(content))] ^= 1 << draw.integers(8)
            path = tmp_path / "flipped"
            path.write_bytes(bytes(content[: draw.integers(len(content))] if draw.random() < 0.3 else content))
            try:
                read_foreign(path, activation="silu", ranges=(-1, 1))
            except CheckpointError as error:
                assert "\n" not in str(error)


MEASURED = """
import re, sys
from pathlib import Path
from bimt_train import CheckpointError
from bimt_train.checkpoints import read_foreign

def peak():  # of this process: what getrusage says begins with its parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

good, *files = sys.argv[1:]
read_foreign(good, activation="silu", ranges=(-1, 1))
before = peak()
for file in files:
    try:
        read_foreign(file, activation="silu", ranges=(-1, 1))
    except CheckpointError:
        pass
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_hostile_files_take_no_memory(tmp_path: Path) -> None:
    files = {"good.pt": lambda: GOOD, **CASES}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content())
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *(str(tmp_path / name) for name in files)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert int(done.stdout) < 60, "megabytes"
    assert not (tmp_path / TRACE).exists()


def test_numbers_and_arguments_beside_weights_stand_for_nothing_that_is_run() -> None:
    assert number(Held("f8", False, True), np.float64(0.5).tobytes()) == 0.5
    assert number(Held("i8", False, True), np.int64(-3).tobytes()) == -3
    for kind, content in ((Held("O8"), object()), (Held("f8"), b"\0"), (Held("V9000000000"), b""), ("f8", b"\0" * 8)):
        assert number(kind, content) is None
    held = Held("any", code="x")
    held.__setstate__({"code": "print()"})
    assert vars(held) == {"code": "any"}
    assert {name for _, name in HARMLESS} <= {
        "numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar", "numpy.dtype", "argparse.Namespace",
        "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib._local.PosixPath",
    }  # fmt: skip
