"""Hints from a function: what structural tests show of it, turned into what a search may try first."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from ..problem._search_problem import deviation
from ..problem._structure import Combination, Ridge, Structure
from ._differentiable import Differentiable
from ._structural_tests import SIMPLE, StructuralTestResult

_LEAST = 0.02  # of y's deviation: a smaller effect is none
_GRADIENTS = 200  # rows at which they are taken
_ACROSS = 0.1  # of the gradient, across the direction of a weighted sum
_ERRORS = 1.0  # of the function's own error: a smaller effect may be one


def proposed_structure(test_results: Sequence[StructuralTestResult], *, names: Sequence[str]) -> Structure:
    """The hints that structural tests give: inputs that count, terms, and combinations of two inputs.

    Inputs that are not only added stand in one term. Of the combinations of one pair the best-supported is kept; those
    with a coefficient that is no simple number are left out.

    Parameters
    ----------
    test_results : sequence of StructuralTestResult
        As `structural_tests` gives them, the least departure first.
    names : sequence of str
        All inputs, in the order of the columns.
    """
    used = [name for name in names if any(e.kind == "depends" and e.inputs == (name,) for e in test_results)]
    groups = [{name} for name in used]
    for one in test_results:
        if one.kind == "added" and not one.proposed:
            meeting = [group for group in groups if set(one.inputs) & group]
            groups = [group for group in groups if group not in meeting] + [set().union(*meeting)]
    best: dict[tuple[str, ...], Combination] = {}
    for one in test_results:
        if one.kind == "combined" and one.proposed and one.value in SIMPLE:
            best.setdefault(one.inputs, Combination((one.inputs[0], one.inputs[1]), one.transform, one.value))
    return Structure(tuple(used), _ordered(groups), combinations=tuple(best.values()))


def structure_from_tests(
    function: Callable[[Float64[np.ndarray, "rows inputs"]], Float64[np.ndarray, "rows"]],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str],
    seed: int,
) -> Structure:
    """Hints from a function that can only be called: the inputs that count, terms and weighted sums.

    An input counts by what a swap of its column between rows changes; terms come from mixed differences; weighted sums
    from gradients, where the function has them.

    Parameters
    ----------
    function : callable
        From [rows, inputs] to [rows], such as a network's prediction.
    x : array of shape [rows, inputs]
        Rows at which the function is called.
    y : array of shape [rows]
        The output that the function was fitted to.
    names : sequence of str
        The names of the columns of ``x``.
    seed : int
        Of the swap of rows.

    Returns
    -------
    Structure
        Inputs, terms, and ridges where ``function`` is a `Differentiable`.

    Notes
    -----
    f(a) - f(a with i of b) - f(a with j of b) + f(a with i and j of b) is zero where i and j are only added. Effects
    count from 2 % of y's deviation and from the function's own error on the rows (root mean squares): the function
    is a fit of the rows, and proposes no more than its accuracy allows. A term whose gradients all lie along one
    direction but for 10 % is a function of that weighted sum.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    >>> found = structure_from_tests(lambda x: x[:, 0] * x[:, 1], x, x[:, 0] * x[:, 1], names=["a", "b", "c"], seed=0)
    >>> found.inputs, [sorted(term) for term in found.terms]
    (('a', 'b'), [['a', 'b']])
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
    groups = [{names[i]} for i in used]
    for i, j in combinations(used, 2):
        if _size(plain - single[i] - single[j] + swapped(i, j)) > limit:
            meeting = [group for group in groups if names[i] in group or names[j] in group]
            groups = [group for group in groups if group not in meeting] + [set().union(*meeting)]
    terms = _ordered(groups)
    ridges = _ridges(function.gradient(x[:_GRADIENTS]), terms, names) if isinstance(function, Differentiable) else ()
    return Structure(tuple(names[i] for i in used), terms, ridges)


def _ridges(
    gradients: Float64[np.ndarray, "rows inputs"], terms: Sequence[frozenset[str]], names: Sequence[str]
) -> tuple[Ridge, ...]:
    """Weighted sums: terms whose gradients vary along one direction only."""
    found = []
    for term in terms:
        members = [i for i, name in enumerate(names) if name in term]
        _, sizes, directions = np.linalg.svd(gradients[:, members], full_matrices=False)
        if len(members) > 1 and np.linalg.norm(sizes[1:]) <= _ACROSS * sizes[0]:
            along = directions[0] / directions[0][np.argmax(np.abs(directions[0]))]
            found.append(Ridge(tuple(names[i] for i in members), tuple(along.tolist())))
    return tuple(found)


def _ordered(groups: Sequence[set[str]]) -> tuple[frozenset[str], ...]:
    """The groups as terms, the largest first."""
    return tuple(frozenset(group) for group in sorted(groups, key=lambda g: (-len(g), sorted(g))))


def _size(values: Float64[np.ndarray, "rows"]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2)))
