"""Which of many terms a sum needs: few are chosen one by one, and leave while that shortens the description."""

from collections.abc import Iterator
from math import log2

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from ...problem._budget import Budget
from ...problem._least_squares import independent, lengths

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_PURSUED = 8  # terms that are chosen from many, at most
_TERM = 22.0  # bits of a term: its nodes and its constant
_LEAST = 1e-9  # of y's deviation: less is rounding
_APART = 1e-9  # of a term's square, below which it is a sum of others
_PAIRED, _EACH_PAIR = 800, 40  # terms whose pairs are looked at, and operations for each pair


def sum_bits(error: float, terms: int, rows: int) -> float:
    """The description length of a sum.

    Parameters
    ----------
    error : float
        Root mean square of what is left, over y's deviation.
    terms : int
        How many terms the sum has.
    rows : int
        How many rows there are.
    """
    return rows * log2(max(error, _LEAST)) + _TERM * terms


def choices(columns: Matrix, target: Rows, first: int, budget: Budget) -> Iterator[Int64[np.ndarray, "chosen"]]:
    """The first terms with a few others: the one that leaves least beside them, or the best pair, then one by one.

    Parameters
    ----------
    columns : array of shape [rows, terms]
        The terms' values.
    target : array of shape [rows]
        What their sum should be.
    first : int
        How many terms, the first, are in every choice.
    budget : Budget
        The work that may be done.
    """
    if first == columns.shape[1]:
        yield np.arange(first)
        return
    free = np.linalg.qr(columns[:, :first] / lengths(columns[:, :first]))[0]
    scaled = columns / lengths(columns)
    scaled = scaled - free @ (free.T @ scaled)
    budget.charge("decompose", columns.size * first)
    scaled = np.where(lengths(scaled) ** 2 > _APART, scaled / lengths(scaled), 0.0)
    scaled[:, :first] = 0.0
    for start in ([], _best_pair(scaled, target, budget)):
        chosen = list(start)
        while len(chosen) < _PURSUED:
            basis = np.linalg.qr(scaled[:, chosen])[0]
            rest = scaled - basis @ (basis.T @ scaled)
            length = np.linalg.norm(rest, axis=0)
            budget.charge("columns", rest.size)
            with np.errstate(all="ignore"):
                gain = np.where(length**2 > _APART, np.abs(target @ rest) / length, 0.0)
            more = int(np.argmax(gain))
            if not gain[more] > 0:
                break
            chosen.append(more)
        yield np.array([*range(first), *chosen], dtype=np.int64)


def _best_pair(scaled: Matrix, target: Rows, budget: Budget) -> list[int]:
    """The two columns of length 1 that together leave least of the target."""
    scaled = scaled[:, :_PAIRED]
    along, gram = scaled.T @ target, scaled.T @ scaled
    budget.charge("compare", (len(target) + _EACH_PAIR) * scaled.shape[1] ** 2)
    one, two = np.tril_indices(len(along), -1)
    slant = gram[one, two]
    with np.errstate(all="ignore"):
        gained = (along[one] ** 2 + along[two] ** 2 - 2 * slant * along[one] * along[two]) / (1 - slant**2)
    best = int(np.argmax(np.where(slant**2 < 1 - _APART, gained, -1.0)))
    return [int(one[best]), int(two[best])]


def needed(
    columns: Matrix, target: Rows, budget: Budget
) -> tuple[Int64[np.ndarray, "kept"], Float64[np.ndarray, "kept"]]:
    """The terms of the shortest description on the way from all of them to one, the weakest leaving first.

    Parameters
    ----------
    columns : array of shape [rows, terms]
        The terms' values.
    target : array of shape [rows]
        What their sum should be.
    budget : Budget
        The work that may be done.
    """
    kept = independent(columns, budget=budget)
    unit = float(np.linalg.norm(target)) or 1.0
    best: tuple[float, NDArray[np.int64], NDArray[np.float64]] = (np.inf, kept, np.zeros(len(kept)))
    while len(kept):
        size = lengths(columns[:, kept])
        q, r = np.linalg.qr(columns[:, kept] / size)
        inverse = np.linalg.pinv(r)
        budget.charge("solve", len(target) * len(kept) ** 2)
        found = inverse @ (q.T @ target)
        left = float(np.linalg.norm(target - q @ (q.T @ target))) / unit
        length = sum_bits(left, len(kept), len(target))
        if length < best[0]:
            best = (length, kept, found / size)
        kept = np.delete(kept, int(np.argmin(np.abs(found) / np.linalg.norm(inverse, axis=1))))
    return best[1], best[2]
