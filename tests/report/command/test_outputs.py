"""Files that a call writes are neither those that it reads nor each other."""

import os
from pathlib import Path

import pytest
import torch

from bimt_analyze import _cli


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["net.pt", "--json", "net.pt"], "--json net.pt: got a file that the call reads"),
        (["net.pt", "--html", "same/../net.pt"], "got a file that the call reads"),
        (["link.pt", "--html", "net.pt"], "got a file that the call reads"),
        (["net.pt", "--probe", "rows.csv", "--target", "y", "--markdown", "rows.csv"], "--markdown rows.csv"),
        (["net.pt", "--html", "out", "--json", "out"], "--json out: got a file that --html writes"),
        (["net.pt", "--export", "out.c", "--view", "./out.c"], "--export out.c: got a file that --view writes"),
    ],
)
def test_nothing_is_written_over(words: list[str], said: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(torch.nn.Linear(2, 1).state_dict(), "net.pt")
    Path("rows.csv").write_text("a,b,y\n" + "1,2,3\n2,1,4\n" * 6)
    os.symlink("net.pt", "link.pt")
    Path("same").mkdir()
    before = {file.name: file.read_bytes() for file in tmp_path.glob("*.*")}
    assert _cli.main([*words, "--activation", "silu", "--time-limit", "0"]) == 2
    assert said in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in tmp_path.glob("*.*")} == before


def test_what_is_no_file_can_be_written_to_twice(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(torch.nn.Linear(2, 1).state_dict(), "net.pt")
    words = ["net.pt", "--activation", "silu", "--range", "-1", "1", "--html", os.devnull, "--json", os.devnull]
    assert _cli.main([*words, "--dry-run"]) == 0


@pytest.mark.parametrize("option", ["--html", "--json", "--view", "--graph", "--export"])
def test_where_nothing_can_be_written_is_told_before_anything_is_computed(option: str, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.save(torch.nn.Linear(2, 1).state_dict(), "net.pt")
    words = ["net.pt", "--activation", "silu", "--range", "-1", "1", "--dry-run"]
    assert _cli.main([*words, option, "net.pt/of/a.c"]) == 2
    assert "net.pt, which is a file; hint: choose another folder" in capsys.readouterr().err
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode != os.W_OK | os.X_OK
    )  # who runs tests as root may write anywhere
    assert _cli.main([*words, option, "new/a.c"]) == 2
    assert f"{tmp_path}, which takes no files" in capsys.readouterr().err
