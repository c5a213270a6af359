"""Sums of modes are found by their rates, and functions that are lines on the rows stand for their arguments."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.generators.decompositions._modes import modes
from bimt_analyze.formulas.intervals._opened import opened
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.search._candidate import finish
from bimt_analyze.formulas.search._sharpened import sharpened
from bimt_analyze.formulas.search._straightened import straightened

RNG = np.random.default_rng(0)
DX, DY, M = sympy.symbols("dx dy m", real=True)
BODIES = RNG.uniform([-2, -2, 0.5], [2, 2, 1.5], (200, 3))


def problem(x, y, *columns, tolerance=0.0):
    return SearchProblem(x, y, columns, Budget.of(20), tolerance=tolerance)


def smooth(x, seed):
    """What a network's error looks like, of deviation 1."""
    rng, found = np.random.default_rng(seed), np.zeros(len(x))
    for _ in range(20):
        found += rng.normal() * np.sin(x @ rng.normal(size=x.shape[1]) * 2 + rng.uniform(0, 6))
    return found / found.std()


@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
def test_two_modes_of_heat_are_found_with_their_rates(places):
    x = RNG.uniform(0, 1, (280, 2))
    y = np.exp(-x[:, 1]) * np.sin(3 * x[:, 0]) - 0.5 * np.exp(-4 * x[:, 1]) * np.sin(6 * x[:, 0])
    y = y + 2e-3 * y.std() * smooth(x, 1)
    names = sympy.symbols("x t", real=True)
    asked = problem(x[:, places], y, *(names[k] for k in places), tolerance=4e-3)
    fits = [fit for template in modes(asked) if (fit := refine(template, asked)) is not None]
    best = min(fits, key=lambda fit: fit.error)
    assert best.error < 2e-3
    rates = sorted(float(wave.args[0].coeff(names[1])) for wave in finish(asked, best).expression.atoms(sympy.exp))
    np.testing.assert_allclose(rates, [-4, -1], rtol=0.02)


def test_what_has_no_modes_has_none():
    x = RNG.uniform(0, 1, (280, 2))
    for y in (np.abs(x[:, 0] - x[:, 1]), x[:, 0] ** 2 / (0.1 + x[:, 1] * x[:, 0])):
        assert not list(modes(problem(x, y, *sympy.symbols("x t", real=True), tolerance=1e-3)))


def test_a_logarithm_that_is_a_line_on_the_rows_gives_way_to_its_argument():
    y = BODIES[:, 1] * BODIES[:, 2] / ((BODIES[:, :2] ** 2).sum(1) + 0.25) ** 1.5
    asked = problem(BODIES, y + 9e-3 * y.std() * smooth(BODIES, 2), DX, DY, M, tolerance=1.8e-2)
    law = sympy.Rational(1, 1) / (DX**2 + DY**2 + sympy.Float(0.25)) ** sympy.Rational(3, 2)
    log = 37.3 * (sympy.log(DY * M + 37.3) - 3.62) * law + 0.005
    best, *_ = sharpened([finish(asked, refine(opened(log).template, asked))], asked)
    assert not best.expression.has(sympy.log) and best.explained
    ratio = best.expression / (DY * M * law)
    values = [float(ratio.subs(dict(zip((DX, DY, M), row, strict=True)))) for row in BODIES[:5].tolist()]
    np.testing.assert_allclose(values, 1.0, rtol=5e-3)


def test_a_logarithm_that_bends_stays():
    asked = problem(BODIES, np.log(BODIES[:, 2]), DX, DY, M, tolerance=1e-2)
    assert not list(straightened(sympy.log(M), asked))
