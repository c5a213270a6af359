"""An interrupt while formulas are searched ends that search for all outputs; the report is made all the same."""

import pytest

from bimt_analyze import analyze, formulas


def test_an_interrupted_search_leaves_no_time_for_the_other_outputs(checkpoint, monkeypatch):
    given = []

    def pressed(stage):
        if stage == "hints" and len(given) == 1:
            raise KeyboardInterrupt

    def seen(*rows, options, **others):
        given.append(options.time_limit)
        return found(*rows, options=options, progress=pressed, **others)

    found = formulas.find_formula
    monkeypatch.setattr(formulas, "find_formula", seen)
    report = analyze(checkpoint, samples=0, time_limit=20.0)
    assert given == pytest.approx([10.0, 0.1], abs=0.01)
    assert list(report.formulas) == ["y1", "y2"]
    assert report.formulas["y1"].exact, "a formula that was found in time is proven as any other"
