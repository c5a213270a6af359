"""A finite group, given by its multiplication table."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64

from bimt_train import InputError
from bimt_train.showing import Shown

MOST = 256  # elements: all triples are checked, and each has a character in a table as wide


@dataclass(frozen=True, eq=False, repr=False)
class FiniteGroup(Shown):
    """A group of the elements 0, 1, ..., n - 1.

    Attributes
    ----------
    product : array of int64, shape (n, n)
        The number of the product a b, at row a and column b.

    Raises
    ------
    InputError
        The table is not square or too large, not a Latin square, has no identity, or breaks the associative law.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import FiniteGroup
    >>> numbers = np.arange(4)
    >>> group = FiniteGroup((numbers[:, None] + numbers) % 4)
    >>> group.identity, group.inverse.tolist(), group.orders.tolist()
    (0, [0, 3, 2, 1], [1, 4, 2, 4])
    """

    product: Int64[np.ndarray, "n n"]

    def __post_init__(self) -> None:
        table = self.product
        n = len(table)
        if not 1 <= n <= MOST:
            raise InputError("a group of too many elements", expected=f"1 to {MOST}", got=str(n))
        numbers = np.arange(n)
        for words, lines in (("row", table), ("column", table.T)):
            wrong = np.flatnonzero((np.sort(lines, axis=1) != numbers).any(axis=1))
            if len(wrong):
                expected = f"each element once in each {words}"
                raise InputError("no Latin square", expected=expected, got=f"another {words} {wrong[0]}")
        left = np.flatnonzero((table == numbers).all(axis=1))
        if not len(left) or (table[:, left[0]] != numbers).any():
            raise InputError("a table without an identity", expected="an element e with e a = a e = a")
        for a in range(n):
            unequal = np.argwhere(table[table[a]] != table[a][table])
            if len(unequal):
                b, c = unequal[0].tolist()
                raise InputError(
                    "a table that breaks the associative law", expected="(a b) c = a (b c)",
                    got=f"two results for a, b, c = {a}, {b}, {c}",
                )  # fmt: skip

    @property
    def order(self) -> int:
        """How many elements there are."""
        return len(self.product)

    @cached_property
    def identity(self) -> int:
        """The number of the element that changes nothing."""
        return int(np.flatnonzero((self.product == np.arange(self.order)).all(axis=1))[0])

    @cached_property
    def inverse(self) -> Int64[np.ndarray, " n"]:
        """For each element the one that undoes it."""
        return np.argwhere(self.product == self.identity)[:, 1]

    @cached_property
    def orders(self) -> Int64[np.ndarray, " n"]:
        """For each element how often it has to be multiplied by itself to give the identity."""
        found = np.ones(self.order, dtype=np.int64)
        power = np.arange(self.order)
        while (left := power != self.identity).any():
            found += left
            power = np.where(left, self.product[power, np.arange(self.order)], power)
        return found

    @property
    def commutes(self) -> bool:
        """Whether a b = b a for all elements."""
        return bool((self.product == self.product.T).all())

    @cached_property
    def classes(self) -> tuple[tuple[int, ...], ...]:
        """The conjugacy classes: the identity's first, then by the order of their elements, size and lowest element."""
        conjugates = self.product[self.product, self.inverse[:, None]]  # at row g and column x: g x / g
        found = {tuple(sorted(set(conjugates[:, x].tolist()))) for x in range(self.order)}
        return tuple(sorted(found, key=lambda one: (int(self.orders[one[0]]), len(one), one)))

    def generated(self, *elements: int) -> frozenset[int]:
        """All products of the given elements.

        Parameters
        ----------
        *elements : int
            Numbers of elements.

        Returns
        -------
        frozenset of int
            Numbers of the elements of the subgroup that they generate.

        Examples
        --------
        >>> import numpy as np
        >>> numbers = np.arange(6)
        >>> sorted(FiniteGroup((numbers[:, None] + numbers) % 6).generated(4))
        [0, 2, 4]
        """
        found, new = {self.identity}, [self.identity]
        while new:
            reached = {int(self.product[a, b]) for a in new for b in elements} - found
            found |= reached
            new = list(reached)
        return frozenset(found)

    def power(self, element: int, times: int) -> int:
        """An element multiplied by itself.

        Parameters
        ----------
        element : int
            Number of the element.
        times : int
            How often it is taken; below 0, its inverse is.

        Returns
        -------
        int
            Number of the power.

        Examples
        --------
        >>> import numpy as np
        >>> numbers = np.arange(6)
        >>> FiniteGroup((numbers[:, None] + numbers) % 6).power(5, 3)
        3
        """
        found = self.identity
        for _ in range(times % int(self.orders[element])):
            found = int(self.product[found, element])
        return found
