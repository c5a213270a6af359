"""Every row of every table of the page of grammars is tried."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bimt_analyze.report import Requirement
from bimt_train import InputError
from bimt_train.expressions import Decomposition
from bimt_train.expressions.expression import parse_expression
from bimt_train.layouts import TensorSpec, parse_pattern

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "grammar.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+).*?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
SIZES = {"x": 2, "h": 3, "a": 4}
REPORT = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])


def rows(section: str, *, refused: bool) -> list[list[str]]:
    """The rows of a section's tables, code without its quotes; those of what is refused, or the others."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", SECTIONS[section], re.MULTILINE):
        head, _, *body = ([cell.strip().strip("`") for cell in line[1:-1].split("|")] for line in table.splitlines())
        found += body if (head[0] == "refused") == refused else []
    return found


def words(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(", "))


def of_requirement(text: str) -> bool:
    return all(finding.holds for finding in Requirement.parse(text).findings(REPORT))


READERS: dict[str, Callable[[str], object]] = {
    "Patterns": parse_pattern,
    "What": Decomposition.from_grouping,
    "Formulas": parse_expression,
    "Requirements": of_requirement,
}


def test_the_page_says_the_sizes_of_its_groups():
    assert "groups x of 2 neurons, h of 3 and a of 4" in PAGE


def test_there_is_a_reader_for_each_section():
    assert {*READERS} == {*SECTIONS}
    assert all(rows(section, refused=refused) for section in SECTIONS for refused in (True, False))


@pytest.mark.parametrize(("pattern", "shape", "role"), [row[:3] for row in rows("Patterns", refused=False)])
def test_a_pattern_has_the_shape_and_the_role_that_are_said(pattern, shape, role):
    lengths = tuple(int(number) for number in re.findall(r"\d+", shape))
    assert parse_pattern(pattern).open_shape(lengths, SIZES)
    assert TensorSpec(pattern).role == role


@pytest.mark.parametrize(("text", "inputs", "outputs"), [row[:3] for row in rows("What", refused=False)])
def test_a_decomposition_has_the_ends_that_are_said(text, inputs, outputs):
    found = Decomposition.from_grouping(text)
    assert (found.inputs, found.outputs) == (words(inputs), words(outputs))


@pytest.mark.parametrize(("text", "names"), rows("Formulas", refused=False))
def test_a_formula_has_the_names_that_are_said(text, names):
    assert parse_expression(text).names == words(names)


@pytest.mark.parametrize(("text", "holds"), [row[:2] for row in rows("Requirements", refused=False)])
def test_a_requirement_holds_where_the_page_says_so(text, holds):
    assert {"yes": True, "no": False}[holds] == of_requirement(text)


@pytest.mark.parametrize(("section", "text"), [(s, row[0]) for s in SECTIONS for row in rows(s, refused=True)])
def test_what_is_said_to_be_refused_is_refused(section, text):
    with pytest.raises(InputError):
        READERS[section](text)
