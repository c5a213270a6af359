"""Laws of motion as a scikit-learn regressor."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_get_params_invariance, check_no_attributes_set_in_init

from bimt_analyze.motion import OdeRegressor
from bimt_train import InputError

TIMES = np.linspace(0, 6, 60)
STARTS = ((1.0, 0.0), (2.0, 1.0), (1.5, 2.0))


def swing(amplitude, phase, times=TIMES):
    """States of x' = v, v' = -9/4 x, by their formula."""
    angle = 1.5 * times + phase
    return np.stack([amplitude * np.sin(angle), 1.5 * amplitude * np.cos(angle)], axis=1)


@pytest.fixture(scope="module")
def fitted():
    rows = pd.DataFrame(np.concatenate([swing(*start) for start in STARTS]), columns=["x", "v"])
    model = OdeRegressor(time_limit=20, second_order={"x": "v"})
    order = np.random.default_rng(0).permutation(len(rows))  # labels tell, not the order of the rows
    labels = np.repeat(["a", "b", "c"], 60)
    return model.fit(rows.iloc[order], t=np.tile(TIMES, 3)[order], trajectories=labels[order].tolist())


def test_equations_derivatives_and_trajectories(fitted):
    assert [str(one) for one in fitted.formulas_] == ["x' = v", "v' = -9*x/4"] and fitted.names_ == ("x", "v")
    states = pd.DataFrame([[2.0, 1.0]], columns=["x", "v"])
    assert np.allclose(fitted.predict(states), [[1.0, -4.5]])
    assert np.allclose(fitted.simulate(swing(3.0, 0.5)[0], TIMES), swing(3.0, 0.5), atol=1e-6)
    assert fitted.latex().startswith(r"\dot{x} = v")


def test_scores_are_those_of_integrated_trajectories_or_of_derivatives(fitted):
    states = pd.DataFrame(swing(2.5, 0.3), columns=["x", "v"])
    assert fitted.score(states, t=TIMES) == pytest.approx(1.0, abs=1e-9)
    assert fitted.score(states, t=2 * TIMES) < 0.5  # twice as slow is another system
    slopes = np.stack([states["v"], -2.25 * states["x"]], axis=1)
    assert fitted.score(states, slopes) == pytest.approx(1.0)
    assert fitted.score(states, -slopes) < 0


def test_rows_with_one_step_between_them_are_split_by_labels():
    from bimt_analyze.motion._ode_regressor import _split

    rows = np.arange(24.0)[:, None]
    first, second = _split(rows, 0.5, ["a"] * 12 + ["b"] * 12)
    assert first.times.tolist() == second.times.tolist() == (0.5 * np.arange(12)).tolist()
    assert len(_split(rows, 0.5, None)) == 1
    with pytest.raises(InputError, match="times do not fit the rows"):
        _split(rows, np.arange(3), None)


def test_conventions_of_scikit_learn():
    model = OdeRegressor(time_limit=3, second_order={"x": "v"}, random_state=2)
    assert clone(model).get_params() == {"time_limit": 3, "second_order": {"x": "v"}, "random_state": 2}
    for check in (check_get_params_invariance, check_no_attributes_set_in_init):
        check("OdeRegressor", OdeRegressor())
    with pytest.raises(NotFittedError):
        model.predict([[1.0, 2.0]])


def test_a_second_order_of_other_columns_is_refused():
    with pytest.raises(InputError, match=r"no such variable.*got speed"):
        OdeRegressor(second_order={"x1": "speed"}).fit(swing(1.0, 0.0), t=TIMES)
