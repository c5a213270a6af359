"""The report's hierarchy, and inputs and outputs in groups."""

from itertools import product

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_train.checkpoints import from_state_dict


def overlapping():
    """y1 = ReLU(a + b + c - 2), y2 = ReLU(c + d + e - 2), and y3 = 3 - 2 y2; what is shared is c."""
    first = np.array([[1.0, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    last = np.array([[1.0, 0], [0, 1], [0, -2]])
    state = {"w1": first, "b1": np.array([-1.5, -1.5]), "w2": last, "b2": np.array([0.0, 0, 3])}
    x = np.array(list(product([0.0, 1.0], repeat=5)))
    return from_state_dict(state, activation="relu", x=x, inputs=tuple("abcde"), outputs=("u", "v", "w"))


@pytest.fixture(scope="module")
def overlap():
    return analyze(overlapping(), samples=0, time_limit=0)


def test_groups_stand_in_the_record_by_name(overlap):
    structure = overlap.to_json()["structure"]
    assert structure["input_groups"] == [["a", "b"], ["d", "e"]]
    assert structure["output_groups"] == [["u"], ["v", "w"]]
    assert structure["shared_inputs"] == ["c"]
    assert structure["groups_reason"]


def test_groups_stand_in_the_page_and_in_the_markdown(overlap):
    for text in (overlap.to_html(), overlap.to_markdown()):
        assert "{a, b}, {d, e}; shared by several: c" in text
        assert "{u}, {v, w}" in text


def test_every_level_is_there_and_one_is_chosen(overlap):
    plain = overlap.to_json()
    levels = plain["hierarchy"]["levels"]
    (chosen,) = [level for level in levels if level["chosen"]]
    assert chosen["modules"] == plain["modules"]
    assert (chosen["name"], chosen["reason"]) == (plain["structure"]["level"], plain["structure"]["reason"])
    assert all(level["reason"] is None for level in levels if not level["chosen"])
    assert "components" in [level["name"] for level in levels]
    assert len({level["kind"] for level in levels}) > 1
    # each level names every input that the circuit uses once
    for level in levels:
        named = sorted(name for module in level["modules"] for name in module["inputs"])
        assert named == list("abcde") or level["kind"] == "dominators"


def test_the_handmade_network_s_groups_are_its_decomposition(report):
    structure = report.to_json()["structure"]
    assert structure["input_groups"] == [["x1", "x3"], ["x2", "x4"]]
    assert structure["output_groups"] == [["y1"], ["y2"]]
    assert f"{structure['level']} (chosen)" in report.to_markdown()
    assert f"{structure['level']} (chosen)" in report.to_html()
