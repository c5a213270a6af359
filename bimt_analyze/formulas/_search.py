"""The driver: proposals from the cheapest generator to the dearest, decided on the data within a time limit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np
import sympy

from .generators._additive import low_error_sums, sums
from .generators._affine import affine
from .generators._combined_inputs import combined
from .generators._genetic import genetic_programs
from .generators._mixed import mixed
from .generators._monomial_times_function import monomial_times_function
from .generators._outer import outer_polynomials, scaled_polynomials, undone
from .generators._partly_polynomial import partly_polynomial
from .generators._powers import products_of_powers
from .generators._rational import rationals
from .generators._ridge import single_functions
from .generators._ridge_sums import ridge_sums
from .generators._separable import low_error_products, separable
from .generators._similarity import left_out_error, low_error_similar, series, similar
from .pool_search._matches import QUICK_TESTS, SLOW_TESTS, matched
from .problem._constants import Fit, refine
from .problem._polynomial import polynomials
from .problem._search_problem import SearchProblem
from .problem._snapping import Constant, snap
from .problem._template import Template, linear, numeric
from .symbolic._tidy import complexity, tidy

Propose = Callable[[SearchProblem], list[Template]]
Generator = Callable[[SearchProblem, Propose], Iterator[Template]]

UNEXPLAINED = 3  # constants without a simple name that a formula may have and still be called exact without a truth
_FINALISTS = 4  # fits that explain nothing and are finished all the same, for the front
_BEST = 6  # templates that are given for a part of y: sums and products combine them
_SHARP = 1e-6  # tolerance of a target that was only undone, not fitted
_SHORT = 6  # constants: a longer form that fits a part may be a series, so the search for that part goes on
_SERIES = 6  # degree of a series that makes a function look simple


def _alone(generate: Callable[[SearchProblem], Iterator[Template]]) -> Generator:
    """A generator that splits nothing, in the form of one that may ask for parts."""
    return lambda problem, propose: generate(problem)


def constants(problem: SearchProblem) -> Iterator[Template]:
    """The mean.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the clock.
    """
    yield linear([sympy.Integer(1)], [float(np.mean(problem.y))], error=1.0)


def nested(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Templates g(z) for functions g with an inverse: g is undone first, then z is searched for by all the others.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the clock.
    propose : callable
        Gives templates for a part of the problem; it is `_search.parts` in a search.
    """
    if problem.depth < 2:
        return
    for entry, inverted in undone(problem):
        inner = replace(inverted, depth=problem.depth - 1)
        for template in propose(inner)[:3]:
            if template.error < 0.03:
                yield Template(entry.build(template.expression), template.start, template.error)
        if problem.clock.over():
            return


def _of_one_input(problem: SearchProblem) -> Iterator[Template]:
    """The library of one variable, for problems of a single input."""
    if problem.width == 1:
        yield from single_functions(problem)


