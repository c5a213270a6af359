"""Long trajectories made short."""

import time

import numpy as np
import pytest

from bimt_analyze.motion import find_motion
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.smoothed import smoothed, smoothed_each
from bimt_train.trajectories.thinned import thinned

TIMES = np.linspace(0, 10, 10_000)


def waves(pace, *, noise=0.0):
    random = np.random.default_rng(1)
    return Trajectory(TIMES, np.sin(pace * TIMES)[:, None] + noise * random.normal(size=(10_000, 1)))


def test_a_short_trajectory_stays_as_it_is():
    one = Trajectory(TIMES[:1000], np.sin(TIMES[:1000])[:, None])
    assert thinned(one) == (one,)


@pytest.mark.parametrize("pace", [1, 20])
def test_blocks_keep_the_curve_and_average_the_noise(pace):
    (found,) = thinned(waves(pace, noise=0.05))
    left = found.values[:, 0] - np.sin(pace * found.times)
    assert len(found.times) == 500
    assert np.std(left) == pytest.approx(0.05 * np.sqrt(2.25 / 20), rel=0.1)  # a cubic at the middle of 20 values
    assert abs(np.corrcoef(left[1:], left[:-1])[0, 1]) < 0.15


def test_without_noise_values_are_those_that_were_measured():
    one = waves(3)
    (found,) = thinned(one)
    assert np.isin(found.times, one.times).all() and np.isin(found.values, one.values).all()


@pytest.mark.parametrize("pace", [300, 2100])  # the second turns every three times, so that neighbours foretell nothing
def test_what_turns_too_often_is_taken_in_stretches(pace):
    one = waves(pace, noise=0.05)
    parts = thinned(one)
    assert [len(part.times) for part in parts] == [200] * 3
    assert parts[0].times[0] == 0 and parts[-1].times[-1] == 10
    assert all(np.isin(part.values, one.values).all() for part in parts)


def test_trajectories_of_the_same_times_are_smoothed_as_each_alone():
    runs = [Trajectory(TIMES[:300:3] + shift, waves(2, noise=0.05).values[:300:3]) for shift in (0.0, 5.0)]
    runs.append(Trajectory(2 * runs[0].times, runs[0].values))
    for one, run in zip(smoothed_each(runs), runs, strict=True):
        assert one.at(run.times) == pytest.approx(smoothed(run).at(run.times), abs=1e-9)


def test_the_time_limit_holds_for_ten_thousand_times():
    level, random = 3.0, np.random.default_rng(0)
    runs = []
    for start in (0.1, 7.0, 1.5):  # x' = 0.9 x - 0.3 x**2
        values = level / (1 + (level / start - 1) * np.exp(-0.9 * TIMES))
        runs.append(Trajectory(TIMES, (values + 0.05 * random.normal(size=10_000))[:, None]))
    began = time.process_time()
    motion = find_motion(runs, names=["x"], time_limit=2)
    assert time.process_time() - began < 1.1 * 2 + 1
    states = np.linspace(0.2, 6.0, 20)[:, None]
    assert motion.slopes(states) == pytest.approx(0.9 * states - 0.3 * states**2, abs=0.1)
    assert "3 of more than 1000 times thinned out" in motion.message
