"""Reading texts from JSON, where a value of another type is an error."""

from typing import Any


def as_text(value: Any) -> str:
    """Return ``value`` if it is text, for reading JSON; otherwise raise a TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def as_names(value: Any) -> tuple[str, ...]:
    """Return a tuple of texts from ``value``, a JSON list; otherwise raise a TypeError."""
    if isinstance(value, str):
        raise TypeError(f"{value!r} is not a list")
    return tuple(as_text(each) for each in value)
