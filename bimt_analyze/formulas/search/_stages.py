"""The generators in the order in which they are asked: the cheapest first, those that split y and ask again last."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import sympy

from ..generators._affine import affine, low_error_affine
from ..generators._curves import curves, curves_within
from ..generators._genetic import genetic_programs
from ..generators._lifted import lifted
from ..generators._monomial_times_function import monomial_times_function
from ..generators._outer import outer_polynomials, outer_rationals, scaled_polynomials, undone
from ..generators._partly_polynomial import partly_polynomial
from ..generators._powers import products_of_powers
from ..generators._rational import rationals
from ..generators._ridge import single_functions
from ..generators._ridge_sums import ridge_sums
from ..generators._sparse_sums import sparse_sums
from ..generators._wave_products import wave_products
from ..generators.decompositions._additive import low_error_sums, sums
from ..generators.decompositions._argument_products import argument_products
from ..generators.decompositions._combined_inputs import combined
from ..generators.decompositions._mixed import mixed
from ..generators.decompositions._modes import modes
from ..generators.decompositions._separable import low_error_products, separable
from ..generators.decompositions._similarity import left_out_error, low_error_similar, series, similar
from ..generators.decompositions._varying_coefficients import varying_coefficients
from ..generators.products._laurent_sums import laurent_sums
from ..generators.products._one_factor_more import one_factor_more
from ..generators.products._outer_products import outer_products
from ..generators.weighted_sums._weighted_sums import weighted_sums
from ..marks._marked import marked
from ..pool_search._matches import QUICK_TESTS, SLOW_TESTS, matched
from ..problem._polynomial import polynomials
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, linear

Propose = Callable[[SearchProblem], list[Template]]
Generator = Callable[[SearchProblem, Propose], Iterator[Template]]

_SHARP = 1e-6  # tolerance of a target that was only undone, not fitted
_NESTED = 0.3  # share of the time for sums and products within a function
_SERIES = 6  # degree of a series that makes a function look simple


def _alone(generate: Callable[[SearchProblem], Iterator[Template]]) -> Generator:
    """A generator that splits nothing, in the form of one that may ask for parts."""
    return lambda problem, propose: generate(problem)


def constants(problem: SearchProblem) -> Iterator[Template]:
    """The mean.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    yield linear([sympy.Integer(1)], [float(np.mean(problem.y))], error=1.0)


def nested(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Templates g(z) for functions g with an inverse: g is undone first, then z is searched for by all the others.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
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
        if problem.budget.over():
            return


def low_error_nested(problem: SearchProblem, propose: Propose) -> Iterator[Template]:
    """Templates g(z) for functions g with an inverse, where z is a sum or a product of smooth parts beyond doubt.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem.
    """
    for entry, inverted in undone(replace(problem, budget=problem.budget.share(_NESTED))):
        for split in (low_error_sums, low_error_products):
            if inverted.budget.over():
                return
            for template in split(inverted, propose):
                yield Template(entry.build(template.expression), template.start, template.error)


def _of_one_input(problem: SearchProblem) -> Iterator[Template]:
    """The library of one variable, for problems of a single input."""
    if problem.width == 1:
        yield from single_functions(problem)
        yield from curves(problem, deep=True)


def _undone_functions(problem: SearchProblem) -> Iterator[Template]:
    """One function inside another: the outer one is undone, then the inner one is looked up.

    Of one input, those outer functions come first after which a short series does well.
    """
    asked = list(undone(problem))
    if problem.width == 1:
        asked.sort(key=lambda pair: _series_error(problem, pair[1]))
    for entry, inverted in asked:
        for template in single_functions(inverted, most=2):
            yield Template(entry.build(template.expression), template.start, template.error)


def _series_error(problem: SearchProblem, inverted: SearchProblem) -> float:
    """What a short series of the first input leaves of another target."""
    basis = series(problem.x[:, 0], _SERIES)
    return left_out_error(basis, inverted.y, budget=problem.budget) / inverted.unit


ONE_VARIABLE = (
    polynomials,
    outer_polynomials,
    rationals,
    single_functions,
    curves,
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
PLAIN: tuple[Generator, ...] = (_alone(constants), _alone(polynomials))
QUICK: tuple[Generator, ...] = (
    *PLAIN,
    _alone(ridge_sums),
    _alone(outer_polynomials),
    _alone(products_of_powers),
    _alone(rationals),
)
_AT_FIRST = (rationals, outer_rationals)
_SPLIT_AT_ONCE: tuple[Generator, ...] = (
    _alone(lambda problem: monomial_times_function(problem, AT_ONCE)),
    _alone(lambda problem: low_error_similar(problem, ONE_VARIABLE)),
    low_error_sums,
    low_error_products,
    _alone(modes),
)
_SUMS_OF_FEW: tuple[Generator, ...] = (
    _alone(_of_one_input),
    _alone(sparse_sums),
    _alone(lambda problem: lifted(problem, _AT_FIRST, share=0.16)),
)
DECOMPOSITIONS: tuple[Generator, ...] = (
    _alone(outer_products),
    _alone(one_factor_more),
    *_SPLIT_AT_ONCE,
    _alone(lambda problem: argument_products(problem, share=0.15)),
    _alone(varying_coefficients),
    _alone(laurent_sums),
    _alone(low_error_affine),
    *_SUMS_OF_FEW,
    _alone(wave_products),
    _alone(weighted_sums),
)
_BESIDE_MARKS: tuple[Generator, ...] = (*QUICK, *_SPLIT_AT_ONCE, *_SUMS_OF_FEW, _alone(single_functions))
MARKED: tuple[Generator, ...] = (lambda problem, propose: marked(problem, propose, _BESIDE_MARKS),)
MATCHED: tuple[Generator, ...] = (
    _alone(lambda problem: matched(problem, QUICK_TESTS)),
    _alone(mixed),
)
COMBINED: tuple[Generator, ...] = (_alone(lambda problem: combined(problem, FEW_VARIABLES)),)
GENETIC: tuple[Generator, ...] = (_alone(genetic_programs),)
_LIFTED = (outer_polynomials, lambda problem: monomial_times_function(problem, AT_ONCE))
THOROUGH: tuple[Generator, ...] = (
    _alone(lambda problem: lifted(problem, _LIFTED, share=0.2)),
    low_error_nested,
    _alone(lambda problem: monomial_times_function(problem, FEW_VARIABLES)),
    _alone(lambda problem: similar(problem, ONE_VARIABLE)),
    _alone(lambda problem: matched(problem, SLOW_TESTS)),
    _alone(affine),
    sums,
    _alone(scaled_polynomials),
    _alone(single_functions),
    separable,
    _alone(curves_within),
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
