"""Sums of terms over separate groups of inputs, fitted as smooth parts first and then written with functions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import combinations, product

import numpy as np

from ...curves._curve_shapes import curve_shapes
from ...problem._inner import single
from ...problem._search_problem import SearchProblem
from ...problem._smooth import Group, Smooth, affordable, best_smooth, fit_smooth
from ...problem._template import Template, total

Propose = Callable[[SearchProblem], list[Template]]

_COMBINATIONS = 10  # of terms' shapes, the best by rank: each is refined on the rows
_NOTHING = 1e-3  # a part smaller than this share of y is no term
_SPLIT = 0.1  # leave-one-out error of a sum of smooth parts, above which there is no such sum
_LOW_ERROR = 1e-3  # and below which there is no doubt
_NOISY, _GAIN = 0.02, 0.9  # and, where noise hides more, what it may be, and how much of it two inputs must leave
_AT_ONCE, _NAMED = 0.1, 0.3  # shares of the time for finding sums beyond doubt, and for writing their parts


def sums(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Sums over the hinted groups, then over groups that the data suggest.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem, the best first.
    """
    hinted = problem.terms()
    done: set[tuple[Group, ...]] = set()
    for groups in [hinted] if hinted else []:
        done.add(groups)
        yield from _over(problem, groups, propose)
    for groups in partitions(problem):
        if groups not in done and not problem.budget.over():
            done.add(groups)
            yield from _over(problem, groups, propose)


def low_error_sums(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Sums over the first groups, from single inputs upwards, of which smooth parts leave less than 0.1 % of y.

    On noisy rows they leave up to 2 %, where groups of single inputs leave no more than any two of them together do.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem, the best first.
    """
    short = replace(problem, budget=problem.budget.share(_AT_ONCE))
    groups = next((groups for error, groups in _merged(short) if error < _LOW_ERROR), None) or _noisy_singles(short)
    if groups is not None:
        yield from _over(replace(problem, budget=problem.budget.share(_NAMED)), groups, propose)


def partitions(problem: SearchProblem) -> Iterator[tuple[Group, ...]]:
    """Groups of inputs, from single inputs upwards: each time the two are merged that explain most together.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    return (groups for _, groups in _merged(problem))


def _merged(problem: SearchProblem) -> Iterator[tuple[float, tuple[Group, ...]]]:
    """What a sum over the groups leaves, and the groups."""
    groups: tuple[Group, ...] = tuple((i,) for i in range(problem.width))
    error = _error(problem, groups)
    while len(groups) > 1 and not problem.budget.over():
        if error < _SPLIT:
            yield error, groups
        if error < _LOW_ERROR:
            return
        trials: list[tuple[float, tuple[Group, ...]]] = []
        for one, two in combinations(groups, 2):
            if trials and problem.budget.over():
                break
            rest = [g for g in groups if g not in (one, two)]
            merged = tuple(sorted([*rest, tuple(sorted(one + two))]))
            trials.append((_error(problem, merged), merged))
        error, groups = min(trials)


def _noisy_singles(problem: SearchProblem) -> tuple[Group, ...] | None:
    """Single inputs, where parts of them leave little and no two do better together; None elsewhere."""
    singles: tuple[Group, ...] = tuple((i,) for i in range(problem.width))
    error = _error(problem, singles)
    if problem.width < 2 or not error < _NOISY:
        return None
    for one, two in combinations(range(problem.width), 2):
        rest = tuple((i,) for i in range(problem.width) if i not in (one, two))
        if problem.budget.over() or _error(problem, tuple(sorted([*rest, (one, two)]))) < _GAIN * error:
            return None
    return singles


def _error(problem: SearchProblem, groups: tuple[Group, ...]) -> float:
    """The leave-one-out error of a sum of smooth parts over these groups."""
    degree = min(affordable(groups, problem.rows), 8)
    return (
        fit_smooth(problem.x, problem.y, groups, [degree] * len(groups), budget=problem.budget).error
        if degree
        else float("inf")
    )


def _over(problem: SearchProblem, groups: Sequence[Group], propose: Propose) -> Iterator[Template]:
    """Sums over these groups, unless smooth parts of them leave more than a tenth."""
    smooth = best_smooth(problem.x, problem.y, groups, budget=problem.budget)
    if smooth is None or smooth.error > _SPLIT or len(groups) < 2:
        return
    choices = [part for k in range(len(groups)) if (part := _parts(problem, smooth, k, propose))]
    joins = ((sum(c[0] for c in chosen), [c[1] for c in chosen]) for chosen in product(*choices))
    for _, templates in nsmallest(_COMBINATIONS, joins, key=lambda pair: pair[0]):
        yield total(templates, smooth.offset)


def _parts(problem: SearchProblem, smooth: Smooth, place: int, propose: Propose) -> list[tuple[float, Template]]:
    """Templates for one group's part with their ranks; empty where the part is too small to be a term."""
    group, values = smooth.groups[place], smooth.values[place]
    share = float(np.std(values)) / problem.unit
    if share < max(_NOTHING, 3 * smooth.error):
        return []
    tolerance = max(smooth.error / share, problem.tolerance)
    if len(group) == 1:
        found = curve_shapes(single(problem, group[0]), values, tolerance=tolerance, budget=problem.budget, most=4)
        return [(shape.rank(tolerance), shape.added()) for shape in found]
    if problem.depth < 1:
        return []
    templates = propose(problem.part(group, values, tolerance=tolerance))
    return [(float(np.log10(max(f.error, tolerance, 1e-12))) + 0.1 * len(f.start), f) for f in templates[:4]]
