"""Units of a table stand wherever its columns are shown."""

import numpy as np
import pandas as pd
import pytest

from bimt_analyze import analyze
from bimt_analyze.plots import draw_boundary, draw_part, draw_predictions
from bimt_train import Recipe, train
from bimt_train.tasks import table_task


@pytest.fixture(scope="module")
def report():
    x = np.random.default_rng(0).uniform(1, 3, (60, 2))
    frame = pd.DataFrame({"v [m/s]": x[:, 0], "site": x[:, 1], "drag (N)": x[:, 0] ** 2})
    frame.loc[3, "site"] = np.nan
    task = table_task(frame, target="drag (N)", units="names", drop_missing=True)
    return analyze(
        train(task, seeds=1, recipe=Recipe(steps=60)).best.checkpoint, samples=0, time_limit=2, refit_steps=5
    )


def test_units_stand_in_each_form_of_a_report(report):
    plain = report.to_json()
    assert plain["units"] == {"v": "m/s", "drag": "N"}
    assert plain["task"]["notes"] == ["1 of 60 rows left out: a value is missing or not finite"]
    text = report.to_markdown().replace("\\", "")
    assert "| drag [N] |" in text and "Units: v [m/s], drag [N]" in text
    assert "units: drag [N], v [m/s]" in report.to_html() and "predicted [N]" in report.to_html()


def test_units_stand_at_axes():
    y, x = np.linspace(0, 1, 9)[:, None], np.linspace(-1, 1, 9)[:, None]
    panel = draw_predictions(y, {"network": y}, names=["drag"], units=["N"]).axes.child_axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("true [N]", "predicted [N]")
    panel = draw_part(x, {"formula": x[:, 0]}, names=["v [m/s]"], unit="N").axes.child_axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("v [m/s]", "formula [N]")


def test_units_stand_at_a_boundary():
    rows = {"a [m]": [*range(12)], "b [s]": [k * k % 7 for k in range(12)], "kind": list("uvv") * 4}
    task = table_task(pd.DataFrame(rows), target="kind", categories="one-hot", units="names")
    checkpoint = train(task, seeds=1, recipe=Recipe(steps=5)).best.checkpoint
    data = task.data(0)
    panel = draw_boundary(checkpoint, data.x_test, data.y_test).axes.child_axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("a [m]", "b [s]")
