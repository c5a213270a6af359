"""The words of a command line: options that take several values, and pairs of a name and a value."""

import json
from collections.abc import Sequence
from typing import Any

from .._errors import InputError

_FEW = 8  # names that a line has room for


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


def few_names(names: Sequence[Any]) -> str:
    """Name a few things, or the first, the last and how many there are.

    Parameters
    ----------
    names : sequence
        At least one.

    Returns
    -------
    str
        All of up to eight names.

    Examples
    --------
    >>> few_names(["x1", "x2"]), few_names(range(100))
    ('x1, x2', '0 ... 99 (100)')
    """
    return ", ".join(map(str, names)) if len(names) <= _FEW else f"{names[0]} ... {names[-1]} ({len(names)})"
