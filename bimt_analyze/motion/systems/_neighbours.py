"""Systems one step from a system: a term added, left out, or exchanged for another one.

What each step would leave is seen in the linear picture of `growth`; those that look best are fitted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64

from ...formulas.symbolic._tidy import complexity
from ._growth import Term, picture, terms_of, with_terms
from ._system import LEAST_OF_NUMBER, NODE, System

Matrix = Float64[np.ndarray, "rows columns"]
Rows = Float64[np.ndarray, "rows"]

_COLUMN = 0.005  # units of work that the linear picture of one term takes, about
_SMALL = 1e-6  # of a column's length: less is rounding


@dataclass(frozen=True)
class _Step:
    """One step: the columns that are kept, and how much longer the description looks."""

    kept: tuple[int, ...]
    bits: float


def neighbours(
    system: System, terms: Sequence[sympy.Expr], places: Sequence[int], *, within: float
) -> Iterator[System]:
    """Systems one step from a system, fitted, those first that look shortest.

    Parameters
    ----------
    system : System
        A fitted system.
    terms : sequence of sympy.Expr
        Functions of the variables, which may be added.
    places : sequence of int
        The variables whose right-hand sides may change.
    within : float
        Bits by which the description may look longer than the system's.
    """
    every, budget = terms_of(system, terms, places), system.pieces.budget
    if budget.left < _COLUMN * len(every):
        budget.ledger.spend(budget.left)  # no time to look: the stage counts as cut short
        return
    matrix, target = picture(system, every)
    for step in sorted(_steps(matrix, target, every), key=lambda one: one.bits):
        if not step.bits < within or budget.over():
            return
        some = matrix[:, step.kept]
        weights = np.linalg.lstsq(some, target, rcond=None)[0]
        forms = with_terms(system, every, [every[i] for i in step.kept], weights)
        if forms is not None:
            yield system.with_forms(forms)


def _steps(matrix: Matrix, target: Rows, every: Sequence[Term]) -> Iterator[_Step]:
    """All steps, each with what it costs and saves."""
    size = np.linalg.norm(matrix, axis=0)
    known = np.isfinite(size) & (size > 0)
    columns = np.where(known, matrix, 0.0) / np.where(known, size, 1.0)
    price = np.array([NODE * (complexity(one.term) + 2) + LEAST_OF_NUMBER for one in every])
    place, old = (np.array([getattr(one, name) for one in every]) for name in ("place", "old"))
    own = np.flatnonzero(old & known).tolist()
    before = _left(columns[:, own], target)
    for gone in (None, *own):
        others = [i for i in own if i != gone]
        basis = np.linalg.qr(columns[:, others])[0] if others else np.zeros((len(target), 0))
        rest = columns - basis @ (basis.T @ columns)
        left = target - basis @ (basis.T @ target)
        length = np.linalg.norm(rest, axis=0)
        gain = np.where(length > _SMALL, (left @ rest) ** 2 / np.maximum(length, _SMALL) ** 2, 0.0)
        now = np.maximum(float(left @ left) - gain, 1e-300)
        bits = 0.5 * len(target) * np.log2(now / before) + price - (0.0 if gone is None else price[gone])
        new = ~old & known & (True if gone is None else place == place[gone])
        yield from (_Step((*others, int(i)), float(bits[i])) for i in np.flatnonzero(new))
        if gone is not None:
            alone = 0.5 * len(target) * float(np.log2(max(float(left @ left), 1e-300) / before)) - float(price[gone])
            yield _Step(tuple(others), alone)


def _left(columns: Matrix, target: Rows) -> float:
    """The sum of squares that columns leave of the target."""
    weights = np.linalg.lstsq(columns, target, rcond=None)[0] if columns.shape[1] else np.zeros(0)
    return max(float(np.sum((target - columns @ weights) ** 2)), 1e-300)
