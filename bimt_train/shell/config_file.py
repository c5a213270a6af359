"""Options from a TOML file, and the file that repeats a command."""

import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from .._errors import InputError
from .._version import __version__
from ..did_you_mean import did_you_mean
from .options import CommandFunction, Option


def config_option(group: str) -> Callable[[CommandFunction], CommandFunction]:
    """A decorator that adds ``--config``: values of options from a TOML file, where the command line has none.

    A key of the file is the name of an option without its dashes, or of an argument. A flag is true or false; an option
    that can be given several times takes a list.

    Parameters
    ----------
    group : str
        The heading of the help.

    Returns
    -------
    callable
        The decorator.

    Examples
    --------
    >>> import tempfile
    >>> @click.command("count")
    ... @click.option("--seeds", type=int)
    ... @config_option("Files")
    ... def count(seeds: int) -> None:
    ...     click.echo(seeds)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "run.toml"
    ...     _ = file.write_text("seeds = 3")
    ...     count.main(["--config", str(file)], standalone_mode=False)
    ...     count.main(["--config", str(file), "--seeds", "4"], standalone_mode=False)
    3
    4
    """
    return click.option(
        "--config", type=click.Path(path_type=Path), metavar="TOML", is_eager=True, expose_value=False,
        callback=_take, cls=Option, group=group,
        help="Take options from this file, as seeds = 8; those of the command line win.",
    )  # fmt: skip


def _take(context: click.Context, option: click.Parameter, path: Path | None) -> None:
    """Make the values of a file the defaults of this call."""
    if path is None:
        return
    known = {_key(each): each for each in context.command.params if each.expose_value}
    found: dict[str, Any] = {}
    for key, value in _read(path).items():
        if key not in known:
            hint = did_you_mean(key, known, otherwise=f"see {context.command.name} --help")
            raise InputError("no such option", where=str(path), expected=", ".join(known), got=key, hint=hint)
        found[str(known[key].name)] = _value(context, known[key], value, f"{path}, {key}")
    context.default_map = found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        what = "options that cannot be read"
        raise InputError(what, where=str(path), got=error.strerror or "", hint="correct the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = 'write a line an option: seeds = 8, or out = "runs/mine"'
        raise InputError("not a file of options in TOML", where=str(path), got=str(error), hint=hint) from None


def _key(parameter: click.Parameter) -> str:
    """The parameter's name in a file: its long option without dashes."""
    return max(parameter.opts, key=len).lstrip("-")


def _value(context: click.Context, parameter: click.Parameter, value: Any, where: str) -> Any:
    """The words that the command line would have, checked as it does."""
    depth = int(parameter.nargs != 1) + int(bool(parameter.multiple))
    words = _words(value, where)
    for _ in range(depth - _depth(words)):
        words = [words]
    try:
        parameter.type_cast_value(context, words)
    except click.BadParameter as error:  # of an argument
        raise InputError("a value that the option does not take", where=where, got=error.message) from None
    except InputError as error:
        raise InputError(error.what, where=where, expected=error.expected, got=error.got, hint=error.hint) from None
    return words


def _words(value: Any, where: str) -> Any:
    """A value as the words of a command line: numbers become text, so that 1.5 seeds are refused as there."""
    if isinstance(value, list):
        return [_words(each, where) for each in value]
    if not isinstance(value, str | int | float):
        expected, got = "a text, a number, true, false, or a list", type(value).__name__
        raise InputError("a value that no option takes", where=where, expected=expected, got=got)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _depth(words: Any) -> int:
    """How many lists lie in each other."""
    return 1 + max(map(_depth, words), default=0) if isinstance(words, list) else 0


def config_text(context: click.Context, *, without: Collection[str] = ()) -> str:
    """The options of a call as TOML, from which ``--config`` repeats it.

    Parameters
    ----------
    context : click.Context
        The call.
    without : collection of str
        Keys to leave out, as those that say how to go about it rather than what to do.

    Returns
    -------
    str
        A comment and a line an option; what is not given, and has no default, is left out.

    Examples
    --------
    >>> @click.command("count")
    ... @click.option("--seeds", type=int, default=16)
    ... @click.option("--quiet", is_flag=True)
    ... def count(seeds: int, quiet: bool) -> None:
    ...     click.echo(config_text(click.get_current_context(), without=["quiet"]).splitlines()[-1])
    >>> count.main(["--quiet"], standalone_mode=False)
    seeds = 16
    """
    import tomli_w

    said = {_key(each): context.params[str(each.name)] for each in context.command.params if each.expose_value}
    kept = {key: _plain(value) for key, value in said.items() if key not in without and _is_said(value)}
    name = context.command.name
    comment = f"# {name} --config with this file repeats what was done; paths begin where it is run. bimt {__version__}"
    return f"{comment}\n{tomli_w.dumps(kept)}"


def _is_said(value: Any) -> bool:
    """Not an option that was left out: 0 is a value."""
    return value is not None and value is not False and value != ()


def _plain(value: Any) -> Any:
    """A value as TOML has it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
