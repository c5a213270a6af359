import numpy as np
import pytest
import sympy

from benchmarks.laws.judging._judge import judge
from benchmarks.laws.judging._refit import Curve, evaluator, opened, refit

x, y, z = sympy.symbols("x y z", real=True)


def judged(found, truth, ranges=((1.0, 5.0), (1.0, 5.0))):
    return judge(sympy.sympify(found), truth, inputs=("x", "y"), ranges=ranges)


@pytest.mark.parametrize(
    ("found", "truth"),
    [
        (x * y + y, y * (x + 1)),
        (sympy.sqrt(x**2) * y, x * y),  # the same where x is positive
        (sympy.Float(np.pi) * x, sympy.pi * x),
        (1 - 2 * sympy.sin(x) ** 2, sympy.cos(2 * x)),
        (sympy.Integer(2), sympy.Float(2.0)),
    ],
)
def test_the_same_function_is_exact_however_it_is_written(found, truth):
    assert judged(found, truth).verdict == "exact"


def test_only_the_given_range_counts():
    found, truth = sympy.sqrt(x**2) * y, x * y
    assert judged(found, truth, ((-1.0, 5.0), (1.0, 5.0))).verdict == "no"
    assert judged(found, truth, ((0.0, 5.0), (1.0, 5.0))).verdict == "exact"


def test_a_formula_that_is_not_real_everywhere_is_none():
    found = judged(sympy.log(x - 2) + y, sympy.log(x) + y)
    assert found.verdict == "no" and found.deviation == np.inf


@pytest.mark.parametrize("off", [1e-6, 1e-8, 1e-10])
def test_a_small_missing_term_is_seen(off):
    found = judged(x * y, x * y + off * sympy.sin(x))
    assert not found.exact
    assert found.form == (off < 1e-7)  # where constants are fitted, less than 1e-8 is no term


def test_numbers_that_agree_are_not_enough():
    # 1e-10 is below what fresh points in double precision show, and above what fifty digits do.
    assert not judged(x * y * (1 + sympy.Rational(1, 10**10)), x * y).exact


def test_constants_that_agree_to_twelve_digits_are_not_enough():
    assert not judged(sympy.sin(sympy.Float(1000000.0000001) * x), sympy.sin(10**6 * x)).exact


@pytest.mark.parametrize(
    ("found", "truth", "verdict"),
    [
        (2.001 * x * sympy.exp(-0.4998 * y), 2 * x * sympy.exp(-y / 2), "right form"),
        (x**1.998 + 3.002 * y, x**2 + 3 * y, "right form"),
        (sympy.sqrt(2.002 * x + y), sympy.sqrt(2 * x + y), "right form"),
        (2.002 * x * sympy.sign(x - 3.0) + y, 2 * x * sympy.sign(x - 3) + y, "right form"),
        (10 * x + 0.33 * sympy.sin(y), 10 * x + 0.3 * sympy.sin(y), "other constants"),  # small, but felt
        (2 * x + y, 2.001 * x + y, "right form"),  # a whole number that is a coefficient is fitted as well
        (2.2 * x * sympy.exp(-0.5 * y), 2 * x * sympy.exp(-y / 2), "other constants"),
        (x**2 + 3.002 * y, x**3 + 3 * y, "no"),  # a whole exponent belongs to the form
        (2.001 * x - 1.001 * y, 2 * x + y, "other constants"),
        (2 * x - y, 2 * x + y, "no"),  # so does a sign
        (1.27 * x - 0.1 * x**3, sympy.sin(x), "no"),
    ],
)
def test_the_form_is_right_if_other_constants_make_it_the_truth(found, truth, verdict):
    assert judged(found, truth).verdict == verdict


def test_constants_that_nothing_fixes_do_not_count():
    found = judged(0.5 * (4.002 * x) ** sympy.Integer(1) * (1.0 + 0.0 * y), 2 * x)
    assert found.verdict == "right form"
    assert judged(sympy.Mul(2.001, sympy.exp(0.7 + x), evaluate=False), 2 * sympy.exp(x) * np.exp(0.7)).form


def test_a_term_that_should_not_be_there_is_spare():
    found = judged(2.001 * x + 0.002 * sympy.sin(y), 2 * x)
    assert (found.verdict, found.spare) == ("right form", 1)
    assert judged(2.001 * x + 0.2 * sympy.sin(y), 2 * x).verdict == "other constants"
    assert judged(2.001 * x + 1e-13, 2 * x).spare == 0


def test_a_series_is_no_form():
    points = np.linspace(1, 5, 400)
    series = np.polynomial.Polynomial.fit(points, np.tanh(points), 9).convert().coef
    found = judged(sum(float(c) * x**k for k, c in enumerate(series)), sympy.tanh(x))
    assert found.r2 > 0.999 and found.verdict == "no"


def test_opened_leaves_exponents_and_signs():
    form = opened(-(x**2) + sympy.sqrt(y) / 3 + sympy.pi * x / sympy.sqrt(2) + 7)
    assert sorted(form.start) == pytest.approx(sorted([1 / 3, np.pi / np.sqrt(2), 7]))
    rebuilt = form.filled(form.start)
    rows = np.random.default_rng(0).uniform(1, 5, (50, 2))
    expected = -(rows[:, 0] ** 2) + np.sqrt(rows[:, 1]) / 3 + np.pi * rows[:, 0] / np.sqrt(2) + 7
    assert evaluator(rebuilt, ("x", "y"))(rows) == pytest.approx(expected, rel=1e-14)


def test_refit_finds_constants_to_rounding_and_leaves_idle_ones():
    rows = np.random.default_rng(1).uniform(1, 3, (200, 2))
    truth = 1.5 * np.exp(-0.3 * rows[:, 0] * rows[:, 1]) + np.sin(2.2 * rows[:, 1])
    form = opened(1.4 * sympy.exp(-0.31 * x * y) + sympy.sin(2.15 * y))
    found = refit(Curve.of(form, ("x", "y"), rows), form.start, truth, unit=1.0)
    assert sorted(found) == pytest.approx([-0.3, 1.5, 2.2], rel=1e-12)
