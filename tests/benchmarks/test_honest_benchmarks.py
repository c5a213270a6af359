"""What two benchmarks conclude: when reports count as equal, and how a rate is stated."""

import pytest

from benchmarks.networks.same_network import difference
from benchmarks.networks.untrained import interval

FIRST = {"modules": [{"inputs": ["a", "b"]}], "loss": 0.5, "exact": True, "provenance": {"seconds": 1.0}}


def test_equal_reports_of_other_provenance_are_equal():
    found = difference(FIRST, {**FIRST, "provenance": {"seconds": 2.0}})
    assert (found.fields, found.rounding, found.compared) == ((), 0.0, 6)


def test_rounding_is_told_and_no_difference():
    found = difference(FIRST, {**FIRST, "loss": 0.5 + 1e-12})
    assert found.fields == () and found.rounding == pytest.approx(1e-12, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"loss": 0.501}, ["loss"]),
        ({"loss": None}, ["loss"]),
        ({"exact": False}, ["exact"]),
        ({"exact": 1.0 + 1e-12}, ["exact"]),  # a number is no truth value
        ({"modules": [{"inputs": ["a"]}]}, ["modules.0.inputs.length", "modules.0.inputs.1"]),
        ({"modules": [{"inputs": ["b", "a"]}]}, ["modules.0.inputs.0", "modules.0.inputs.1"]),
        ({"more": 0.0}, ["more"]),
    ],
)
def test_every_other_difference_is_told_by_its_place(change, where):
    assert [place for place, _, _ in difference(FIRST, {**FIRST, **change}).fields] == where


def test_the_interval_of_a_rate_is_that_of_clopper_and_pearson():
    assert interval(0, 10) == (0.0, pytest.approx(0.3085, abs=1e-4))
    assert interval(1, 20) == (pytest.approx(0.0013, abs=1e-4), pytest.approx(0.2487, abs=1e-4))
    assert interval(5, 5) == (pytest.approx(0.4782, abs=1e-4), 1.0)
