"""Sums of exponentials and waves at any places, sums of powers, and powers within saturation, with their constants."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from bimt_analyze.formulas.curves._curve_shapes import curve_shapes
from bimt_analyze.formulas.curves._exponential_sums import exponential_sums
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._inner import Inner
from bimt_analyze.formulas.problem._template import numeric
from bimt_analyze.formulas.problem._univariate import Shape

Array = NDArray[np.float64]
U = sympy.Symbol("u", real=True)


def argument(low: float, high: float, rows: int = 400) -> Inner:
    return Inner((U,), (1.0,), np.random.default_rng(0).uniform(low, high, rows))


def left(shape: Shape, u: Array, h: Array) -> float:
    """What the written shape leaves of h, not what it says of itself."""
    values = numeric(shape.whole().filled(), (U,))(u[:, None])
    return float(np.std(h - values) / np.std(h))


SUMS: list[tuple[Callable[[Array], Array], float, float]] = [
    (lambda t: 0.08 * np.exp(-1.9 * t) + 0.03 * np.exp(-0.2 * t), 0, 12),
    (lambda t: np.exp(-0.15 * t) - np.exp(-1.2 * t) + 3, 0, 24),
    (lambda t: np.exp(0.3 * t) - np.exp(-0.5 * t), -4, 4),
    (lambda t: np.exp(-0.35 * t) * np.cos(4.1 * t + 0.6), 0, 8),
    (lambda t: np.sin(31.4 * t) + 0.7 * np.sin(27.6 * t + 1), 0, 4),
    (lambda t: np.exp(-0.3 * t) + 0.5 * np.sin(3 * t) + 2, 100, 105),
]


@pytest.mark.parametrize(("law", "low", "high"), SUMS)
def test_rates_come_back(law: Callable[[Array], Array], low: float, high: float) -> None:
    inner = argument(low, high)
    h = law(inner.values)
    found = exponential_sums(inner, h, tolerance=0.0, budget=Budget.of(60.0))
    assert min(left(shape, inner.values, h) for shape in found) < 1e-10


@pytest.mark.parametrize(("law", "low", "high"), [one for one in SUMS if one[1:] != (0, 4)])  # few rows a period
def test_noise_is_all_that_is_left(law: Callable[[Array], Array], low: float, high: float) -> None:
    inner = argument(low, high)
    clean = law(inner.values)
    h = clean + 0.01 * float(np.std(clean)) * np.random.default_rng(1).normal(size=len(clean))
    found = exponential_sums(inner, h, tolerance=0.0, budget=Budget.of(60.0))
    assert min(left(shape, inner.values, clean) for shape in found) < 0.003


def test_a_wave_that_keeps_its_size_has_no_growth() -> None:
    inner = argument(0, 4)
    found = exponential_sums(
        inner, np.sin(9 * inner.values) + np.sin(5 * inner.values), tolerance=0.0, budget=Budget.of(60.0)
    )
    best = min(found, key=lambda shape: shape.rank(1e-9))
    assert not best.whole().expression.has(sympy.exp) and best.error < 1e-10


@pytest.mark.parametrize("law", [lambda t: t**2 - t, lambda t: np.random.default_rng(3).normal(size=len(t))])
def test_powers_and_chance_are_no_such_sum(law: Callable[[Array], Array]) -> None:
    inner = argument(0, 4)
    found = exponential_sums(inner, law(inner.values), tolerance=0.0, budget=Budget.of(60.0))
    assert all(shape.error > 1e-6 for shape in found)


@pytest.mark.parametrize(
    ("law", "low", "high"),
    [
        (lambda u: u**2.8 / (26.8**2.8 + u**2.8), 1, 120),
        (lambda u: 1 - np.exp(-0.4 * u**1.7), 0.03, 5),
        (lambda u: 7 * np.exp(-4.2 * np.exp(-0.31 * u)), 0, 20),
        (lambda u: 3 * u**0.37 + 2, 0.1, 5),
        (lambda u: 4 * (u**12 - u**6), 0.3, 1.2),
        (lambda u: 2 * u**1.4 + 5 * u**-0.6, 0.3, 5),
    ],
)
def test_powers_with_an_offset_and_in_saturation(law: Callable[[Array], Array], low: float, high: float) -> None:
    inner = argument(low, high)
    h = law(inner.values)
    found = curve_shapes(inner, h, tolerance=0.0, budget=Budget.of(60.0), matched=False)
    assert left(found[0], inner.values, h) < 1e-9
