"""--key and --orientation: the command reads what a refusal told it to say, and a manifest has such columns."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from bimt_analyze import Sampling, open_checkpoint
from bimt_analyze._cli import main
from bimt_analyze.fleet._manifest import read_manifest
from bimt_train import CheckpointError

PAGE = Path(__file__).parents[3] / "docs" / "your-networks.md"
QUICK = ("--samples", "0", "--time-limit", "1", "--refit", "0", "--quiet")
READ = ("--samples", "0", "--time-limit", "0", "--refit", "0", "--quiet")  # no search: what matters is that it is read
FAST = ("--activation", "identity", "--range", "-1", "1", *QUICK)


def layers(first):
    square = {"0.weight": torch.tensor(first), "0.bias": torch.zeros(2)}
    return square | {"2.weight": torch.eye(2), "2.bias": torch.zeros(2)}


@pytest.fixture
def both(tmp_path):
    """A model whose outputs cross over, and its average, whose do not."""
    content = {
        "state": {"model": layers([[0.0, 2.0], [3.0, 0.0]]), "ema": layers([[2.0, 0.0], [0.0, 3.0]])},
        "epoch": 3,
    }
    torch.save(content, tmp_path / "both.pt")
    return tmp_path / "both.pt"


@pytest.fixture
def square(tmp_path):
    """Two square weights of which nothing tells how they are stored; [in, out], y1 = 2 x1 + 3 x2."""
    np.savez(tmp_path / "square.npz", W1=np.array([[2.0, 0.0], [3.0, 1.0]]), W2=np.eye(2))
    return tmp_path / "square.npz"


def said(capsys, *words):
    status = main([*map(str, words), *FAST])
    captured = capsys.readouterr()
    assert "\n" not in captured.err.strip()
    return status, captured.out, captured.err


def test_a_file_of_two_networks_names_the_option_that_reads_each(both, capsys):
    status, _, error = said(capsys, both)
    assert status == 2 and "several networks in one file" in error
    hint = re.search(r"\((--key [^)]+)\)", error)[1]
    status, out, _ = said(capsys, both, *shlex.split(hint))
    assert status == 0 and re.search(r"^y1 = 2\*x2 .*^y2 = 3\*x1 ", out, flags=re.MULTILINE | re.DOTALL)
    status, out, _ = said(capsys, both, "--key", "state.ema")
    assert status == 0 and re.search(r"^y1 = 2\*x1 .*^y2 = 3\*x2 ", out, flags=re.MULTILINE | re.DOTALL)


def test_square_kernels_name_the_option_that_turns_them(square, capsys):
    status, _, error = said(capsys, square)
    assert status == 2
    option, way, other = re.search(r"\((--orientation) (\S+), or (\S+)\)", error).groups()
    laws = {}
    for each in (way, other):
        status, out, _ = said(capsys, square, option, each)
        laws[each] = out.splitlines()[1].split("   ")[0]
        assert status == 0
    assert laws == {"out-in": "y1 = 2*x1", "in-out": "y1 = 2*x1 + 3*x2"}
    status, _, error = said(capsys, square, option, "sideways")
    assert status == 2 and "got sideways" in error


@pytest.mark.parametrize("file", ["both.pt", "square.npz"])
def test_the_rows_of_the_page_are_what_to_type(file, both, square, tmp_path, capsys, monkeypatch):
    row = re.search(rf"^\|.*`bimt-analyze ({re.escape(file)} [^`]+)` \|$", PAGE.read_text(), flags=re.MULTILINE)
    words = row[1].replace("--key ema", "--key state.ema")  # where the fixture has it
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(words), *READ]) == 0
    assert "y1" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["rows.npz", "normed.pt", "siren.pt"])
def test_the_rows_of_the_page_read_the_files_that_it_makes(file, tmp_path, capsys, monkeypatch):
    page = PAGE.read_text()
    row = re.search(rf"^\|.*`bimt-analyze ({re.escape(file)} [^`]+)` \|$", page, flags=re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    makes = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if '"siren.pt"' in block)
    exec(makes, {})
    assert main([*shlex.split(row[1]), *READ]) == 0
    assert "y1" in capsys.readouterr().out


def test_a_manifest_has_columns_of_both_names(both, square, tmp_path):
    rows = "both.pt,state.model,\nboth.pt,state.ema,\nsquare.npz,,in-out\nsquare.npz,,\n"
    (tmp_path / "m.csv").write_text(f"file,key,orientation\n{rows}")
    given = Sampling(activation="identity", ranges=((-1.0, 1.0),), orientation="out-in")
    found = [open_checkpoint(file, row) for file, row in read_manifest(tmp_path / "m.csv", given)]
    x1, x2 = x = np.array([5.0, 7.0])
    laws = [checkpoint.predict(x[None])[0].tolist() for checkpoint in found]
    assert laws == [[2 * x2, 3 * x1], [2 * x1, 3 * x2], [2 * x1 + 3 * x2, x2], [2 * x1, 3 * x1 + x2]]


def test_a_cell_of_another_orientation_is_refused_for_its_file(square, tmp_path):
    (tmp_path / "m.csv").write_text("file,orientation\nsquare.npz,sideways\n")
    ((file, row),) = read_manifest(tmp_path / "m.csv", Sampling(activation="identity", ranges=((-1.0, 1.0),)))
    with pytest.raises(CheckpointError, match=r"'sideways'.*--orientation out-in, or in-out"):
        open_checkpoint(file, row)


@pytest.fixture
def told(tmp_path):
    """Files that cannot be read without a word of the user; y1 = 2 x1 + 3 x2 in each, if that word is right."""
    eye, none = np.eye(2), np.zeros(2)
    np.savez(tmp_path / "rows.npz", **{"0.weight": [[2.0, 3.0]], "X_train": np.ones((9, 2)), "loss": np.ones(9)})
    np.savez(tmp_path / "own.npz", Theta1=[[2.0, 3.0]], c1=[0.0])
    layers = {"0.weight": eye, "0.bias": none, "4.weight": [[1.0, 1.0]], "4.bias": [0.0]}
    norm = {"2.weight": [2.0, 3.0], "2.bias": none, "2.running_mean": none, "2.running_var": np.full(2, 1 - 1e-5)}
    np.savez(tmp_path / "norm.npz", **{k: np.asarray(v, dtype=float) for k, v in (layers | norm).items()})
    adapter = {"0.lora_A.weight": np.array([[1.0, 1.5]]), "0.lora_B.weight": np.array([[1.0]])}
    np.savez(tmp_path / "adapter.npz", **{"0.weight": np.zeros((1, 2)), **adapter})
    return tmp_path


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("rows.npz", r"\((--role X_train=ignore --role loss=ignore)\)"),
        ("own.npz", r"\((--role Theta1=weight --role c1=bias)\)"),
        ("norm.npz", r"\((--batch-norm before)"),
        ("adapter.npz", r"\((--lora-scale 2)"),
    ],
)
def test_what_a_refusal_says_to_type_is_read(file, hint, told, capsys):
    status, _, error = said(capsys, told / file)
    words = re.search(hint, error)
    assert status == 2 and words, error
    status, out, error = said(capsys, told / file, *shlex.split(words[1]))
    assert status == 0 and "y1 = 2*x1 + 3*x2" in out, out + error


def test_a_role_without_a_sign_of_equality_is_refused(told, capsys):
    status, _, error = said(capsys, told / "own.npz", "--role", "Theta1")
    assert status == 2 and "expected TENSOR=ROLE, as in 0.scale=ignore, got 'Theta1'" in error


def test_a_probe_is_read_as_any_table(told, capsys):
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    table = "\n".join(f"{i},{b},{a},{2 * a + 3 * b}" for i, (a, b) in enumerate(x))
    (told / "probe.csv").write_text(f"id,b,a,y\n{table}\n21,?,0,0\n")
    call = [str(told / "rows.npz"), "--activation", "identity", "--probe", str(told / "probe.csv"), "--target", "y",
            "--role", "X_train=ignore", "--role", "loss=ignore", *QUICK]  # fmt: skip
    assert main([*call, "--drop-missing"]) == 2
    error = capsys.readouterr().err
    assert "expected 2, as many as the network has, got 3: id, b, a; hint: name each column; of a table, say" in error
    assert main(call) == 2 and "--drop-missing" in capsys.readouterr().err
    assert main([*call, "--inputs", "a", "b", "--drop-missing"]) == 0
    assert "y = 2*a + 3*b" in capsys.readouterr().out
