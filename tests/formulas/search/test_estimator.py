"""The regressor of formulas: scikit-learn's own checks, several outputs, and tables with names of any kind."""

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, parametrize_with_checks

from bimt_analyze.formulas import Formula, FormulaRegressor
from bimt_train import InputError

a, b = sympy.symbols("a b", real=True)
x1, x2 = sympy.symbols("x1 x2", real=True)


@parametrize_with_checks([FormulaRegressor(time_limit=0.1)])
def test_scikit_learns_own_checks(estimator: BaseEstimator, check: Any) -> None:
    given = dict(vars(estimator))
    check(estimator)
    assert vars(estimator) == given  # a check fits copies: what one of them leaves behind is no other's


def test_nothing_is_loaded_before_it_is_asked_for_and_the_check_that_needs_a_switch_of_scipys_passes() -> None:
    """Both need a process of their own, which takes seconds to start: they share one."""
    code = (
        "import sys, bimt_analyze, bimt_analyze.formulas; bimt_analyze.formulas.Formula; "
        "assert 'bimt_analyze.formulas._formula_regressor' not in sys.modules and 'sklearn' not in sys.modules; "
        "from bimt_analyze.formulas import FormulaRegressor; assert 'sklearn' in sys.modules; "
        "from sklearn.utils.estimator_checks import check_array_api_input; check_array_api_input('FormulaRegressor', "
        "FormulaRegressor(time_limit=0.1), array_namespace='numpy', expect_only_array_outputs=False)"
    )
    switched = os.environ | {"SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=switched)
    assert done.returncode == 0 and "SkipTest" not in done.stderr, done.stderr


def test_names_of_columns_are_kept_as_scikit_learn_wants_them() -> None:
    check_dataframe_column_names_consistency("FormulaRegressor", FormulaRegressor(time_limit=0.1))


def rows(count: int = 60, width: int = 2, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 2.0, (count, width))


def test_one_output() -> None:
    x = rows()
    found = FormulaRegressor(time_limit=5.0).fit(x, 2 * x[:, 0] ** 2 - x[:, 1])
    assert found.sympy() == 2 * x1**2 - x2
    assert found.latex() == "y = 2 x_{1}^{2} - x_{2}"
    assert found.names_ == ("x1", "x2") and found.n_features_in_ == 2
    assert not hasattr(found, "feature_names_in_")
    (formula,) = found.formulas_
    assert isinstance(formula, Formula) and formula.output == "y" and formula.fits
    fresh = rows(seed=1)
    np.testing.assert_allclose(found.predict(fresh), 2 * fresh[:, 0] ** 2 - fresh[:, 1], rtol=1e-12)
    assert found.score(fresh, 2 * fresh[:, 0] ** 2 - fresh[:, 1]) == pytest.approx(1.0)


def test_several_outputs() -> None:
    x = rows()
    y = np.stack([x[:, 0] * x[:, 1], np.exp(x[:, 0]), np.full(len(x), 3.0)], axis=1)
    found = FormulaRegressor(time_limit=5.0).fit(x, y)
    assert found.sympy() == [x1 * x2, sympy.exp(x1), 3]
    assert [formula.output for formula in found.formulas_] == ["y1", "y2", "y3"]
    assert found.latex().splitlines() == ["y_{1} = x_{1} x_{2}\\\\", "y_{2} = e^{x_{1}}\\\\", "y_{3} = 3"]
    np.testing.assert_allclose(found.predict(x), y, rtol=1e-12)


def test_the_shape_of_y_is_the_shape_of_predictions() -> None:
    x = rows()
    flat = FormulaRegressor(time_limit=2.0).fit(x, x[:, 0])
    column = FormulaRegressor(time_limit=2.0).fit(x, x[:, :1])
    assert flat.predict(x[:7]).shape == (7,)
    assert column.predict(x[:7]).shape == (7, 1)
    assert flat.sympy() == column.sympy() == x1


def test_names_of_any_kind_become_variables() -> None:
    table = pd.DataFrame(rows(width=3), columns=["mass (kg)", "pi", "a"])
    weight = pd.Series(9.5 * table["mass (kg)"] * table["pi"], name="a")
    found = FormulaRegressor(time_limit=5.0).fit(table, weight)
    assert found.names_ == ("mass_kg", "pi_", "a")
    assert list(found.feature_names_in_) == ["mass (kg)", "pi", "a"]
    assert found.formulas_[0].output == "a_out"
    assert str(found.sympy()) == "19*mass_kg*pi_/2"
    np.testing.assert_allclose(found.predict(table), weight, rtol=1e-12)


def test_a_table_of_outputs_gives_their_names() -> None:
    table = pd.DataFrame(rows(), columns=["a", "b"])
    outputs = pd.DataFrame({"sum": table.a + table.b, "y 2": table.a / table.b})
    found = FormulaRegressor(time_limit=5.0).fit(table, outputs)
    assert [formula.output for formula in found.formulas_] == ["sum", "y_2"]
    assert found.sympy() == [a + b, a / b]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_time_is_needed(seconds: float) -> None:
    with pytest.raises(InputError, match="expected time_limit > 0"):
        FormulaRegressor(time_limit=seconds).fit(rows(), rows()[:, 0])


def test_before_fit_there_is_nothing_to_ask() -> None:
    for ask in (FormulaRegressor.sympy, FormulaRegressor.latex):
        with pytest.raises(NotFittedError):
            ask(FormulaRegressor())


def test_the_time_is_for_all_outputs_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from bimt_analyze.formulas import _formula_regressor

    given: list[float] = []

    def seen(*rows: np.ndarray, time_limit: float, **options: Any) -> Formula:
        given.append(time_limit)
        return found(*rows, time_limit=0.1, **options)

    found = _formula_regressor.find_formula
    monkeypatch.setattr(_formula_regressor, "find_formula", seen)
    x = rows()
    FormulaRegressor(time_limit=8.0).fit(x, np.stack([x[:, 0]] * 4, axis=1))
    assert given[0] == pytest.approx(2.0, abs=0.1)
    assert given[-1] > 6.0  # the first three left nearly all of theirs


def test_an_interrupt_ends_the_search_for_all_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    from bimt_analyze.formulas import _formula_regressor

    given: list[float] = []

    def pressed(stage: str) -> None:
        if stage == "hints" and len(given) == 2:
            raise KeyboardInterrupt

    def seen(*rows: np.ndarray, time_limit: float, **options: Any) -> Formula:
        given.append(time_limit)
        return found(*rows, time_limit=time_limit, progress=pressed, **options)

    found = _formula_regressor.find_formula
    monkeypatch.setattr(_formula_regressor, "find_formula", seen)
    x = rows()
    formulas = FormulaRegressor(time_limit=9.0).fit(x, np.stack([x[:, 0]] * 4, axis=1)).formulas_
    assert given[1] > 2.0 and given[2:] == pytest.approx([0.0, 0.0], abs=0.05)
    assert [formula.message.startswith("interrupted: ") for formula in formulas] == [False, True, False, False]


def test_the_seed_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from bimt_analyze.formulas import _formula_regressor

    seeds: list[int] = []
    found = _formula_regressor.find_formula
    monkeypatch.setattr(
        _formula_regressor,
        "find_formula",
        lambda *rows, seed, **options: (seeds.append(seed), found(*rows, **options))[1],
    )
    FormulaRegressor(time_limit=1.0, random_state=5).fit(rows(), rows()[:, 0])
    assert seeds == [5]


def test_copies_and_pipelines() -> None:
    x = np.log(rows())
    y = np.exp(x[:, 0] + x[:, 1])
    chain = make_pipeline(FunctionTransformer(np.exp), FormulaRegressor(time_limit=1.0)).fit(x, y)
    assert chain[-1].sympy() == x1 * x2
    again = pickle.loads(pickle.dumps(chain))
    np.testing.assert_array_equal(again.predict(x), chain.predict(x))
    assert clone(chain[-1]).get_params() == {"time_limit": 1.0, "random_state": 0, "genetic": False}
    scores = cross_val_score(FormulaRegressor(time_limit=1.0), np.exp(x), y, cv=3)
    np.testing.assert_allclose(scores, 1.0)
