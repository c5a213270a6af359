"""--key and --orientation: the command reads what a refusal told it to say, and a manifest has such columns."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from bimt_analyze import Sampling, open_checkpoint
from bimt_analyze._cli import main
from bimt_analyze.fleet import read_manifest
from bimt_train import CheckpointError

PAGE = Path(__file__).parents[2] / "docs" / "your-networks.md"
QUICK = ("--samples", "0", "--time-limit", "1", "--refit", "0", "--quiet")
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
    assert main([*shlex.split(words), *QUICK]) == 0
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
