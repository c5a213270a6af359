"""The driver: proposals from the cheapest generator to the dearest, decided on the data within a time limit."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from ..problem._constants import Fit, refine
from ..problem._search_problem import SearchProblem
from ..problem._template import Template
from ..symbolic._tidy import complexity
from ._candidate import Candidate, description_length, finish
from ._stages import PARTS, Generator

_log = logging.getLogger(__name__)

_FINALISTS = 4  # fits that explain nothing and are finished all the same, for the front
_SAME = 1e-6  # of y's deviation: fits that differ by less on the rows are one
_FRONT = 8  # fits of different lengths that are kept for the front
_GAIN = 0.95  # of the error of all shorter fits: what a longer one leaves at most
_BEST = 6  # templates that are given for a part of y: sums and products combine them
_LONGEST = 12  # constants: a longer form of coarse rows is no law, and takes long to be finished
_SHORT = 6  # constants: a longer form that fits a part may be a series, so the search for that part goes on


def parts(problem: SearchProblem) -> list[Template]:
    """Templates for a part of y that is known only approximately, the best first; at most six.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    found: list[Template] = []
    for stage in PARTS:
        if problem.budget.over():
            break
        found += stage(problem, parts)
        if any(
            template.error <= max(2 * problem.tolerance, 1e-9) and len(template.start) <= _SHORT for template in found
        ):
            break
    key = {id(f): np.log10(max(f.error, problem.tolerance, 1e-12)) + 0.1 * len(f.start) for f in found}
    return sorted(found, key=lambda template: key[id(template)])[:_BEST]


@dataclass(frozen=True)
class Outcome:
    """What a search brought.

    Attributes
    ----------
    done : tuple of Candidate
        Finished formulas that explain y.
    rough : tuple of Fit
        The best fits that do not.
    interrupted : bool
        Whether a KeyboardInterrupt ended the search.
    seen : tuple of Fit
        Of all fits that do not explain y, the front of length against error, the shortest first; at most eight.
    """

    done: tuple[Candidate, ...]
    rough: tuple[Fit, ...]
    interrupted: bool = False
    seen: tuple[Fit, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether one of the formulas ends the search."""
        return any(candidate.settled for candidate in self.done)

    def joined(self, other: "Outcome", problem: SearchProblem) -> "Outcome":
        """Two outcomes as one, with the best few rough fits of the two.

        Parameters
        ----------
        other : Outcome
            Of another search of the same output.
        problem : SearchProblem
            The whole problem, for the lengths of the fits.
        """
        rough = _shortest(problem, [*self.rough, *other.rough])
        seen = _front([*self.seen, *other.seen])
        return Outcome(self.done + other.done, rough, self.interrupted or other.interrupted, seen)


def search(problem: SearchProblem, stages: Sequence[Generator]) -> Outcome:
    """Go through generators until a form explains y with constants that have names.

    A form that explains y with more than three constants without a simple name may be a close stand-in (a series for a
    function): the search goes on after it. A KeyboardInterrupt ends it with what there is.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    stages : sequence of callables
        The generators, in the order in which they are asked.
    """
    fits: list[Fit] = []
    done: list[Candidate] = []
    fit: Fit | None = None
    try:
        with np.errstate(all="ignore"):  # a proposal may leave the range of numbers; then it explains nothing
            for fit in filter(None, _fits(problem, stages)):
                if not fit.explained() or _too_long(fit.template, problem):
                    fits.append(fit)
                    continue
                candidate = finish(problem, fit)
                if problem.allows(candidate.expression):
                    done.append(candidate)
                    if candidate.settled:
                        return Outcome(tuple(done), (), seen=_front(fits))
    except KeyboardInterrupt:
        last = [] if fit is None else [fit]  # it may have been about to be finished
        return Outcome(tuple(done), _shortest(problem, [*fits, *last]), interrupted=True, seen=_front(fits))
    return Outcome(tuple(done), _shortest(problem, fits), seen=_front(fits))


def _front(fits: Sequence[Fit]) -> tuple[Fit, ...]:
    """The best fit of each length that leaves less than every shorter one; of many those that gain most."""
    front: list[Fit] = []
    gains: list[float] = []
    for _, error, fit in sorted(
        ((complexity(fit.model.template.expression), fit.error, fit) for fit in fits), key=lambda one: one[:2]
    ):
        before = front[-1].error if front else 1.0
        if error < _GAIN * before:
            front.append(fit)
            gains.append(before / max(error, 1e-300))
    kept = sorted(sorted(range(len(front)), key=lambda k: -gains[k])[:_FRONT])
    return tuple(front[k] for k in kept)


def _fits(problem: SearchProblem, stages: Sequence[Generator]) -> Iterator[Fit | None]:
    """What each generator proposes, fitted to the rows; a generator whose algebra fails is given up."""
    for stage in stages:
        try:
            for template in stage(problem, parts):
                possible = not template.expression.has(sympy.zoo, sympy.nan)  # one over a sum that came out as zero
                allowed = possible and problem.prior.allows_functions(template.expression)
                linear = template.expression.is_Add
                yield refine(template, problem) if allowed and (linear or not _too_long(template, problem)) else None
                if problem.budget.over():
                    return
        except np.linalg.LinAlgError as error:  # of columns over hundreds of decades
            _log.debug("%s: %s", stage, error)
        if problem.budget.over():
            return


def _too_long(template: Template, problem: SearchProblem) -> bool:
    """Whether a template is no law of coarse rows, whatever it leaves of them."""
    return problem.tolerance > 0 and len(template.start) > _LONGEST


def _shortest(problem: SearchProblem, fits: Sequence[Fit]) -> tuple[Fit, ...]:
    """The fits of the shortest description that agree with what is known, at most four, no two alike on the rows."""
    kept: list[Fit] = []
    for fit in sorted(fits, key=lambda fit: _rough_length(problem, fit)):
        if len(kept) == _FINALISTS:
            break
        if not any(_alike(fit, other, problem) for other in kept) and problem.allows(_filled(fit)):
            kept.append(fit)
    return tuple(kept)


def _alike(one: Fit, other: Fit, problem: SearchProblem) -> bool:
    """Whether two fits say the same on the same rows."""
    if len(one.residual) != len(other.residual):
        return False
    return bool(np.max(np.abs(one.residual - other.residual)) <= _SAME * problem.unit)


def _filled(fit: Fit) -> sympy.Expr:
    values = map(sympy.Float, fit.values.tolist())
    return fit.model.template.expression.xreplace(dict(zip(fit.model.constants, values, strict=True)))


def _rough_length(problem: SearchProblem, fit: Fit) -> float:
    """The description length of a fit whose constants have no names yet, at ten bits each."""
    size = complexity(fit.model.template.expression)
    return description_length(fit.error, size, 10.0 * len(fit.values), problem.rows, max(problem.least, 1e-12))
