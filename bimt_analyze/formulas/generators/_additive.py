"""Sums of terms over separate groups of inputs, seen first as smooth parts and then given a form each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import combinations, product

import numpy as np

from ..problem._inner import single
from ..problem._search_problem import Problem
from ..problem._smooth import Group, Smooth, affordable, best_smooth, fit_smooth
from ..problem._template import Form, total
from ..problem._univariate import shapes

Propose = Callable[[Problem], list[Form]]

_COMBINATIONS = 10
_NOTHING = 1e-3  # a part smaller than this share of y is no term
_SPLIT = 0.1  # leave-one-out error of a sum of smooth parts, above which there is no such sum
_EVIDENT = 1e-3  # and below which there is no doubt
_AT_ONCE = 0.1  # share of the time for sums beyond doubt


def sums(problem: Problem, propose: Propose) -> Iterator[Form]:
    """Sums over the hinted groups, then over groups that the data suggest."""
    hinted = problem.terms()
    done: set[tuple[Group, ...]] = set()
    for groups in [hinted] if hinted else []:
        done.add(groups)
        yield from _over(problem, groups, propose)
    for groups in partitions(problem):
        if groups not in done and not problem.clock.over():
            done.add(groups)
            yield from _over(problem, groups, propose)


def evident_sums(problem: Problem, propose: Propose) -> Iterator[Form]:
    """Sums over the first groups, from single inputs upwards, of which smooth parts leave nearly nothing."""
    short = replace(problem, clock=problem.clock.share(_AT_ONCE))
    groups = next((groups for error, groups in _merged(short) if error < _EVIDENT), None)
    if groups is not None:
        yield from _over(short, groups, propose)


def partitions(problem: Problem) -> Iterator[tuple[Group, ...]]:
    """From single inputs upwards: the two groups are merged whose merging explains most; one after another."""
    return (groups for _, groups in _merged(problem))


def _merged(problem: Problem) -> Iterator[tuple[float, tuple[Group, ...]]]:
    """What a sum over the groups leaves, and the groups."""
    groups: tuple[Group, ...] = tuple((i,) for i in range(problem.width))
    error = _error(problem, groups)
    while len(groups) > 1 and not problem.clock.over():
        if error < _SPLIT:
            yield error, groups
        if error < _EVIDENT:
            return
        trials: list[tuple[float, tuple[Group, ...]]] = []
        for one, two in combinations(groups, 2):
            if trials and problem.clock.over():
                break
            rest = [g for g in groups if g not in (one, two)]
            merged = tuple(sorted([*rest, tuple(sorted(one + two))]))
            trials.append((_error(problem, merged), merged))
        error, groups = min(trials)


def _error(problem: Problem, groups: tuple[Group, ...]) -> float:
    degree = min(affordable(groups, problem.rows), 8)
    return fit_smooth(problem.x, problem.y, groups, [degree] * len(groups)).error if degree else float("inf")


def _over(problem: Problem, groups: Sequence[Group], propose: Propose) -> Iterator[Form]:
    smooth = best_smooth(problem.x, problem.y, groups, clock=problem.clock)
    if smooth is None or smooth.error > _SPLIT or len(groups) < 2:
        return
    choices = [part for k in range(len(groups)) if (part := _parts(problem, smooth, k, propose))]
    joins = ((sum(c[0] for c in chosen), [c[1] for c in chosen]) for chosen in product(*choices))
    for _, forms in nsmallest(_COMBINATIONS, joins, key=lambda pair: pair[0]):
        yield total(forms, smooth.offset)


def _parts(problem: Problem, smooth: Smooth, place: int, propose: Propose) -> list[tuple[float, Form]]:
    """Forms for one group's part with their ranks; empty where the part is nothing."""
    group, values = smooth.groups[place], smooth.values[place]
    share = float(np.std(values)) / problem.unit
    if share < max(_NOTHING, 3 * smooth.error):
        return []
    tolerance = max(smooth.error / share, problem.tolerance)
    if len(group) == 1:
        found = shapes(single(problem, group[0]), values, tolerance=tolerance, most=4)
        return [(shape.rank(tolerance), shape.added()) for shape in found]
    if problem.depth < 1:
        return []
    forms = propose(problem.part(group, values, tolerance=tolerance))
    return [(float(np.log10(max(f.error, tolerance, 1e-12))) + 0.1 * len(f.start), f) for f in forms[:4]]
