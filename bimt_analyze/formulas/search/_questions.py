"""Which problems are searched, and by which generators: the cheapest first, hinted inputs before all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from .._search_options import SearchOptions
from ..dimensions._dimensionless import Dimensionless, dimensionless
from ..dimensions._known import Known
from ..hints._rows_apart import rows_apart
from ..problem._constants import Fit, refine
from ..problem._search_problem import SearchProblem
from ..problem._smooth import evenly_spread
from ..problem._structure import Structure
from ..problem._template import Template
from ._candidate import Candidate, finished
from ._search import Outcome
from ._stages import COMBINED, DECOMPOSITIONS, GENETIC, MARKED, MATCHED, PLAIN, QUICK, THOROUGH, Generator

_APART = 0.05  # share of the time for the rows that stand apart
_FITTED = 0.7  # share of the time for a search without rows that stand apart
_WIDE = 16  # inputs, beyond which pairs and triples of all of them are too many
_FEW = 8  # inputs, up to which groups without units are looked for among all
_FAR, _MIDDLE = 1e3, 30.0  # times the median of |y|: where its largest values hide all others, and what is looked at
_LEAST, _LEFT = 0.3, 40  # share of the rows, and rows, that must be left of the middle
_MIDDLING = 0.5  # share of the time for a search of the middle
_WITHOUT_UNITS, _EACH = 0.5, 0.3  # share of the time for groups without units, and of what is left for each of them


@dataclass(frozen=True)
class Question:
    """A problem to search, and what its answers say about y.

    Attributes
    ----------
    problem : SearchProblem
        The rows that are searched.
    stages : sequence of callables
        The generators that are asked, in their order.
    whole : SearchProblem or None
        Where the answers are judged: all rows, in y's own unit. None for the problem itself.
    groups : Dimensionless or None
        What the columns stand for, where they are groups without units.
    """

    problem: SearchProblem
    stages: Sequence[Generator]
    whole: SearchProblem | None = None
    groups: Dimensionless | None = None

    def answered(self, outcome: Outcome) -> Outcome:
        """What an outcome of the search says about y.

        Parameters
        ----------
        outcome : Outcome
            Of the search of this question.
        """
        if self.whole is None:
            return outcome
        done = [self._judged(one, self.whole) for one in outcome.done]
        rough, seen = (tuple(self._fitted(fits, self.whole)) for fits in (outcome.rough, outcome.seen))
        kept = tuple(one for one in done if one.explained and self.whole.allows(one.expression))
        return Outcome(kept, rough, outcome.interrupted, seen)

    def _judged(self, found: Candidate, whole: SearchProblem) -> Candidate:
        """A candidate in y's own columns and unit, on all rows."""
        return finished(whole, self._restated(found.expression), found.constants, explained=found.explained)

    def _fitted(self, fits: Sequence[Fit], whole: SearchProblem) -> Iterator[Fit]:
        """Fits that explain nothing, on all rows."""
        for fit in fits:
            template = fit.template
            whole_template = Template(self._restated(template.expression), template.start, template.error)
            if (again := refine(whole_template, whole)) is not None:
                yield again

    def _restated(self, expression: sympy.Expr) -> sympy.Expr:
        return expression if self.groups is None else self.groups.restated(expression)


def middle(problem: SearchProblem) -> SearchProblem | None:
    """The rows whose y is not far larger than most; None where the largest values hide no others.

    Where y reaches over decades, its deviation is that of a few rows, and a form that misses all others seems to
    explain it.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain.
    """
    size = np.abs(problem.y)
    typical = float(np.median(size))
    near = size <= _MIDDLE * typical
    if not np.max(size) > _FAR * typical > 0 or np.sum(near) < max(_LEAST * problem.rows, _LEFT):
        return None
    return problem.some(near)


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
    known: Known | None = None,
) -> Iterator[Question]:
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
    known : Known, optional
        Which units the inputs and y have.
    """
    if known is not None:
        yield from _without_units(fitted, structure, known)
    if fitted.rows < problem.rows:
        part = replace(fitted, budget=problem.budget.share(_FITTED))
        yield from _questions(part, structure, options, tested=tested)
    elif (few := middle(problem)) is not None:
        part = replace(few, budget=problem.budget.share(_MIDDLING))
        for question in _questions(part, structure, options, tested=tested):
            yield replace(question, whole=problem)
    yield from _questions(problem, structure, options, tested=tested)


def _without_units(problem: SearchProblem, structure: Structure | None, known: Known) -> Iterator[Question]:
    """The questions that groups without units ask, of the hinted inputs where there are many."""
    hinted = None if structure is None or problem.width <= _FEW else _hinted(problem, structure)
    whole = replace(hinted or problem, structure=None, budget=problem.budget.share(_WITHOUT_UNITS))
    if whole.width > _WIDE:
        return
    yield Question(whole, QUICK)
    asked = [(groups, groups.problem(whole)) for groups in dimensionless(whole, known)]
    for stages in (QUICK, DECOMPOSITIONS, MATCHED, THOROUGH):
        for left, (groups, question) in zip(range(len(asked), 0, -1), asked, strict=True):
            part = replace(middle(question) or question, budget=whole.budget.share(max(1 / left, _EACH)))
            yield Question(part, stages if part.width else PLAIN[:1], whole, groups)


def _questions(
    problem: SearchProblem, structure: Structure | None, options: SearchOptions, *, tested: bool
) -> Iterator[Question]:
    """Each problem to search, with the generators to search it by, the cheapest first.

    Every stage goes first over the hinted inputs, then over all; more than sixteen inputs are never
    searched together but for a plain polynomial. Inputs that structural tests combine come before the
    thorough generators.
    """
    if problem.width == 0:
        yield Question(problem, PLAIN[:1])
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
        yield Question(problem, PLAIN)
    # marks cost most on coarse rows, which no form meets exactly
    middle_stages = (MATCHED, MARKED) if problem.tolerance else (MARKED, MATCHED)
    for stages in (QUICK, DECOMPOSITIONS, *middle_stages, *((COMBINED,) if tested else ()), THOROUGH):
        if hinted is not None and stages is not COMBINED:
            yield Question(replace(hinted, budget=problem.budget.share(share)), stages)
        if not wide:
            yield Question(problem, stages)
    if options.genetic:
        yield Question(replace(problem, budget=last), GENETIC)


def _hinted(problem: SearchProblem, structure: Structure) -> SearchProblem | None:
    """The problem on the hinted inputs alone; None where the hints say nothing."""
    names = [str(column) for column in problem.columns]
    used = tuple(i for i, name in enumerate(names) if name in structure.inputs)
    if not used or not (len(used) < problem.width or len(structure.terms) > 1 or structure.ridges):
        return None
    part = problem.part(used, problem.y, tolerance=problem.tolerance)
    return replace(part, depth=problem.depth, structure=structure)
