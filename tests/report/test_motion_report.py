"""A network of a system of motion: its driving graph, equations checked by integration, and both in every form."""

import json

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_train.checkpoints import Checkpoint, Network, Probe
from bimt_train.models import MLP
from bimt_train.tasks import TrajectoryTable, ode_task
from bimt_train.trajectories import Trajectory

TIMES = np.linspace(0, 6, 60)


def swing(amplitude, phase):
    """States of x' = v, v' = -9/4 x; a third variable only falls: w' = -w/2 + x/4."""
    angle = 1.5 * TIMES + phase
    x, v = amplitude * np.sin(angle), 1.5 * amplitude * np.cos(angle)
    own = (x / 2 - v) / 10  # of w, by the solution of its equation
    return np.stack([x, v, own + np.exp(-TIMES / 2)], axis=1)


@pytest.fixture(scope="module")
def report():
    """Of the network whose weights are the law, in the units of the task, with a declared x' = v."""
    runs = tuple(Trajectory(TIMES, swing(*start)) for start in ((1.0, 0.0), (2.0, 1.0), (1.5, 2.0)))
    task = ode_task(TrajectoryTable(runs, ("x", "v", "w"), "t"), second_order={"x": "v"}, widths=(3, 4, 2))
    spec, data = task.spec, task.data(0)
    law = np.array([[-2.25, 0.0, 0.0], [0.25, 0.0, -0.5]])  # v', w'
    scaled = law * np.array(spec.input_scale) / np.array(spec.output_scale)[:, None]
    offset = (law @ np.array(spec.input_shift) - np.array(spec.output_shift)) / np.array(spec.output_scale)
    module = MLP([3, 4, 2], "identity")
    first = np.zeros((4, 3))
    first[0, 0] = first[1, 2] = 1.0
    network = Network.of(module, module.layout(input_labels=spec.inputs, output_labels=spec.outputs)).with_tensors({
        "layers.0.weight": first, "layers.0.bias": np.zeros(4), "layers.1.bias": offset,
        "layers.1.weight": np.column_stack([scaled[:, 0], scaled[:, 2], np.zeros((2, 2))]),
    })  # fmt: skip
    probe = Probe(**data.arrays)
    return analyze(Checkpoint(network, spec, probe, {"seed": 0}), samples=0, time_limit=20, refit_steps=0)


def test_the_equations_are_checked_by_integration(report):
    assert [str(one) for one in report.motion.equations] == ["x' = v", "v' = -9*x/4", "w' = -w/2 + x/4"]
    assert report.motion.word == "within precision" and report.motion.held_r2 == pytest.approx(1.0)
    assert [one.exact for one in report.motion.conserved] == [True]


def test_what_drives_what_is_read_off_the_network(report):
    assert report.driving.drivers == {"x": ("v",), "v": ("x",), "w": ("x", "w")}
    effects = {(one.source, one.target): one.effect for one in report.driving.drives}
    assert effects["v", "x"] is None and effects["v", "v"] == pytest.approx(0.0, abs=1e-9)
    assert effects["x", "v"] == pytest.approx(1.0, rel=0.1)  # the whole variance


def test_every_form_of_the_report_tells_both(report):
    plain = json.loads(report.to_json_text())["motion"]
    assert plain["driving"]["drivers"]["w"] == ["x", "w"] and plain["time"] == "t"
    assert [one["declared"] for one in plain["laws"]["equations"]] == [True, False, False]
    assert plain["laws"]["equations"][1]["expression"] == "-9*x/4"
    said = "\n".join(report.summary())
    assert "v' = -9*x/4" in said and "w is driven by x, w" in said and "conserved: " in said
    page, text = report.to_html(), report.to_markdown()
    assert "Laws of motion" in page and "What drives what" in page and "x is driven by v; v is driven by x" in page
    assert "| w | x, w |" in text and "- `x' = v` (declared)" in text
