"""Each generator by itself: what it must find, and what it must not claim."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.generators._outer import outer_polynomials, scaled_polynomials
from bimt_analyze.formulas.generators._partly_polynomial import partly_polynomial
from bimt_analyze.formulas.generators._powers import products_of_powers, pursuit
from bimt_analyze.formulas.generators._rational import rationals
from bimt_analyze.formulas.generators._ridge import ridges
from bimt_analyze.formulas.generators.decompositions._additive import partitions
from bimt_analyze.formulas.generators.decompositions._argument_products import argument_products
from bimt_analyze.formulas.generators.decompositions._separable import factors, low_error_products
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._inner import single
from bimt_analyze.formulas.problem._least_squares import independent, needed, solve
from bimt_analyze.formulas.problem._polynomial import polynomials, powers
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._smooth import best_smooth, fit_smooth
from bimt_analyze.formulas.problem._template import Template, numeric
from bimt_analyze.formulas.problem._univariate import shapes

SYMBOLS = sympy.symbols("x1:5", real=True)


def asked(function, *, width: int, rows: int = 100, low: float = -1.0, high: float = 1.0) -> SearchProblem:
    x = np.random.default_rng(7).uniform(low, high, (rows, width))
    return SearchProblem(x, np.asarray(function(*x.T), dtype=np.float64), SYMBOLS[:width], Budget.of(60.0))


def best(templates: Iterable[Template], problem: SearchProblem) -> float:
    """The least error of the forms once refined; the first that is exact ends it."""
    least = 1.0
    for template in templates:
        fit = refine(template, problem)
        least = least if fit is None else min(least, fit.error)
        if least < 1e-13:
            break
    return least


def test_more_columns_than_half_the_rows_are_never_fitted() -> None:
    problem = asked(lambda *x: np.random.default_rng(0).normal(size=100), width=4)
    for template in [*polynomials(problem), *rationals(problem), *outer_polynomials(problem)]:
        assert 2 * len(template.start) < problem.rows
        assert template.error > 0.1
    assert len(powers(4, 5)) == 126


def test_a_polynomial_keeps_only_its_terms() -> None:
    problem = asked(lambda a, b, c: 3 * a**2 * b - c / 7 + 0.25, width=3)
    template = next(polynomials(problem))
    assert len(template.start) == 3
    assert sorted(template.start.values()) == pytest.approx([-1 / 7, 0.25, 3.0], rel=1e-12)


@pytest.mark.parametrize(
    ("generate", "function", "width", "low", "high"),
    [
        (outer_polynomials, lambda a, b: np.exp(a * b - a), 2, -1.0, 1.0),
        (outer_polynomials, lambda a, b: 1 / np.sqrt(1 + a**2 + b**2), 2, -1.0, 1.0),
        (outer_polynomials, lambda a, b: np.arctan(a + 3 * b**2), 2, -1.0, 1.0),
        (scaled_polynomials, lambda a: 3 * np.log(1 + a**2), 1, -1.0, 1.0),
        (scaled_polynomials, lambda a, b: np.sqrt(1 + a * b) - 5, 2, -0.9, 0.9),
        (scaled_polynomials, lambda a, b: 4 - np.exp(a + b), 2, -1.0, 1.0),
        (rationals, lambda a, b: (a - 2 * b) / (3 + a * b), 2, -1.0, 1.0),
        (products_of_powers, lambda a, b, c: 5 * a**1.5 * b**-2 / c, 3, 1.0, 5.0),
        (products_of_powers, lambda a, b, c: a * b / (c**2 - a**2), 3, 1.0, 5.0),
        (products_of_powers, lambda a, b: -2 * np.exp(-(a**2)) * np.cos(b), 2, -1.0, 1.0),
        (products_of_powers, lambda a, b: a**b, 2, 0.2, 2.0),
        (partly_polynomial, lambda a, b: a**2 + b * np.sin(2.3 * a), 2, -2.0, 2.0),
        (partly_polynomial, lambda a, b: b + a * np.tanh(a / b), 2, 1.0, 5.0),
    ],
)
def test_what_a_generator_must_find(generate, function, width: int, low: float, high: float) -> None:
    problem = asked(function, width=width, low=low, high=high)
    assert best(generate(problem), problem) < 1e-12


def test_a_common_factor_cannot_hide_in_a_quotient() -> None:
    problem = asked(lambda a, b: a / (1 + b), width=2, low=1.0, high=5.0)
    template = next(rationals(problem))
    assert len(template.start) <= 2


@pytest.mark.parametrize(
    "function",
    [
        lambda u: 2 * np.sin(7.3 * u + 0.4) - 1,
        lambda u: -3 * np.exp(1.7 * u) + 2,
        lambda u: np.tanh(4 * u - 1),
        lambda u: 0.3 * np.log(u + 1.2) + 5,
        lambda u: 1 / (u + 1.3) ** 2,
        lambda u: np.sqrt(1 + u**2),
        lambda u: np.exp(-3 * u**2),
        lambda u: np.abs(u - 0.3) + 1,
        lambda u: u**3 - 2 * u,
    ],
)
def test_the_library_of_one_variable(function) -> None:
    problem = asked(function, width=1)
    found = shapes(single(problem, 0), problem.y, tolerance=1e-10, budget=problem.budget)
    assert min(shape.error for shape in found[:2]) < 1e-7
    assert best([shape.whole() for shape in found], problem) < 1e-12
    for shape in found[:1]:
        value = numeric(shape.whole().filled(), problem.columns)(problem.x)
        assert np.max(np.abs(value - problem.y)) < 1e-6


def test_groups_are_seen_in_the_rows() -> None:
    problem = asked(lambda a, b, c, d: np.exp(a) * np.sin(2 * b) + c**2 + np.cos(d), width=4)
    assert next(iter(partitions(problem))) == ((0, 1), (2,), (3,))


def test_leave_one_out_is_leave_one_out() -> None:
    problem = asked(lambda a, b: np.sin(3 * a) + b, width=2, rows=30)
    groups, degrees = [(0,), (1,)], [4, 2]
    said = fit_smooth(problem.x, problem.y, groups, degrees, budget=problem.budget)
    low, high = problem.x.min(axis=0), problem.x.max(axis=0)
    t = (2 * problem.x - low - high) / (high - low)
    columns = np.column_stack([t[:, [0]] ** np.arange(5), t[:, [1]] ** np.arange(1, 3)])
    missed = []
    for k in range(30):
        rest = np.delete(np.arange(30), k)
        missed.append(problem.y[k] - columns[k] @ np.linalg.lstsq(columns[rest], problem.y[rest], rcond=None)[0])
    assert said.error == pytest.approx(np.sqrt(np.mean(np.square(missed))) / np.std(problem.y), rel=1e-8)
    assert best_smooth(problem.x, problem.y, groups, budget=Budget.of(9.0)).error <= said.error


def test_a_direction_is_read_from_the_rows() -> None:
    problem = asked(lambda a, b, c: np.tanh(a - 0.37 * c), width=3)
    (inner,) = ridges(problem)
    assert [str(part) for part in inner.parts] == ["x1", "x3"]
    assert inner.weights == pytest.approx((1.0, -0.37), abs=1e-3)
    assert list(ridges(asked(lambda a, b, c: a * b + c**3, width=3))) == []


def test_factors_of_a_product_with_an_offset() -> None:
    problem = asked(lambda a, b: 0.7 + np.exp(a) * np.sin(2 * b), width=2)
    values, offset, error = factors(problem, [(0,), (1,)])
    assert error < 1e-4 and offset == pytest.approx(0.7, abs=1e-3)
    ratio = values[0] / np.exp(problem.x[:, 0])
    assert np.ptp(ratio) < 1e-3 * abs(np.mean(ratio))


def noisy(problem: SearchProblem, error: float, *, tolerance: float) -> SearchProblem:
    """The rows with noise of this share of y's deviation, said to be known to a tolerance."""
    noise = error * problem.unit * np.random.default_rng(1).normal(size=problem.rows)
    return replace(problem, y=problem.y + noise, tolerance=tolerance)


