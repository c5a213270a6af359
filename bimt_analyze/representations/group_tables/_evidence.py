"""How much speaks for a group where its table has holes."""

import math

import numpy as np
from jaxtyping import Int64

from ._completed_table import completed

CHANCE = 1e-6  # that all that was foretold came true by luck
GROWTH = 1.25  # from one part of the known products to the next


def foretold(table: Int64[np.ndarray, "n n"], *, seed: int = 0) -> int:
    """Count known products that a part of the others had told before.

    The known products are shown in a random order, a quarter more at a time; those that follow from what was shown
    before (`completed`) are counted. It ends when as many as `least_foretold` asks for are.

    Parameters
    ----------
    table : array of int64, shape (n, n)
        A table whose known products do not contradict each other; -1 where the product is not known.
    seed : int, default 0
        Of the order.

    Returns
    -------
    int
        The count.

    Examples
    --------
    >>> import numpy as np
    >>> numbers = np.arange(7)
    >>> whole = (numbers[:, None] + numbers) % 7
    >>> foretold(np.where(np.eye(7) > 0, -1, whole)) >= least_foretold(7), foretold(np.where(numbers == 0, whole, -1))
    (True, 0)
    """
    n, known = len(table), np.flatnonzero(table.ravel() >= 0)
    order = np.random.default_rng(seed).permutation(known)
    shown, found = min(2 * n, len(order)), 0
    while shown < len(order) and found < least_foretold(n):
        part = np.full(n * n, -1, dtype=np.int64)
        part[order[:shown]] = table.ravel()[order[:shown]]
        more = min(max(shown + 1, int(GROWTH * shown)), len(order))
        found += int((completed(part.reshape(n, n)).ravel()[order[shown:more]] >= 0).sum())
        shown = more
    return found


def least_foretold(n: int) -> int:
    """How many products must be foretold, so that a guess among n would be right as often once in a million.

    Parameters
    ----------
    n : int
        How many products there are to choose from, 2 or more.

    Returns
    -------
    int
        The least k with n^-k of at most a millionth.

    Examples
    --------
    >>> least_foretold(10), least_foretold(24)
    (6, 5)
    """
    return math.ceil(-math.log(CHANCE) / math.log(n) - 1e-9)
