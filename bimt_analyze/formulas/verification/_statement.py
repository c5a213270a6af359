"""One sentence for what the word for a formula rests on."""

from collections.abc import Sequence

import numpy as np

from .._formula import Formula
from .._verification import Verification
from ._row_evidence import Evidence

_MOST = 6  # inputs whose ranges are told


def statement_of(formula: Formula, verification: Verification, rows: Evidence, wrong: Sequence[str]) -> str:
    """One sentence for what the word rests on.

    Parameters
    ----------
    formula : Formula
        What is judged.
    verification : Verification
        With the word, the rivals, and how the formula stands to its rows and to the truth.
    rows : Evidence
        The rows.
    wrong : sequence of str
        What speaks against it.
    """
    word, held = verification.word, rows.count
    if word == "within noise" and formula.chi_square is not None:
        return f"within noise: {formula.chi_square.words()}, and nothing of the residual can be predicted"
    if word == "within noise":
        return (
            f"within noise: the residual is {formula.residual:.1e} of y's deviation, as much as smooth fits leave, and "
            "nothing of it can be predicted"
        )
    if word == "one of several":
        names = "; ".join(rival.words() for rival in verification.rivals)
        return f"one of several forms that meet the rows: {names}"
    if wrong:
        return wrong[0]
    if word == "within precision":
        return (
            f"within precision: every one of {formula.rows} training and {held} held-out rows is met to half a unit of "
            f"its last place ({rows.precision.words}), so further terms of up to {rows.hidden:.0e} of y's deviation "
            f"may be hidden{_extent(formula, rows)}"
        )
    if word != "exact":
        return f"{word}: no law, by what the rows show"
    if verification.inside is None or verification.outside is None:
        count = formula.unexplained
        known = f"; {count} of its constants are known as decimals only" if count else ""
        return (
            f"no truth known: exact rests on {formula.rows} training and {held} held-out rows, met to "
            f"{max(verification.train, verification.held):.0e} of y's deviation{known}{_extent(formula, rows)}"
        )
    inside, outside = verification.inside, verification.outside
    out = inside.left_out + outside.left_out
    rest = f" ({out} points left out: truth not real there)" if out else ""
    return (
        f"canonical form equal ({verification.method}); agrees to {max(inside.worst, outside.worst):.0e} on "
        f"{inside.points} fresh points inside the range and {outside.points} in one twice as wide{rest}"
    )


def _extent(formula: Formula, rows: Evidence) -> str:
    """Where the rows lie, in words: of what the law does elsewhere they show nothing."""
    columns = {name: rows.x[:, formula.inputs.index(name)] for name in formula.variables}
    if not columns:
        return ""
    said = [
        f"{name} {'a whole number ' if np.all(values == np.round(values)) else ''}from {np.min(values):.4g} to "
        f"{np.max(values):.4g}"
        for name, values in list(columns.items())[:_MOST]
    ]
    more = f" and {len(columns) - _MOST} more" if len(columns) > _MOST else ""
    return f"; it is said of {', '.join(said)}{more}, where a kink, step or period beyond would not show"
