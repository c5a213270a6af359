"""Requirements: parsed strictly, held against the right field, missed by a stated distance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_analyze.report import Requirement
from bimt_train import InputError

REPORT = {
    "agreement": {"score": 0.8, "leak": None, "subfunctions": [{"f1": 0.5}, {"f1": 0.75}]},
    "significance": {"p": 0.03},
    "formulas": {
        "y1": {"r2": 1.0, "exact": True, "expression": "x"},
        "y2": {"r2": 0.5, "exact": False, "expression": "z"},
    },
    "modules": [1, 2],
}


def check(text):
    return Requirement.parse(text).findings(REPORT)


@pytest.mark.parametrize(
    ("text", "field", "holds"),
    [
        ("agreement>=0.8", "agreement.score", True),
        ("agreement > 0.8", "agreement.score", False),
        ("significance<0.05", "significance.p", True),
        ("significance.p<=0.01", "significance.p", False),
        ("formulas.y1.r2==1", "formulas.y1.r2", True),
        ("formulas.y2.r2!=0.5", "formulas.y2.r2", False),
        ("formulas.y1.exact", "formulas.y1.exact", True),
        ("formulas.y2.exact=true", "formulas.y2.exact", False),
        ("formulas.y2.exact==false", "formulas.y2.exact", True),
        ("modules==2", "modules", True),
        ("agreement.subfunctions.2.f1>=7.5e-1", "agreement.subfunctions.2.f1", True),
        ("agreement.leak<1", "agreement.leak", False),
    ],
)
def test_a_field_is_held_against_a_number(text, field, holds):
    (finding,) = check(text)
    assert (finding.field, finding.holds) == (field, holds)


def test_a_star_means_every_name():
    assert [(f.field, f.holds) for f in check("formulas.*.exact")] == [
        ("formulas.y1.exact", True),
        ("formulas.y2.exact", False),
    ]


def test_a_miss_says_by_how_much():
    assert check("agreement>=0.95")[0].line == "agreement.score is 0.8, and >= 0.95 is required, off by 0.15"
    assert check("agreement.leak<1")[0].line == "agreement.leak is not known, and < 1 is required"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agrement>=0.9", "did you mean agreement?"),
        ("formulas.y1.r3>0.9", "expected in formulas.y1: r2, exact, expression, got r3"),
        ("formulas>=1", "a field without a number: formulas: expected a field with a number, such as y1, y2"),
        ("formulas.y1.expression==1", "a field without a number: formulas.y1.expression"),
        ("agreement=>0.9", "a requirement that cannot be read"),
        ("agreement>=", "a requirement that cannot be read"),
        (">=0.9", "a requirement that cannot be read"),
        ("agreement>=good", "expected a number, true or false, got 'good'"),
        ("agreement>=nan", "a requirement without a number"),
        ("", "a requirement that cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(text, said):
    with pytest.raises(InputError) as caught:
        check(text)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@given(st.floats(allow_nan=False, width=32), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.floats(-1e6, 1e6))
def test_comparisons_are_those_of_numbers(found, sign, wanted):
    (finding,) = Requirement.parse(f"a.b{sign}{wanted!r}").findings({"a": {"b": found}})
    difference = found - wanted
    expected = {
        "<": difference < 0,
        "<=": difference <= 0,
        ">": difference > 0,
        ">=": difference >= 0,
        "==": math.isclose(found, wanted, rel_tol=0, abs_tol=0),
        "!=": difference != 0,
    }
    assert finding.holds == expected[sign]
