"""The options that give a shell its script of completion: to print it, or to put it where the shell finds it."""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .._errors import InputError
from ..did_you_mean import did_you_mean
from ..whole_files import write_whole
from .options import OTHER, CommandFunction, Option

CURRENT = "your own"  # the value of an option that is given without one


@dataclass(frozen=True)
class _Shell:
    """Where a shell looks for completion: a script, and a line that reads it in the shell's start file, if needed."""

    script: Callable[[str], Path]
    start: Callable[[], Path] | None = None
    before: str = ""  # what stands above click's script


def _home(variable: str, *otherwise: str) -> Path:
    """The folder that a variable of the environment names; else one below the user's home."""
    said = os.environ.get(variable)
    return Path(said) if said else Path.home().joinpath(*otherwise)


def _data(name: str) -> Path:
    return _home("XDG_DATA_HOME", ".local", "share") / "bimt" / "completion" / name


SHELLS = {
    "bash": _Shell(lambda name: _data(f"{name}.bash"), lambda: Path.home() / ".bashrc"),
    "zsh": _Shell(
        lambda name: _data(f"{name}.zsh"),
        lambda: _home("ZDOTDIR") / ".zshrc",
        "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }\n",
    ),
    "fish": _Shell(lambda name: _home("XDG_CONFIG_HOME", ".config") / "fish" / "completions" / f"{name}.fish"),
}


def completion_options(command: CommandFunction) -> CommandFunction:
    """Add ``--install-completion`` and ``--show-completion`` to a command.

    Parameters
    ----------
    command : callable
        The function of the command.

    Returns
    -------
    callable
        The function, with the options.

    Examples
    --------
    >>> @click.command("count")
    ... @completion_options
    ... def count() -> None: ...
    >>> count.main(["--show-completion", "fish"], standalone_mode=False)  # doctest: +ELLIPSIS
    function _count_completion;
    ...
    """
    about: dict[str, Any] = {
        "is_flag": False, "flag_value": CURRENT, "metavar": "[SHELL]", "is_eager": True, "expose_value": False,
        "cls": Option, "group": OTHER, "show_default": False,
    }  # fmt: skip
    names = ", ".join(SHELLS)
    shown = click.option("--show-completion", callback=_show, help="Print the shell's script of completion.", **about)
    told = f"Let the tab key complete options and names in {names}; your own shell if none is named."
    return click.option("--install-completion", callback=_install, help=told, **about)(shown(command))


def _show(context: click.Context, option: click.Parameter, said: str | None) -> None:
    if said is not None:
        click.echo(_script(context.command, _named(said, option)), nl=False)
        context.exit()


def _install(context: click.Context, option: click.Parameter, said: str | None) -> None:
    if said is not None:
        click.echo(install_completion(context.command, _named(said, option)))
        context.exit()


def _named(said: str, option: click.Parameter) -> str:
    """The name of the shell that is meant."""
    name = Path(os.environ.get("SHELL", "")).name if said == CURRENT else said
    if name not in SHELLS:
        expected = ", ".join(SHELLS)
        hint = did_you_mean(name, SHELLS, otherwise=f"{option.opts[0]} bash")
        raise InputError("a shell without completion", where=option.opts[0], expected=expected, got=name, hint=hint)
    return name


def _script(command: click.Command, shell: str) -> str:
    from click.shell_completion import get_completion_class

    name = str(command.name)
    made = get_completion_class(shell)
    assert made is not None  # click knows the shells above
    source = made(command, {}, name, f"_{name.replace('-', '_').upper()}_COMPLETE").source()
    return f"{SHELLS[shell].before}{source.strip()}\n"


def install_completion(command: click.Command, shell: str) -> str:
    """Put the script of completion where the shell finds it. Done again, it changes nothing.

    Parameters
    ----------
    command : click.Command
        What is completed.
    shell : str
        One of `SHELLS`.

    Returns
    -------
    str
        One line: what was written, and how to undo it.

    Raises
    ------
    InputError
        A file cannot be written.
    """
    place, text = SHELLS[shell], _script(command, shell)
    script = place.script(str(command.name))
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        write_whole(script, text)
        if place.start is None:
            return f"{command.name} is completed in new {shell} shells by {script}; to undo, delete that file"
        start, line = place.start(), f"source {shlex.quote(str(script))}  # completion of {command.name}"
        before = start.read_bytes() if start.exists() else b""
        if line.encode() not in before.splitlines():
            with start.open("ab") as file:  # which may be a link, and keeps its rights
                file.write((b"" if before.endswith(b"\n") or not before else b"\n") + line.encode() + b"\n")
    except OSError as error:
        reason = str(error.strerror or error)
        raise InputError("completion cannot be installed", where=str(error.filename or script), got=reason) from error
    undo = "to undo, delete that file and that line"
    return f"{command.name} is completed in new {shell} shells by {script}, which a line in {start} reads; {undo}"
