"""Sums of functions of weighted sums: found where the hints name the sums, and the hints read from gradients."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Structure
from bimt_analyze.formulas.generators._ridge_sums import ridge_sums
from bimt_analyze.formulas.hints._differentiable import Differentiable
from bimt_analyze.formulas.hints._proposed_structure import structure_from_tests
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._structure import Ridge

NAMES = ("x1", "x2", "x3", "x4")
SUMS = Structure(
    NAMES,
    (frozenset({"x1", "x2"}), frozenset({"x3", "x4"})),
    (Ridge(("x1", "x2"), (0.99, 1.0)), Ridge(("x3", "x4"), (1.0, -0.98))),  # as rough as a network's weights
)


def asked(structure: Structure) -> SearchProblem:
    x = np.random.default_rng(0).uniform(-1, 1, (300, 4))
    y = 2 * np.abs(x[:, 0] + x[:, 1]) - np.exp(x[:, 2] - x[:, 3]) + 0.5
    return SearchProblem(x, y, sympy.symbols("x1:5", real=True), Budget.of(60.0), structure=structure)


def test_kinks_of_sums_are_found() -> None:
    problem = asked(SUMS)
    fits = [fit for template in ridge_sums(problem) if (fit := refine(template, problem)) is not None]
    assert min(fit.error for fit in fits) < 1e-12


@pytest.mark.parametrize(
    "structure",
    [
        replace(SUMS, ridges=SUMS.ridges[:1]),  # of x3 and x4 nothing is known
        replace(SUMS, ridges=()),
        Structure(NAMES, tuple(frozenset({name}) for name in NAMES)),  # other generators' question
    ],
)
def test_without_the_sums_nothing_is_tried(structure: Structure) -> None:
    assert list(ridge_sums(asked(structure))) == []


class Kinked(Differentiable):
    """f = abs(x1 + 2 x2) + x3 x4: one term is a function of a weighted sum, the other is not."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.abs(x[:, 0] + 2 * x[:, 1]) + x[:, 2] * x[:, 3]

    def gradient(self, x: np.ndarray) -> np.ndarray:
        sign = np.sign(x[:, 0] + 2 * x[:, 1])
        return np.stack([sign, 2 * sign, x[:, 3], x[:, 2]], axis=1)


def test_gradients_along_one_direction_are_a_weighted_sum() -> None:
    x = np.random.default_rng(1).uniform(-1, 1, (200, 4))
    function = Kinked((), 0)
    found = structure_from_tests(function, x, function(x), names=NAMES, seed=0)
    assert set(found.terms) == {frozenset({"x1", "x2"}), frozenset({"x3", "x4"})}
    (ridge,) = found.ridges
    assert ridge.inputs == ("x1", "x2")
    np.testing.assert_allclose(ridge.direction, (0.5, 1.0))
