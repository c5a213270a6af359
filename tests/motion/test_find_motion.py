"""Laws of motion from trajectories: what is found is held against the equations that made them."""

import dataclasses
import time

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.integrate import solve_ivp

from bimt_analyze.formulas import SearchOptions
from bimt_analyze.motion import Motion, find_motion
from bimt_analyze.motion.laws._equation import Equation
from bimt_analyze.motion.laws._motion import MOTION_WORDS
from bimt_train import InputError
from bimt_train.trajectories import Trajectory

x, y = sympy.symbols("x y", real=True)
STARTS = [(2.0, 1.0), (4.0, 0.7), (3.0, 3.0)]


def run(slope, start, *, times=None, noise=0.0, seed=0):
    """A trajectory by an integrator that the search does not use."""
    times = np.linspace(0, 8, 120) if times is None else times
    done = solve_ivp(
        lambda _, state: slope(*state), (0, times[-1]), start, method="DOP853", rtol=1e-11, atol=1e-12, t_eval=times
    )
    values = done.y.T
    return Trajectory(
        times, values + noise * np.std(values, axis=0) * np.random.default_rng(seed).normal(size=values.shape)
    )


def eaten(a, b):
    return 1.5 * a - a * b, -2 * b + 0.8 * a * b


def swing(a, v):
    return v, -np.sin(a) - 0.25 * v


def crowded(a):
    return (0.9 * a - 0.3 * a**2,)


def scattered(seed):
    inner = np.random.default_rng(seed).uniform(0, 8, 118)
    return np.sort(np.concatenate([[0.0, 8.0], inner]))


@pytest.fixture(scope="module")
def clean():
    runs = [run(eaten, start, times=scattered(seed)) for seed, start in enumerate(STARTS)]
    return find_motion(runs[:2], names=["x", "y"], held_out=runs[2:], time_limit=30)


@pytest.fixture(scope="module")
def noisy():
    runs = [run(crowded, [start], noise=0.03, seed=seed) for seed, start in enumerate((0.1, 5.0, 1.0))]
    return runs, find_motion(runs, names=["x"], options=SearchOptions(time_limit=1))


def test_the_equations_of_two_species_are_found_at_uneven_times(clean):
    truth = (sympy.Rational(3, 2) * x - x * y, -2 * y + sympy.Rational(4, 5) * x * y)
    assert [sympy.expand(e.expression - side) for e, side in zip(clean.equations, truth, strict=True)] == [0, 0]
    assert clean.word == "within precision" and clean.noise == (0.0, 0.0)
    assert clean.held_r2 > 1 - 1e-6 and max(clean.missed) < 1e-6
    assert clean.drivers == {"x": ("x", "y"), "y": ("x", "y")} and clean.adjacency().all()


def test_a_prediction_is_the_integral_of_the_equations(clean):
    times = np.linspace(0, 5, 7)
    assert np.allclose(
        clean.predict([1.0, 2.0], times), run(eaten, [1.0, 2.0], times=np.linspace(0, 5, 13)).values[::2]
    )
    assert clean.slopes(np.array([[1.0, 2.0]])) == pytest.approx(np.array([[-0.5, -2.4]]))


def test_noise_leaves_the_form_and_its_size_is_told(noisy):
    motion = noisy[1]
    found = sympy.Poly(motion.equations[0].expression, x).as_dict()
    assert found == {(1,): pytest.approx(0.9, rel=0.05), (2,): pytest.approx(-0.3, rel=0.05)}
    assert motion.word in ("within noise", "one of several") and 0.9 < motion.held_r2 < 1
    told = np.sqrt(np.mean([(0.03 * np.std(run(crowded, [s]).values, axis=0)) ** 2 for s in (0.1, 5.0)], axis=0))
    assert motion.noise == pytest.approx(told, rel=0.25)
    assert "a held-out start" in motion.message and "until t = 8" in motion.message  # the last of three


