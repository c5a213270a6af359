"""The group whose products the targets are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError
from bimt_train.showing import Shown

from ._completed_table import completed
from ._evidence import foretold, least_foretold
from ._finite_group import FiniteGroup
from ._group_name import group_name
from ._operation_table import OperationTable


@dataclass(frozen=True, eq=False, repr=False)
class TargetGroup(Shown):
    """A group, and how its elements are named in rows: the class of tokens a and b is left[a] right[b].

    Attributes
    ----------
    group : FiniteGroup
        The group; element k is the class at place k of the table.
    table : OperationTable
        The rows as a table, as far as they are given.
    left : array of int64, shape (n,)
        The element of each token of the first side.
    right : array of int64, shape (n,)
        The element of each token of the second side.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import operation_table, target_group
    >>> x = np.array([[a, b] for a in range(3) for b in range(3)], dtype=np.float64)
    >>> found = target_group(operation_table(x, (x[:, :1] - x[:, 1:]) % 3))
    >>> found.left.tolist(), found.right.tolist()
    ([0, 1, 2], [0, 2, 1])
    >>> found.sentence
    'The targets are the multiplication table of the cyclic group of order 3, with names of its own for tokens or \
classes, checked on 9 pairs.'
    """

    group: FiniteGroup
    table: OperationTable
    left: Int64[np.ndarray, " n"]
    right: Int64[np.ndarray, " n"]

    @property
    def name(self) -> str:
        """What the group is called, as `group_name` says it."""
        return group_name(self.group)

    @property
    def sentence(self) -> str:
        """One sentence: what the targets are, and from how many pairs that is known."""
        known, all_ = self.table.known, self.group.order**2
        rest = f"; the other {all_ - known:,} follow from them" if known < all_ else ""
        renamed = ", with names of its own for tokens or classes" if self.renamed else ""
        return f"The targets are the multiplication table of {self.name}{renamed}, checked on {known:,} pairs{rest}."

    @property
    def renamed(self) -> bool:
        """Whether the element of a token, on one side or the other, is not the class at its own place."""
        return bool((np.stack([self.left, self.right]) != np.arange(self.group.order)).any())

    @property
    def products(self) -> Int64[np.ndarray, "n n"]:
        """The element of each pair of tokens, those that no row tells included."""
        return np.asarray(self.group.product[self.left[:, None], self.right])

    @property
    def pairs(self) -> Float64[np.ndarray, "pairs columns"]:
        """A row for each pair of tokens, in the order of `products`."""
        every = np.arange(self.group.order)
        return self.table.pairs(every, every)


def target_group(table: OperationTable) -> TargetGroup:
    """Find the group whose multiplication table this is.

    Parameters
    ----------
    table : OperationTable
        The class of each pair of tokens, as far as it is known.

    Returns
    -------
    TargetGroup
        The group. Tokens on the left, tokens on the right and classes may each have names of their own.

    Raises
    ------
    InputError
        It is no group's table, or too little of it is known to say which one's.

    Notes
    -----
    Missing products are filled in where they follow (`completed`); of a table with holes, the known products must also
    foretell each other so often that chance does so in one table of a million (`foretold`). Where tokens and classes
    have the same order and one of them is an identity, they are the group's elements. Otherwise a row r and a column c
    of the table give names: with left[a] = T[a, c] and right[b] = T[r, b], the operation left[a] right[b] = T[a, b] on
    classes has the identity T[r, c], and it is a group's, one and the same whatever r and c, if the table is any
    group's [1]_. All triples are then checked.

    References
    ----------
    .. [1] A. A. Albert, "Quasigroups I", Transactions of the American Mathematical Society 54, 1943.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import operation_table, target_group
    >>> x = np.array([[a, b] for a in range(1, 5) for b in range(1, 5)], dtype=np.float64)
    >>> target_group(operation_table(x, x[:, :1] * x[:, 1:] % 5)).name
    'the cyclic group of order 4'
    """
    for side, lines in (("first", table.results), ("second", table.results.T)):
        _check_cancels(lines, side, table)
    whole = completed(table.results)
    missing = int((whole < 0).sum())
    sure = not (table.results < 0).any() or foretold(table.results) >= least_foretold(len(whole))
    if missing or not sure:
        raise InputError(
            "too little of the table is known", expected="all products, or enough that the rest follows from them",
            got=f"{table.known:,} of {whole.size:,}; "
            + (f"{missing:,} of the others do not follow" if missing else "few of them follow from the rest"),
        )  # fmt: skip
    numbers = np.arange(len(whole))
    own = np.flatnonzero((whole == numbers).all(axis=1) & (numbers == whole.T).all(axis=1))
    base = int(own[0]) if len(own) else 0
    left, right = whole[:, base], whole[base]
    product = np.empty_like(whole)
    product[left[:, None], right] = whole
    return TargetGroup(FiniteGroup(product), table, left, right)


def _check_cancels(lines: Int64[np.ndarray, "n n"], side: str, table: OperationTable) -> None:
    """Refuse a line with the same class twice; the names in the message are those in the rows."""
    tokens = table.left if side == "first" else table.right
    for token, line in zip(tokens.numbers.tolist(), lines, strict=True):
        found, times = np.unique(line[line >= 0], return_counts=True)
        if (times > 1).any():
            twice = int(table.classes[found[times > 1][0]])
            raise InputError(
                "no group's table", expected="each class once for each token",
                got=f"class {twice} more than once with {token} as the {side} token",
            )  # fmt: skip
