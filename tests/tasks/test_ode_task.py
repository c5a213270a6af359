"""Trajectories as a task: rows, what is held out, what a checkpoint keeps, and the second order."""

import numpy as np
import pandas as pd
import pytest

from bimt_train import InputError, Recipe, TaskError, train
from bimt_train._cli import main
from bimt_train.checkpoints import Checkpoint, TaskSpec, load_checkpoint, save_checkpoint
from bimt_train.checkpoints._ode_spec import OdeSpec
from bimt_train.tasks import TrajectoryTable, ode_task, resolve_task
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.trajectory import of_measurements

TIMES = np.sort(np.random.default_rng(5).uniform(0, 6, 80))  # at any distances


def swing(amplitude, phase):
    """States of x' = v, v' = -9/4 x."""
    angle = 1.5 * TIMES + phase
    return np.stack([amplitude * np.sin(angle), 1.5 * amplitude * np.cos(angle)], axis=1)


def swings(count=4, *, noise=0.0):
    rng = np.random.default_rng(1)
    states = [swing(1 + 0.5 * k, k) for k in range(count)]
    runs = tuple(Trajectory(TIMES, one + noise * rng.normal(size=one.shape)) for one in states)
    return TrajectoryTable(runs, ("x", "v"), "t", units={"x": "m", "v": "m/s", "t": "s"})


def test_the_rows_are_states_and_their_derivatives():
    data = ode_task(swings()).data(0)
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert np.allclose(y, np.stack([x[:, 1], -2.25 * x[:, 0]], axis=1), atol=1e-3)


def test_noise_is_smoothed_away():
    data = ode_task(swings(noise=0.03)).data(0)
    left = data.y_train - np.stack([data.x_train[:, 1], -2.25 * data.x_train[:, 0]], axis=1)
    assert np.sqrt(np.mean(left**2, axis=0)) == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize("seed", range(4))
def test_whole_trajectories_are_held_out_by_the_seed(seed):
    table = swings()
    data = ode_task(table).data(seed)
    train, test = of_measurements(data.measured_train), of_measurements(data.measured_test)
    assert len(train) == 3 and len(test) == 1 and {*train, *test} == {*table.trajectories}
    energies = {round(float(2.25 * x**2 + v**2), 2) for x, v in data.x_test}
    assert len(energies) == 1  # of the one start


def test_of_two_trajectories_a_stretch_is_held_out():
    data = ode_task(swings(2)).data(0)
    assert data.measured_test is None and len(of_measurements(data.measured_train)) == 2
    assert len(data.x_test) == 2 * 15 and not {*map(tuple, data.x_test)} & {*map(tuple, data.x_train)}


def test_a_declared_derivative_is_not_learned():
    spec = ode_task(swings(), second_order={"x": "v"}).spec
    assert spec.outputs == ("v_dot",) and spec.ode == OdeSpec("t", ("v",), (("x", "v"),))
    assert spec.units == {"x": "m", "v": "m/s", "v_dot": "(m/s)/(s)"}


def test_a_variable_that_stands_still_is_no_fault():
    runs = tuple(Trajectory(TIMES, np.column_stack([swing(a, 0.0), np.full(80, 3.0)])) for a in (1.0, 2.0, 3.0))
    task = ode_task(TrajectoryTable(runs, ("x", "v", "k"), "t"))
    targets = task.spec.to_network_targets(task.data(0).y_train)
    assert np.abs(targets[:, 2]).max() < 1e-9  # and not rounding, made as large as the others
    assert np.std(targets[:, :2], axis=0) == pytest.approx(1.0, abs=0.5)


def test_the_checkpoint_keeps_what_was_measured(tmp_path):
    task = ode_task(swings())
    run = train(task, seeds=1, recipe=Recipe(steps=2)).best
    save_checkpoint(tmp_path / "net.safetensors", run.checkpoint)
    loaded = load_checkpoint(tmp_path / "net.safetensors")
    assert loaded.task == task.spec and loaded.task.ode.time == "t"
    for name in ("measured_train", "measured_test"):
        assert np.array_equal(getattr(loaded.probe, name), getattr(task.data(0), name))
    some = loaded.probe.taking(np.arange(5), np.arange(3))
    assert len(some.x_train) == len(some.y_train) == 5 and len(some.measured_train) == 240
    assert isinstance(loaded, Checkpoint)


def test_from_the_shell(tmp_path, capsys):
    frame = pd.concat([
        pd.DataFrame(one.values, columns=["x", "v"]).assign(t=one.times, run=f"r{k}")
        for k, one in enumerate(swings().trajectories)
    ])  # fmt: skip
    frame.loc[frame.index[7], "x"] = np.nan
    table = tmp_path / "swings.csv"
    frame.to_csv(table, index=False)
    words = [str(table), "--time", "t", "--trajectory", "run", "--second-order", "x:v", "--quiet", "--dry-run"]
    assert main(words) == 2
    assert "hint: --drop-missing" in capsys.readouterr().err
    assert main([*words, "--drop-missing"]) == 0
    assert "v_dot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"second_order": {"x": "w"}}, InputError, "no such variable"),
        ({"second_order": {"x": "x"}}, InputError, "its own derivative"),
        ({"second_order": {"x": "v", "v": "x"}}, InputError, "no derivative is left"),
    ],
)
def test_what_does_not_fit_is_refused(given, error, said):
    with pytest.raises(error, match=said):
        ode_task(swings(), **given)


def test_the_words_of_motion_are_for_tables_alone():
    with pytest.raises(TaskError, match="--time is for tables"):
        resolve_task("independence", motion={"time": "t"})
    with pytest.raises(TaskError, match="a target of trajectories"):
        resolve_task("a.csv", target="y", motion={"time": "t"})
    with pytest.raises(TaskError, match="derivatives that do not fit"):
        TaskSpec("own", ("x", "v"), ("a",), ((-1, 1),) * 2, ode=OdeSpec("t", ("v",)))
