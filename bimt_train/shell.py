"""What the command lines of both packages share: options that take several values, and errors of one line."""

import atexit
import gc
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from ._errors import InputError
from .signals import INTERRUPTED

OK, UNMET, BAD_INPUT = 0, 1, 2


def spread_options(words: Sequence[str], several: Sequence[str]) -> list[str]:
    """Let an option take several values: ``--target a b`` becomes ``--target a --target b``.

    The values end at the next option, or at ``--``.

    Parameters
    ----------
    words : sequence of str
        The words of a command line, without the name of the program.
    several : sequence of str
        The options that may take several values, with their dashes.

    Returns
    -------
    list of str
        The words, with the option repeated before each of its values.

    Examples
    --------
    >>> spread_options(["t.csv", "--target", "a", "b", "--steps", "5"], ["--target"])
    ['t.csv', '--target', 'a', '--target', 'b', '--steps', '5']
    """
    spread: list[str] = []
    option, taken = "", 0
    for place, word in enumerate(words):
        if word == "--":
            return spread + list(words[place + 1 if option else place :])
        if word in several:
            option, taken = word, 0
        elif option and not (word.startswith("-") and not _is_number(word)):
            spread.append(option) if taken else None
            taken += 1
        else:
            option = ""
        spread.append(word)
    return spread


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def assignments(words: Sequence[str], option: str) -> dict[str, Any]:
    """Read words like ``hidden=20`` as names and values.

    Parameters
    ----------
    words : sequence of str
        ``KEY=VALUE`` each. A value that is JSON is read as such, any other is text.
    option : str
        The option that the words were given to, for the message.

    Returns
    -------
    dict of str to object
        Names and values; of one name the last value.

    Raises
    ------
    InputError
        A word without an equals sign or a name.

    Examples
    --------
    >>> assignments(["hidden=[20,20]", "activation=relu"], "--model-option")
    {'hidden': [20, 20], 'activation': 'relu'}
    """
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise InputError(
                f"{option} needs a name and a value", expected="KEY=VALUE", got=word, hint=f"{option} hidden=20"
            )
        try:
            found[key] = json.loads(text)
        except json.JSONDecodeError:
            found[key] = text
    return found


def run(command: click.Command, words: Sequence[str] | None, *, several: Sequence[str] = ()) -> int:
    """Run a command on the words of a command line and return its exit status.

    Bad input (`InputError`, a file that cannot be read or written, a wrong option) is one line on standard error and
    status 2, never a traceback. After Ctrl-C the status is 130.

    Parameters
    ----------
    command : click.Command
        What to run. The integer that it returns is the exit status; None means 0.
    words : sequence of str or None
        The words after the program's name; None takes them from ``sys.argv``.
    several : sequence of str, optional
        The options that may take several values, as `spread_options` takes them.

    Returns
    -------
    int
        0 if all went well, 1 if a requirement does not hold, 2 for bad input, 130 after Ctrl-C.

    Examples
    --------
    >>> @click.command("count")
    ... @click.argument("letters", nargs=-1)
    ... def count(letters: tuple[str, ...]) -> int:
    ...     return 0 if len(letters) < 3 else 1
    >>> run(count, ["a", "b"]), run(count, ["a", "b", "c"])
    (0, 1)
    """
    if words is None:  # the process is this command's own
        _look_for_garbage_less_often()
    given = spread_options(sys.argv[1:] if words is None else words, several)
    try:
        status = command.main(args=given, prog_name=command.name, standalone_mode=False)
    except click.UsageError as error:
        return _refuse(f"{error.format_message()}; hint: see {command.name} --help")
    except click.Abort:
        return _refuse("interrupted", INTERRUPTED)
    except InputError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(str(InputError(str(error))))
    return int(status or OK)


def _look_for_garbage_less_often() -> None:
    """Spare the libraries' million objects, which live as long as the process: a third of a short command's time."""
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


def _refuse(line: str, status: int = BAD_INPUT) -> int:
    sys.stderr.write(" ".join(f"error: {line}".split()) + "\n")
    return status
