"""The scale of words for a law of the data, each with its one definition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import sympy

from bimt_train.showing import Shown

DataWord = Literal[
    "exact",
    "within precision",
    "within noise",
    "but for rows apart",
    "one of several",
    "interpolation",
    "none",
]

DATA_WORDS: Mapping[DataWord, str] = MappingProxyType(
    {
        "exact": "the form is identified, and every row is met to rounding in double precision",
        "within precision": "the form is identified, and every row is met to the last digit in which it is written",
        "within noise": "the residual is as large as the estimated noise, or the stated errors, and like it, and the "
        "form is preferred by description length over every rival by 10 bits or more",
        "but for rows apart": "the form is identified as for the words above, on all rows but the few that stand "
        "apart: at most a tenth, each missed by ten times the largest residual of the others",
        "one of several": "the rows cannot tell the form from another one of comparable length, which is named",
        "interpolation": "it predicts held-out rows to r2 0.9 or better, and is not to be read as a law",
        "none": "it does not predict held-out rows to r2 0.9, or there are none",
    }
)
"""Each word for the law of the data, the strongest first, with its definition."""

IDENTIFIED: frozenset[DataWord] = frozenset({"exact", "within precision", "within noise", "but for rows apart"})
"""The words that call a form identified."""

_NAMED = 10  # rows that are named
PREDICTS = 0.9  # r2 on held-out rows


@dataclass(frozen=True, repr=False)
class Rival(Shown):
    """Another formula of comparable length that meets the rows as well.

    Attributes
    ----------
    expression : sympy.Expr
        The formula, in the same names.
    origin : str
        Where it comes from, such as ``"exp(x) as the beginning of its series"``.
    decided_by : tuple of mapping of str to float
        Rows that would decide: the value of every input, where the two formulas part.
    gap : float
        By how much they part at the first of these rows, over y's deviation.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> rival = Rival(sympy.sin(x), "x as the beginning of sin(x)", ({"x": 0.5},), gap=0.02)
    >>> print(f"{rival.expression}: measure at {dict(rival.decided_by[0])}")
    sin(x): measure at {'x': 0.5}
    """

    expression: sympy.Expr
    origin: str
    decided_by: tuple[Mapping[str, float], ...]
    gap: float

    def words(self) -> str:
        """The rival in one clause: its formula, where it comes from, and the row that would decide."""
        said = f"{self.expression} ({self.origin})"
        if not self.decided_by:
            return said
        row = ", ".join(f"{name} = {value:.4g}" for name, value in self.decided_by[0].items())
        return f"{said}; a row at {row} would decide"


def cut_short(seconds: float) -> str:
    """The remark that the clock ended a search before its work was done.

    Parameters
    ----------
    seconds : float
        How long it took.

    Examples
    --------
    >>> cut_short(130.0)
    'cut short by the clock after 130 s; another run may find more'
    """
    return f"cut short by the clock after {seconds:g} s; another run may find more"


def apart_words(rows: Sequence[int], count: int) -> str:
    """The remark that a few rows stand apart and were left out.

    Parameters
    ----------
    rows : sequence of int
        Their numbers, from 0.
    count : int
        How many rows there are.

    Examples
    --------
    >>> apart_words([3, 17], 200)
    '2 of 200 training rows stand apart and were left out: 3, 17 (from 0)'
    """
    some = ", ".join(str(row) for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"{len(rows)} of {count} training rows stand apart and were left out: {some}{more} (from 0)"