def test_two_arguments_that_share_an_input_are_multiplied() -> None:
    problem = asked(lambda t, w, g: np.exp(-g * t) * np.cos(3 * w * t), width=3, rows=240, low=0.1, high=2.0)
    found = argument_products(noisy(problem, 1e-3, tolerance=1e-3), share=1)
    assert best(found, problem) < 1e-13  # the form is that of the law; its constants are refined on exact rows


def test_products_beyond_doubt_know_how_well_rows_are_known() -> None:
    problem = asked(lambda x, t: np.exp(-t) * np.sin(3 * x), width=2, rows=200)
    coarse = [noisy(problem, 3e-3, tolerance=tolerance) for tolerance in (0.0, 3e-3)]
    told = [list(low_error_products(one, lambda _: [])) for one in coarse]
    assert told[0] == [] and best(told[1], problem) < 1e-13


def test_sparse_linear_algebra() -> None:
    rng, budget = np.random.default_rng(0), Budget.of(60.0)
    columns = rng.normal(size=(60, 20))
    columns[:, 5] = columns[:, 2] - 2 * columns[:, 3]
    assert 5 not in independent(columns, budget=budget) and len(independent(columns, budget=budget)) == 19
    y = columns[:, [1, 8]] @ np.array([2.0, -3.0])
    kept, coefficients = needed(columns, y, explained=lambda r: bool(np.max(np.abs(r)) < 1e-10), budget=budget)
    assert kept.tolist() == [1, 8] and coefficients == pytest.approx([2.0, -3.0])
    noisy = y + 0.01 * rng.normal(size=60)
    assert set(needed(columns, noisy, explained=lambda r: False, budget=budget)[0]) >= {1, 8}
    assert len(needed(columns, noisy, explained=lambda r: False, budget=budget)[0]) <= 5
    wide = rng.normal(size=(40, 200))
    target = wide[:, [17, 90, 151]] @ np.array([1.0, 2.0, -1.0])
    assert pursuit(wide, target, limit=10, stop=1e-10, budget=budget) == [17, 90, 151]
    scaled = columns * 10.0 ** rng.integers(-30, 30, size=20)
    np.testing.assert_allclose(scaled @ solve(scaled, y, budget=budget), y, atol=1e-11)
