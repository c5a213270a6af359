"""What both command lines share: options that take several values, and errors of one line."""

import sys
from collections.abc import Sequence

import click

from ._errors import InputError

OK, UNMET, BAD_INPUT = 0, 1, 2


def spread_options(words: Sequence[str], several: Sequence[str]) -> list[str]:
    """Let an option take several values: ``--target a b`` becomes ``--target a --target b``.

    The values end at the next option, or at ``--``.

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


def run(command: click.Command, words: Sequence[str] | None, *, several: Sequence[str] = ()) -> int:
    """Run a command on the words of a command line and return its exit status.

    Bad input (`InputError`, a file that cannot be read or written, a wrong option) is one line on standard error and
    status 2, never a traceback.
    """
    given = spread_options(sys.argv[1:] if words is None else words, several)
    try:
        status = command.main(args=given, prog_name=command.name, standalone_mode=False)
    except click.UsageError as error:
        return _refuse(f"{error.format_message()}; mend: see {command.name} --help")
    except click.Abort:
        return _refuse("interrupted")
    except (InputError, OSError) as error:
        return _refuse(str(error))
    return int(status or OK)


def _refuse(line: str) -> int:
    sys.stderr.write(" ".join(f"error: {line}".split()) + "\n")
    return BAD_INPUT
