"""What every text of a report is made of, and how numbers and names are written in it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..modules._module_names import listed
from ._explanations import agreement_rows, significance_rows
from ._matches_decomposition import modules_line
from .records._report_record import record

if TYPE_CHECKING:
    from ._content import ReportContent


def facts(report: "ReportContent") -> dict[str, Any]:
    """What the templates of all forms name.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    dict of str to object
        ``report``, the record as plain values; the line on modules; the rows of the tables of scores and of tests.
    """
    plain = record(report).model_dump(mode="json")
    return {
        "report": plain,
        "modules_line": modules_line(report.modules, report.matches_decomposition),
        "agreement": agreement_rows(plain["agreement"]),
        "significance": significance_rows(plain["significance"]),
    }


def number(value: Any) -> str:
    """A number as it is read: four significant digits, whole numbers whole; a dash where there is none.

    Parameters
    ----------
    value : object
        A number, a truth value, None, or text, which stays as it is.

    Examples
    --------
    >>> number(0.123456), number(3), number(True), number(None)
    ('0.1235', '3', 'yes', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _groups(groups: Sequence[Sequence[str]]) -> str:
    """Groups of names, as ``{x1, x2}, {x3}``; of long ones the first names."""
    named = ["{" + listed(group) + "}" for group in groups]
    return ", ".join(named) or "none"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


FILTERS = {"number": number, "groups": _groups, "names": listed, "json": _json, "capitalised": _capitalised}