def _undone_functions(problem: SearchProblem) -> Iterator[Template]:
    """One function inside another: the outer one is undone, then the inner one is looked up.

    Of one input, those outer functions come first after which a short series does well.
    """
    asked = list(undone(problem))
    if problem.width == 1:
        asked.sort(key=lambda pair: left_out_error(series(problem.x[:, 0], _SERIES), pair[1].y) / pair[1].unit)
    for entry, inverted in asked:
        for template in single_functions(inverted, most=2):
            yield Template(entry.build(template.expression), template.start, template.error)


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
DECOMPOSITIONS: tuple[Generator, ...] = (
    _alone(lambda problem: monomial_times_function(problem, AT_ONCE)),
    _alone(lambda problem: low_error_similar(problem, ONE_VARIABLE)),
    low_error_sums,
    low_error_products,
    _alone(_of_one_input),
)
MATCHED: tuple[Generator, ...] = (_alone(lambda problem: matched(problem, QUICK_TESTS)), _alone(mixed))
COMBINED: tuple[Generator, ...] = (_alone(lambda problem: combined(problem, FEW_VARIABLES)),)
GENETIC: tuple[Generator, ...] = (_alone(genetic_programs),)
THOROUGH: tuple[Generator, ...] = (
    _alone(lambda problem: monomial_times_function(problem, FEW_VARIABLES)),
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


def parts(problem: SearchProblem) -> list[Template]:
    """Templates for a part of y that is known only approximately, the best first; at most six.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the clock.
    """
    found: list[Template] = []
    for stage in PARTS:
        if problem.clock.over():
            break
        found += stage(problem, parts)
        if any(
            template.error <= max(2 * problem.tolerance, 1e-9) and len(template.start) <= _SHORT for template in found
        ):
            break
    key = {id(f): np.log10(max(f.error, problem.tolerance, 1e-12)) + 0.1 * len(f.start) for f in found}
    return sorted(found, key=lambda template: key[id(template)])[:_BEST]


@dataclass(frozen=True)
class Candidate:
    """A finished formula: its expression, what it leaves of y, and its length.

    Attributes
    ----------
    expression : sympy.Expr
        Over the problem's columns, without open constants.
    constants : tuple of Constant
        The numbers that were fitted.
    error : float
        Root mean square of the residual, over y's deviation.
    worst : float
        The largest residual, over y's deviation.
    explained : bool
        Whether the residual is no more than rounding, or than the tolerance of approximate rows.
    complexity : int
        Nodes of the expression.
    bits : float
        The description length.
    """

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
        """Whether the search may end: it explains y, and all but three of its constants have names."""
        return self.explained and self.unexplained <= UNEXPLAINED and all(c.known for c in self.constants)


def description_length(error: float, size: int, names: float, rows: int, floor: float) -> float:
    """Bits for the rows given the formula, rows * log2(error / floor), and for the formula itself.

    Parameters
    ----------
    error : float
        Root mean square of the residual, over y's deviation.
    size : int
        Nodes of the formula, three bits each.
    names : float
        Bits of its constants.
    rows : int
        How many rows there are.
    floor : float
        The least error that counts.
    """
    return rows * log2(max(error, floor) / floor) + 3.0 * size + names


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
    """

    done: tuple[Candidate, ...]
    rough: tuple[Fit, ...]
    interrupted: bool = False

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
        return Outcome(self.done + other.done, rough, self.interrupted or other.interrupted)


def search(problem: SearchProblem, stages: Sequence[Generator]) -> Outcome:
    """Go through generators until a form explains y with constants that have names.

    A form that explains y with more than three constants without a simple name may be a close stand-in (a series for a
    function): the search goes on after it. A KeyboardInterrupt ends it with what there is.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the clock.
    stages : sequence of callables
        The generators, in the order in which they are asked.
    """
    fits: list[Fit] = []
    done: list[Candidate] = []
    fit: Fit | None = None
    try:
        for stage in stages:
            for template in stage(problem, parts):
                fit = refine(template, problem)
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


def _shortest(problem: SearchProblem, fits: Sequence[Fit]) -> tuple[Fit, ...]:
    """The fits of the shortest description, at most four."""
    return tuple(sorted(fits, key=lambda fit: _rough_length(problem, fit))[:_FINALISTS])


def order(candidate: Candidate) -> tuple[bool, float]:
    """The sort key of a candidate: settled ones first, then the shortest description.

    Parameters
    ----------
    candidate : Candidate
        What is sorted.
    """
    return (not candidate.settled, candidate.bits)


def _rough_length(problem: SearchProblem, fit: Fit) -> float:
    """The description length of a fit whose constants have no names yet, at ten bits each."""
    size = complexity(fit.model.template.expression)
    return description_length(fit.error, size, 10.0 * len(fit.values), problem.rows, 1e-12)


def _without_bars(expression: sympy.Expr, problem: SearchProblem) -> sympy.Expr:
    """The expression with |a| written as a or -a where a keeps one sign on the rows."""
    for bars in expression.atoms(sympy.Abs):
        values = numeric(bars.args[0], problem.columns)(problem.x)
        if np.all(values >= 0) or np.all(values <= 0):
            expression = expression.xreplace({bars: bars.args[0] if np.all(values >= 0) else -bars.args[0]})
    return expression


def finish(problem: SearchProblem, fit: Fit) -> Candidate:
    """A fit as a finished formula: constants snapped, the expression tidied, and checked once more on the rows.

    Parameters
    ----------
    problem : SearchProblem
        The rows that the formula is checked on.
    fit : Fit
        A template at its least-squares values.
    """
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
