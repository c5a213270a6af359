"""Numbers as people write them: with decimal commas, thousands separators and percent signs."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

Decimal: TypeAlias = Literal["point", "comma"]
DECIMALS: tuple[Decimal, ...] = ("point", "comma")

# Words for a missing number beside those that pandas knows; read so only where all other cells of a column are numbers.
MARKS = (
    "-", "--", "---", "–", "—", "?", ".", "..", "...", "*", "n.a.", "n.d.", "nd", "na", "n/a", "n/d", "none", "null",
    "nil", "missing", "unknown", "#n/a", "#na", "#value!", "#div/0!", "#ref!", "#num!",
)  # fmt: skip
_END = r"(?:[eE][-+−]?\d{1,4}|[dD][-+]\d{2,3})?"  # D as Fortran writes it
_SPACE = "[ \u00a0\u2009\u202f'’]"


def _pattern(point: str, group: str) -> re.Pattern[str]:
    thousands = rf"\d{{1,3}}(?:(?P<group>{group}|{_SPACE})\d{{3}})(?:(?P=group)\d{{3}})*"
    return re.compile(rf"[-+−]?\s?(?:{thousands}(?:{point}\d*)?|\d+(?:{point}\d*)?|{point}\d+){_END}", re.ASCII)


_PATTERNS: dict[Decimal, re.Pattern[str]] = {"point": _pattern(r"\.", ","), "comma": _pattern(",", r"\.")}


def readings(texts: Sequence[str]) -> tuple[Decimal, ...]:
    """The decimal marks with which every text is a number.

    Parameters
    ----------
    texts : sequence of str
        The cells of a column that are not missing.

    Returns
    -------
    tuple of "point" or "comma"
        None, one, or both where the texts do not tell.

    Examples
    --------
    >>> readings(["1,5", "2"]), readings(["1,500"]), readings(["1,500", "2.5"]), readings(["red"])
    (('comma',), ('point', 'comma'), ('point',), ())
    """
    return tuple(mark for mark, pattern in _PATTERNS.items() if all(pattern.fullmatch(text) for text in texts))


def number_in(text: str, decimal: Decimal) -> float:
    """The number that a text is, with this decimal mark.

    Parameters
    ----------
    text : str
        A text that fits the mark, as `readings` tells.
    decimal : "point" or "comma"
        The mark.

    Returns
    -------
    float
        The number; the other mark, spaces and apostrophes between thousands are left out.

    Examples
    --------
    >>> number_in("1.234,5", "comma"), number_in("1 234.5", "point"), number_in("−2", "point")
    (1234.5, 1234.5, -2.0)
    """
    thousands = "," if decimal == "point" else "."
    plain = re.sub(rf"{_SPACE}|{re.escape(thousands)}", "", text).replace("−", "-").replace("–", "-")
    return float(re.sub("[dD]", "e", plain.replace(",", ".")))
