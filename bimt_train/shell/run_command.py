"""How a command runs: its exit status, and errors of one line."""

import atexit
import gc
import sys
from collections.abc import Sequence

import click

from .._errors import InputError
from ..extras import MissingExtra, explained
from ..signals import INTERRUPTED
from .words import spread_options

OK = 0
"""Exit status: done."""
UNMET = 1
"""Exit status: a requirement does not hold."""
BAD_INPUT = 2
"""Exit status: bad input, said in one line."""


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
    except click.NoSuchOption as error:
        return _refuse(str(InputError("no such option", got=error.option_name, hint=_meant(error, command))))
    except click.UsageError as error:
        return _refuse(str(InputError(error.format_message().rstrip("."), hint=f"see {command.name} --help")))
    except click.Abort:
        return _refuse("interrupted", INTERRUPTED)
    except InputError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        found = explained(error, command.name or "the command")
        if not isinstance(found, MissingExtra):
            raise
        return _refuse(str(found))
    except OSError as error:
        return _refuse(str(InputError(str(error))))
    return int(status or OK)


def _meant(error: click.NoSuchOption, command: click.Command) -> str:
    """What an option that does not exist may have meant: an argument, which has no dashes, or an option like it."""
    word = error.option_name.lstrip("-").partition("=")[0]
    if any(isinstance(one, click.Argument) and word == one.name for one in command.params):
        return f"{word.upper()} stands alone, without --{word}"
    near = (error.possibilities or [""])[0]
    return f"did you mean {near}?" if near else f"see {command.name} --help"


def _look_for_garbage_less_often() -> None:
    """Spare the libraries' million objects, which live as long as the process: a third of a short command's time."""
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


def _refuse(line: str, status: int = BAD_INPUT) -> int:
    sys.stderr.write(" ".join(f"error: {line}".split()) + "\n")
    return status
