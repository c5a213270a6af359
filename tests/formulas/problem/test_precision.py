"""How finely rows are written: floats, digits, whole numbers; and what that allows a formula to leave."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Rows, find_formula, verify_formula
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._precision import (
    allowances,
    column_precision,
    rounding_of,
    row_precision,
    tolerance_of,
)
from bimt_train import InputError

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.uniform(0.5, 20, 200)


def digits(values, count):
    return np.array([float(f"{v:.{count - 1}e}") for v in values.ravel()]).reshape(values.shape)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (VALUES, "double"),
        (VALUES.astype(np.float32).astype(float), "float32"),
        (VALUES.astype(np.float16).astype(float), "float16"),
        (np.round(VALUES, 3), "3 decimals"),
        (digits(VALUES, 9), "9 decimals"),
        (np.arange(200.0), "double"),  # whole numbers are counts
        (np.tile([0.25, 0.5], 100), "double"),  # and so few values are settings
        (np.round(VALUES, 13), "double"),  # as good as a double
    ],
)
def test_a_column_is_known_by_how_it_is_written(values, words) -> None:
    assert column_precision(values).words == words


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_no_value_is_further_from_what_was_rounded_than_half_a_unit(count) -> None:
    values = VALUES * 10.0 ** RANDOM.integers(-3, 4, len(VALUES))
    written = digits(values, count)
    half = column_precision(written).half(written)
    assert np.all(np.abs(written - values) <= half * (1 + 1e-9))
    assert np.median(half / np.abs(written)) < 10.0 ** (1 - count)  # and the bound is no wider than a digit


def test_whole_numbers_of_inputs_that_are_none_were_rounded() -> None:
    x = VALUES[:, None]
    assert row_precision(x, np.round(10 * VALUES**2)).words == "0 decimals"
    assert row_precision(np.arange(200.0)[:, None], np.arange(200.0) ** 2).words == "double"


def test_rounding_of_an_input_is_allowed_by_the_slope() -> None:
    x = np.round(VALUES, 2)[:, None]
    y = VALUES**3
    precision = row_precision(x, y)

    def cube(rows):
        return rows[:, 0] ** 3

    allowed = allowances(cube, precision, x, y)
    assert np.all(np.abs(y - cube(x)) <= allowed * (1 + 1e-9))
    assert allowed == pytest.approx(3 * x[:, 0] ** 2 * 0.005, rel=0.02)
    written = np.round(y, 2)
    rounded = rounding_of(row_precision(x, written), x, written, budget=Budget.of(1.0))
    assert 0 < tolerance_of(rounded, written) < 0.01
    # rows whose output is in doubles are searched as exact
    assert rounding_of(precision, x, y, budget=Budget.of(1.0)) is None and tolerance_of(None, y) == 0.0


def test_rounding_is_each_rows_own_where_values_reach_over_decades() -> None:
    def law(x):
        return x[:, 0] ** 2 / (x[:, 1] * x[:, 2] ** 3)

    x = digits(np.random.default_rng(2).uniform(1, 5, (400, 3)), 2)
    y = digits(law(x), 2)
    precision = row_precision(x, y)
    steep = y[:, None] * [2, 1, 3] / x * precision.input_halves(x)
    seen = rounding_of(precision, x, y, budget=Budget.of(5.0)) / np.hypot(
        precision.output.half(y), np.linalg.norm(steep, axis=1)
    )
    assert np.max(y) > 100 * np.median(y) or np.max(y) > 1e3 * np.min(y)
    assert np.min(seen) > 0.8 and np.max(seen) < 1.25


@pytest.mark.parametrize("change", [lambda v: v.astype(np.float32).astype(float), lambda v: digits(v, 4)])
def test_rounded_rows_give_the_form_of_doubles_soon(change) -> None:
    x = np.random.default_rng(1).uniform(1, 3, (300, 2))
    y = x[:, 0] ** 2 * x[:, 1] + 1
    x, y = change(x), change(y)
    found = find_formula(x[:200], y[:200], names=["a", "b"], output="y", time_limit=20)
    held = {"test": Rows(x[200:], y[200:]), "train": Rows(x[:200], y[:200])}
    done = verify_formula(found, **held, truth=None, ranges=[(1, 3)] * 2)
    a, b = sympy.symbols("a b", real=True)
    assert done.expression == a**2 * b + 1
    assert done.word == "within precision" and done.identified and not done.exact


def test_a_form_beyond_the_last_digit_is_not_within_precision() -> None:
    x = np.random.default_rng(1).uniform(1, 3, (300, 1))
    exact = np.round(2 * x[:, 0], 2)
    found = find_formula(x[:200], exact[:200], names=["a"], output="y", time_limit=2)
    shifted = exact[200:] + np.where(np.arange(100) == 3, 0.02, 0.0)  # one held-out row is two units off
    held = {"test": Rows(x[200:], np.round(shifted, 2)), "train": Rows(x[:200], exact[:200])}
    assert verify_formula(found, **held, truth=None, ranges=[(1, 3)]).word != "within precision"


@pytest.mark.parametrize(
    ("x", "exact"),
    [
        (np.linspace(0, 1, 101), True),
        (np.random.default_rng(0).permutation(np.linspace(0, 1, 101))[:70], True),  # a part of a grid
        (np.repeat(np.linspace(0, 5, 21), 20), True),  # each setting as often
        (np.round(np.random.default_rng(0).uniform(0, 1, 400), 2), False),
        (np.round(np.random.default_rng(0).uniform(0, 1, 400), 6), False),
    ],
)
def test_settings_on_a_grid_are_exact_and_rounded_measurements_are_not(x, exact) -> None:
    x = np.round(x, 6)
    y = np.round(np.random.default_rng(1).normal(size=len(x)), 3)
    assert row_precision(x[:, None], y).inputs[0].coarse is not exact


def test_a_law_on_inputs_of_few_digits_is_exact_where_its_output_is() -> None:
    x = np.round(np.random.default_rng(2).uniform(1, 3, (300, 2)), 2)
    y = np.sin(x[:, 0]) * x[:, 1] + 0.37137
    found = find_formula(x[:200], y[:200], names=["a", "b"], output="y", time_limit=10)
    held = {"test": Rows(x[200:], y[200:]), "train": Rows(x[:200], y[:200])}
    done = verify_formula(found, **held, truth=None, ranges=[(1, 3)] * 2)
    assert done.word == "exact", done.message


def test_searched_rows_that_do_not_fit_are_refused() -> None:
    x = np.random.default_rng(2).uniform(1, 3, (60, 2))
    found = find_formula(x, x[:, 0], names=["a", "b"], output="y", time_limit=1)
    held = {"test": Rows(x, x[:, 0]), "truth": None, "ranges": [(1, 3)] * 2}
    with pytest.raises(InputError, match="searched rows of 'y'"):
        verify_formula(found, **held, train=Rows(x, np.where(x[:, 0] > 2, np.nan, 1.0)))
