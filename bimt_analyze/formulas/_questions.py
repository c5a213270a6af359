"""Which problems are searched, and by which generators: the cheapest first, hinted inputs before all."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ._search_options import SearchOptions
from ._stages import COMBINED, DECOMPOSITIONS, GENETIC, MARKED, MATCHED, PLAIN, QUICK, THOROUGH, Generator
from .hints._rows_apart import rows_apart
from .problem._search_problem import SearchProblem
from .problem._smooth import evenly_spread
from .problem._structure import Structure

_APART = 0.05  # share of the time for the rows that stand apart
_FITTED = 0.7  # share of the time for a search without rows that stand apart
_WIDE = 16  # inputs, beyond which pairs and triples of all of them are too many


def without_rows_apart(problem: SearchProblem, structure: Structure | None) -> SearchProblem:
    """The problem without the rows that stand apart; the problem itself where none do, or too many inputs matter.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain.
    structure : Structure or None
        Hints: which inputs matter.
    """
    names = [str(column) for column in problem.columns]
    used = [i for i, name in enumerate(names) if structure is None or name in structure.inputs]
    if not 0 < len(used) <= _WIDE or not evenly_spread(problem.x[:, used]):
        return problem  # of columns over decades, a few rows hold nearly all of y
    apart = rows_apart(problem.x[:, used], problem.y, budget=problem.budget.share(_APART))
    if not apart:
        return problem
    return problem.some(np.delete(np.arange(problem.rows), apart))


def all_questions(
    problem: SearchProblem,
    fitted: SearchProblem,
    structure: Structure | None,
    options: SearchOptions,
    *,
    tested: bool,
) -> Iterator[tuple[SearchProblem, Sequence[Generator]]]:
    """The questions without the rows that stand apart, where there are any, and then those on all rows.

    Parameters
    ----------
    problem : SearchProblem
        All rows.
    fitted : SearchProblem
        Without the rows that stand apart.
    structure : Structure or None
        Hints.
    options : SearchOptions
        How the work is shared.
    tested : bool
        Whether a network can be tested for structure.
    """
    if fitted.rows < problem.rows:
        part = replace(fitted, budget=problem.budget.share(_FITTED))
        yield from _questions(part, structure, options, tested=tested)
    yield from _questions(problem, structure, options, tested=tested)


def _questions(
    problem: SearchProblem, structure: Structure | None, options: SearchOptions, *, tested: bool
) -> Iterator[tuple[SearchProblem, Sequence[Generator]]]:
    """Each problem to search, with the generators to search it by, the cheapest first.

    Every stage goes first over the hinted inputs, then over all; more than sixteen inputs are never
    searched together but for a plain polynomial. Inputs that structural tests combine come before the
    thorough generators.
    """
    if problem.width == 0:
        yield problem, PLAIN[:1]
        return
    hinted = None if structure is None else _hinted(problem, structure)
    last = problem.budget
    if options.genetic:
        problem = replace(problem, budget=problem.budget.share(1 - options.genetic_share))
    if hinted is not None and hinted.width == problem.width:  # hints add to what is tried, and here leave nothing out
        problem, hinted = replace(problem, structure=hinted.structure), None
    wide = problem.width > _WIDE
    share = 1.0 if wide else options.hinted_share
    if wide and hinted is None:
        yield problem, PLAIN
    for stages in (QUICK, DECOMPOSITIONS, MARKED, MATCHED, *((COMBINED,) if tested else ()), THOROUGH):
        if hinted is not None and stages is not COMBINED:
            yield replace(hinted, budget=problem.budget.share(share)), stages
        if not wide:
            yield problem, stages
    if options.genetic:
        yield replace(problem, budget=last), GENETIC


def _hinted(problem: SearchProblem, structure: Structure) -> SearchProblem | None:
    """The problem on the hinted inputs alone; None where the hints say nothing."""
    names = [str(column) for column in problem.columns]
    used = tuple(i for i, name in enumerate(names) if name in structure.inputs)
    if not used or not (len(used) < problem.width or len(structure.terms) > 1 or structure.ridges):
        return None
    part = problem.part(used, problem.y, tolerance=0.0)
    return replace(part, depth=problem.depth, structure=structure)
