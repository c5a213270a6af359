"""Reading which names are made of which: ``"y1: x1 x3; y2: x2 x4"``."""

import re

from .._errors import TaskError

EXAMPLE = "'y1: x1 x3; y2: x2 x4'"


def read_grouping(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read the statements of a grouping.

    Parameters
    ----------
    text : str
        Statements parted by ``;``, each a name or several, a colon, and the names that each of them is made of. Names
        are parted by spaces or commas.

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
    >>> read_grouping("f: x1 x2; y1 y2: f x3")
    (('f', ('x1', 'x2')), ('y1', ('f', 'x3')), ('y2', ('f', 'x3')))
    """
    stated: list[tuple[str, tuple[str, ...]]] = []
    for statement in filter(str.strip, text.split(";")):
        left, colon, right = statement.partition(":")
        names, needed = _names(left), _names(right)
        if not colon or not names or ":" in right:
            raise TaskError("cannot read the decomposition", where=repr(statement.strip()), expected=EXAMPLE)
        stated += [(name, needed) for name in names]
    if not stated:
        raise TaskError("an empty decomposition", expected=EXAMPLE, got=repr(text))
    return tuple(stated)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, dict.fromkeys(re.split(r"[\s,]+", text.strip()))))
