"""Products with something around them or beside them, and sums of products: the law's own numbers come back."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from bimt_analyze.formulas.generators.products._laurent_sums import laurent_sums
from bimt_analyze.formulas.generators.products._one_factor_more import one_factor_more
from bimt_analyze.formulas.generators.products._outer_products import outer_products
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._template import Template

Array = NDArray[np.float64]
Law = Callable[..., Array]
COLUMNS = sympy.symbols("x y z", positive=True)


def asked(law: Law, width: int, *, noise: float = 0.0, low: float = 0.5) -> SearchProblem:
    rng = np.random.default_rng(width)
    x = rng.uniform(low, 3.0, (400, width))
    y = law(*x.T)
    y = y + noise * float(np.std(y)) * rng.normal(size=len(y))
    symbols = tuple(sympy.Symbol(str(column), real=True) for column in COLUMNS[:width])
    return SearchProblem(x, y, symbols, Budget.of(60.0))


def least(templates: Iterator[Template], problem: SearchProblem) -> float:
    fits = [fit for template in templates if (fit := refine(template, problem)) is not None]
    return min((fit.error for fit in fits), default=1.0)


@pytest.mark.parametrize(
    ("law", "width"),
    [
        (lambda x, y: np.sqrt(x) * (1 + 0.37 * y) ** 1.7, 2),
        (lambda x, y: -(x**2) * (4.2 - y) ** -0.6, 2),
        (lambda x, y, z: x**1.5 * z * np.exp(-0.7 * x * z / y), 3),
        (lambda x, y: y**3 / np.expm1(1.3 * y / x), 2),
        (lambda x: x / (np.exp(2.1 * x) + 1), 1),
        (lambda x, y: (x / y) ** 2 / np.sinh(0.8 * x / y) ** 2, 2),
        (lambda x, y: y * np.exp(3.1 / (x + 1.4)), 2),
        (lambda x, y: x * np.log(1 + 0.6 * y / x), 2),
        (lambda x, y: x * (1 - np.exp(-0.9 * y)), 2),
        (lambda x, y, z: x * np.tanh(0.7 * y / z), 3),
        (lambda x, y: (x / np.sin(0.5 * y) ** 2) ** 2, 2),
        (lambda x, y: -x * np.cos(0.4 * y) ** 1.5, 2),
    ],
)
def test_one_factor_holds_a_constant(law: Law, width: int) -> None:
    problem = asked(law, width)
    assert least(one_factor_more(problem), problem) < 1e-10


def test_noise_moves_its_constants_little() -> None:
    problem = asked(lambda x, y: np.sqrt(x) * (1 + 0.37 * y) ** 1.5, 2, noise=0.01)
    assert least(one_factor_more(problem), problem) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize("law", [lambda x, y: np.sin(x) + y, lambda x, y: x - y])
def test_what_is_no_product_gets_none(law: Law) -> None:
    problem = asked(law, 2)
    assert least(one_factor_more(problem), problem) > 1e-6


@pytest.mark.parametrize(
    ("law", "width"),
    [
        (lambda x, y, z: np.sqrt(x**2 + (2 * y - 3 / z) ** 2), 3),
        (lambda x, y, z: 1 / (x / y - 0.3 / z + x * z / y), 3),
        (lambda x, y, z: 1 / (1 + np.exp(1.7 * (x - y) / z)), 3),
        (lambda x, y, z: np.exp(-((x - y) ** 2) / (2 * z**2)) / z, 3),
        (lambda x, y: 1 / (0.2 + 0.3 * np.log(x) + 0.1 * y), 2),
    ],
)
def test_sums_of_products_of_whole_powers(law: Law, width: int) -> None:
    problem = asked(law, width)
    assert least(laurent_sums(problem), problem) < 1e-9


def test_inputs_that_are_zero_have_no_negative_powers() -> None:
    problem = asked(lambda x, y: 1 / (x / y + 2 * x**2 + 1), 2, low=0.0)
    zero = np.vstack([problem.x, [[0.0, 1.0]]])
    with_zero = SearchProblem(zero, np.append(problem.y, 1.0), problem.columns, problem.budget)
    assert least(laurent_sums(with_zero), with_zero) < 1e-9


@pytest.mark.parametrize(
    "law",
    [
        lambda x, y, z: np.arcsin(0.1 * x * np.sin(y) / z),
        lambda x, y, z: np.tanh(0.2 * x**1.5 * y / z),
        lambda x, y, z: -np.expm1(-0.3 * x * y**2 / z),
        lambda x, y, z: np.cos(0.1 * x / (y * z)),
    ],
)
def test_a_function_around_a_product(law: Law) -> None:
    problem = asked(law, 3)
    assert least(outer_products(problem), problem) < 1e-9
