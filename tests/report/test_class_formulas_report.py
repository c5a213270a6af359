"""What a report says of a network of classes: the log-odds of each, or why there are none."""

import re

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_analyze.report.records._schema import ReportFile
from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec, from_state_dict

FEW = {"samples": 0, "refit_steps": 0}


def classifier(weights, rows=60):
    """A linear network that gives the first class where 2u - v + 0.5 is above 0, and its own decisions."""
    net = from_state_dict(
        {"0.weight": weights, "0.bias": np.eye(len(weights))[0] / 2}, activation="relu", ranges=(-1, 1)
    )
    x = np.random.default_rng(0).uniform(-1, 1, (2 * rows, weights.shape[1]))
    y = np.eye(len(weights))[np.argmax(net.network.predict(x), axis=1)]
    names = ("u", "v", *(f"w{k}" for k in range(weights.shape[1] - 2)))
    task = TaskSpec(
        "sides", names, tuple("abcdefghijklmnop"[: len(weights)]), ((-1, 1),) * len(names), loss="cross-entropy"
    )
    return Checkpoint(net.network, task, Probe(x[:rows], y[:rows], x[rows:], y[rows:]), {})


SIDES = np.array([[2.0, -1.0], [0.0, 0.0]])


@pytest.fixture(scope="module")
def report():
    return analyze(classifier(SIDES), time_limit=0.3, **FEW)


def test_every_form_tells_the_log_odds_and_how_often_they_decide_as_the_network(report):
    said = "decides as the network at 100.0% of 60 held-out rows and 100.0% of fresh points"
    assert any(line.startswith("log-odds of b against a = -2*u + v - ") for line in report.summary())
    plain = report.to_json()["class_formulas"]
    assert ReportFile(**report.to_json()).class_formulas.agreement == 1.0
    assert plain["log_odds"]["b"]["word"] == "follows" and plain["reference"] == "a" and "exact" not in str(plain)
    for text in ("\n".join(report.summary()), report.to_markdown(), report.to_html()):
        assert said in re.sub(r"\s+", " ", text)
    (finding,) = report.check("class_formulas.agreement>=0.99")
    assert finding.holds


@pytest.mark.parametrize(
    ("weights", "options", "why"),
    [
        (np.ones((2, 21)), {}, "21 inputs, more than the 20 of which formulas are sought"),
        (np.ones((11, 2)), {}, "11 classes, more than the 10 of which formulas are sought"),
        (SIDES, {"time_limit": 0}, ""),
    ],
)
def test_where_there_are_none_one_line_says_why(weights, options, why):
    report = analyze(classifier(weights), **{"time_limit": 0.1, **FEW, **options})
    plain = report.to_json()
    assert plain["class_formulas"] is None and plain["no_class_formulas"] == why
    lines = [line for line in report.summary() if "classes" in line]
    assert lines == ([f"no formulas of the classes: {why}"] if why else [])
    assert ("There are no formulas of its classes" in report.to_markdown()) == bool(why)
    assert ("There are no formulas of its classes" in report.to_html()) == bool(why)
