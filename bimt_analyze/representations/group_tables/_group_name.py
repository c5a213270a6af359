"""What a finite group is called."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from ._finite_group import FiniteGroup

Power = tuple[int, int]  # number of the generator, 0 or 1, and its exponent
Word = tuple[Power, ...]


def group_name(group: FiniteGroup) -> str:
    """Name a group: abelian, symmetric, alternating, dihedral and dicyclic groups by name, others by their size.

    Parameters
    ----------
    group : FiniteGroup
        Any group.

    Returns
    -------
    str
        Its name, as it stands in a sentence.

    Notes
    -----
    A group that does not commute has a name where two of its elements generate it and fulfil the relations by which the
    named group is defined: then it is an image of that group, and, being as large, the same.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import FiniteGroup
    >>> from bimt_analyze.representations.group_tables._group_name import group_name
    >>> numbers = np.arange(4)
    >>> group_name(FiniteGroup((numbers[:, None] + numbers) % 4))
    'the cyclic group of order 4'
    >>> group_name(FiniteGroup(numbers[:, None] ^ numbers))
    'Z2 x Z2'
    """
    if group.commutes:
        factors = _cyclic_factors(group)
        if len(factors) < 2:
            return f"the cyclic group of order {group.order}"
        return " x ".join(f"Z{factor}" for factor in factors)
    for name, relations in _presentations(group.order):
        if _fulfilled(group, relations):
            return name
    return f"a group of {group.order} elements that does not commute"


def _cyclic_factors(group: FiniteGroup) -> list[int]:
    """Orders of cyclic groups, each of which divides the next, whose direct product an abelian group is."""
    primary: list[list[int]] = []
    for p in range(2, group.order + 1):
        if group.order % p or any(p % q == 0 for q in range(2, p)):
            continue
        powers, q, before = [], p, 0
        while before < (solved := _logarithm(int(np.sum(q % group.orders == 0)), p)):
            powers.append(solved - before)  # factors whose order is at least q
            before, q = solved, q * p
        primary.append([p ** sum(at < rank for rank in powers) for at in range(powers[0])])
    width = max(map(len, primary), default=0)
    padded = [[*powers, *[1] * (width - len(powers))] for powers in primary]
    return sorted(int(np.prod(column)) for column in zip(*padded, strict=True))


def _logarithm(number: int, base: int) -> int:
    found = 0
    while number > 1:
        number, found = number // base, found + 1
    return found


def _presentations(order: int) -> Iterator[tuple[str, tuple[Word, ...]]]:
    """Groups of this order by name, with words in two generators that are 1."""
    r, s = 0, 1
    for n, size in ((3, 6), (4, 24), (5, 120)):
        if order == size:
            turn, swap = ((r, n),), ((s, 2),)
            apart = [((s, 1), (r, -j), (s, 1), (r, j)) * 2 for j in range(2, n // 2 + 1)]
            yield f"S{n}", (turn, swap, ((s, 1), (r, 1)) * (n - 1), *apart)
    for n, size, power in ((4, 12, 3), (5, 60, 5)):
        if order == size:
            yield f"A{n}", (((r, 2),), ((s, 3),), ((r, 1), (s, 1)) * power)
    if order % 2 == 0:
        yield (
            f"the dihedral group of {order} elements",
            (((r, order // 2),), ((s, 2),), ((s, 1), (r, 1)) * 2),
        )
    if order % 4 == 0:
        name = "the quaternion group" if order == 8 else f"the dicyclic group of {order} elements"
        yield name, (((r, order // 2),), ((s, 2), (r, -(order // 4))), ((s, -1), (r, 1), (s, 1), (r, 1)))


def _fulfilled(group: FiniteGroup, relations: tuple[Word, ...]) -> bool:
    powers = {word[0][0]: word[0][1] for word in relations if len(word) == 1}
    candidates = [
        np.flatnonzero(group.orders == powers[number]).tolist() if number in powers else range(group.order)
        for number in (0, 1)
    ]
    joint = [word for word in relations if len(word) > 1]
    return any(
        all(_is_one(group, word, pair) for word in joint) and len(group.generated(*pair)) == group.order
        for pair in product(*candidates)
    )


def _is_one(group: FiniteGroup, word: Word, pair: tuple[int, ...]) -> bool:
    at = group.identity
    for of, exponent in word:
        at = int(group.product[at, group.power(pair[of], exponent)])
    return at == group.identity
