"""Dates in the cells of a column."""

import datetime
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

_ISO = re.compile(r"\d{4}([-/])\d{2}\1\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|[-+]\d{2}:?\d{2})?)?", re.ASCII)
_DAY_OR_MONTH = re.compile(r"(\d{1,2})([./-])\d{1,2}\2\d{4}", re.ASCII)
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}", re.ASCII)
_ORDERS = {"day": "%d/%m/%Y", "month": "%m/%d/%Y"}


def dates_in(cells: Sequence[Any]) -> tuple[np.ndarray | None, str]:
    """The cells as dates, where all of them are.

    Parameters
    ----------
    cells : sequence of object
        Cells that are not missing.

    Returns
    -------
    dates : array of datetime64 or None
        The dates, in UTC where they have a time zone; None where the cells are no dates, or do not tell which.
    words : str
        What was inferred of them: which number is the day; or, with None, that they do not tell. Else empty.

    Examples
    --------
    >>> dates_in(["2020-01-01", "2020-01-03"])[0].astype("datetime64[D]").tolist()[1]
    datetime.date(2020, 1, 3)
    >>> dates_in(["1/2/2020", "13/2/2020"])[1], dates_in(["1/2/2020"])
    ('the day first', (None, 'day and month cannot be told apart'))
    """
    if not cells:
        return None, ""
    if all(isinstance(cell, datetime.date | np.datetime64) for cell in cells):
        return _parsed(list(cells), None), ""
    if not all(isinstance(cell, str) for cell in cells):
        return None, ""
    texts = [cell.strip() for cell in cells]
    if all(_ISO.fullmatch(text) for text in texts):
        return _parsed([text.replace("/", "-").replace(",", ".") for text in texts], "ISO8601"), ""
    if not all(_DAY_OR_MONTH.fullmatch(text) for text in texts):
        return None, ""
    plain = [re.sub("[.-]", "/", text) for text in texts]
    found = {order: _parsed(plain, pattern) for order, pattern in _ORDERS.items()}
    if all(_DOTTED.fullmatch(text) for text in texts):  # dots are never written with the month first
        del found["month"]
    known = {order: dates for order, dates in found.items() if dates is not None}
    if len(known) == 1:
        ((order, dates),) = known.items()
        return dates, f"the {order} first"
    return None, "day and month cannot be told apart" if known else ""


def _parsed(cells: list[Any], pattern: str | None) -> np.ndarray | None:
    try:
        found = pd.to_datetime(pd.Series(cells, dtype=object), format=pattern, utc=True)
    except (ValueError, TypeError, OverflowError):  # pandas' own errors of dates are ValueErrors
        return None
    return np.asarray(found.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]"))
