"""Constants that say the same, such as -a and p + pi for a and p in a*sin(x + p): written alike in all groups."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from ._compiled_form import CompiledForm, Constants
from ._fit_each import Groups, misfit
from ._grouped_rows import GroupedRows

_SAME = 1e-6  # relative change of what is left
_ROUNDING = 1e-9  # of the deviation
_ROUNDS = 2
_FAR = 1e-3
_MOST_FLIPPED = 3


def written_alike(
    compiled: CompiledForm, rows: GroupedRows, units: Groups, values: Constants, left: Groups
) -> Constants:
    """The constants of each group, in the writing that is nearest to that of the other groups.

    Writings that are tried: other signs of up to three constants, a constant moved by quarters of a turn, and the two
    together. One that leaves the rows as they were says the same.

    Parameters
    ----------
    compiled : CompiledForm
        The form.
    rows : GroupedRows
        The rows.
    units : array of shape [groups]
        The deviation of y in each group.
    values : array of shape [groups, constants]
        The constants of each group.
    left : array of shape [groups]
        What these leave.
    """
    scale = np.median(np.abs(values), axis=0) + 1e-300
    reference = values[int(np.argmin(left))]
    moves = list(_moves(compiled.count))
    only = rows.only(np.arange(rows.count) == int(np.argmin(left)))
    least, unit = left[[int(np.argmin(left))]], units[[int(np.argmin(left))]]
    for sign, shift in moves:  # as many positive constants as can be
        other = (reference * sign + shift)[None]
        if np.sum(other < 0) < np.sum(reference < 0) and misfit(compiled, only, unit, other)[0] <= _bound(least)[0]:
            reference = other[0]
    values = values.copy()
    for _ in range(_ROUNDS):
        away = _unlike(values, reference, scale)
        best = values.copy()
        for sign, shift in moves:
            other = values * sign + shift
            farther = _unlike(other, reference, scale)
            nearer = farther < away * (1 - 1e-9)
            if np.any(nearer):
                kept = nearer & (misfit(compiled, rows, units, other) <= _bound(left))
                best[kept], away = other[kept], np.where(kept, farther, away)
        if np.array_equal(best, values):
            break
        values = best
    return values


def _unlike(
    values: Constants, reference: Float64[np.ndarray, "constants"], scale: Float64[np.ndarray, "constants"]
) -> Groups:
    """How many constants differ from the reference, those that differ little by parts; far ones hardly count more."""
    away = np.abs(values - reference) / scale
    return np.asarray(np.sum(np.minimum(away, 1.0) + _FAR * away, axis=1))


def _bound(left: Groups) -> Groups:
    return np.asarray(left * (1 + _SAME) + _ROUNDING)


def _moves(count: int) -> Iterator[tuple[Float64[np.ndarray, "constants"], Float64[np.ndarray, "constants"]]]:
    """Signs by which constants are multiplied, and what is added to them."""
    still = np.zeros(count)
    for size in range(1, _MOST_FLIPPED + 1):
        for flipped in combinations(range(count), size):
            sign = np.ones(count)
            sign[list(flipped)] = -1.0
            yield sign, still
            if size < _MOST_FLIPPED:
                for place in range(count):
                    for turn in (-np.pi, -np.pi / 2, np.pi / 2, np.pi):
                        shift = still.copy()
                        shift[place] = turn
                        yield sign, shift
    for place in range(count):
        for turn in (-2 * np.pi, -np.pi, -np.pi / 2, np.pi / 2, np.pi, 2 * np.pi):
            shift = still.copy()
            shift[place] = turn
            yield np.ones(count), shift
