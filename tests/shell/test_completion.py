"""What the tab key completes, as the shell asks for it, and the script that the shell is given."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bimt_analyze._cli import command as analyze
from bimt_train._cli import command as train
from bimt_train.tasks import TASKS


def completed(command, words, incomplete):
    from click.shell_completion import ShellComplete

    name = command.name
    return [item.value for item in ShellComplete(command, {}, name, "").get_completions(words, incomplete)]


@pytest.mark.parametrize(
    ("command", "words", "incomplete", "found"),
    [
        (train, [], "", list(TASKS.names())),
        (train, [], "in", ["independence", "in-context"]),
        (train, ["independence"], "--st", ["--steps"]),
        (train, ["independence", "--model"], "em", ["embedding-mlp"]),
        (train, ["independence", "--type"], "l1+", ["l1+local", "l1+swap"]),
        (analyze, ["f.pt", "--edge-weight"], "ma", ["magnitude"]),
        (analyze, ["f.pt", "--null-model"], "w", ["weight_permutation"]),
        (analyze, ["f.pt", "--standardize"], "in", ["inputs"]),
    ],
)
def test_options_and_names_are_completed(command, words, incomplete, found):
    assert completed(command, words, incomplete) == found


@pytest.mark.parametrize("name", ["bimt-train", "bimt-analyze"])
def test_the_shell_is_given_its_script_as_the_docs_say(name):
    variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
    assert variable in (Path(__file__).resolve().parents[2] / "docs" / "shell.md").read_text()
    script = str(Path(sys.executable).parent / name)
    done = subprocess.run([script], env=os.environ | {variable: "zsh_source"}, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"#compdef {name}")
