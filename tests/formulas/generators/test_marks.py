"""Fast waves, kinks and steps: found in y, and given to the search as columns."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from bimt_analyze.formulas import find_formula
from bimt_analyze.formulas.marks._found_marks import found_marks
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._search_problem import SearchProblem

Array = NDArray[np.float64]
A, B, C = sympy.symbols("a b c", real=True)
NAMES = ("a", "b", "c")


def rows(width: int, *, seed: int = 0, count: int = 400) -> Array:
    """Rows of the first so many of a, b and c, between -2 and 2."""
    return np.random.default_rng(seed).uniform(-2, 2, (count, width))


def problem(x: Array, y: Array) -> SearchProblem:
    """A question with a budget of a minute."""
    return SearchProblem(x, y, (A, B, C)[: x.shape[1]], Budget.of(60.0))


def built(x: Array, y: Array) -> list[str]:
    """The marks that are found, as text, with simple numbers in their places."""
    marks, _ = found_marks(problem(x, y))
    return [
        str(
            mark.build(
                tuple(sympy.Float(n, 6) if e is None else e for n, e in zip(mark.numbers, mark.exact, strict=True))
            )
        )
        for mark in marks
    ]


@pytest.mark.parametrize(
    ("width", "law", "mark"),
    [
        (1, lambda a: np.maximum(a, 0), "Abs(a)"),
        (2, np.maximum, "Abs(a - b)"),
        (2, lambda a, b: np.maximum(2 * a - 3 * b + 0.5, 0), "Abs(a - 3*b/2 + 1/4)"),
        (2, lambda a, b: np.where(a > 0.3, b**2, b), "sign(a - 3/10)"),
        (2, lambda a, b: np.minimum(1, a * b), "Abs(a*b - 1)"),
        (2, lambda a, b: np.floor(2 * a) + b, "floor(2*a)"),
        (1, lambda a: a * np.sin(20 * a), "sin(20*a)"),
        (2, lambda a, b: np.cos(7 * a - 3 * b), "cos(7*a - 3*b)"),
    ],
)
def test_the_mark_of_a_law_is_found_with_its_numbers(width: int, law: Callable[..., Array], mark: str) -> None:
    """Where it breaks, or how fast it turns, to the simple number."""
    x = rows(width)
    found = built(x, np.asarray(law(*x.T), dtype=np.float64))
    assert [one.removeprefix("-") for one in found] == [mark]


def test_two_waves_are_two_marks() -> None:
    """The second is found in what the first leaves, and both are refined together."""
    x = rows(1)
    found = built(x, np.sin(30 * x[:, 0]) + np.sin(13 * x[:, 0]))
    assert sorted(found) == ["sin(13*a)", "sin(30*a)"]


@pytest.mark.parametrize(
    "law",
    [
        lambda a, b: a * b + a**3,
        lambda a, b: np.exp(a) * np.cos(b),
        lambda a, b: np.random.default_rng(3).normal(size=len(a)),
    ],
    ids=["polynomial", "smooth", "noise"],
)
def test_neither_smooth_laws_nor_noise_have_marks(law: Callable[..., Array]) -> None:
    """A mark that explains what a smooth function does, or what chance would, is none."""
    x = rows(2)
    assert built(x, law(*x.T)) == []


@pytest.mark.parametrize(
    ("width", "law", "truth"),
    [
        (2, np.maximum, sympy.Max(A, B)),
        (2, lambda a, b: np.where(a > 0, b**2, b), sympy.Piecewise((B**2, A > 0), (B, True))),
        (
            2,
            lambda a, b: np.where(a > 0.5, np.sin(b), np.exp(b)),
            sympy.Piecewise((sympy.sin(B), A > 0.5), (sympy.exp(B), True)),
        ),
        (1, lambda a: np.clip(a, -1, 0.5), sympy.Min(sympy.Max(A, -1), 0.5)),
        (1, lambda a: np.exp(-np.abs(a)), sympy.exp(-sympy.Abs(A))),
        (1, lambda a: np.exp(-a) * np.cos(25 * a), sympy.exp(-A) * sympy.cos(25 * A)),
        (2, lambda a, b: np.sin(14 * a) / (3 + b), sympy.sin(14 * A) / (3 + B)),
    ],
    ids=["max", "if", "if of two functions", "clip", "function of a kink", "damped wave", "wave over a sum"],
)
def test_laws_with_marks_are_found(width: int, law: Callable[..., Array], truth: sympy.Expr) -> None:
    """On fresh rows the formula is the law, to rounding."""
    x, fresh = rows(width), rows(width, seed=1)
    formula = find_formula(x, np.asarray(law(*x.T)), names=NAMES[:width], output="y", time_limit=8)
    expected = sympy.lambdify((A, B, C)[:width], truth, "numpy")(*fresh.T)
    assert float(np.max(np.abs(formula.predict(fresh) - expected))) < 1e-9
