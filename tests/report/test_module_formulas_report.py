"""What modules compute, in the three forms of a report."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_analyze.synthetic import boolean_hierarchy
from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec


@pytest.fixture(scope="module")
def report():
    planted = boolean_hierarchy(outputs=3, depth=2, arguments=2, reuse=1.0, seed=1)
    count = planted.x.shape[1]
    x = np.array(list(product((0.0, 1.0), repeat=count)))
    inputs = tuple(f"x{j + 1}" for j in range(count))
    y = np.round(planted.network.predict(x))
    task = TaskSpec("logic", inputs, ("y1", "y2", "y3"), ((0.0, 1.0),) * count)
    return analyze(Checkpoint(planted.network, task, Probe(x, y, x, y), {"seed": 0}), samples=0, time_limit=0.1)


def test_every_module_is_in_the_record(report) -> None:
    plain = report.to_json()["module_formulas"]
    sent = {name: one for name, one in plain["quantities"].items() if one["readers"]}
    ids = {module["id"] for module in plain_modules(report)}
    assert {one["module"] for one in plain["quantities"].values()} == ids
    assert all(set(one["readers"]) <= ids and one["origin"] == "table" for one in sent.values())
    assert all(one["equal"] and one["r2"] == 1 for one in plain["compositions"].values())
    assert report.check("module_formulas.quantities.*.network.r2>=1")[0].holds


def plain_modules(report) -> list:
    return report.to_json()["modules"]


def test_the_summary_and_the_pages_tell_what_is_sent(report) -> None:
    summary = "\n".join(report.summary())
    assert "module 4 sends s1 = x1 ^ x2 to modules 1, 2 and 3: so on all 16 combinations of the inputs" in summary
    assert "put together, the modules' formulas decide as the network does for 3 of 3 outputs" in summary
    page, text = report.to_html(), report.to_markdown()
    assert "What each module sends and computes" in page and "What each module sends and computes" in text
    assert page.count("<math") >= len(report.module_formulas.quantities)
    row = next(line for line in text.splitlines() if "| s1 |" in line)
    assert row.count("|") == 7  # a logical "or" does not break the table


def test_a_reason_stands_in_place_of_what_is_missing(report) -> None:
    from bimt_analyze.module_formulas._sent_quantity import ModuleFormulas

    other = replace(report, module_formulas=ModuleFormulas((), undecided="outputs are classes"))
    assert "not decided: outputs are classes" in other.to_html()
    assert "not decided: outputs are classes" in other.to_markdown()
    assert replace(report, module_formulas=None).to_json()["module_formulas"] is None
