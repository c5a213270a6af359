"""The command line on many files: what it prints, where it writes, what it refuses, and its status."""

import re

import pytest
from inline_fleet import in_this_process

from bimt_analyze._cli import main

SAID = ("--activation", "relu", "--range", "-1", "1", "--samples", "0", "--time-limit", "0", "--refit", "0", "--quiet")


@pytest.fixture(autouse=True)
def inline():
    with in_this_process():
        yield


def test_equal_names_have_files_of_their_own_and_all_well_is_zero(tmp_path, linear, capsys):
    for place, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        linear(tmp_path / folder / "net.pt", place)
    words = [tmp_path / "a" / "net.pt", tmp_path / "b", "--out", tmp_path / "audits"]
    assert main([*map(str, words), *SAID]) == 0
    assert {page.name for page in (tmp_path / "audits").glob("*.html")} == {
        "a-net.pt.html",
        "b-net.pt.html",
        "index.html",
    }
    assert "range = [\n" in (tmp_path / "audits" / "analysis.toml").read_text()
    assert capsys.readouterr().out.splitlines()[-1] == f"2 of 2 files analysed: {tmp_path / 'audits' / 'index.html'}"


def test_without_out_the_table_is_printed_and_an_unreadable_file_gives_one(tmp_path, linear, capsys):
    linear(tmp_path / "net.pt")
    words = [tmp_path / "net.pt", tmp_path / "none.pt", "--markdown", tmp_path / "r.md"]
    assert main([*map(str, words), *SAID]) == 1
    captured = capsys.readouterr()
    assert re.search(r"^none +refused: no such file", captured.out, flags=re.MULTILINE)
    assert captured.err == "1 of 2 files analysed, 1 not\n"
    assert [page.name for page in tmp_path.glob("*.md")] == ["r.net.md"]


def test_bad_calls_are_one_line_and_status_two(tmp_path, linear, capsys):
    def refused(*words):
        status = main([*map(str, words), *SAID])
        captured = capsys.readouterr()
        assert status == 2 and captured.out == "" and re.fullmatch(r"error: [^\n]+\n", captured.err)
        return captured.err

    linear(tmp_path / "net.pt")
    (tmp_path / "m.csv").write_text("file,colour\nnet.pt,red\n")
    (tmp_path / "empty").mkdir()
    assert "unknown column" in refused(tmp_path / "m.csv", "--out", tmp_path / "audits")
    assert "no such file" in refused(tmp_path / "x.pt", tmp_path / "y.pt", "--out", tmp_path / "audits")
    assert "without networks" in refused(tmp_path / "empty", "--out", tmp_path / "audits")
    assert "--out and --html" in refused(tmp_path / "net.pt", "--out", tmp_path / "o", "--html", tmp_path / "h.html")
    assert "net.pt" in refused(tmp_path / "net.pt", "--out", tmp_path / "net.pt" / "audits")
    assert "--all is for a folder" in refused(tmp_path / "empty", tmp_path / "net.pt", "--all")
    assert not (tmp_path / "audits").exists()


def test_the_help_teaches_many_files(capsys):
    assert main(["--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for said in ("--out audits/", "--time-budget", "manifest.csv", 'column "file"'):
        assert said in out
