"""The elements of a cyclic group as numbers that are added."""

import numpy as np
from jaxtyping import Int64

from ._finite_group import FiniteGroup


def discrete_logarithms(group: FiniteGroup) -> Int64[np.ndarray, " n"] | None:
    """Number the elements of a cyclic group so that products are sums modulo n.

    The generator, which gets the number 1, is the first element that generates the group. Another generator would
    multiply all numbers by the same factor.

    Parameters
    ----------
    group : FiniteGroup
        Any group.

    Returns
    -------
    array of int64, shape (n,), or None
        For each element k, where it is the k-th power of the generator; None where no element generates the group.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import FiniteGroup
    >>> from bimt_analyze.representations.group_tables._cyclic_numbers import discrete_logarithms
    >>> powers = np.array([1, 3, 2, 6, 4, 5])  # of 3 modulo 7
    >>> units = np.arange(1, 7)
    >>> found = discrete_logarithms(FiniteGroup(units[:, None] * units % 7 - 1))
    >>> found[powers - 1].tolist()
    [0, 1, 2, 3, 4, 5]
    """
    generators = np.flatnonzero(group.orders == group.order)
    if not len(generators):
        return None
    found = np.zeros(group.order, dtype=np.int64)
    at = group.identity
    for number in range(group.order):
        found[at] = number
        at = int(group.product[at, generators[0]])
    return found