def test_of_order_two_the_speeds_need_not_be_measured():
    runs = [run(swing, start) for start in [(2.0, 0.0), (-1.0, 1.5), (0.5, 1.0)]]
    places = [Trajectory(one.times, one.values[:, :1]) for one in runs]
    motion = find_motion(places, names=["a"], order=2, time_limit=30)
    a, speed = sympy.symbols("a a_dot", real=True)
    left = sympy.lambdify((a, speed), motion.equations[0].expression + sympy.sin(a) + speed / 4)
    assert max(abs(left(*state)) for state in runs[0].values) < 1e-3
    assert motion.order == 2 and motion.drivers == {"a": ("a",)} and motion.held_r2 > 0.999
    assert str(motion).startswith("a'' = ")
    assert np.allclose(motion.predict([2.0, 0.0], runs[0].times), runs[0].values[:, :1], atol=1e-2)


def test_what_no_start_confirms_is_no_law():
    alone = find_motion([run(crowded, [0.1])], time_limit=1)
    assert alone.word == "none" and alone.held_r2 is None and "no held-out start" in alone.message


def test_another_system_s_trajectory_is_not_predicted():
    other = run(lambda a: (-(a**3),), [2.0])
    assert find_motion([run(crowded, [0.1])], held_out=[other], time_limit=1).word == "none"


def stiff(a, b):
    return -400 * (a - np.cos(b)) + b, -0.5 * a * b


def wild(a, b, c):
    return 10 * (b - a), a * (99 - c) - b, a * b - 8 / 3 * c


@pytest.mark.parametrize(
    ("system", "starts"), [(stiff, [(2.0, 1.0), (0.0, 2.0), (1.0, -1.0)]), (wild, [(2.0, 8.0, 12.0)] * 2)]
)
def test_the_time_limit_is_kept_and_what_it_cut_short_is_told(system, starts):
    runs = [run(system, start, noise=0.01, seed=seed) for seed, start in enumerate(starts)]
    began = time.process_time()  # by the clock where no other work slows the machine
    motion = find_motion(runs, time_limit=2)
    assert time.process_time() - began < 1.1 * 2 + 1
    assert motion.cut and f"cut short by the time limit: {', '.join(motion.cut)}" in motion.message


def test_what_grows_without_bound_is_told_by_nan():
    motion = Motion(("x",), (Equation("x", x**2, ()),), "none", 1.0, None, 1.0, (0.0,), (0.0,))
    found = motion.predict([1.0], [0.0, 0.5, 2.0])[:, 0]
    assert found[:2] == pytest.approx([1.0, 2.0]) and np.isnan(found[2])


def test_a_motion_is_told_in_words_tables_and_formulas(clean):
    assert repr(clean).startswith("Motion(x' = ") and "within precision, held-out r2 1.0000 until t = 8" in repr(clean)
    assert "<math" in clean._repr_html_() and r"\dot{x} = " in clean.latex()
    frame = clean.to_frame()
    assert isinstance(frame, pd.DataFrame) and frame["variable"].tolist() == ["x", "y"]
    assert clean.to_json()["word"] in MOTION_WORDS
    assert dataclasses.replace(clean) == clean


def test_the_same_trajectories_give_the_same_equations(noisy):
    runs, motion = noisy
    assert find_motion(runs, names=["x"], options=SearchOptions(time_limit=1)) == motion


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": ["x"]}, "variables do not fit: trajectories"),
        ({"names": ["x", "x"]}, "names do not fit the variables"),
        ({"names": ["x", "2y"]}, "names do not fit the variables"),
        ({"order": 3}, "expected 1 or 2, got 3"),
        ({"held_out": [Trajectory(np.arange(12.0), np.ones((12, 1)))]}, "variables do not fit: held_out"),
        ({"sed": 3}, "seed"),
        ({"time_limit": 0}, "more than 0 seconds"),
    ],
)
def test_what_cannot_be_searched_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        find_motion([run(eaten, STARTS[0])], **change)


def test_no_trajectory_is_refused():
    with pytest.raises(InputError, match="no trajectory"):
        find_motion([])


@pytest.mark.parametrize(
    ("times", "values", "said"),
    [
        (np.arange(11.0), np.ones((11, 1)), "too few times"),
        (np.arange(12.0), np.full((12, 1), np.nan), r"values\[0, 0\]"),
        (np.array([*range(11), 9.0]), np.ones((12, 1)), r"do not grow: times\[11\]"),
    ],
)
def test_what_is_no_trajectory_is_refused(times, values, said):
    with pytest.raises(InputError, match=said):
        Trajectory(times, values)
