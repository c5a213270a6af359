"""The ways of a newcomer are read from the README, and are as short as promised."""

from pathlib import Path

import pytest

from benchmarks.start.newcomers import ROOT, Way, ending, ways

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def test_three_ways_are_found_and_short():
    found = ways(README)
    assert [way.typed for way in found] == ["command", "line", "command"]
    assert all(way.short for way in found)
    assert [words[0] for words in found[0].programs] == ["bimt-train", "bimt-analyze"]
    assert "audit(model" in found[1].programs[0][-1] and (ROOT / "examples" / "data" / "model.pt").exists()


@pytest.mark.parametrize(
    ("lines", "typed", "short"), [(3, "command", True), (4, "command", False), (11, "line", False)]
)
def test_what_is_long_is_called_long(lines, typed, short):
    assert Way("x", (), lines, typed).short is short


def test_the_ending_is_what_answers():
    said = "network: does its task\nlift = 3*x   exact\ndrag = x\n3 modules: {a}\n"
    assert ending(said) == "lift = 3*x exact; drag = x"
    assert ending("a  1\n20 of 20 files analysed: audits/index.html") == "20 of 20 files analysed: audits/index.html"
    assert ending("Not shown to be modular.\n3 of 3 are modular") == "Not shown to be modular."
