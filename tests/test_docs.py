"""Every snippet of the README runs, and every command in it is one that the programs understand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bimt_analyze._cli import command as analyze_command
from bimt_train._cli import command as train_command
from bimt_train.shell import spread_options

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippets_run(snippet, tmp_path):
    quick = snippet.replace("seeds=16)", "seeds=2, recipe=__import__('bimt_train').Recipe(steps=200))")
    done = subprocess.run([sys.executable, "-c", quick], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_way_from_python_is_under_ten_lines():
    assert len(SNIPPETS[0].strip().splitlines()) < 10


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line):
    name, *words = shlex.split(line, comments=True)
    command = {"bimt-train": train_command, "bimt-analyze": analyze_command}[name]
    given = spread_options(words, ["--target"])
    assert command.make_context(name, given, resilient_parsing=False).params


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^    |`)make ([a-z]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_files_the_readme_links_exist():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
