"""What the command lines teach: mistyped words, names that can be chosen, grouped help, versions."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from bimt_analyze._cli import command as analyze
from bimt_analyze._cli import main as analyze_main
from bimt_train import InputError
from bimt_train._cli import command as train
from bimt_train._cli import main as train_main
from bimt_train.did_you_mean import did_you_mean
from bimt_train.shell.options import Choice
from bimt_train.tasks import TASKS

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "RESULTS.md"
COMMANDS = {"bimt-train": train, "bimt-analyze": analyze}


@pytest.mark.parametrize(
    ("main", "words", "hint"),
    [
        (train_main, ["independense"], "independence"),
        (train_main, ["independence", "--sead", "1"], "--seeds"),
        (train_main, ["independence", "--type", "bmit"], "bimt"),
        (train_main, ["independence", "--engine", "compield"], "compiled"),
        (train_main, ["independence", "--model", "mpl"], "mlp"),
        (train_main, ["independence", "--cost-term", "lenght=1"], "length"),
        (train_main, ["independence", "--sweep", "lamda=1"], "lambda"),
        (analyze_main, [__file__, "--htlm", "x"], "--html"),
        (analyze_main, [__file__, "--standardize", "input"], "inputs"),
        (analyze_main, [__file__, "--edge-weight", "atribution"], "attribution"),
        (analyze_main, [__file__, "--null-model", "degree_preserve"], "degree_preserving"),
        (analyze_main, [__file__, "--require", "agrement>=1"], "agreement"),
        (analyze_main, [__file__, "--require", "circuit.edgs<9"], "circuit.edges"),
        (analyze_main, [__file__, "--require", "formulas.y9.exakt"], "formulas.y9.exact"),
        (analyze_main, [__file__, "--audit", "--require", "audit.modula"], "audit.modular"),
    ],
)
def test_a_mistyped_word_is_answered_by_the_closest(main, words, hint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"hint: did you mean {hint}?\n") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("main", "words", "said"),
    [
        (train_main, ["--steps", "many"], "--steps: expected a whole number from 1, got 'many'"),
        (train_main, ["--hidden", "5", "x"], "--hidden: expected a whole number from 1, got 'x'"),
        (train_main, ["--lr", "fast"], "--lr: expected a number, got 'fast'"),
        (train_main, ["--lr", "0"], "a run needs a learning rate: lr: expected a positive number, got 0.0"),
        (train_main, ["--lr", "inf"], "a run needs a learning rate: lr: expected a positive number, got inf"),
        (analyze_main, ["--order", "3"], "--order: expected a whole number from 1 to 2, got '3'"),
        (analyze_main, ["--time-budget", "0"], "--time-budget: expected a number above 0, got '0'"),
        (train_main, ["--task", "x"], "got --task; hint: TASK stands alone, without --task"),
        (analyze_main, ["--checkpoint=x"], "got --checkpoint; hint: CHECKPOINT stands alone, without --checkpoint"),
    ],
)
def test_what_an_option_takes_is_said(main, words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["independence", *words, "--quiet"]) == 2
    assert capsys.readouterr().err.endswith(f"{said}\n") and not [*tmp_path.iterdir()]


def test_nothing_is_proposed_where_nothing_is_close():
    assert did_you_mean("xyz", ["length"]) == ""
    assert did_you_mean("xyz", ["length"], otherwise="name one") == "name one"
    assert did_you_mean("edgs", ["edges"], before="circuit.") == "did you mean circuit.edges?"
    with pytest.raises(InputError, match="expected raw, both, got xyz; hint: write one"):
        Choice(["raw", "both"]).convert("xyz", None, None)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_once_in_a_group_of_the_help(name):
    command = COMMANDS[name]
    text = command.get_help(click.Context(command))
    sections = re.split(r"^(\S.*):$", text, flags=re.MULTILINE)[1:]
    titles, bodies = sections[::2], sections[1::2]
    assert len(titles) > 4 and titles[-1] == "Other" and "Options" not in titles
    assert [len(re.findall(r"^  --", body, re.MULTILINE)) > 0 for body in bodies] == [True] * len(bodies)
    for option in command.get_params(click.Context(command)):
        if isinstance(option, click.Option):
            word = re.escape(option.opts[0])
            assert sum(len(re.findall(rf"^  {word}\b(?!-)", body, re.MULTILINE)) for body in bodies) == 1


def test_the_names_that_options_take_are_listed_with_a_sentence_each(capsys):
    assert train_main(["--list-names"]) == analyze_main(["--list-names"]) == 0
    said = capsys.readouterr().out
    assert re.findall(r"^--\S+", said, re.MULTILINE) == [
        "--model", "--cost-term", "--log-to", "--edge-weight", "--null-model", "--statistic", "--measure", "--loss",
        "--graph",
        "--export",
    ]  # fmt: skip
    assert re.search(r"^  rnn +h_t = activation\(", said, re.MULTILINE)
    assert re.search(r"^  magnitude +An edge is as strong as its weight is large\.$", said, re.MULTILINE)


def test_the_table_of_tasks_has_what_each_task_says_of_itself(capsys):
    assert train_main(["--list-tasks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines[1 : 1 + len(TASKS.names())]}
    assert tuple(rows) == TASKS.names()
    assert rows["composition"].split()[1:5] == ["4", "1", "0.22", "s"]
    assert rows["language"].split()[1:4] == ["-", "-", "-"]
    for entry in TASKS.entries():
        assert entry.sentence in rows[entry.name] and entry.reads in rows[entry.name]


def measured(task: str) -> float | None:
    """Seconds a seed that the table of results states: in a sentence, in a row of bimt, or for 16 seeds."""
    text = RESULTS.read_text()
    training = text.partition("\n## Training\n")[2].partition("\n## ")[0]
    if found := re.search(rf"^\| {task} \| ([\d.]+) s \|", training, re.MULTILINE):
        return float(found[1]) / 16
    section = text.partition(f"\n## Task {task}\n")[2].partition("\n## ")[0]
    if found := re.search(r"\b([\d.]+) s a seed", section):
        return float(found[1])
    head, row = (re.search(rf"^\| {word} \|.*", section, re.MULTILINE) for word in ("type", "bimt"))
    if head is None or row is None:
        return None
    cells = dict(zip(head[0].split(" | "), row[0].split(" | "), strict=True))
    return float(next(value for name, value in cells.items() if name.startswith("a seed")).split()[0])


def test_seconds_of_a_seed_are_those_of_the_measured_results():
    for entry in TASKS.entries():
        seconds = measured(entry.name)
        assert entry.seconds == (None if seconds is None else pytest.approx(seconds, rel=0.1)), entry.name


@pytest.mark.parametrize("package", ["bimt_train", "bimt_analyze"])
def test_the_version_is_read_when_it_is_asked_for(package):
    code = (
        f"import sys, {package}; before = 'importlib.metadata' in sys.modules\n"
        f"print(before, {package}.__version__, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", version("bimt"), "False"]


@pytest.mark.parametrize("package", ["bimt_train", "bimt_analyze"])
def test_the_package_runs_as_its_command(package):
    name = package.replace("_", "-")
    words = [[str(Path(sys.executable).parent / name)], [sys.executable, "-m", package]]
    said = [subprocess.run([*each, "--sead"], capture_output=True, text=True, check=False) for each in words]
    assert {(one.returncode, one.stdout, one.stderr) for one in said} == {
        (2, "", said[0].stderr)
    } and "no such option: got --sead" in said[0].stderr
