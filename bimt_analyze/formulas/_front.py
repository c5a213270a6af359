"""The front of length against error: formulas that are shorter or leave less, and which was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from bimt_train.extras import need
from bimt_train.showing import Shown, cut

from .export._cells import in_dollars
from .symbolic._rounded import rounded, written

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 110  # characters of a formula at a prompt


@dataclass(frozen=True, repr=False)
class ParetoEntry(Shown):
    """Another formula from the front of length against error.

    Attributes
    ----------
    expression : sympy.Expr
        The formula, in the same names.
    complexity : int
        How many nodes it is written with.
    error : float
        Root mean square of its residual on the rows searched, over y's deviation.
    bits : float
        By how many bits its description is longer than that of the formula that was chosen.
    searched : bool
        Whether the search found it; else it was made beside the formula to show what that gains: a constant, a plane,
        the formula without some of its terms.
    chosen : bool
        Whether it is the formula itself.

    Examples
    --------
    >>> x1 = sympy.Symbol("x1", real=True)
    >>> entry = ParetoEntry(x1**2, complexity=3, error=0.1)
    >>> print(f"{entry.expression}: {entry.complexity} nodes, error {entry.error}")
    x1**2: 3 nodes, error 0.1
    """

    expression: sympy.Expr
    complexity: int
    error: float
    bits: float = 0.0
    searched: bool = True
    chosen: bool = False

    @property
    def readable(self) -> sympy.Expr:
        """The expression with its decimals to six digits."""
        return rounded(self.expression)

    def _brief(self) -> str:
        return f"{cut(written(self.readable), SHOWN)}: {self.complexity} nodes, error {self.error:.2g}"

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.readable)


def choice(front: Sequence[ParetoEntry], *, met: bool) -> str:
    """Why the formula was chosen of the front, and by which margin, in one sentence.

    Parameters
    ----------
    front : sequence of ParetoEntry
        The front, one of it chosen.
    met : bool
        Whether the formula that was chosen meets the rows.
    """
    own = next(entry for entry in front if entry.chosen)
    others = [entry for entry in front if not entry.chosen]
    if not others:
        return "It is the only formula on the front of length against error."
    near = min(others, key=lambda entry: entry.bits)
    told = f"{cut(written(near.readable), SHOWN)} ({near.complexity} nodes, error {near.error:.2g})"
    if near.bits < 0:
        why = "it meets the rows" if met else "the rows fix its constants"
        return f"It was chosen because {why}, though the description of {told} is {-near.bits:.0f} bits shorter."
    size = f"{own.complexity} nodes, error {own.error:.2g}"
    return f"Its description ({size}) is the shortest, {near.bits:.0f} bits shorter than that of the next, {told}."


def front_lines(output: str, front: Sequence[ParetoEntry], *, met: bool) -> tuple[str, ...]:
    """The front as lines of text, the formula that was chosen marked by a star, and why it was.

    Parameters
    ----------
    output : str
        The name of the output.
    front : sequence of ParetoEntry
        The front, one of it chosen.
    met : bool
        Whether the formula that was chosen meets the rows.
    """
    lines = (
        f"{'*' if entry.chosen else ' '} {entry.complexity:>5}  {entry.error:<8.2g}{entry.bits:>6.0f}  "
        f"{cut(written(entry.readable), SHOWN)}"
        for entry in front
    )
    return (f"front of {output}: nodes, error, bits more than the choice (*)", *lines, choice(front, met=met))


def front_frame(front: Sequence[ParetoEntry]) -> "pd.DataFrame":
    """The front as a table.

    Parameters
    ----------
    front : sequence of ParetoEntry
        The front.
    """
    need("pandas", "to_frame()")
    import pandas as pd

    rows = [
        {
            "expression": str(entry.expression), "complexity": entry.complexity, "error": entry.error,
            "bits": entry.bits, "chosen": entry.chosen,
        }
        for entry in front
    ]  # fmt: skip
    return pd.DataFrame(rows)
