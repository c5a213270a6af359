"""The tokens of a cyclic group as numbers, so that products are sums."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train.showing import Shown

from ._hidden_activations import all_pairs
from .group_tables._cyclic_numbers import discrete_logarithms
from .group_tables._target_group import TargetGroup


@dataclass(frozen=True, eq=False, repr=False)
class TokenNumbers(Shown):
    """The number, below p, of each of p tokens: the class of the tokens numbered a and b has the number a + b + shift.

    Attributes
    ----------
    tokens : array of int64, shape (p,)
        The tokens by rising number.
    rows : array of float64, shape (p * p, columns)
        A row for each pair of tokens, as the network sees it, in the order of their numbers, the first slowest.
    sign : int, default 1
        1 where the second number is added, -1 where it is subtracted.
    shift : int, default 0
        What is added to every sum.

    Examples
    --------
    >>> from bimt_analyze.representations._token_numbers import plain_numbers
    >>> plain_numbers(3).totals.tolist()
    [0, 1, 2, 1, 2, 3, 2, 3, 4]
    """

    tokens: Int64[np.ndarray, " p"]
    rows: Float64[np.ndarray, "pairs columns"]
    sign: int = 1
    shift: int = 0

    @property
    def plain(self) -> bool:
        """Whether every token is its own number."""
        return bool((self.tokens == np.arange(len(self.tokens))).all())

    @property
    def totals(self) -> Int64[np.ndarray, " pairs"]:
        """The sum of each row, not yet reduced modulo p."""
        every = np.arange(len(self.tokens))
        return (every[:, None] + self.sign * every + self.shift).ravel()


def plain_numbers(p: int) -> TokenNumbers:
    """Number the tokens 0 to p - 1 as themselves.

    Parameters
    ----------
    p : int
        How many tokens there are.

    Returns
    -------
    TokenNumbers
        Of rows of two tokens.

    Examples
    --------
    >>> plain_numbers(2).rows.tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    return TokenNumbers(np.arange(p), all_pairs(p))


def token_numbers(found: TargetGroup) -> TokenNumbers | None:
    """Number the tokens of both sides alike, so that the group adds their numbers, or subtracts the second one's.

    Parameters
    ----------
    found : TargetGroup
        A group and the names of its elements in rows.

    Returns
    -------
    TokenNumbers or None
        None where the group is not cyclic, the sides have other tokens, or no such numbers suit both.

    Notes
    -----
    With u and v the discrete logarithms of a token's element on the left and on the right, its number is u, and v must
    be u + shift or -u + shift for all tokens. The numbers are given up to a common factor: another generator would give
    other ones, and another frequency to the same wave.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import operation_table, target_group
    >>> from bimt_analyze.representations._token_numbers import token_numbers
    >>> x = np.array([[a, b] for a in range(5) for b in range(5)], dtype=np.float64)
    >>> found = token_numbers(target_group(operation_table(x, (x[:, :1] - x[:, 1:]) % 5)))
    >>> found.tokens.tolist(), found.sign
    ([0, 1, 2, 3, 4], -1)
    """
    logarithms, (left, right) = discrete_logarithms(found.group), (found.table.left, found.table.right)
    if logarithms is None or not np.array_equal(left.numbers, right.numbers):
        return None
    p, number, other = found.group.order, logarithms[found.left], logarithms[found.right]
    for sign in (1, -1):
        shifts = (other - sign * number) % p
        if (shifts == shifts[0]).all():
            order = np.argsort(number)
            rows = found.table.pairs(order, order)
            return TokenNumbers(left.numbers[order], rows, sign, int(shifts[0]))
    return None
