"""The zero test: equal in any spelling, different by any term, and never long."""

import time

import pytest
import sympy

from bimt_analyze.formulas import same_function
from bimt_analyze.formulas.symbolic._equality import fifty_digits

X, Y = sympy.symbols("x y", real=True)
RANGES = {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}


def verdict(one: sympy.Expr, two: sympy.Expr) -> str:
    return same_function(one, two, ranges=RANGES, seed=0).canonical


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (sympy.expand((X + Y) ** 3), (X + Y) ** 3),
        (sympy.sqrt(X**2), sympy.Abs(X)),
        (sympy.sqrt(X**2 - 2 * X * Y + Y**2), sympy.Abs(X - Y)),
        (sympy.sin(X) ** 2, (1 - sympy.cos(2 * X)) / 2),
        (sympy.exp(X + Y), sympy.exp(X) * sympy.exp(Y)),
        (sympy.tanh(X), (sympy.exp(2 * X) - 1) / (sympy.exp(2 * X) + 1)),
        (sympy.log(X) + sympy.log(Y), sympy.log(X) + sympy.log(Y)),
        (sympy.Float(3.1) * X, sympy.Rational(31, 10) * X),
        (sympy.Float(0.1) * X + sympy.Float(0.2) * X, sympy.Float(0.3) * X),
        (1 / (1 + X**2), (1 - X) / ((1 - X) * (1 + X**2))),
        ((X + Y) ** 200, (X**2 + 2 * X * Y + Y**2) ** 100),
    ],
)
def test_equal(one: sympy.Expr, two: sympy.Expr) -> None:
    started = time.monotonic()
    assert verdict(one, two) == "equal"
    assert time.monotonic() - started < 5.0


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (X, X + sympy.Rational(1, 10**20)),
        (sympy.sin(X), X - X**3 / 6 + X**5 / 120),
        (X**2, X**2 + X**5 / 100000),
        (sympy.sin(sympy.pi * X), sympy.sin(sympy.Rational(31, 10) * X)),
        (sympy.Abs(X), X),
        (sympy.Float(3.1000001) * X, sympy.Rational(31, 10) * X),
        (sympy.sqrt(X), sympy.sqrt(sympy.Abs(X))),
        (X + Y, X),
    ],
)
def test_different(one: sympy.Expr, two: sympy.Expr) -> None:
    assert verdict(one, two) == "different"


def test_where_the_truth_is_not_real_nothing_is_asked() -> None:
    assert verdict(sympy.log(X * Y), sympy.log(X) + sympy.log(Y)) == "equal"
    assert verdict(X, sympy.sqrt(-1 - X**2)) == "undecided"


@pytest.mark.parametrize("pole", [Y / X, sympy.cos(1 / X), 1 / X])
def test_a_pole_is_no_number(pole: sympy.Expr) -> None:
    assert fifty_digits(pole, {X: sympy.Float(0.0), Y: sympy.Integer(1)}) is None
    assert fifty_digits(pole, {X: sympy.Rational(1, 4), Y: sympy.Integer(1)}) is not None


@pytest.mark.parametrize(
    "form",
    [
        sympy.exp(-sympy.Float(1.3) * sympy.exp(20 * X)),  # far out an exponent of millions of digits
        sympy.cosh(sympy.exp(sympy.Float(9.5) * Y)),
        sympy.sin(sympy.Float(1.5) * sympy.exp(X * 30)),
        sympy.Float(2.5) ** (sympy.Integer(3) ** (X * 40)),
    ],
    ids=str,
)
def test_a_function_of_numbers_beyond_all_bounds_is_compared_where_it_can_be(form: sympy.Expr):
    started = time.process_time()
    assert verdict(form, form.xreplace({sympy.Float(1.5): sympy.Float(1.6)}) + sympy.Rational(1, 7)) == "different"
    assert verdict(form + 1, sympy.expand((form + 1) * 2) / 2) == "equal"
    assert time.process_time() - started < 5.0
    assert fifty_digits(form, {X: sympy.Integer(10**6), Y: sympy.Integer(10**6)}) is None
    assert fifty_digits(form, {X: sympy.Rational(1, 7), Y: sympy.Rational(1, 7)}) is not None


def test_a_series_in_a_ratio_is_not_its_function() -> None:
    x, w = sympy.symbols("x w", real=True)
    form = w * sympy.exp(sympy.Float(0.50000002) * x**2 / w**2)
    ranges = {"x": (1e-5, 3e-5), "w": (1.0, 5.0)}
    assert same_function(form, w + x**2 / w / 2, ranges=ranges, seed=0, error=1e-6).canonical == "different"


W = sympy.Symbol("w", real=True)
ELSEWHERE = {"x": (1e-8, 3e-8), "w": (1e-34, 3e-34), "y": (80.0, 90.0)}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (sympy.sin(W * X**2), W * X**2),
        (sympy.sin(sympy.Float(1.7) * W * X**2), sympy.Float(1.7) * W * X**2),
        ((1 - sympy.cos(W)) / W, W / 2),
        (sympy.log(1 + sympy.exp(Y)), Y),
        (sympy.tanh(Y), sympy.Integer(1)),
        (sympy.sqrt(1 + (X / W) ** 2), X / W),
        ((X + 1) * sympy.exp(-Y), (X + 1) * sympy.exp(-Y) + sympy.exp(-99 * Y)),
    ],
)
def test_in_tiny_and_huge_ranges_a_limit_is_not_the_function(one: sympy.Expr, two: sympy.Expr) -> None:
    """To 50 digits they are equal there; on the way to 1 they part."""
    assert same_function(one, two, ranges=ELSEWHERE, seed=0).canonical == "different"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((1 - sympy.cos(W)) / W, sympy.sin(W) * sympy.tan(W / 2) / W),
        (sympy.sqrt(1 + X) - 1, X / (sympy.sqrt(1 + X) + 1)),
        (sympy.log(Y - 3) + sympy.log(Y - 4), sympy.log((Y - 3) * (Y - 4))),
        (sympy.log(1 + sympy.exp(Y)), Y + sympy.log(1 + sympy.exp(-Y))),
        (sympy.Float(2.5) * sympy.sinh(X), sympy.Float(1.25) * (sympy.exp(X) - sympy.exp(-X))),
    ],
)
def test_in_tiny_and_huge_ranges_spellings_are_still_equal(one: sympy.Expr, two: sympy.Expr) -> None:
    assert same_function(one, two, ranges=ELSEWHERE, seed=0).canonical == "equal"
