"""Rows of two tokens and a class as a table: the class of each pair."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError
from bimt_train.showing import Shown

from ._finite_group import MOST


@dataclass(frozen=True, eq=False)
class Tokens:
    """What one of the two sides of a table is, in the columns of the rows.

    Attributes
    ----------
    columns : tuple of int
        Numbers of the columns that hold the token: one, or as many as a one-hot code has.
    numbers : array of int64, shape (n,)
        The tokens by rising number; of one-hot codes, the place of the 1.
    values : array of float64, shape (n, columns)
        What stands in the columns for each token.

    Examples
    --------
    >>> import numpy as np
    >>> Tokens((0,), np.array([3, 5]), np.array([[3.0], [5.0]])).numbers.tolist()
    [3, 5]
    """

    columns: tuple[int, ...]
    numbers: Int64[np.ndarray, " n"]
    values: Float64[np.ndarray, "n columns"]


@dataclass(frozen=True, eq=False, repr=False)
class OperationTable(Shown):
    """For each pair of tokens its class, where a row tells it.

    Attributes
    ----------
    left : Tokens
        The tokens of the first side, one a row of the table.
    right : Tokens
        The tokens of the second side, one a column of the table.
    classes : array of int64, shape (n,)
        Numbers of the classes that occur.
    results : array of int64, shape (n, n)
        For each pair the place of its class in ``classes``; -1 where no row has the pair.
    row : array of float64, shape (columns,)
        A row, whose other columns are the same in all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import operation_table
    >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> operation_table(x, np.array([[0.0], [1.0], [1.0]])).results.tolist()
    [[0, 1], [1, -1]]
    """

    left: Tokens
    right: Tokens
    classes: Int64[np.ndarray, " n"]
    results: Int64[np.ndarray, "n n"]
    row: Float64[np.ndarray, " columns"]

    @property
    def known(self) -> int:
        """How many pairs have a class."""
        return int((self.results >= 0).sum())

    def pairs(
        self, left: Int64[np.ndarray, " some"], right: Int64[np.ndarray, " more"]
    ) -> Float64[np.ndarray, "pairs columns"]:
        """Write all pairs of some tokens as rows, the first side slowest.

        Parameters
        ----------
        left : array of int64, shape (some,)
            Places of tokens of the first side.
        right : array of int64, shape (more,)
            Places of tokens of the second side.

        Returns
        -------
        array of float64, shape (some * more, columns)
            Rows such as the table was made of.
        """
        rows = np.tile(self.row, (len(left) * len(right), 1))
        rows[:, list(self.left.columns)] = np.repeat(self.left.values[left], len(right), axis=0)
        rows[:, list(self.right.columns)] = np.tile(self.right.values[right], (len(left), 1))
        return rows


def operation_table(x: Float64[np.ndarray, "rows columns"], y: Float64[np.ndarray, "rows targets"]) -> OperationTable:
    """Read rows of two tokens and a class as a table of as many rows and columns as there are classes.

    Parameters
    ----------
    x : array of float64, shape (rows, columns)
        Two columns of whole numbers, or two one-hot codes side by side; all other columns are the same in all rows.
    y : array of float64, shape (rows, targets)
        The class of each row, as its number in one column or one-hot.

    Returns
    -------
    OperationTable
        The table, with holes where pairs do not occur.

    Raises
    ------
    InputError
        The columns are no two tokens, the targets no classes, or their numbers differ; or a pair has two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import operation_table
    >>> x = np.array([[3.0, 3.0, 9.0], [3.0, 5.0, 9.0], [5.0, 5.0, 9.0]])
    >>> table = operation_table(x, np.array([[7.0], [8.0], [7.0]]))
    >>> table.results.tolist(), table.known, table.row.tolist()
    ([[0, 1], [-1, 0]], 3, [3.0, 3.0, 9.0])
    """
    sides = _sides(x)
    classes, result = np.unique(_class_numbers(y), return_inverse=True)
    codes = [_codes(x, columns) for columns in sides]
    alphabets = [np.unique(code) for code in codes]
    both = np.union1d(*alphabets)
    if len(both) == max(map(len, alphabets)):  # one alphabet, of which one side may lack some
        alphabets = [both, both]
    sizes = {len(alphabets[0]), len(alphabets[1]), len(classes)}
    if len(sizes) > 1 or not 2 <= len(classes) <= MOST:
        got = f"{len(alphabets[0])} and {len(alphabets[1])} tokens, {len(classes)} classes"
        raise InputError("no table of products", expected=f"as many tokens as classes, 2 to {MOST}", got=got)
    left, right = (_tokens(*side) for side in zip(sides, alphabets, strict=True))
    at = tuple(np.searchsorted(side.numbers, code) for side, code in zip((left, right), codes, strict=True))
    results = np.full((len(classes), len(classes)), -1, dtype=np.int64)
    results[at] = result
    if (results[at] != result).any():
        twice = int((results[at] != result).sum())
        raise InputError(
            "a pair of tokens with two classes", expected="one class a pair", got=f"{twice} rows of another"
        )
    return OperationTable(left, right, classes.astype(np.int64), results, x[0].copy())


def _sides(x: Float64[np.ndarray, "rows columns"]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    half = x.shape[1] // 2
    halves = (tuple(range(half)), tuple(range(half, x.shape[1])))
    codes = half > 1 and 2 * half == x.shape[1] and bool(np.isin(x, (0.0, 1.0)).all())
    if codes and all((x[:, list(side)].sum(axis=1) == 1).all() for side in halves):
        return halves
    varied = [(j,) for j in range(x.shape[1]) if (x[:, j] != x[0, j]).any()]
    whole = (x == np.floor(x)).all() and np.abs(x).max() < 2**53
    if len(varied) != 2 or not whole:
        got = "fractions" if not whole else f"{len(varied)}"
        raise InputError("no table of products", expected="two columns of whole numbers that vary", got=got)
    return varied[0], varied[1]


def _codes(x: Float64[np.ndarray, "rows columns"], columns: tuple[int, ...]) -> Int64[np.ndarray, " rows"]:
    part = x[:, list(columns)]
    return (part[:, 0] if len(columns) == 1 else part.argmax(axis=1)).astype(np.int64)


def _tokens(columns: tuple[int, ...], alphabet: Int64[np.ndarray, " n"]) -> Tokens:
    values = alphabet[:, None].astype(np.float64) if len(columns) == 1 else np.eye(len(columns))[alphabet]
    return Tokens(columns, alphabet, values)


def _class_numbers(y: Float64[np.ndarray, "rows targets"]) -> Int64[np.ndarray, " rows"]:
    if y.shape[1] == 1 and (y == np.floor(y)).all():
        return np.asarray(y[:, 0].astype(np.int64))
    if np.isin(y, (0.0, 1.0)).all() and (y.sum(axis=1) == 1).all():
        return np.asarray(y.argmax(axis=1).astype(np.int64))
    raise InputError("no table of products", expected="one class a row", got="other targets")
