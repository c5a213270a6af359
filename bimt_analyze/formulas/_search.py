"""The driver: proposals from the cheapest generator to the dearest, each decided on the data, within a time budget."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np
import sympy

from .generators._additive import evident_sums, sums
from .generators._affine import affine
from .generators._combined_inputs import combined
from .generators._genetic import evolved
from .generators._mixed import mixed
from .generators._outer import outer_polynomials, scaled_polynomials, undone
from .generators._partly_polynomial import partly_polynomial
from .generators._peeled import peeled
from .generators._powers import products_of_powers
from .generators._rational import rationals
from .generators._ridge import single_functions
from .generators._ridge_sums import ridge_sums
from .generators._separable import evident_products, separable
from .generators._similarity import evidently_similar, left_out_error, series, similar
from .pool_search._matches import QUICK_TESTS, SLOW_TESTS, matched
from .problem._constants import Fit, refine
from .problem._polynomial import polynomials
from .problem._search_problem import Problem
from .problem._snapping import Constant, snap
from .problem._template import Form, linear, numeric
from .symbolic._tidy import complexity, tidy

Propose = Callable[[Problem], list[Form]]
Generator = Callable[[Problem, Propose], Iterator[Form]]

UNEXPLAINED = 3  # constants without a simple name that a formula may have and still be called exact without a truth
_FINALISTS = 4
_BEST = 6
_SHARP = 1e-6  # tolerance of a target that was only undone, not fitted
_SHORT = 6  # constants: a longer form that fits a part may be a series, so the search for that part goes on
_SERIES = 6  # degree of a series that makes a function look simple


def _alone(generate: Callable[[Problem], Iterator[Form]]) -> Generator:
    """A generator that splits nothing, and so asks for no parts."""
    return lambda problem, propose: generate(problem)


def constants(problem: Problem) -> Iterator[Form]:
    """The mean."""
    yield linear([sympy.Integer(1)], [float(np.mean(problem.y))], error=1.0)


def nested(problem: Problem, propose: Propose) -> Iterator[Form]:
    """y = g(z) with z found by all the others: g is undone first."""
    if problem.depth < 2:
        return
    for entry, inverted in undone(problem):
        inner = replace(inverted, depth=problem.depth - 1)
        for form in propose(inner)[:3]:
            if form.error < 0.03:
                yield Form(entry.build(form.expression), form.start, form.error)
        if problem.clock.over():
            return


def _of_one_input(problem: Problem) -> Iterator[Form]:
    """The library of one variable, where there is no other to ask about first."""
    if problem.width == 1:
        yield from single_functions(problem)


def _undone_functions(problem: Problem) -> Iterator[Form]:
    """One function inside another: the outer one undone, first those after which a short series of one input does."""
    asked = list(undone(problem))
    if problem.width == 1:
        asked.sort(key=lambda pair: left_out_error(series(problem.x[:, 0], _SERIES), pair[1].y) / pair[1].unit)
    for entry, inverted in asked:
        for form in single_functions(inverted, most=2):
            yield Form(entry.build(form.expression), form.start, form.error)


ONE_VARIABLE = (
    polynomials,
    outer_polynomials,
    rationals,
    single_functions,
    _undone_functions,
    scaled_polynomials,
    matched,
)
AT_ONCE = (polynomials, outer_polynomials, products_of_powers, rationals)
FEW_VARIABLES = (
    *AT_ONCE,
    single_functions,
    lambda problem: similar(problem, ONE_VARIABLE),
    matched,
    affine,
    partly_polynomial,
)
QUICK: tuple[Generator, ...] = (
    _alone(constants),
    _alone(polynomials),
    _alone(ridge_sums),
    _alone(outer_polynomials),
    _alone(products_of_powers),
    _alone(rationals),
)
EVIDENT: tuple[Generator, ...] = (
    _alone(lambda problem: peeled(problem, AT_ONCE)),
    _alone(lambda problem: evidently_similar(problem, ONE_VARIABLE)),
    evident_sums,
    evident_products,
    _alone(_of_one_input),
)
MATCHED: tuple[Generator, ...] = (_alone(lambda problem: matched(problem, QUICK_TESTS)), _alone(mixed))
COMBINED: tuple[Generator, ...] = (_alone(lambda problem: combined(problem, FEW_VARIABLES)),)
EVOLVED: tuple[Generator, ...] = (_alone(evolved),)
THOROUGH: tuple[Generator, ...] = (
    _alone(lambda problem: peeled(problem, FEW_VARIABLES)),
    _alone(lambda problem: similar(problem, ONE_VARIABLE)),
    _alone(lambda problem: matched(problem, SLOW_TESTS)),
    _alone(affine),
    sums,
    _alone(scaled_polynomials),
    _alone(single_functions),
    separable,
    _alone(partly_polynomial),
    nested,
)
BRIEF: tuple[Generator, ...] = (*QUICK, _alone(single_functions), sums, separable, _alone(scaled_polynomials))
PARTS: tuple[Generator, ...] = (
    _alone(polynomials),
    _alone(products_of_powers),
    _alone(rationals),
    _alone(single_functions),
    sums,
    separable,
    _alone(scaled_polynomials),
    _alone(lambda problem: partly_polynomial(problem) if problem.tolerance <= _SHARP else iter(())),
)


def parts(problem: Problem) -> list[Form]:
    """Forms for a part of y, known only approximately, the best first."""
    found: list[Form] = []
    for stage in PARTS:
        if problem.clock.over():
            break
        found += stage(problem, parts)
        if any(form.error <= max(2 * problem.tolerance, 1e-9) and len(form.start) <= _SHORT for form in found):
            break
    key = {id(f): np.log10(max(f.error, problem.tolerance, 1e-12)) + 0.1 * len(f.start) for f in found}
    return sorted(found, key=lambda form: key[id(form)])[:_BEST]


@dataclass(frozen=True)
class Candidate:
    """A finished formula: its expression, what it leaves of y (relative), and its length."""

    expression: sympy.Expr
    constants: tuple[Constant, ...]
    error: float
    worst: float
    explained: bool
    complexity: int
    bits: float

    @property
    def unexplained(self) -> int:
        """How many of its constants have no simple name."""
        return sum(constant.exact is None for constant in self.constants)

    @property
    def settled(self) -> bool:
        """Whether it explains y with constants that have names, all but three: nothing better need be sought."""
        return self.explained and self.unexplained <= UNEXPLAINED and all(c.known for c in self.constants)


def description_length(error: float, size: int, names: float, rows: int, floor: float) -> float:
    """Bits for the rows given the formula, rows * log2(error / floor), and for it: 3 a node, and its constants."""
    return rows * log2(max(error, floor) / floor) + 3.0 * size + names


@dataclass(frozen=True)
class Outcome:
    """What a search brought: finished formulas that explain y, and the best fits that do not."""

    done: tuple[Candidate, ...]
    rough: tuple[Fit, ...]
    interrupted: bool = False

    @property
    def settled(self) -> bool:
        """Whether one of the formulas ends the search."""
        return any(candidate.settled for candidate in self.done)

    def joined(self, other: "Outcome", problem: Problem) -> "Outcome":
        """Both together, the rough fits again the best few."""
        rough = _shortest(problem, [*self.rough, *other.rough])
        return Outcome(self.done + other.done, rough, self.interrupted or other.interrupted)


def search(problem: Problem, stages: Sequence[Generator]) -> Outcome:
    """Go through these generators; the search ends at the first form that explains y with constants that have names.

    A form that explains y with more than three constants nobody can name may be a close stand-in (a series for a
    function): the search goes on after it. A KeyboardInterrupt ends it with what there is.
    """
    fits: list[Fit] = []
    done: list[Candidate] = []
    fit: Fit | None = None
    try:
        for stage in stages:
            for form in stage(problem, parts):
                fit = refine(form, problem)
                if fit is not None and fit.explained():
                    done.append(finish(problem, fit))
                    if done[-1].settled:
                        return Outcome(tuple(done), ())
                elif fit is not None:
                    fits.append(fit)
                if problem.clock.over():
                    break
            if problem.clock.over():
                break
    except KeyboardInterrupt:
        last = [] if fit is None else [fit]  # it may have been about to be finished
        return Outcome(tuple(done), _shortest(problem, [*fits, *last]), interrupted=True)
    return Outcome(tuple(done), _shortest(problem, fits))


def _shortest(problem: Problem, fits: Sequence[Fit]) -> tuple[Fit, ...]:
    return tuple(sorted(fits, key=lambda fit: _rough_length(problem, fit))[:_FINALISTS])


def order(candidate: Candidate) -> tuple[bool, float]:
    """Settled ones first, then the shortest description."""
    return (not candidate.settled, candidate.bits)


def _rough_length(problem: Problem, fit: Fit) -> float:
    size = complexity(fit.model.form.expression)
    return description_length(fit.error, size, 10.0 * len(fit.values), problem.rows, 1e-12)


def _without_bars(expression: sympy.Expr, problem: Problem) -> sympy.Expr:
    """|a| as a or -a where a keeps one sign on the rows: the analytic function of the two."""
    for bars in expression.atoms(sympy.Abs):
        values = numeric(bars.args[0], problem.columns)(problem.x)
        if np.all(values >= 0) or np.all(values <= 0):
            expression = expression.xreplace({bars: bars.args[0] if np.all(values >= 0) else -bars.args[0]})
    return expression


def finish(problem: Problem, fit: Fit) -> Candidate:
    """Constants snapped, the expression tidied, and both checked once more on the rows."""
    snapped = snap(fit)
    expression = _without_bars(tidy(_without_bars(snapped.expression, problem)), problem)
    values = numeric(expression, problem.columns)(problem.x)
    if not problem.explained(problem.y - values) and fit.explained():
        plain = numeric(snapped.expression, problem.columns)(problem.x)
        if problem.explained(problem.y - plain):
            expression, values = snapped.expression, plain
    residual = problem.y - values
    error = problem.relative(residual)
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(residual))) / problem.unit
    size = complexity(expression)
    names = sum((constant.bits for constant in snapped.constants), 0.0)
    return Candidate(
        expression,
        snapped.constants,
        error,
        worst if np.isfinite(worst) else float("inf"),
        problem.explained(residual),
        size,
        description_length(error, size, names, problem.rows, 1e-12),
    )
