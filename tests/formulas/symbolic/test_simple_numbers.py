"""Simple numbers: near enough, and too simple to be chance."""

from fractions import Fraction
from math import e, log, pi, sqrt

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.formulas.symbolic._simple_numbers import simple_numbers, simplest_fraction


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3.0, sympy.Integer(3)),
        (-0.5, -sympy.Rational(1, 2)),
        (2 / 3, sympy.Rational(2, 3)),
        (pi, sympy.pi),
        (-3 * pi / 4, -3 * sympy.pi / 4),
        (1 / (4 * pi), 1 / (4 * sympy.pi)),
        (sqrt(2) / 2, sympy.sqrt(2) / 2),
        (1 / sqrt(2 * pi), 1 / sympy.sqrt(2 * sympy.pi)),
        (e, sympy.E),
        (log(5 / 2) / 2, sympy.log(sympy.Rational(5, 2)) / 2),
        (-3 * log(9 / 4), -6 * sympy.log(sympy.Rational(3, 2))),
        (sqrt(3 / 5), sympy.sqrt(sympy.Rational(3, 5))),
        (2 * 7 ** (1 / 3), 2 * sympy.cbrt(7)),
        (3.1, sympy.Rational(31, 10)),
        (3.0001, sympy.Rational(30001, 10000)),
        (1e-5, sympy.Rational(1, 100000)),
    ],
)
def test_named(value: float, number: sympy.Expr) -> None:
    found = simple_numbers(value * (1 + 1e-15), 1e-14 * abs(value), margin=14.0)
    assert found[0].number == number
    assert found[0].value == pytest.approx(value, rel=1e-15)


def test_chance_is_seldom_named() -> None:
    values = np.random.default_rng(0).uniform(0.1, 10.0, 500)
    named = sum(bool(simple_numbers(float(v), 1e-12 * float(v), margin=14.0)) for v in values)
    assert named <= 2  # one in 20,000 is, counted once


def test_rough_values_name_only_the_simplest() -> None:
    assert simple_numbers(2.003, 0.01, margin=3.0)[0].number == 2
    assert simple_numbers(2.37, 0.01, margin=3.0) == []  # 2.37 is as good as any
    assert simple_numbers(0.004, 0.01, margin=3.0)[0].number == 0
    assert simple_numbers(float("nan"), 1.0, margin=3.0) == []


def test_an_open_constant_may_be_anything_simple() -> None:
    assert [entry.number for entry in simple_numbers(7.3, float("inf"), margin=14.0)] == [0, 1, -1]


@settings(max_examples=200, deadline=None)
@given(value=st.floats(1e-3, 1e3), width=st.floats(1e-5, 1e-1))
def test_the_fraction_is_the_simplest_by_brute_force(value: float, width: float) -> None:
    found = simplest_fraction(value, width)
    assert found is not None
    low, high = value - width, value + width
    for below in range(1, found[1] + 1):
        above = int(np.ceil(Fraction(low) * below))
        if above <= Fraction(high) * below:
            assert (max(above, 0), below) == found
            return
    raise AssertionError(f"{found} is not in [{low}, {high}]")
