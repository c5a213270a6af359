"""The missing entries of a table of products, where a group leaves no choice."""

import numpy as np
from jaxtyping import Int16, Int32, Int64
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from bimt_train import InputError

ENOUGH = 1_000_000  # pairs of rows in all columns: more of them say the same again


def completed(table: Int64[np.ndarray, "n n"]) -> Int64[np.ndarray, "n n"]:
    """Fill in what follows from the known entries, if the table is that of a group.

    Parameters
    ----------
    table : array of int64, shape (n, n)
        Numbers of the products, 0 to n - 1; -1 where the product is not known.

    Returns
    -------
    array of int64, shape (n, n)
        The table with the entries that follow by the rule below; -1 elsewhere.

    Raises
    ------
    InputError
        The known entries contradict each other: no group has them, however its elements are named.

    Notes
    -----
    In the table of a group, the step from row a to row c multiplies each product by the same element: T[c, b] = s T[a,
    b] for all columns b. Two such steps that agree at one product agree at all of them. So pairs of rows (a, c) and
    pairs of products (T[a, b], T[c, b]) that occur together are one step, and a step known from some columns fills in
    others. This is the quadrangle criterion [1]_, taken as a rule of inference; rows, columns and products may each
    have names of their own.

    References
    ----------
    .. [1] J. Denes, A. D. Keedwell, "Latin Squares and their Applications", theorem 1.2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations.group_tables._completed_table import completed
    >>> numbers = np.arange(5)
    >>> whole = (numbers[:, None] + numbers) % 5
    >>> holes = np.where(np.eye(5) > 0, -1, whole)
    >>> np.array_equal(completed(holes), whole)
    True
    """
    while (table < 0).any():
        filled = _filled(table)
        if np.array_equal(filled, table):
            break
        table = filled
    return table


def _filled(table: Int64[np.ndarray, "n n"]) -> Int64[np.ndarray, "n n"]:
    steps, moves = _steps(table)
    found = table.copy()
    for row, products in enumerate(table):
        known = np.flatnonzero(products >= 0)
        said = moves[steps[row]][:, products[known]]  # at each other row and known column
        there = found[:, known]
        if ((said >= 0) & (there >= 0) & (said != there)).any():
            raise _contradiction()
        found[:, known] = np.maximum(there, said)
    return found


def _steps(table: Int64[np.ndarray, "n n"]) -> tuple[Int32[np.ndarray, "n n"], Int16[np.ndarray, "steps n"]]:
    """The number of the step between any two rows, and where each step moves each product (-1: not known)."""
    n = len(table)
    pairs, moved = [], []
    for column in _some_columns(table).T:
        rows = np.flatnonzero(column >= 0)
        pairs.append((rows[:, None] * n + rows).ravel())
        moved.append((column[rows][:, None] * n + column[rows]).ravel())
    one, other = np.concatenate(pairs), np.concatenate(moved)
    joined = coo_matrix((np.ones(len(one), dtype=bool), (one, other + n * n)), shape=(2 * n * n, 2 * n * n))
    count, labels = connected_components(joined, directed=False)
    seen = np.flatnonzero(np.bincount(other, minlength=n * n))
    moves = np.full((count, n), -1, dtype=np.int16)
    moves[labels[seen + n * n], seen // n] = seen % n
    if (moves[labels[seen + n * n], seen // n] != seen % n).any():  # one step, two results
        raise _contradiction()
    return labels[: n * n].reshape(n, n), moves


def _some_columns(table: Int64[np.ndarray, "n n"]) -> Int64[np.ndarray, "n some"]:
    """As many columns, the fullest first, as make enough pairs of rows; all of a table that is nearly empty."""
    pairs = np.square((table >= 0).sum(axis=0))
    order = np.argsort(-pairs, kind="stable")
    return table[:, order[: int(np.searchsorted(np.cumsum(pairs[order]), ENOUGH)) + 1]]


def _contradiction() -> InputError:
    return InputError("products that contradict every group", expected="steps between rows that agree with each other")
