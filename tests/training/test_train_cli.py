"""bimt-train from the shell: what it writes, how it refuses, and how it exits."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bimt_train._cli import main
from bimt_train.checkpoints import load_checkpoint
from bimt_train.shell.words import spread_options
from bimt_train.tasks import TASKS

EXTENDING = Path(__file__).resolve().parents[2] / "docs" / "extending"


def test_a_formula_of_ones_own(tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["y = x1*x2", "--seeds", "2", "--steps", "20", "--out", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "test loss" in said
    assert len(json.loads((out / "runs.json").read_text())["records"]) == 2
    assert main(["y = x1*x2", "--seeds", "2", "--steps", "20", "--out", str(out), "--quiet", "--resume"]) == 0


def test_a_table_with_two_targets(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,b,y,z\n" + "".join(f"{i},{i * i % 7},{i * 2 + i % 3},{i % 5}\n" for i in range(30)))
    out = tmp_path / "run"
    words = [str(table), "--target", "y", "z", "--hidden", "5", "6", "--steps", "5", "--out", str(out), "--quiet"]
    assert main([*words, "--seeds", "1"]) == 0
    assert (out / "seed-000.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["independense"], "did you mean independence"),
        (["__import__('os').system('true')"], "error:"),
        (["y = 10**10**10"], "error:"),
        (["independence", "--range", "0", "1"], "for formulas"),
        (["y = x1", "--paper"], "the paper has no recipe"),
        (["nowhere.csv", "--target", "y"], "nowhere.csv"),
        (["independence", "--seeds", "0"], "--seeds"),
        (["independence", "--xyzzy", "0"], "--help"),
        (["independence", "--device", "abacus"], "a device that cannot compute"),
        (["independence", "--device", "meta"], "a device that cannot compute"),
        (["independence", "--cost-term", "lenght=1"], "did you mean length?"),
        (["independence", "--cost-term", "length"], "a cost term without its coefficient"),
        (["independence", "--cost-term", "length=-1"], "a price cannot be negative"),
        (["nowhere.py:task"], "no such file: nowhere.py"),
        ([], "TASK"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "replicas"), [([], 4), (["--replicas", "2"], 2), (["--replicas", "1"], None)])
def test_replicas_change_the_restarts_of_the_recipe(words, replicas, tmp_path):
    words = ["permutation-s4", "--steps", "5", "--seeds", "1", "--quiet", "--out", str(tmp_path), *words]
    assert main(words) == 0
    restarts = load_checkpoint(tmp_path / "seed-000.safetensors").config["recipe"]["restarts"]
    assert (restarts and restarts["replicas"]) == replicas


def test_help_and_the_list_of_tasks_name_each_task_without_torch():
    code = (
        "import sys\n"
        "from bimt_train._cli import main\n"
        "assert main(['--help']) == main(['--list-tasks']) == 0\n"
        "assert not {'torch', 'sympy', 'pandas'} & set(sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    helped, listed = shown.split("independence  ")
    for kind in TASKS.entries():
        assert kind.name in helped
        assert kind.sentence in listed


@pytest.mark.usefixtures("forgotten_entries")
def test_a_task_and_a_cost_term_of_ones_own(tmp_path):
    words = ["--seeds", "1", "--steps", "3", "--quiet", "--out", str(tmp_path)]
    assert main([str(EXTENDING / "task.py"), *words]) == 0
    assert load_checkpoint(tmp_path / "seed-000.safetensors").task.name == "rectangle"
    term = f"{EXTENDING / 'cost_term.py'}:squared"
    assert main(["independence", "--cost-term", f"{term}=0.5", "--cost-term", "length=2", *words]) == 0
    cost = load_checkpoint(tmp_path / "seed-000.safetensors").config["recipe"]["cost"]
    assert (cost["terms"], cost["scale"]) == ({term: 0.5}, 2.0)


def test_help_teaches():
    shown = subprocess.run(
        [sys.executable, "-m", "bimt_train", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for word in ("independence", "data.csv --target y1 y2", "--resume", "bimt-analyze runs/independence"):
        assert word in shown


@pytest.mark.parametrize("package", ["bimt_train", "bimt_analyze"])
def test_the_version_is_told_without_torch(package):
    code = f"import sys, runpy; sys.argv[1:] = ['--version']; runpy.run_module('{package}', run_name='__main__')"
    seen = "import atexit, sys; atexit.register(lambda: print('torch' in sys.modules)); "
    done = subprocess.run([sys.executable, "-c", seen + code], capture_output=True, text=True, check=True)
    said, torch = done.stdout.splitlines()
    assert said == f"{package.replace('_', '-')}, version {version('bimt')}" and torch == "False"


def test_spread_options_stops_at_options_and_keeps_negative_numbers():
    assert spread_options(["--range", "-1", "1", "-x"], ["--range"]) == ["--range", "-1", "--range", "1", "-x"]
