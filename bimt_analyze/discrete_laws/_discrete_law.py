"""A law of truth values or whole numbers as a value."""

from dataclasses import dataclass
from typing import Any, Literal

import sympy

from bimt_train.showing import Shown, cut

from ..formulas.export._cells import in_dollars

_SHOWN = 110  # characters at a prompt

Kind = Literal["constant", "logic", "modular", "recurrence", "polynomial"]


@dataclass(frozen=True, repr=False)
class DiscreteLaw(Shown):
    """A law of truth values or whole numbers, which meets all rows or says how many.

    Attributes
    ----------
    output : str
        What it gives.
    expression : sympy.Basic
        Logic, or arithmetic; the symbols of inputs are real. A recurrence is written in earlier terms, ``y(n - 1)``.
    kind : {"constant", "logic", "modular", "recurrence", "polynomial"}
        Which search found it.
    right : float
        Share of the rows that it gets right.
    rows : int
        How many rows there are.
    chance : float
        How likely rows at random would be met by a law as long as this, at most.

    Examples
    --------
    >>> a, b = sympy.symbols("a b", real=True)
    >>> law = DiscreteLaw("y", sympy.Mod(a + b, 7), "modular", 1.0, 40, 1e-30)
    >>> law, law.exact
    (DiscreteLaw(y = Mod(a + b, 7): modular, all 40 rows), True)
    """

    output: str
    expression: sympy.Basic
    kind: Kind
    right: float
    rows: int
    chance: float

    @property
    def exact(self) -> bool:
        """Whether all rows are met, which is no chance: less than one in a million."""
        return self.right == 1.0 and self.chance < 1e-6

    def verdict(self) -> str:
        """The kind of law, and the rows that are met, in one line."""
        met = f"all {self.rows} rows" if self.right == 1.0 else f"{self.right:.1%} of {self.rows} rows"
        return f"{self.kind}, {met}" + ("" if self.exact or self.right < 1.0 else ", which may be chance")

    def __str__(self) -> str:
        return f"{self.output} = {self.expression}"

    def _brief(self) -> str:
        return f"{cut(str(self), _SHOWN)}: {self.verdict()}"

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.expression, output=self.output)

    def to_json(self) -> dict[str, Any]:
        """The law as plain values."""
        return {
            "output": self.output,
            "expression": str(self.expression),
            "kind": self.kind,
            "right": self.right,
            "rows": self.rows,
            "chance": self.chance,
            "exact": self.exact,
        }
