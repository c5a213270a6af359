"""Laws of motion from the shell: a table of trajectories, and the equations in text, JSON, Markdown and a page."""

import json

import numpy as np
import pandas as pd
import pytest

from bimt_analyze._cli import main
from bimt_train import InputError
from bimt_train.tasks import read_trajectories

TIMES = np.linspace(0, 6, 60)


def swings():
    """Three trajectories of x' = v, v' = -9/4 x, by their formula."""
    runs = [
        pd.DataFrame({
            "run": f"r{number}", "t [s]": TIMES, "x": a * np.sin(1.5 * TIMES + p),
            "v": 1.5 * a * np.cos(1.5 * TIMES + p),
        })
        for number, (a, p) in enumerate([(1.0, 0.0), (2.0, 1.0), (1.5, 2.0)])
    ]  # fmt: skip
    return pd.concat(runs, ignore_index=True)


def test_rows_are_grouped_by_the_column_of_trajectories_and_put_in_order():
    frame = swings().sample(frac=1.0, random_state=0)
    table = read_trajectories(frame, time="t [s]", trajectory="run")
    assert table.names == ("x", "v") and len(table.trajectories) == 3 and not table.assumed
    amplitudes = sorted(float(np.max(np.abs(one.values[:, 0]))) for one in table.trajectories)
    assert amplitudes == pytest.approx([1.0, 1.5, 2.0], abs=0.02)
    assert all(np.array_equal(one.times, TIMES) for one in table.trajectories)


def test_without_that_column_a_trajectory_begins_where_time_goes_back():
    table = read_trajectories(swings().drop(columns="run"), time="t [s]")
    assert len(table.trajectories) == 3 and "begins wherever t [s] goes back: 3 in all" in table.assumed[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time": "when"}, "no such time column"),
        ({"time": "t [s]", "trajectory": "nobody"}, "nobody"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        read_trajectories(swings().drop(columns=[] if "trajectory" in given else "run"), **given)


def test_a_dirty_table_is_read_as_asked():
    frame = swings().assign(site="hall")
    frame.loc[[3, 70], "x"] = np.nan
    with pytest.raises(InputError, match="--drop-missing"):
        read_trajectories(frame, time="t", trajectory="run", table={})
    asked = {"inputs": ["x", "v"], "drop_missing": True, "units": "names"}
    table = read_trajectories(frame, time="t [s]", trajectory="run", table=asked)
    assert table.names == ("x", "v") and [len(one.times) for one in table.trajectories] == [59, 59, 60]
    assert table.units == {"t": "s"} and table.time == "t" and "2 of 180 rows left out" in table.notes[0]


def test_too_few_rows_are_told_with_their_trajectory():
    with pytest.raises(InputError, match=r"trajectory 3: too few times"):
        read_trajectories(swings()[:125], time="t [s]", trajectory="run")


def test_equations_are_found_checked_and_written(tmp_path, capsys):
    table = tmp_path / "swings.csv"
    swings().to_csv(table, index=False)
    files = {form: tmp_path / f"motion.{form}" for form in ("json", "markdown", "html")}
    words = [word for form, path in files.items() for word in (f"--{form}", str(path))]
    assert main([str(table), "--time", "t [s]", "--trajectory", "run", "--quiet", *words]) == 0
    said = capsys.readouterr().out
    assert "x' = v\nv' = -9*x/4\nwithin precision: integrated from a held-out start to r2 1.0000" in said
    assert "conserved: 4*v**2/9 + x**2 (exactly)" in said and "v is driven by x" in said
    record = json.loads(files["json"].read_text())
    assert record["drivers"] == {"x": ["v"], "v": ["x"]} and record["equations"][1]["expression"] == "-9*x/4"
    assert "| v | x |" in files["markdown"].read_text()
    page = files["html"].read_text()
    assert "<math" in page and "within precision" in page


def test_a_declared_speed_is_not_searched(tmp_path, capsys):
    table = tmp_path / "swings.csv"
    swings().assign(v=lambda rows: rows["v"] + 1e-3).to_csv(table, index=False)  # x' = v - 0.001 fits better
    words = [str(table), "--time", "t", "--trajectory", "run", "--quiet", "--time-limit", "5"]
    assert main([*words, "--second-order", "x:v"]) == 0
    assert capsys.readouterr().out.startswith("x' = v\n")
    assert main([*words, "--second-order", "x:w"]) == 2
    assert "no such variable" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--second-order", "x:v"], "--time COLUMN"),
        (["--time", "t", "--audit"], "an option for networks"),
        (["--trajectory", "run"], "--time COLUMN"),
        (["--order", "2"], "--time COLUMN"),
    ],
)
def test_options_that_do_not_go_together_are_refused_in_one_line(tmp_path, capsys, words, said):
    table = tmp_path / "swings.csv"
    swings().to_csv(table, index=False)
    assert main([str(table), *words]) == 2
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told
