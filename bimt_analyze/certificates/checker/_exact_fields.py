"""The fields of a certificate's JSON: exact numbers, and one line for whatever is not as it should be."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._form import Array


class Refused(ValueError):
    """A certificate that does not show what it says; the message says why in one line."""


def must(condition: Any, otherwise: str) -> None:
    """Refuse unless a condition is true.

    Parameters
    ----------
    condition : bool
        What must hold.
    otherwise : str
        Why the certificate is refused where it does not.
    """
    if not condition:
        raise Refused(otherwise)


def fields(data: Any, names: Sequence[str], where: str) -> dict[str, Any]:
    """A JSON object with exactly these fields.

    Parameters
    ----------
    data : object
        What JSON gave.
    names : sequence of str
        The fields.
    where : str
        What the object is, for the message.
    """
    must(isinstance(data, dict), f"{where} is no object")
    for name in (*names, *data):
        must(name in data, f"{where} without {name!r}")
        must(name in names, f"{where} with an unknown field {name!r}")
    return dict(data)


def numbers(text: Any, count: int | None) -> Array:
    """Exact and finite numbers.

    Parameters
    ----------
    text : object
        The numbers as Python's ``float.hex`` writes them, with a space between.
    count : int or None
        How many there must be; None for one or more.
    """
    must(isinstance(text, str), "numbers that are no text")
    try:
        found = [float.fromhex(word) for word in text.split()]
    except (ValueError, OverflowError):
        raise Refused(f"numbers that cannot be read: {text[:60]!r}") from None
    must(written(found) == text, f"numbers in another form than float.hex: {text[:60]!r}")
    must(np.isfinite(found).all(), "numbers that are not finite")
    must(len(found) == count or (count is None and found), f"{len(found)} numbers where {count} are expected")
    return np.array(found)


def number(text: Any) -> float:
    """One exact number.

    Parameters
    ----------
    text : object
        The number as Python's ``float.hex`` writes it.
    """
    return float(numbers(text, 1)[0])


def written(values: Any) -> str:
    """Numbers as `numbers` reads them.

    Parameters
    ----------
    values : iterable of float
        The numbers.
    """
    return " ".join(float(value).hex() for value in values)


def names(data: Any, where: str) -> tuple[str, ...]:
    """Names that differ and can stand in a formula.

    Parameters
    ----------
    data : object
        A list of text, from JSON.
    where : str
        What is named, for the message.
    """
    must(isinstance(data, list) and data, f"{where} is no list of names")
    must(
        all(isinstance(name, str) and name.isidentifier() and name not in ("pi", "E") for name in data), f"bad {where}"
    )
    must(len(set(data)) == len(data), f"a name twice among {where}")
    return tuple(data)


def canonical(data: Any) -> bytes:
    """The one way to write JSON here: one field a line, sorted.

    Parameters
    ----------
    data : object
        What JSON can hold.
    """
    return (json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def digest(data: Any) -> str:
    """SHA-256 of the JSON.

    Parameters
    ----------
    data : object
        What JSON can hold.
    """
    return hashlib.sha256(canonical(data)).hexdigest()
