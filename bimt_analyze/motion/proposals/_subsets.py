"""Few of many columns that make up a target: taken in one after the other, and left out one after the other."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_SAME = 1e-6  # of a column's length: what is left of one that others make up


def subsets(matrix: Matrix, target: Rows, *, most: int, from_all: int) -> tuple[frozenset[int], ...]:
    """Subsets of the columns that make up most of the target for their size, the smallest first.

    Parameters
    ----------
    matrix : array of shape [rows, columns]
        Columns of length one.
    target : array of shape [rows]
        What they make up.
    most : int
        Columns of a subset, at most.
    from_all : int
        Columns up to which they are also left out one by one, beginning with all.
    """
    left_out = _left_out(matrix, target, most) if matrix.shape[1] <= from_all else []
    return tuple(sorted({*_taken_in(matrix, target, most), *left_out}, key=lambda one: (len(one), sorted(one))))


def _taken_in(matrix: Matrix, target: Rows, most: int) -> list[frozenset[int]]:
    """One column after the other, each time the one that helps most; then each exchanged where another helps more."""
    taken, found = list[int](), []
    for _ in range(min(most, matrix.shape[1])):
        best = _most_helpful(matrix, target, taken)
        if best is None:
            break
        taken.append(best)
        found.append(frozenset(taken))
        for place in range(len(taken) - 1):
            others = [*taken[:place], *taken[place + 1 :]]
            best = _most_helpful(matrix, target, others)
            if best is not None:
                taken[place] = best
        found.append(frozenset(taken))
    return found


def _most_helpful(matrix: Matrix, target: Rows, taken: Sequence[int]) -> int | None:
    """The column that, beside those taken, leaves least of the target (orthogonal least squares)."""
    basis = np.linalg.qr(matrix[:, list(taken)])[0] if taken else np.zeros((len(target), 0))
    rest = matrix - basis @ (basis.T @ matrix)
    left = target - basis @ (basis.T @ target)
    size = np.linalg.norm(rest, axis=0)
    gain = np.where(size > _SAME, np.abs(left @ rest) / np.maximum(size, _SAME), 0.0)
    gain[list(taken)] = 0.0
    best = int(np.argmax(gain))
    return best if gain[best] > 0 else None


def _left_out(matrix: Matrix, target: Rows, most: int) -> list[frozenset[int]]:
    """From all columns on, each time without the one that is missed least."""
    kept, found = list(range(matrix.shape[1])), []
    while kept:
        some = matrix[:, kept]
        inverse = np.linalg.pinv(some.T @ some, rcond=1e-13)
        weights = inverse @ (some.T @ target)
        if len(kept) <= most:
            found.append(frozenset(kept))
        missed = weights**2 / np.maximum(np.diag(inverse), 1e-300)
        kept.pop(int(np.argmin(missed)))
    return found
