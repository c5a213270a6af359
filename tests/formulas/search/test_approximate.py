"""Short formulas for rows that obey none."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import approximate_formula
from bimt_train import InputError

X = np.random.default_rng(0).uniform(-1, 1, (300, 3))
NAMES = ("a", "b", "c")
NOISE = 0.02 * np.random.default_rng(1).normal(size=300)


def test_the_short_form_is_taken_though_longer_ones_leave_less() -> None:
    y = X[:, 0] * X[:, 1] + NOISE * np.std(X[:, 0] * X[:, 1])
    found = approximate_formula(X, y, names=NAMES, output="y")
    assert found.variables == ("a", "b")
    assert found.complexity <= 5
    assert found.residual == pytest.approx(0.02, rel=0.2)
    assert not found.exact and found.shortfall.startswith("not exact")
    a = sympy.Symbol("a", real=True)
    assert sympy.degree(sympy.expand(found.expression), a) == 1


def test_a_function_inside_is_found() -> None:
    y = np.sin(3 * X[:, 2]) + NOISE
    found = approximate_formula(X, y, names=NAMES, output="y")
    assert found.variables == ("c",) and found.residual < 0.04


def test_where_nothing_comes_near_the_nearest_is_told_with_its_distance() -> None:
    y = np.random.default_rng(2).normal(size=300)
    found = approximate_formula(X, y, names=NAMES, output="y", time_limit=5.0)
    assert found.residual > 0.5 and found.r2 == pytest.approx(1 - found.residual**2)


def test_the_same_rows_give_the_same_formula() -> None:
    y = np.exp(X[:, 0]) * X[:, 1] ** 2 + NOISE
    one, other = (approximate_formula(X, y, names=NAMES, output="y", seed=3) for _ in range(2))
    assert str(one) == str(other) and one.constants == other.constants


def test_a_constant_is_a_constant() -> None:
    assert approximate_formula(X, np.full(300, 2.0), names=NAMES, output="y").expression == 2


def test_bad_rows_are_refused() -> None:
    with pytest.raises(InputError, match="no finite numbers"):
        approximate_formula(X, np.full(300, np.nan), names=NAMES, output="y")
