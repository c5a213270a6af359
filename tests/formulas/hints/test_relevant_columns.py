"""Which of many columns matter, before any formula is searched."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bimt_analyze.formulas import Hints, Structure, find_formula
from bimt_analyze.formulas.hints._relevant_columns import relevant_columns
from bimt_analyze.formulas.problem._budget import Budget

Array = NDArray[np.float64]


def seen(x: Array, y: Array) -> tuple[int, ...] | None:
    """The columns that are proposed."""
    return relevant_columns(x, y, budget=Budget.of(60.0))


@pytest.mark.parametrize("width", [20, 60, 300])
@pytest.mark.parametrize(
    "law",
    [
        lambda x: x[:, 3] * x[:, 5] + np.sin(x[:, 7]),
        lambda x: np.exp(x[:, 3]) * x[:, 5] + x[:, 7],
        lambda x: np.abs(x[:, 3]) + 2 * x[:, 5] * x[:, 7],
    ],
    ids=["product and sine", "exponential", "kink"],
)
def test_three_columns_of_many_are_seen(width: int, law: Callable[[Array], Array]) -> None:
    """A product of two centred columns has no slope along either, and is seen as a pair; a few more may come along."""
    x = np.random.default_rng(width).normal(size=(400, width))
    found = seen(x, law(x))
    assert found is not None and {3, 5, 7} <= set(found) and len(found) <= 6


def test_a_fast_wave_is_seen_along_its_column() -> None:
    """No polynomial follows ten periods; a periodogram does."""
    x = np.random.default_rng(0).uniform(-1, 1, (500, 60))
    assert seen(x, np.sin(30 * x[:, 5])) == (5,)


def test_a_law_over_decades_is_seen_in_its_logarithm() -> None:
    """Six decades of each column: a few rows hold nearly all of y's squares."""
    x = 10 ** np.random.default_rng(0).uniform(-3, 3, (500, 40))
    assert seen(x, x[:, 0] * x[:, 1] / x[:, 2] ** 2) == (0, 1, 2)


def test_noise_proposes_nothing() -> None:
    """The best of 20,000 terms explains some of any noise; that is no column that matters."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert seen(rng.normal(size=(300, 100)), rng.normal(size=300)) is None


def test_a_law_among_three_hundred_columns_is_found_in_its_time() -> None:
    """And the other columns are not searched all the same."""
    x = np.random.default_rng(1).normal(size=(300, 300))
    names = [f"x{i}" for i in range(300)]
    formula = find_formula(x, x[:, 8] * x[:, 90] + np.sin(x[:, 200]), names=names, output="y", time_limit=5)
    assert str(formula.expression) == "x8*x90 + sin(x200)"


def test_hints_of_a_network_that_reads_idle_columns_are_held_against_the_rows() -> None:
    """A network trained on 25 columns keeps them all; three rows stand apart besides, and the law turns fast."""
    x = np.random.default_rng(2).uniform(-2, 2, (500, 25))
    y = np.sin(20 * x[:, 3]) + np.maximum(x[:, 7], 0)
    y[[5, 50, 300]] += 15.0
    names = [f"x{i}" for i in range(25)]
    structure = Structure(tuple(names[:20]))
    formula = find_formula(x, y, names=names, output="y", hints=Hints(structure), time_limit=12)
    assert formula.apart == (5, 50, 300)
    assert set(formula.variables) == {"x3", "x7"} and formula.fits
