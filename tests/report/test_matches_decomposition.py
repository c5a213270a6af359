"""Modules against the task's known grouping, at the level that they belong to."""

import pytest

from bimt_analyze.modules import Module
from bimt_analyze.report._matches_decomposition import matches_decomposition
from bimt_train.expressions import Decomposition

COMPOSITION = Decomposition(
    ("x1", "x2", "x3", "x4"), ("y",), (("a", "(x1 - x2)**2"), ("b", "(x3 - x4)**2"), ("y", "sqrt(a + b)"))
)
APART = Decomposition(("x1", "x2", "x3"), ("y1", "y2"), (("y1", "x1**2"), ("y2", "x2**2")))


def module(inputs="", outputs=""):
    return Module(tuple(inputs.split()), tuple(outputs.split()), ("h1.0",))


@pytest.mark.parametrize(
    ("modules", "parts", "level"),
    [
        ([module("x1 x2 x3 x4", "y")], COMPOSITION, "flat"),
        ([module("x1 x2"), module("x3 x4"), module("", "y")], COMPOSITION, "subfunctions of height 1"),
        ([module("x1 x3"), module("x2 x4"), module("", "y")], COMPOSITION, None),
        ([module("x1 x2", "y"), module("x3 x4")], COMPOSITION, None),
        ([module("x2", "y2"), module("x1", "y1")], APART, "flat"),
        ([module("x2", "y2"), module("x1", "y1"), module()], APART, "flat"),
        ([module("x2", "y2"), module("x1 x3", "y1")], APART, None),
        ([module("x2 x1", "y2 y1")], APART, None),
    ],
)
def test_the_level_is_that_of_the_known_hierarchy(modules, parts, level):
    assert matches_decomposition(modules, parts).level == level
    assert matches_decomposition(modules, parts).matches == (level is not None)


def test_nothing_known_is_nothing_said():
    assert matches_decomposition([module("x1", "y")], None) is None
