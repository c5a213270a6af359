"""The page over a fleet: one table, which is sorted by the choice of a column, without a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

import jinja2

from ._member import Member
from ._tables import WORDS, records

Record = Mapping[str, Any]


@dataclass(frozen=True)
class _Column:
    key: str
    label: str
    shows: Callable[[Record], str]
    sorts: Callable[[Record], Any]  # None is last
    number: bool = True


def _plain(key: str) -> _Column:
    return _Column(key, key, lambda row: "–" if row[key] is None else str(row[key]), lambda row: row[key])


def _chance(key: str) -> _Column:
    return _Column(key, key, lambda row: "–" if row[key] is None else f"{row[key]:.3f}", lambda row: row[key])


def _yes(key: str, label: str) -> _Column:
    def sorts(row: Record) -> int | None:
        return None if row[key] is None else -int(row[key])

    return _Column(key, label, lambda row: WORDS[row[key]].replace("-", "–"), sorts, number=False)


def _share(key: str, of: str, label: str) -> _Column:
    def sorts(row: Record) -> tuple[int, int] | None:
        return (row[key] - row[of], -row[of]) if row[of] else None

    return _Column(key, label, lambda row: f"{row[key]} of {row[of]}" if row[of] else "–", sorts)


COLUMNS = (
    _Column("network", "network", lambda row: row["network"] or "", lambda row: row["network"], number=False),
    _plain("edges"),
    _plain("modules"),
    _yes("modular", "modular"),
    _chance("p"),
    _chance("q"),
    _yes("matches", "matches"),
    _share("exact", "formulas", "exact formulas"),
    _share("gates_held", "gates", "gates"),
    _Column("reason", "not analysed", lambda row: row["reason"] or "", lambda row: row["reason"], number=False),
)


def render_index(members: Sequence[Member], statement: str) -> str:
    """One page that needs nothing else: a row a file, each with a link to its report.

    Parameters
    ----------
    members : sequence of Member
        All files.
    statement : str
        What came of them, in one line.

    Returns
    -------
    str
        The page.
    """
    rows = records(members)
    name = _Column("name", "file", lambda row: row["name"], lambda row: row["name"].casefold(), number=False)
    ranks = {"given": range(len(rows))} | {column.key: _ranks(column, rows) for column in (name, *COLUMNS)}
    lines = [
        {
            "name": row["name"],
            "source": row["source"],
            "link": None if row["failure"] else quote(f"{row['name']}.html"),
            "missed": [finding.line for finding in member.missed],
            "failed": row["failure"] is not None,
            "cells": [(column, column.shows(row)) for column in COLUMNS],
            "ranks": {key: ranked[place] for key, ranked in ranks.items()},
        }
        for place, (row, member) in enumerate(zip(rows, members, strict=True))
    ]
    orders = {"given": "as given", "name": "file"} | {column.key: column.label for column in COLUMNS}
    return _environment().get_template("index.html").render(
        statement=statement, lines=lines, columns=(name, *COLUMNS), orders=orders
    )  # fmt: skip


def _ranks(column: _Column, rows: Sequence[Record]) -> list[int]:
    """The place of each row when they are sorted by a column; rows without a value are last, equal ones as given."""
    values = [column.sorts(row) for row in rows]
    known = sorted((place for place, value in enumerate(values) if value is not None), key=lambda place: values[place])
    order = [*known, *(place for place, value in enumerate(values) if value is None)]
    ranks = [0] * len(rows)
    for rank, place in enumerate(order):
        ranks[place] = rank
    return ranks


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("bimt_analyze.fleet", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
