"""Where walks between groups of neurons end: block after block, as most pairs of groups are not joined."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

Steps = Mapping[tuple[str, str], Float64[np.ndarray, "samples _ _"]]
"""From the rows of one group to the columns of another, the chance of a step; pairs that are not joined are absent."""

Ends = Mapping[str, Float64[np.ndarray, "samples _ ends"]]
"""For each group the chance of each end, one row a neuron."""


def absorbed(steps: Steps, known: Ends) -> Ends:
    """The chance that a walk from each neuron ends at each of the ends.

    Parameters
    ----------
    steps : mapping of (str, str) to array [samples, rows, columns]
        The chances of steps between neurons, none of which is an end.
    known : mapping of str to array [samples, neurons, ends]
        For every group the chances that the first step leads to an end.

    Returns
    -------
    mapping of str to array [samples, neurons, ends]
        For every group the chances X_g, which solve

            X_g = known_g + sum_h steps_gh X_h.

    Notes
    -----
    Gauss's elimination with groups in the place of numbers, the cheapest group first. Between layers that read only
    what lies below them it comes down to products; equations are solved for groups that are part of a circle alone,
    and there for the narrowest of the circle.

    Examples
    --------
    A walk from b goes to a, and from there to the first of two ends in a quarter of cases:

    >>> found = absorbed({("b", "a"): np.ones((1, 1, 1))}, {"a": np.array([[[0.25, 0.75]]]), "b": np.zeros((1, 1, 2))})
    >>> found["b"].tolist()
    [[[0.25, 0.75]]]
    """
    left, ends = dict(steps), dict(known)
    sizes = {group: array.shape[1] for group, array in known.items()}
    waiting, done = list(known), []
    while waiting:
        group = min(waiting, key=lambda one: _cost(one, left, sizes))
        waiting.remove(group)
        own = left.pop((group, group), None)
        read = {column: left.pop((row, column)) for row, column in list(left) if row == group}
        if own is not None:
            solved = np.linalg.solve(np.eye(sizes[group]) - own, np.concatenate([ends[group], *read.values()], axis=2))
            ends[group], *parts = _split(solved, [ends[group].shape[2], *(block.shape[2] for block in read.values())])
            read = dict(zip(read, parts, strict=True))
        for row in [row for row, column in left if column == group]:
            weight = left.pop((row, group))
            ends[row] = ends[row] + weight @ ends[group]
            for column, block in read.items():
                more = weight @ block
                left[row, column] = left[row, column] + more if (row, column) in left else more
        done.append((group, read))
    for group, read in reversed(done):
        for column, block in read.items():
            ends[group] = ends[group] + block @ ends[column]
    return ends


def _cost(group: str, left: Steps, sizes: Mapping[str, int]) -> float:
    """Of products and equations if this group goes next."""
    read = sum(sizes[column] for row, column in left if row == group and column != group)
    readers = sum(sizes[row] for row, column in left if column == group and row != group)
    solving = sizes[group] ** 2 if (group, group) in left else 0
    return float(sizes[group] * read * readers + solving * (sizes[group] + read))


def _split(whole: Float64[np.ndarray, "samples _ _"], widths: list[int]) -> list[Float64[np.ndarray, "samples _ _"]]:
    return np.split(whole, np.cumsum(widths)[:-1], axis=2)
