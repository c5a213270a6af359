"""What real numbers over a group can tell apart: its representations, a complex one together with its conjugate."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_lowercase

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train.showing import Shown

from ._characters import CharacterTable, character_table
from ._cyclic_numbers import discrete_logarithms
from ._finite_group import FiniteGroup


@dataclass(frozen=True, eq=False, repr=False)
class RealCharacter(Shown):
    """One irreducible representation that is its own complex conjugate, or two that are each other's.

    Attributes
    ----------
    name : str
        Its name.
    dimension : int
        d, the dimension of the representation; of two, that of each.
    values : array of float64, shape (elements,)
        The character of each element; of two, their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import RealCharacter
    >>> RealCharacter("sign", 1, np.array([1.0, -1.0])).projection(np.array([[0, 1], [1, 0]])).tolist()
    [[0.5, -0.5], [-0.5, 0.5]]
    """

    name: str
    dimension: int
    values: Float64[np.ndarray, " elements"]

    def projection(self, quotients: Int64[np.ndarray, "n n"]) -> Float64[np.ndarray, "n n"]:
        """The matrix that takes a function over the group to its part in the representation.

        Parameters
        ----------
        quotients : array of int64, shape (n, n)
            The element g u^-1, at row g and column u.

        Returns
        -------
        array of float64, shape (n, n)
            d/n times the character of each quotient.
        """
        return np.asarray(self.dimension / len(self.values) * self.values[quotients])


def real_characters(group: FiniteGroup) -> tuple[RealCharacter, ...]:
    """Name the irreducible representations of a group, a complex one together with its conjugate.

    The first is ``trivial``. Those of a cyclic group are frequencies: ``k=3`` is cos and sin of 3 turns around the
    group (`discrete_logarithms`). Of another group, ``sign`` is the one that takes just 1 and -1, if only one besides
    the trivial one does. All else is named by dimension, ``2``, with its conjugate ``2+2*``; two of the same dimension
    are ``3`` and ``3'``, more of them ``1a``, ``1b``, ``1c``: that with the greater characters first, in the order of
    the classes.

    Parameters
    ----------
    group : FiniteGroup
        Any group.

    Returns
    -------
    tuple of RealCharacter
        By rising dimension; of a cyclic group, by rising frequency.

    Raises
    ------
    InputError
        Rounding has left characters that are not orthonormal.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import FiniteGroup, real_characters
    >>> numbers = np.arange(5)
    >>> [one.name for one in real_characters(FiniteGroup((numbers[:, None] + numbers) % 5))]
    ['trivial', 'k=1', 'k=2']
    """
    logarithms = discrete_logarithms(group)
    if logarithms is not None:
        return tuple(_frequency(k, logarithms) for k in range(group.order // 2 + 1))
    table = character_table(group)
    kept, dimensions = _own_or_pairs(table), table.dimensions
    names = _names([(int(dimensions[k]), k == partner) for k, partner in kept])
    found = []
    for name, (k, partner) in zip(names, kept, strict=True):
        values = np.zeros(group.order)
        for members, value in zip(table.classes, table.values[k].real.tolist(), strict=True):
            values[list(members)] = value * (1 if k == partner else 2)
        found.append(RealCharacter(name, int(dimensions[k]), values))
    return tuple(found)


def _frequency(k: int, logarithms: Int64[np.ndarray, " n"]) -> RealCharacter:
    n = len(logarithms)
    times = 1 if 2 * k % n == 0 else 2
    return RealCharacter(f"k={k}" if k else "trivial", 1, times * np.cos(2 * np.pi * (k * logarithms % n) / n))


def _own_or_pairs(table: CharacterTable) -> list[tuple[int, int]]:
    """Each character with its conjugate, where that does not come before it."""
    partners = [int(np.abs(table.values - one.conj()).sum(axis=1).argmin()) for one in table.values]
    return [(k, partner) for k, partner in enumerate(partners) if partner >= k]


def _names(kinds: Sequence[tuple[int, bool]]) -> list[str]:
    """Names of representations of these dimensions, and whether they are their own conjugates."""
    signs = [k for k, kind in enumerate(kinds) if k and kind == (1, True)]
    named = {0: "trivial"} | ({signs[0]: "sign"} if len(signs) == 1 else {})
    left = sorted(((kind, k) for k, kind in enumerate(kinds) if k not in named))
    for (dimension, own), group in groupby(left, key=lambda one: one[0]):
        alike = [k for _, k in group]
        for at, k in enumerate(alike):
            mark = ("", "'")[at] if len(alike) < 3 else _letters(at)
            named[k] = f"{dimension}{mark}" if own else f"{dimension}{mark}+{dimension}{mark}*"
    return [named[k] for k in range(len(kinds))]


def _letters(at: int) -> str:
    more, last = divmod(at, len(ascii_lowercase))
    return (_letters(more - 1) if more else "") + ascii_lowercase[last]
