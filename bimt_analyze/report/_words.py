"""One line of explanation for each number of a report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

MEANINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    name: str
    value: Any
    meaning: str


def agreement_rows(plain: Mapping[str, Any]) -> tuple[Row, ...]:
    """The scores that have a value, in the order of the record."""
    return tuple(Row(name, value, MEANINGS.get(name, "")) for name, value in _numbers(plain) if value is not None)


def significance_rows(plain: Mapping[str, Any]) -> tuple[Row, ...]:
    """The quantities of the test; none where nothing was tested."""
    return agreement_rows(plain) if plain.get("p") is not None else ()


def _numbers(plain: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in plain.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{path}{name}.")
        elif value is None or isinstance(value, bool | int | float):
            yield path + name, value
