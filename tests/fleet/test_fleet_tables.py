"""A fleet as a table, a page and JUnit's XML."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from bimt_analyze._jobs import Outcome
from bimt_analyze.fleet import Fleet
from bimt_analyze.fleet._member import Failure, Member, q_values
from bimt_analyze.report import Finding


@pytest.fixture
def failed():
    def make(name="net", reason="no such file", kind="refused"):
        return Member(name, f"nets/{name}.pt", None, Failure(kind, reason), 0.5)

    return make


def member(name, p=None, modular=None, findings=()):
    outcome = Outcome(f"{name}.safetensors", ("network: fits",), findings, {}, 9, 2, True, 1, 2, p, modular)
    return Member(name, f"{name}.safetensors", outcome, None, 1.0)


def test_q_is_benjamini_and_hochberg():
    ps = [0.001, 0.2, 0.03, 0.04]
    ranked = sorted(ps)
    by_hand = {p: min(ranked[j] * 4 / (j + 1) for j in range(k, 4)) for k, p in enumerate(ranked)}
    assert q_values(ps) == pytest.approx([by_hand[p] for p in ps])
    assert q_values([None]) == [None]


def test_the_table_tells_p_and_q(failed):
    fleet = Fleet((member("seed-000", 0.01, True), failed("broken"), member("seed-001", 0.5, False)))
    head, first, broken, second = fleet.table().splitlines()
    assert head.split() == ["checkpoint", "edges", "modules", "modular", "p", "q", "matches", "exact", "formulas"]
    assert first.split()[3:6] == ["yes", "0.010", "0.020"]
    assert second.split()[3:6] == ["no", "0.500", "0.500"]
    assert broken == "broken      refused: no such file"
    assert "modular" not in Fleet((member("seed-000"),)).table().splitlines()[0].split()


def test_the_two_ends_of_a_long_name_are_told(failed):
    names = ("seed" + "-of-a-long-training" * 6 + "-1", "net")
    first, second = Fleet(tuple(member(name, 0.5, True) for name in names)).table().splitlines()[1:]
    assert first.startswith("seed-of-a-long-trai...-a-long-training-1  ") and first.index(" 9 ") == second.index(" 9 ")


def test_a_fleet_holds_where_all_is_done_and_all_gates_hold(failed):
    missed = Finding("modules", 2.0, False, "modules is 2, and >= 3 is required, off by 1")
    assert Fleet((member("a"),)).holds
    assert not Fleet((member("a"), failed())).holds
    assert not Fleet((member("a"), member("b", findings=(missed,)))).holds


def test_the_page_can_be_sorted_without_a_script(failed, tmp_path):
    Fleet((member("c", 0.2), failed("a"), member("b", 0.01), member("d", 0.02))).save(tmp_path)
    page = (tmp_path / "index.html").read_text()
    rows = re.findall(r'<tr role="row" style="([^"]+)"', page)
    ranks = [dict(re.findall(r"--(\w+):(\d+)", row)) for row in rows]
    assert [row["p"] for row in ranks] == ["2", "3", "0", "1"]  # what has no p is last
    assert [row["name"] for row in ranks] == ["2", "0", "1", "3"]
    for key in ranks[0]:
        assert (
            f'id="by-{key}"' in page
            and f"#by-{key}:checked ~ .scroll tbody > tr > * {{ order: var(--{key}); }}" in page
        )


def test_names_and_reasons_cannot_break_the_page_or_the_xml(failed, tmp_path):
    Fleet((failed("<b>&", 'a "reason" with <tags> and \x00 \x1b ]]>'), member("per%cent #1"))).save(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "<b>&" not in page and "<tags>" not in page and 'href="per%25cent%20%231.html"' in page
    case = ElementTree.parse(tmp_path / "junit.xml").getroot().find(".//testcase")
    assert case.get("name") == "<b>&" and "<tags>" in case.find("error").get("message")
