"""Generators on rows of two to five digits, some of which are known far better than others."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import SearchOptions
from bimt_analyze.formulas.generators._powers import products_of_powers
from bimt_analyze.formulas.generators._rational import rationals
from bimt_analyze.formulas.generators.decompositions._similarity import low_error_similar
from bimt_analyze.formulas.generators.products._laurent_sums import laurent_sums
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.search._given_rows import given_rows
from bimt_analyze.formulas.search._stages import ONE_VARIABLE


def written(values, digits):
    return np.array([float(f"{v:.{digits - 1}e}") for v in values.ravel()]).reshape(values.shape)


def coarse(law, ranges, digits):
    """The problem that 400 rows of a law pose, inputs and output of so many digits."""
    x = np.random.default_rng(5).uniform(*np.transpose(ranges), (400, len(ranges)))
    names = [f"x{k}" for k in range(len(ranges))]
    x, y = written(x, digits), written(law(*x.T), digits)
    return given_rows(x, y, names=names, output="y", options=SearchOptions(time_limit=20.0)).problem


def explained(templates, problem, most=40):
    """The first form that explains the rows, its constants rounded to two digits."""
    for _, template in zip(range(most), templates, strict=False):
        fit = refine(template, problem)
        if fit is not None and fit.explained():
            values = {c: sympy.Float(f"{v:.1e}") for c, v in fit.template.start.items()}
            return fit.template.expression.xreplace(values)
    return None


def same(found, law):
    symbols = sorted(found.free_symbols, key=str)
    values = np.random.default_rng(1).uniform(1, 2, (50, len(symbols)))
    return np.allclose(sympy.lambdify(symbols, found)(*values.T), law(*values.T), rtol=0.05)


def test_a_product_over_decades_is_met_row_by_row() -> None:
    law = lambda m, q, h, e: e * h**2 / (np.pi * m * q**2)  # noqa: E731
    problem = coarse(law, [(1, 5)] * 4, 2)
    found = explained(products_of_powers(problem), problem)
    assert found is not None and same(found, law)
    assert problem.least < problem.tolerance / 5  # the largest values are known worst


def test_a_product_of_inputs_that_comes_near_does_not_hide_one_with_sums() -> None:
    law = lambda a, b, w, v: a**2 * b * w**4 / (w**2 - v**2) ** 2  # noqa: E731
    problem = coarse(law, [(1, 2), (1, 2), (1, 2), (3, 5)], 3)
    found = explained(products_of_powers(problem), problem)
    assert found is not None and len(found.atoms(sympy.Add)) == 2


def test_a_quotient_of_three_digits() -> None:
    law = lambda m, n, r, s: (m * r + n * s) / (m + n)  # noqa: E731
    problem = coarse(law, [(1, 5)] * 4, 3)
    found = explained(rationals(problem), problem)
    assert found is not None and same(found, law) and sympy.count_ops(found) < 12


@pytest.mark.parametrize(
    ("law", "digits"),
    [
        (lambda a, b, s: np.exp(-((a - b) ** 2) / (2 * s**2)) / (np.sqrt(2 * np.pi) * s), 7),
        (lambda a, b, s: np.exp(-((a - b) ** 2) / (2 * s**2)) / (np.sqrt(2 * np.pi) * s), 5),
        (lambda a, b, s: np.sqrt(a**2 + (b / s) ** 2), 4),
        (lambda a, b, s: 1 / (a / b + 0.3 * s), 5),
    ],
)
def test_a_function_of_a_sum_of_whole_powers(law, digits) -> None:
    problem = coarse(law, [(1, 3)] * 3, digits)
    found = explained(laurent_sums(problem), problem)
    assert found is not None and same(found, law) and sympy.count_ops(found) < 25


def test_rounded_rows_without_such_a_sum_get_none() -> None:
    problem = coarse(lambda a, b, s: np.sin(3 * a * b) + s, [(1, 3)] * 3, 3)
    assert explained(laurent_sums(problem), problem) is None


def test_a_function_of_a_monomial_of_three_digits() -> None:
    problem = coarse(lambda a, d, n: np.arcsin(a / (d * n)), [(1, 2), (2, 5), (1, 5)], 3)
    templates = low_error_similar(problem, ONE_VARIABLE)
    assert any(template.expression.has(sympy.asin) for template, _ in zip(templates, range(20), strict=False))


def test_no_row_of_many_decades_counts_alone() -> None:
    problem = coarse(lambda n, u: n * np.exp(-60 * u), [(1, 5), (1, 4)], 4)
    assert np.max(problem.weights) < 1.01e4 * np.min(problem.weights)


def test_a_quotient_of_two_digits() -> None:
    law = lambda m, n, r, s: (m * r + n * s) / (m + n)  # noqa: E731
    problem = coarse(law, [(1, 5)] * 4, 2)
    found = explained(rationals(problem), problem)
    assert found is not None and same(found, law) and sympy.count_ops(found) < 12


def test_a_product_whose_sign_changes_is_seen_beside_small_values() -> None:
    law = lambda e, p, u, r: p * np.sin(u) * np.cos(u) / (e * r**3)  # noqa: E731
    problem = coarse(law, [(1, 3)] * 4, 2)
    found = explained(products_of_powers(problem), problem)
    assert found is not None and {sympy.sin, sympy.cos} <= {part.func for part in sympy.Mul.make_args(found)}
    assert same(found, law)


def test_rounding_leaves_as_much_as_it_is_said_to() -> None:
    for law, ranges in (
        (lambda g, k, a, v: k * v / (a * (g - 1)), [(2, 5), (1, 5), (1, 5), (1, 5)]),
        (lambda m, b, c: b * m * (1 + c), [(1, 5)] * 3),
    ):
        problem = coarse(law, ranges, 2)
        left = problem.residual(law(*problem.x.T))
        assert 0.85 < np.sqrt(np.mean(left**2)) / problem.floor < 1.15 and problem.explained(left)
        assert not problem.explained(1.3 * left / np.sqrt(np.mean(left**2)) * problem.floor)


def test_a_wave_that_touches_zero_is_not_held_to_its_smallest_values() -> None:
    law = lambda e, t, h: np.sin(2 * np.pi * e * t / h) ** 2  # noqa: E731
    problem = coarse(law, [(1, 2), (1, 2), (1, 4)], 5)
    assert problem.explained(problem.residual(law(*problem.x.T)))


def test_some_rows_are_known_as_well_as_before() -> None:
    problem = coarse(lambda m, q, h, e: e * h**2 / (m * q**2), [(1, 5)] * 4, 2)
    small = problem.some(problem.y < np.median(problem.y))
    assert small.floor == problem.floor and small.unit < problem.unit
