"""Weights of any module from the shell, as docs/your-networks.md shows it."""

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bimt_analyze._cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "your-networks.md").read_text()
QUICK = ("--samples", "0", "--time-limit", "0", "--refit", "0", "--quiet")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder in which the page's snippet has made a module's file and its weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (snippet,) = (text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if '"net.py"' in text)
    torch.manual_seed(0)
    try:
        exec(compile(snippet, "snippet", "exec"), {"__name__": "__main__"})
    finally:
        sys.modules.pop("net", None)
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    np.savetxt("table.csv", np.c_[x, x[:, 0] * x[:, 1]], delimiter=",", header="x1,x2,y", comments="")
    return tmp_path


@pytest.mark.parametrize("file", ["gated.pt", "images.pt"])
def test_the_rows_of_the_page_are_what_to_type(file, place, capsys):
    row = re.search(rf"^\|.*`bimt-analyze ({re.escape(file)} [^`]+)` \|$", PAGE, flags=re.MULTILINE)
    assert main([*shlex.split(row[1]), "--json", "report.json", *QUICK]) == 0
    plain = json.loads((place / "report.json").read_text())
    assert plain["network"]["assumed"][0].startswith(("module:", "the state dict"))
    assert "network: " in capsys.readouterr().out
    if file == "images.pt":
        assert plain["network"]["measure"] == "accuracy"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gated.pt", "--model", "net.py:images", "--range", "-1", "1"], "tensors of another module: gated.pt"),
        (["gated.pt", "--model", "net.py:mak", "--range", "-1", "1"], "did you mean make?"),
        (["gated.pt", "--model", "net.py:make"], "no inputs on which to run the module"),
        (["gated.pt", "--model", "net.py:make", "--range", "-1", "1", "--activation", "relu"], "beside a model"),
        (["gated.pt", "--model", "net.py:make", "--range", "-1", "1", "--final", "tanh"], "an end beside a module"),
        (["images.pt", "--model", "net.py:images", "--probe", "table.csv"], "cannot be run on the example inputs"),
        (
            ["gated.pt", "--layout", "no.toml", "--activation", "relu", "--range", "-1", "1"],
            "add --model file.py:make",
        ),
        (
            ["gated.pt", "--model", "net.py:make", "--layout", "no.toml", "--range", "-1", "1"],
            "cannot be read: no.toml",
        ),
        (["gated.pt", "--model", "nothing.py:make", "--range", "-1", "1"], "no such file: nothing.py"),
    ],
)
def test_what_does_not_fit_is_one_line(words, said, place, capsys):
    assert main([*words, *QUICK]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and error.startswith("error: ")


def test_nothing_of_a_module_is_run_by_a_checkpoint_of_it(place, capsys):
    """A checkpoint that was saved of a traced module needs no file of Python."""
    from bimt_train.checkpoints import read_into, save_checkpoint

    namespace = {}
    exec(compile(Path("net.py").read_text(), "net.py", "exec"), namespace)
    save_checkpoint("saved.safetensors", read_into("gated.pt", namespace["make"], ranges=(-1, 1)))
    Path("net.py").unlink()
    assert main(["saved.safetensors", *QUICK]) == 0
    assert "its own outputs stand for them" in capsys.readouterr().out
