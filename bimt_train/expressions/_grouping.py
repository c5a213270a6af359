"""Reading which names are made of which: ``"y1: x1 x3; y2: x2 x4"``."""

import re

from .._errors import TaskError

EXAMPLE = "'y1: x1 x3; y2: x2 x4'"


def read_grouping(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read the statements of a grouping.

    Parameters
    ----------
    text : str
        Statements parted by ``;``, each a name, a colon, and the names it is made of, parted by spaces or commas.

    Returns
    -------
    tuple of (str, tuple of str)
        Each name and what it is made of, each of these once.

    Raises
    ------
    TaskError
        A statement has no name, no colon or several, or there is no statement.

    Examples
    --------
    >>> read_grouping("y1: x1, x3; y2: x2")
    (('y1', ('x1', 'x3')), ('y2', ('x2',)))
    """
    stated: list[tuple[str, tuple[str, ...]]] = []
    for statement in filter(str.strip, text.split(";")):
        name, colon, needed = statement.partition(":")
        if not colon or not name.strip() or ":" in needed:
            raise TaskError("cannot read the decomposition", where=repr(statement.strip()), expected=EXAMPLE)
        stated.append((name.strip(), tuple(filter(None, dict.fromkeys(re.split(r"[\s,]+", needed.strip()))))))
    if not stated:
        raise TaskError("an empty decomposition", expected=EXAMPLE, got=repr(text))
    return tuple(stated)
