"""Hints from a function that can only be called: which inputs it depends on, and which of them interact."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from ._problem import deviation
from ._structure import Structure

_LEAST = 0.02  # of y's deviation: a smaller effect is none
_ERRORS = 1.0  # of the function's own error: a smaller effect may be one


def probe_structure(
    function: Callable[[Float64[np.ndarray, "rows inputs"]], Float64[np.ndarray, "rows"]],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str],
    seed: int,
) -> Structure:
    """Inputs by what a swap of one column between rows changes; terms by mixed differences.

    f(a) - f(a with i of b) - f(a with j of b) + f(a with i and j of b) is zero where i and j are only added. Effects
    count from 2 % of y's deviation and from the function's own error on the rows (root mean squares): the function
    is a fit of the rows, and proposes no more than its accuracy allows.
    """
    other = x[np.random.default_rng(seed).permutation(len(x))]
    plain = np.asarray(function(x), dtype=np.float64).reshape(len(x))
    limit = max(_LEAST * deviation(y), _ERRORS * _size(plain - y))

    def swapped(*columns: int) -> Float64[np.ndarray, "rows"]:
        mixed = x.copy()
        mixed[:, list(columns)] = other[:, list(columns)]
        return np.asarray(function(mixed), dtype=np.float64).reshape(len(x))

    single = [swapped(i) for i in range(x.shape[1])]
    used = [i for i, changed in enumerate(single) if _size(changed - plain) > limit]
    groups = [{i} for i in used]
    for i, j in combinations(used, 2):
        if _size(plain - single[i] - single[j] + swapped(i, j)) > limit:
            meeting = [group for group in groups if i in group or j in group]
            groups = [group for group in groups if group not in meeting] + [set().union(*meeting)]
    terms = tuple(frozenset(names[i] for i in group) for group in sorted(groups, key=lambda g: (-len(g), sorted(g))))
    return Structure(tuple(names[i] for i in used), terms)


def _size(values: Float64[np.ndarray, "rows"]) -> float:
    return float(np.sqrt(np.mean(values**2)))
