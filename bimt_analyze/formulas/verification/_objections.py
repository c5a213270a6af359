"""What speaks against calling a formula a law, though its rows are met."""

from collections.abc import Sequence

import numpy as np
import sympy

from .._formula import Formula
from .._verification import Verification
from ..search._candidate import UNEXPLAINED
from ..verdicts._data_words import DataWord, Rival
from ._row_evidence import Evidence

FRESH = 1e-9  # relative error on fresh points that constants in double precision may leave
_FEWEST = 10  # different rows below which agreement shows nothing
_ROWS_A_CONSTANT = 3  # different rows that each constant without a name takes
_FEWEST_LEVELS = 2  # values of an input beyond its degree: with fewer, any function of it is such a polynomial


def objections(formula: Formula, verification: Verification, rows: Evidence) -> list[str]:
    """What speaks against calling the formula a law, the gravest first.

    Parameters
    ----------
    formula : Formula
        What is judged.
    verification : Verification
        How it stands to its rows and to the truth.
    rows : Evidence
        The rows.
    """
    found = []
    if not formula.fits:
        found.append(formula.shortfall)
    if not rows.met:
        found.append(
            f"not exact: residual {verification.held:.1e} of y's deviation on a held-out row, where rounding explains "
            f"{rows.bound:.0e}"
        )
    if verification.canonical in ("different", "undecided"):
        found.append(f"not exact: canonical form {verification.canonical} ({verification.method})")
    for place, seen in (("inside the range", verification.inside), ("in a range twice as wide", verification.outside)):
        if seen is not None and not seen.worst <= FRESH:
            found.append(f"not exact: off by {seen.worst:.1e} on fresh points {place}")
    if verification.canonical != "no truth":
        return found
    if not (formula.fits and rows.met) or rows.precision.coarse:
        return found
    if not rows.met_to_rounding:
        found.append(
            f"not exact: a row is missed by more than the {rows.own:.0e} of y's deviation that the formula's own "
            "rounding explains"
        )
    if not all(constant.known for constant in formula.constants):
        found.append("not called exact: it meets the rows, but they leave a constant of it open")
    return found


def too_little(formula: Formula, rows: Evidence) -> list[str]:
    """Why the rows are too few for the formula's form to show, whatever they are met to.

    Parameters
    ----------
    formula : Formula
        What is judged.
    rows : Evidence
        The rows.
    """
    found = []
    if formula.unexplained > UNEXPLAINED:
        met = "it meets the rows, but " if formula.fits and rows.met else ""
        found.append(
            f"not called exact: {met}{formula.unexplained} of its constants are no simple numbers, so it may be a "
            "series standing in for a function"
        )
    different = formula.distinct_rows or formula.rows
    if min(different, rows.distinct) < max(_FEWEST, _ROWS_A_CONSTANT * formula.unexplained):
        found.append(
            f"not called exact: {different} different training and {rows.distinct} different held-out rows decide "
            "nothing"
        )
    if crowded := crowded_input(formula, rows):
        found.append(f"not called exact: {crowded}")
    return found


def crowded_input(formula: Formula, rows: Evidence) -> str:
    """Which input takes too few values for the formula's form in it to show; empty if none.

    A form takes two values more than there are numbers in what depends on the input, or than it has degrees as a
    polynomial; one that is no polynomial takes four at least.

    Parameters
    ----------
    formula : Formula
        What is judged.
    rows : Evidence
        The rows.
    """
    for symbol in sorted(formula.expression.free_symbols, key=lambda s: formula.inputs.index(str(s))):
        values = len(np.unique(rows.x[:, formula.inputs.index(str(symbol))]))
        if not formula.expression.is_polynomial(symbol):
            freedom = max(2, _numbers(formula.expression, symbol))
        elif (freedom := int(sympy.degree(formula.expression, symbol))) > 1:
            freedom = max(freedom, _numbers(sympy.expand(formula.expression), symbol))
        if values < freedom + _FEWEST_LEVELS:
            return f"{symbol} takes {values} values, on which many functions agree"
    return ""


def _numbers(expression: sympy.Expr, symbol: sympy.Symbol) -> int:
    """How many numbers, other than 1 and -1, stand in the parts of an expression that hold a symbol."""
    if symbol not in expression.free_symbols:
        return int(not expression.free_symbols and abs(expression) != 1)
    return sum(_numbers(part, symbol) for part in expression.args)


def word_of(
    formula: Formula, rows: Evidence, verification: Verification, wrong: Sequence[str], found: Sequence[Rival]
) -> DataWord:
    """The word for a formula whose rows are met; "none" for others.

    Parameters
    ----------
    formula : Formula
        What is judged.
    rows : Evidence
        The rows.
    verification : Verification
        How it stands to its rows and to the truth.
    wrong : sequence of str
        What speaks against it.
    found : sequence of Rival
        Its rivals, where the rows are enough to show a form.
    """
    if not (formula.fits and rows.met):
        return "none"
    if wrong:
        return "one of several" if found else rows.predicts
    if found:
        return "one of several"
    to_rounding = formula.worst <= formula.bound and verification.held <= rows.bound
    known = verification.canonical == "equal"
    if to_rounding and (known or (rows.met_to_rounding and not rows.precision.coarse)):
        return "exact"
    return "within precision" if rows.precision.coarse else rows.predicts
