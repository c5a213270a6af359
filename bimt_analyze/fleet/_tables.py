"""A fleet as rows: for the terminal, for spreadsheets, for programs."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from ._member import Member, q_values

WORDS = {None: "-", True: "yes", False: "no"}
COLUMNS = (
    "name", "source", "network", "edges", "modules", "modular", "p", "q", "matches", "exact", "formulas",
    "gates_held", "gates", "failure", "reason",
)  # fmt: skip


LONGEST = 40  # letters of a name in the terminal


def records(members: Sequence[Member]) -> list[dict[str, Any]]:
    """One record a file, with `COLUMNS` as keys; what is not known is None.

    Parameters
    ----------
    members : sequence of Member
        All files, over which q is computed.

    Returns
    -------
    list of dict
        In the order given.
    """
    qs = q_values([None if member.outcome is None else member.outcome.p for member in members])
    return [_record(member, q) for member, q in zip(members, qs, strict=True)]


def _record(member: Member, q: float | None) -> dict[str, Any]:
    found, why = member.outcome, member.failure
    record: dict[str, Any] = dict.fromkeys(COLUMNS) | {"name": member.name, "source": member.source}
    if why is not None:
        return record | {"failure": why.kind, "reason": why.reason}
    assert found is not None
    gates = {"gates_held": len(member.findings) - len(member.missed), "gates": len(member.findings)}
    fields = ("edges", "modules", "modular", "p", "matches", "exact", "formulas")
    return record | {
        "source": found.source, "network": found.summary[0] if found.summary else "", "q": q, **gates,
        **{name: getattr(found, name) for name in fields},
    }  # fmt: skip


def to_csv(members: Sequence[Member]) -> str:
    """A table for spreadsheets, with `COLUMNS` in its first line.

    Parameters
    ----------
    members : sequence of Member
        All files.

    Returns
    -------
    str
        The text of the file.
    """
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for record in records(members):
        rows.writerow({name: "" if value is None else _plain(value) for name, value in record.items()})
    return text.getvalue()


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _ends(name: str) -> str:
    """A name, or its two ends: files are told apart by either."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2 - 1]}...{name[2 - LONGEST // 2 :]}"


def to_text(members: Sequence[Member]) -> str:
    """One line a file, for the terminal.

    Where several have a p, q is p after Benjamini and Hochberg: the share of false ones to expect among all that are
    called significant at this q or below.

    Parameters
    ----------
    members : sequence of Member
        All files.

    Returns
    -------
    str
        The table.
    """
    wide = min(LONGEST, max(10, *(len(member.name) for member in members)))
    audited = any(member.outcome is not None and member.outcome.modular is not None for member in members)
    modular = f"  {'modular':>7}" if audited else ""
    head = f"{'checkpoint':<{wide}}  {'edges':>5}  {'modules':>7}{modular}  {'p':>6}  {'q':>6}"
    lines = [f"{head}  {'matches':>8}  exact formulas"]
    for row in records(members):
        name = f"{_ends(row['name']):<{wide}}"
        if row["failure"] is not None:
            lines.append(f"{name}  {row['failure']}: {row['reason']}")
            continue
        verdict = f"  {WORDS[row['modular']]:>7}" if audited else ""
        chance = "  ".join("-".rjust(6) if row[key] is None else f"{row[key]:>6.3f}" for key in ("p", "q"))
        lines.append(
            f"{name}  {row['edges']:>5}  {row['modules']:>7}{verdict}  {chance}  "
            f"{WORDS[row['matches']]:>8}  {row['exact']} of {row['formulas']}"
        )
    return "\n".join(lines)
