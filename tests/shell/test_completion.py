"""What the tab key completes, as the shell asks for it, and the script that the shell is given."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bimt_analyze._cli import command as analyze
from bimt_analyze._cli import main as analyze_main
from bimt_train._cli import command as train
from bimt_train._cli import main as train_main
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
        (train, ["independence", "--type"], "bimt", ["bimt", "bimt+reuse"]),
        (analyze, ["f.pt", "--edge-weight"], "ma", ["magnitude"]),
        (analyze, ["f.pt", "--null-model"], "w", ["weight_permutation"]),
        (analyze, ["f.pt", "--standardize"], "in", ["inputs"]),
    ],
)
def test_options_and_names_are_completed(command, words, incomplete, found):
    assert completed(command, words, incomplete) == found


COMMANDS = {"bimt-train": train_main, "bimt-analyze": analyze_main}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's home, with start files as they may be."""
    home = tmp_path / "my home"
    (home / "dotfiles").mkdir(parents=True)
    (home / "dotfiles" / "bashrc").write_text("alias ll='ls -l'")  # without a line end
    (home / "dotfiles" / "bashrc").chmod(0o600)
    (home / ".bashrc").symlink_to(home / "dotfiles" / "bashrc")
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("shell", "script", "start"),
    [
        ("bash", ".local/share/bimt/completion/{}.bash", ".bashrc"),
        ("zsh", ".local/share/bimt/completion/{}.zsh", ".zshrc"),
        ("fish", ".config/fish/completions/{}.fish", None),
    ],
)
def test_completion_is_installed_once_and_says_where(home, capsys, name, shell, script, start):
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    assert COMMANDS[name](["--install-completion", shell]) == 0
    said = capsys.readouterr().out
    written = home / script.format(name)
    assert said.count("\n") == 1 and str(written) in said and "to undo, delete" in said
    assert COMMANDS[name](["--show-completion", shell]) == 0
    assert capsys.readouterr().out == written.read_text()
    after = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    assert COMMANDS[name](["--install-completion", shell]) == 0
    assert capsys.readouterr().out == said
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == after
    changed = {file.resolve() for file, content in after.items() if before.get(file) != content}
    assert changed == {written.resolve()} | ({(home / start).resolve()} if start else set())
    if start:
        assert str(home / start) in said and (home / start).read_text().count(f"# completion of {name}\n") == 1


def test_the_start_file_keeps_what_it_had(home):
    for main in COMMANDS.values():
        assert main(["--install-completion", "bash"]) == 0
    lines = (home / ".bashrc").read_text().splitlines()
    assert lines[0] == "alias ll='ls -l'" and len(lines) == 3
    assert (home / ".bashrc").is_symlink() and (home / "dotfiles" / "bashrc").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_after_the_installation(home):
    assert train_main(["--install-completion", "bash"]) == 0
    asked = """
        source ~/.bashrc && COMP_WORDS=(bimt-train independence --st) && COMP_CWORD=2
        $(complete -p bimt-train | sed 's/.*-F \\([^ ]*\\).*/\\1/') bimt-train; echo "${COMPREPLY[@]}"
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", asked], env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.stdout.split() == ["--steps"], done.stderr


def test_the_shell_is_the_users_own_if_none_is_named(home, monkeypatch, capsys):
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert train_main(["--show-completion"]) == 0
    assert capsys.readouterr().out.startswith("function _bimt_train_completion;")
    for shell, word in (("/bin/tcsh", "tcsh"), ("", "")):
        monkeypatch.setenv("SHELL", shell)
        assert analyze_main(["--install-completion"]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1 and "expected bash, zsh, fish" in line and word in line
    assert train_main(["--install-completion", "bsh"]) == 2
    assert "did you mean bash?" in capsys.readouterr().err
    assert not (home / ".local").exists()


def test_a_home_that_cannot_be_written_is_one_line(home, capsys):
    (home / ".local").write_text("a file")
    assert train_main(["--install-completion", "bash"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "completion cannot be installed" in line
    assert (home / ".bashrc").read_text() == "alias ll='ls -l'"


def test_places_that_the_environment_names(home, tmp_path, monkeypatch, capsys):
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        (tmp_path / variable).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for shell in ("zsh", "fish"):
        assert train_main(["--install-completion", shell]) == 0
    found = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("bimt-train.*")}
    assert found == {"XDG_DATA_HOME/bimt/completion/bimt-train.zsh", "XDG_CONFIG_HOME/fish/completions/bimt-train.fish"}
    assert (tmp_path / "ZDOTDIR" / ".zshrc").is_file() and not (home / ".zshrc").exists()
