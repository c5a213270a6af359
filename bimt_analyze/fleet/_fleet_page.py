"""The page over a fleet: one table, which is sorted by the choice of a column, without a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..report.page._templates import page_templates
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
    wide: bool = False  # whether it holds sentences


def _plain(key: str) -> _Column:
    return _Column(key, key, lambda row: "–" if row[key] is None else str(row[key]), lambda row: row[key])


def _sentence(key: str, label: str) -> _Column:
    return _Column(key, label, lambda row: row[key] or "–", lambda row: row[key], number=False, wide=True)


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
    _sentence("network", "network"),
    _plain("edges"),
    _plain("modules"),
    _yes("modular", "modular"),
    _chance("p"),
    _chance("q"),
    _yes("matches", "matches"),
    _share("exact", "formulas", "exact formulas"),
    _share("gates_held", "gates", "gates"),
    _sentence("reason", "not analysed"),
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
        The page. Columns that no row has a value in are left out.
    """
    rows = records(members)
    name = _Column("name", "file", lambda row: row["name"], lambda row: row["name"].casefold(), number=False)
    told = [column for column in COLUMNS if any(column.shows(row) != "–" for row in rows)]
    ranks = {"given": range(len(rows))} | {column.key: _ranks(column, rows) for column in (name, *told)}
    lines = [
        {
            "name": row["name"],
            "source": row["source"],
            "link": None if row["failure"] else quote(f"{row['name']}.html"),
            "missed": [finding.line for finding in member.missed],
            "failed": row["failure"] is not None,
            "cells": [(column, column.shows(row)) for column in told],
            "ranks": {key: ranked[place] for key, ranked in ranks.items()},
        }
        for place, (row, member) in enumerate(zip(rows, members, strict=True))
    ]
    orders = {"given": "as given", "name": "file"} | {column.key: column.label for column in told}
    return page_templates("bimt_analyze.fleet").get_template("index.html").render(
        headline=_headline(rows, statement), lines=lines, columns=(name, *told), orders=orders
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


def _headline(rows: Sequence[Record], statement: str) -> dict[str, Any]:
    """The strip on top: how many files were analysed, how many were modular or match, how many gates hold."""
    done = [row for row in rows if not row["failure"]]
    gated = [row for row in done if row["gates"]]
    held = sum(row["gates_held"] == row["gates"] for row in gated)
    good = len(done) == len(rows) and held == len(gated)
    numbers = [("files analysed", f"{len(done)} of {len(rows)}")]
    for key, label in (("modular", "modular"), ("matches", "match their decomposition")):
        known = [row[key] for row in done if row[key] is not None]
        numbers += [(label, f"{sum(known)} of {len(known)}")] if known else []
    formulas = sum(row["formulas"] for row in done)
    numbers += [("exact formulas", f"{sum(row['exact'] for row in done)} of {formulas}")] if formulas else []
    numbers[1:1] = [("files with all requirements held", f"{held} of {len(gated)}")] if gated else []
    return {
        "question": "What came of each network?",
        "word": "all done" if good else "not all done" if len(done) < len(rows) else "requirements missed",
        "good": good,
        "verdict": f"{statement}.",
        "numbers": numbers[:3],
        "assumed": None,
    }
