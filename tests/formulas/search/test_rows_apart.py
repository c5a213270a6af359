"""Rows that stand apart: left out of the search, named, and never called met."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from bimt_analyze.formulas import Formula, Rows, find_formula, verify_formula
from bimt_analyze.formulas._row_bounds import rows_missed
from bimt_analyze.formulas.hints._rows_apart import rows_apart
from bimt_analyze.formulas.problem._budget import Budget

Array = NDArray[np.float64]
Law = Callable[[Array], Array]

LAWS: dict[str, Law] = {
    "2*x0 + 3*x1": lambda x: 2 * x[:, 0] + 3 * x[:, 1],
    "x0*exp(-x1)": lambda x: x[:, 0] * np.exp(-x[:, 1]),
    "x0/(x0 + x1)": lambda x: x[:, 0] / (x[:, 0] + x[:, 1]),
}


def spoilt(
    law: Law, *, count: int, seed: int = 0, by: float = 10.0, noise: float = 0.0
) -> tuple[Array, Array, set[int]]:
    """200 rows of a law, of which some are off by deviations; which they are."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(1, 3, (200, 2))
    y = law(x)
    unit = float(np.std(y))
    y = y + noise * unit * rng.normal(size=200)
    places = rng.choice(200, count, replace=False)
    y[places] += by * unit * rng.choice([-1, 1], count)
    return x, y, set(map(int, places))


def verified(formula: Formula, law: Law, x: Array, y: Array, *, count: int) -> Formula:
    """The formula, held against 200 other rows that are spoilt as well."""
    held_x, held_y, _ = spoilt(law, count=count, seed=1)
    return verify_formula(formula, test=Rows(held_x, held_y), truth=None, ranges=((1, 3),) * 2, train=Rows(x, y))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("count", [1, 3, 15])
def test_spoilt_rows_are_seen_before_any_formula_is_known(law: Law, count: int) -> None:
    """All of them, and no other."""
    x, y, places = spoilt(law, count=count)
    assert set(rows_apart(x, y, budget=Budget.of(10))) == places


def test_noise_and_heavy_tails_have_no_rows_apart() -> None:
    """The largest of many residuals is no row apart, if another comes near it."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.uniform(1, 3, (200, 2))
        assert rows_apart(x, x[:, 0] + rng.normal(size=200), budget=Budget.of(10)) == ()
        assert rows_apart(x, x[:, 0] + rng.laplace(size=200), budget=Budget.of(10)) == ()


@pytest.mark.parametrize("name", LAWS)
def test_the_law_is_found_and_its_spoilt_rows_are_named(name: str) -> None:
    """The word says that rows were left out; the formula is not called exact."""
    x, y, places = spoilt(LAWS[name], count=3)
    formula = find_formula(x, y, names=["x0", "x1"], output="y", time_limit=5)
    assert str(formula.expression) == name
    assert set(formula.apart) == places
    told = verified(formula, LAWS[name], x, y, count=2)
    assert told.word == "but for rows apart" and not told.exact and told.identified
    named = ", ".join(map(str, sorted(places)))
    assert (
        f"3 of 200 training rows stand apart and were left out: {named} (from 0) (the furthest has x0" in told.message
    )
    assert "and 2 held-out rows; of the others: exact" in told.message


def test_too_many_spoilt_rows_are_no_rows_apart() -> None:
    """A fifth of the rows is no exception, whatever they are: the law is not told as one."""
    x, y, _ = spoilt(LAWS["2*x0 + 3*x1"], count=40)
    formula = find_formula(x, y, names=["x0", "x1"], output="y", time_limit=3)
    assert formula.apart == ()
    assert verified(formula, LAWS["2*x0 + 3*x1"], x, y, count=40).word in ("none", "interpolation")


def test_a_formula_that_meets_all_rows_leaves_none_out() -> None:
    """A steep law looks spoilt to a smooth fit; in the end the formula itself decides."""
    x = np.random.default_rng(0).uniform(0, 1, (200, 1))
    x[:3, 0] = (0.999, 0.9992, 0.9995)
    formula = find_formula(x, 1 / (1 - x[:, 0]), names=["x0"], output="y", time_limit=5)
    assert formula.apart == () and formula.fits


def test_rows_missed_takes_a_gap() -> None:
    """Rows that are missed a little more than others are not apart."""

    a = sympy.Symbol("a", real=True)
    x = np.arange(40.0)[:, None]
    y = 2 * x[:, 0] + np.where(np.arange(40) % 2, 1.0, -1.0)
    assert rows_missed(2 * a, ["a"], x, y) == ()
    y[7] += 50
    assert rows_missed(2 * a, ["a"], x, y) == (7,)
    y[8] += 6
    assert rows_missed(2 * a, ["a"], x, y) == (7,)
