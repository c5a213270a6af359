"""Genetic programming proposes; the rows decide."""

import sys

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import find_formula
from bimt_analyze.formulas.generators import _genetic
from bimt_analyze.formulas.generators._genetic import genetic_programs
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_train import MissingExtra

COLUMNS = sympy.symbols("a b", real=True)


def problem(seconds: float, seed: int = 0) -> SearchProblem:
    x = np.random.default_rng(0).uniform(0.5, 2.0, (200, 2))
    y = 1.7 * x[:, 0] * x[:, 1] + np.sqrt(x[:, 1])
    return SearchProblem(x, y, COLUMNS, Budget.of(seconds), seed=seed)


def test_a_front_refined_on_the_rows_holds_the_truth() -> None:
    asked = problem(25.0)
    fits = (refine(template, asked) for template in genetic_programs(asked))
    exact = next((fit for fit in fits if fit is not None and fit.explained()), None)
    assert exact is not None, "not found in any round"


def test_a_round_is_repeatable_by_its_seed() -> None:
    def first(seed: int) -> list[str]:
        templates = _genetic._round(problem(60.0, seed), seed=seed)
        return [str(template.filled()) for template in templates]

    assert first(1) == first(1) != first(2)


def test_without_the_engine_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyoperon", None)
    x = np.zeros((9, 1))
    with pytest.raises(MissingExtra, match=r"genetic programming needs .*pyoperon.*pip install 'bimt\[operon\]'"):
        find_formula(x, x[:, 0], names=["a"], output="y", genetic=True)


def test_the_search_comes_to_it_last() -> None:
    rng = np.random.default_rng(0)
    x, told = rng.uniform(-1, 1, (60, 2)), list[str]()
    find_formula(
        x, rng.normal(size=60), names=["a", "b"], output="y", time_limit=3.0, genetic=True, progress=told.append
    )
    assert told[-2:] == ["genetic search", "finishing"]
