"""Errors of measurement: rows count by them, chi-square tells whether they are met, and they travel with a table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bimt_analyze.formulas import FormulaRegressor, Rows, find_formula, verify_formula
from bimt_analyze.formulas._searched_rows import best_known
from bimt_analyze.formulas.verdicts._stated_errors import chi_square
from bimt_train import CheckpointError, InputError, TaskError
from bimt_train.checkpoints import Probe
from bimt_train.tasks import table_task


def mixed(rows: int = 100, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A law of which two rows in five are hardly known."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.2, 2, (rows, 2))
    sigma = np.where(rng.uniform(size=rows) < 0.4, 3.0, 0.01)
    return x, 1.37 * x[:, 0] * x[:, 1] + 0.83 + sigma * rng.normal(size=rows), sigma


def test_rows_count_by_their_errors() -> None:
    x, y, sigma = mixed()
    formula = find_formula(x, y, names=["a", "b"], output="y", sigma=sigma, time_limit=0.5)
    columns = np.stack([x[:, 0] * x[:, 1], np.ones(100)], axis=1) / sigma[:, None]
    slope, offset = np.linalg.lstsq(columns, y / sigma, rcond=None)[0]
    corners = formula.predict(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(corners, [offset, offset, offset + slope], rtol=1e-6)
    np.testing.assert_allclose(sorted(one.value for one in formula.intervals), sorted([slope, offset]), rtol=1e-6)
    assert formula.chi_square is not None and formula.chi_square.fits and "within the stated errors" in formula.message
    plain = find_formula(x, y, names=["a", "b"], output="y", time_limit=0.5)
    assert plain.chi_square is None and plain.expression != formula.expression


@pytest.mark.parametrize("least", [1e-20, 1e-300])
def test_one_row_that_is_known_far_better_decides_nothing_alone(least: float) -> None:
    x = np.random.default_rng(0).uniform(0.2, 2, (80, 2))
    sigma = np.full(80, 0.01)
    y = 1.37 * x[:, 0] * x[:, 1] + 0.83 + sigma * np.random.default_rng(1).normal(size=80)
    sigma[7] = least  # a constant that meets this row left nothing of what was weighted
    formula = find_formula(x, y, names=["a", "b"], output="y", sigma=sigma, time_limit=0.3)
    assert formula.variables == ("a", "b") and formula.r2 > 0.99
    assert formula.predict(x[7:8])[0] == pytest.approx(y[7], abs=1e-8)


def test_errors_that_are_too_small_are_told() -> None:
    x, y, sigma = mixed()
    formula = find_formula(x, y, names=["a", "b"], output="y", sigma=sigma / 3, time_limit=0.5)
    assert formula.chi_square is not None and not formula.chi_square.fits
    assert "missed by more than the stated errors" in formula.message


def test_a_law_within_large_stated_errors_is_called_so() -> None:
    """Without the errors, so large a residual may be a law that the rows do not resolve."""
    x, y, sigma = mixed(300)
    formula = find_formula(x[:220], y[:220], names=["a", "b"], output="y", sigma=sigma[:220], time_limit=0.5)
    about = {"truth": None, "ranges": [(0.2, 2)] * 2}
    test, train = Rows(x[220:], y[220:], sigma[220:]), Rows(x[:220], y[:220], sigma[:220])
    known = verify_formula(formula, test=test, train=train, **about)
    assert known.word == "within noise", known.message
    assert known.verification is not None and "chi-square" in known.verification.statement
    test, train = replace(test, sigma=None), replace(train, sigma=None)
    assert verify_formula(formula, test=test, train=train, **about).word != "within noise"


def test_chi_square_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    residual, sigma = rng.normal(size=50), rng.uniform(0.5, 2, 50)
    found = chi_square(residual, sigma, constants=3)
    assert found.value == pytest.approx(np.sum((residual / sigma) ** 2)) and found.freedom == 47
    assert found.p == pytest.approx(stats.chi2.sf(found.value, 47))


def test_the_best_known_rows_are_those_that_tell_most() -> None:
    sigma = np.random.default_rng(0).uniform(0.1, 3.0, 200)
    kept = best_known(sigma)
    error = [np.sqrt(np.sum(np.sort(sigma)[:count] ** 2)) / count for count in range(20, 201)]
    assert len(kept) == 20 + int(np.argmin(error)) and np.max(sigma[kept]) <= np.min(np.delete(sigma, kept))


def test_the_regressor_takes_them() -> None:
    x, y, sigma = mixed()
    found = FormulaRegressor(time_limit=0.5).fit(x, y, sigma=sigma).formulas_[0]
    assert found.chi_square is not None and found.chi_square.fits
    with pytest.raises(InputError, match="errors do not fit the outputs"):
        FormulaRegressor(time_limit=0.5).fit(x, y, sigma=sigma[:3])


def test_a_table_keeps_them_beside_its_rows() -> None:
    x, y, sigma = mixed(40)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y, "dy": sigma})
    task = table_task(frame, target="y", sigma="dy")
    data = task.data(0)
    assert task.spec.inputs == ("a", "b") and data.sigma_test is not None and data.sigma_train is not None
    found = pd.DataFrame({"y": data.y_train[:, 0], "dy": data.sigma_train[:, 0]})
    pd.testing.assert_frame_equal(found.sort_values("y", ignore_index=True), _rows(frame, found))
    assert len(data.sigma_test) == len(data.y_test)


def _rows(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table with the outputs that were found."""
    same = frame[frame["y"].isin(found["y"])]
    return same[["y", "dy"]].sort_values("y", ignore_index=True)


@pytest.mark.parametrize(
    ("errors", "sigma", "said"),
    [
        ([0.1] * 39 + [0.0], "dy", "not positive"),
        ([0.1] * 40, "dz", "no such error column"),
        ([0.1] * 40, "a", "a target or an input too"),
        ([0.1] * 40, ["dy", "b"], "do not fit the targets"),
    ],
)
def test_what_is_refused(errors: list[float], sigma: str | list[str], said: str) -> None:
    x, y, _ = mixed(40)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y, "dy": errors})
    inputs = ["a", "b"] if sigma == "a" else None
    with pytest.raises(TaskError, match=said):
        table_task(frame, target="y", sigma=sigma, inputs=inputs)


def test_a_probe_refuses_errors_that_fit_no_targets() -> None:
    x, y = np.ones((3, 1)), np.ones((3, 1))
    with pytest.raises(CheckpointError, match="errors that fit no targets"):
        Probe(x, y, x, y, sigma_train=np.zeros((3, 1)))
    assert Probe(x, y, x, y).arrays() == ("x_train", "y_train", "x_test", "y_test")
