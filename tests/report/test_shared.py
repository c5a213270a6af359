"""The report says what several outputs have in common, in every form, and says nothing where there is nothing."""

import json
import re
from dataclasses import replace

import pytest
import sympy

from bimt_analyze.report.records._schema import ReportFile

x1, x2, x3, x4 = sympy.symbols("x1:5", real=True)
SQUARES = {"y1": x1**2, "y2": x1**2 + x2**2, "y3": x1**2 + x2**2 + x3**2}


def holding(report, expressions):
    """The report, had it found these formulas."""
    plain = report.formulas["y1"]
    found = {name: replace(plain, output=name, expression=e) for name, e in expressions.items()}
    return replace(report, formulas=found)


@pytest.fixture(scope="module")
def sharing(report):
    return holding(report, SQUARES)


def test_the_json_names_each_part_once(sharing):
    assert sharing.to_json()["shared"] == {
        "parts": [
            {"name": "a", "expression": "x1**2", "outputs": ["y1", "y2", "y3"]},
            {"name": "b", "expression": "x2**2", "outputs": ["y2", "y3"]},
        ],
        "outputs": {"y1": "a", "y2": "a + b", "y3": "a + b + x3**2"},
    }
    read = ReportFile.model_validate(json.loads(sharing.to_json_text()))
    assert read.model_dump(mode="json") == sharing.to_json()


def test_the_page_has_a_section_for_them(sharing):
    text = sharing.to_html()
    section = re.search(r'<section id="shared">(.*?)</section>', text, re.DOTALL).group(1)
    assert (
        "<h3>Shared parts</h3>" in section and section.count("<math") == 5 + 2
    )  # a sum of three is set in three pieces
    assert "used by y1, y2, y3" in section and "used by y2, y3" in section
    assert text.count("<math") == 8 + 4


def test_the_markdown_has_a_section_for_them(sharing):
    text = sharing.to_markdown()
    assert text.count("## Shared parts") == 1
    assert "| a | `x1**2` | y1, y2, y3 |\n| b | `x2**2` | y2, y3 |\n" in text
    assert "- y1 = `a`\n- y2 = `a + b`\n- y3 = `a + b + x3**2`\n" in text
    assert text.index("## Formulas") < text.index("## Shared parts") < text.index("## Circuit")


@pytest.mark.parametrize(
    "expressions",
    [
        {},
        {"y1": x1**2},
        {"y1": sympy.sin(x1**2) + sympy.cos(x1**2)},  # of one output alone
        {"y1": x1 + 2 * x3, "y2": x2 - x4},
        {"y1": sympy.sin(x1**2) + sympy.cos(x1**2), "y2": x2},  # twice, but in one of them
        {"y1": x1, "y2": x1},
    ],
)
def test_where_nothing_is_shared_nothing_is_said(report, expressions):
    found = holding(report, expressions)
    assert found.shared is None and found.to_json()["shared"] is None
    assert 'id="shared"' not in found.to_html() and "Shared parts" not in found.to_markdown()


def test_reports_of_before_are_still_read(report):
    plain = report.to_json()
    del plain["shared"]
    assert ReportFile.model_validate(plain).shared is None


def test_names_of_parts_differ_from_inputs_that_no_formula_uses(report):
    found = holding(report, {"y1": x1**2, "y2": x1**2 + 1})
    named = {n: replace(f, inputs=("x1", "a", "b", "x4")) for n, f in found.formulas.items()}
    assert [part["name"] for part in replace(found, formulas=named).to_json()["shared"]["parts"]] == ["c"]
