"""One column as what it holds: numbers, dates or texts, with what was inferred and which cells do not fit."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from ..files._raw_table import is_missing
from ._dates import dates_in
from ._number_texts import DECIMALS, MARKS, Decimal, number_in, readings

_WORDS = {"true": 1.0, "false": 0.0, "inf": np.inf, "+inf": np.inf, "-inf": -np.inf}
_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")


@dataclass(frozen=True, eq=False)
class ColumnReading:
    """What a column holds.

    Attributes
    ----------
    cells : array, shape (rows,)
        The cells as they were.
    absent : array of bool, shape (rows,)
        Which cells hold nothing, or a word for it.
    numbers : array of float, shape (rows,)
        The numbers; nan where a cell is absent or strange.
    strange : array of bool, shape (rows,)
        Which cells are neither absent nor numbers.
    decimals : tuple of "point" or "comma"
        Where cells are strange, the decimal marks with which all would be numbers.
    dates : array of datetime64, shape (rows,), or None
        Where all cells are dates, the dates; NaT where absent.
    unclear_dates : bool
        Whether the cells are dates that do not tell day from month.
    unit : str
        ``"%"`` where every cell ends in it.
    notes : tuple of str
        What was inferred, a few words each.

    Examples
    --------
    >>> read_column(np.array(["1", "red", None], dtype=object)).strange.tolist()
    [False, True, False]
    """

    cells: np.ndarray
    absent: Bool[np.ndarray, " rows"]
    numbers: Float64[np.ndarray, " rows"]
    strange: Bool[np.ndarray, " rows"]
    decimals: tuple[Decimal, ...] = ()
    dates: np.ndarray | None = None
    unclear_dates: bool = False
    unit: str = ""
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> Bool[np.ndarray, " rows"]:
        """Which rows lack a value; nan is none."""
        return np.asarray(np.isnan(self.numbers) & ~self.strange) if self.dates is None else self.absent

    @property
    def lacking(self) -> Bool[np.ndarray, " rows"]:
        """Which rows hold no finite number; a word between numbers is none, and a category is as good as one."""
        if not self.holds_texts:
            return np.asarray(self.missing | np.isinf(self.numbers))
        return np.asarray(
            self.absent | self.strange | ~np.isfinite(self.numbers) if self.mostly_numbers else self.absent
        )

    @property
    def holds_texts(self) -> bool:
        """Whether cells are neither numbers, in whatever form, nor dates."""
        return bool(self.strange.any()) and not self.decimals and not self.unclear_dates

    @property
    def mostly_numbers(self) -> bool:
        """Whether most cells are numbers, so that words between them may stand for missing ones."""
        return bool(np.isfinite(self.numbers).sum() > self.strange.sum())

    @property
    def texts(self) -> list[str]:
        """The cells as texts; a missing one is empty."""
        return ["" if gone else _text(cell) for cell, gone in zip(self.cells, self.absent, strict=True)]

    def rows(self, kept: Bool[np.ndarray, " rows"]) -> "ColumnReading":
        """The column with the rows that are ``kept``."""
        dates = None if self.dates is None else self.dates[kept]
        each = {name: getattr(self, name)[kept] for name in ("cells", "absent", "numbers", "strange")}
        return replace(self, dates=dates, **each)

    def with_decimal(self, decimal: Decimal) -> "ColumnReading":
        """The column read with this decimal mark, which is one of `decimals`."""
        numbers, texts = np.full(len(self.cells), np.nan), [text.rstrip("% ") for text in self.texts]
        for row, text in enumerate(texts):
            if text:
                word = text.lower()
                numbers[row] = _WORDS[word] if word in _WORDS else number_in(text, decimal)
        return replace(
            self, numbers=numbers, strange=np.zeros(len(numbers), dtype=bool), decimals=(),
            notes=(*self.notes, *_how(texts, decimal)),
        )  # fmt: skip


def read_column(
    values: np.ndarray,
    *,
    missing: Collection[str] = (),
    decimal: Decimal | None = None,
    decimal_commas: bool = False,
) -> ColumnReading:
    """Read a column as numbers, and say what else it could be where it is none.

    Parameters
    ----------
    values : array, shape (rows,)
        The cells.
    missing : collection of str
        Words and numbers that stand for a missing cell.
    decimal : "point", "comma" or None
        The decimal mark, where it is known.
    decimal_commas : bool, default False
        Whether 1,5 is a number whatever stands in other cells.

    Returns
    -------
    ColumnReading
        The column.
    """
    plain = read_plainly(values, missing, decimal_commas)
    if values.dtype.kind in "biuf" or (decimal is None and not plain.strange.any()):
        return plain
    marked = plain.strange & np.array([_text(cell).lower() in MARKS for cell in values], dtype=bool)
    left = [text for text, mark in zip(plain.texts, marked, strict=True) if text and not mark]
    if not left:
        return plain
    words = sorted({_text(cell) for cell in values[marked]})
    notes = (f"{', '.join(map(repr, words))} read as missing",) if words else ()
    unmarked = replace(plain, absent=plain.absent | marked, strange=plain.strange & ~marked)
    dates, order = dates_in([cell for cell, gone in zip(values, unmarked.absent, strict=True) if not gone])
    if dates is not None:
        placed = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[ns]")
        placed[~unmarked.absent] = dates
        said = (*notes, *([order] if order else []))
        return replace(unmarked, dates=placed, strange=np.zeros(len(values), dtype=bool), notes=said)
    if order:
        return replace(unmarked, unclear_dates=True, notes=notes)
    percent = all(text.endswith("%") for text in left)
    bare = [text.rstrip("% ") for text in left] if percent else left
    numeric = [text for text in bare if text.lower() not in _WORDS]
    decimals = _one_of(numeric, readings(numeric), decimal, decimal_commas)
    if not decimals:
        return replace(unmarked, notes=notes) if unmarked.mostly_numbers else plain
    found = replace(unmarked, decimals=decimals, unit="%" if percent else "", notes=notes)
    found = replace(found, notes=(*notes, "in percent")) if percent else found
    return (
        found.with_decimal(decimals[0])
        if len(decimals) == 1
        else replace(found, strange=np.array([bool({*text} & {*",."}) for text in found.texts]))
    )


def _one_of(
    texts: Sequence[str], fitting: tuple[Decimal, ...], decimal: Decimal | None, decimal_commas: bool
) -> tuple[Decimal, ...]:
    """The decimal marks that remain, once what is known and what makes no difference is taken into account."""
    for known in (decimal, "comma" if decimal_commas else None):
        if known in fitting:
            return tuple(mark for mark in DECIMALS if mark == known)
    if len(fitting) > 1 and all(number_in(text, "point") == number_in(text, "comma") for text in texts):
        return ("point",)
    return fitting


def read_plainly(values: np.ndarray, missing: Collection[str], decimal_commas: bool) -> ColumnReading:
    """Read a column as Python reads numbers, true and false among them.

    Parameters
    ----------
    values : array, shape (rows,)
        The cells.
    missing : collection of str
        Words and numbers that stand for a missing cell.
    decimal_commas : bool
        Whether 1,5 is a number whatever stands in other cells.

    Returns
    -------
    ColumnReading
        The column; all that is no such number is strange.
    """
    known = {float(word) for word in missing if _number(word) is not None}
    if values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
        numbers[np.isin(numbers, list(known))] = np.nan
        return ColumnReading(values, np.isnan(numbers), numbers, np.zeros(len(numbers), dtype=bool))
    absent, strange = np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    numbers, commas = np.full(len(values), np.nan), False
    for row, value in enumerate(values):
        if is_missing(value) or (missing and _text(value) in missing):
            absent[row] = True
            continue
        number = _number(value)
        if number is None and decimal_commas and isinstance(value, str) and _COMMA.fullmatch(value):
            number, commas = float(value.replace(",", ".")), True
        if number is None:
            strange[row] = True
        elif number in known:
            absent[row] = True
        else:
            numbers[row] = number
    return ColumnReading(values, absent, numbers, strange, notes=("decimal commas",) * commas)


def _number(value: Any) -> float | None:
    if isinstance(value, np.datetime64 | np.timedelta64 | complex):
        return None
    word = value.strip().lower() if isinstance(value, str) else ""
    try:
        return _WORDS[word] if word in _WORDS else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(cell: Any) -> str:
    return str(cell).strip()


def _how(texts: Sequence[str], decimal: Decimal) -> tuple[str, ...]:
    """How the numbers are written, in a few words each."""
    thousands = "," if decimal == "point" else "."
    grouped = any(re.search(rf"\d[{thousands} \u00a0\u2009\u202f'’]\d{{3}}", text) for text in texts)
    commas = decimal == "comma" and any("," in text for text in texts)
    return ("decimal commas",) * commas + ("thousands separators",) * grouped
