"""Minutes and memory: what decides is made all the same, what is left out is named, and results keep their order."""

from types import SimpleNamespace

import pytest

from bimt_analyze import AnalysisOptions, _network_size, audit
from bimt_analyze.audits import MEASURES
from bimt_analyze.audits import _audit as audits
from bimt_analyze.audits._deadline import Deadline
from bimt_analyze.synthetic import block_network
from bimt_train import InputError

QUICK = {"samples": 20, "retrain_steps": 0, "refit_steps": 0, "controls": 0}


@pytest.fixture(scope="module")
def planted():
    return block_network(blocks=[(1, 3, 1)] * 2, seed=0)


@pytest.fixture(scope="module")
def unlimited_and_told(planted):
    """An audit, and what it told on the way."""
    told = []
    return audit(planted.network, x=planted.x, progress=told.append, **QUICK), told


@pytest.fixture
def unlimited(unlimited_and_told):
    return unlimited_and_told[0]


def test_results_stand_in_the_order_of_the_measures_however_they_were_made(unlimited_and_told):
    unlimited, told = unlimited_and_told
    made = [measure.label for measure in sorted(MEASURES.entries(), key=lambda one: one.effort)]
    assert [label for label in told if label in made] == [label for label in made if label in told]
    assert told.index("null networks") < told.index("edge weights")
    assert list(unlimited) == [name for name in MEASURES if name in unlimited]


def test_what_is_late_is_left_out_and_what_decides_is_made(planted, unlimited):
    found = audit(planted.network, x=planted.x, minutes=1e-9, **QUICK)
    assert list(found) == ["nulls"] and found["nulls"] == unlimited["nulls"]
    assert found.verdict.modular == unlimited.verdict.modular
    left_out = {MEASURES[name].question for name in unlimited} - {MEASURES["nulls"].question}
    assert left_out <= set(found.undecided)
    assert found.undecided["locality"] == "left out, as the time is up: 0 s of --minutes 1e-09 are left"
    named = audit(planted.network, x=planted.x, minutes=1e-9, measures=("wiring",), **QUICK)
    assert list(named) == ["nulls", "wiring"]


def test_what_takes_longest_goes_first(planted, monkeypatch):
    """By a clock on which each measure takes as many seconds as its effort says."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr("bimt_analyze.audits._deadline.time", clock)
    monkeypatch.setattr(audits, "time", clock)

    def pass_time(label):
        clock.now += sum(measure.effort for measure in MEASURES.entries() if measure.label == label)

    def spent_by(minutes):
        clock.now = 0.0
        return set(audit(planted.network, x=planted.x, minutes=minutes, progress=pass_time, **QUICK))

    every = spent_by(10.0)
    some = spent_by(10 / 60)
    assert "edge_weight_robustness" in every - some and "wiring" in every - some
    assert {"nulls", "faithfulness", "shared_neurons"} <= some
    assert max(MEASURES[name].effort for name in some) <= min(MEASURES[name].effort for name in every - some)


def test_memory_decides_what_is_looked_at_whole(planted, monkeypatch):
    network = planted.network
    whole = _network_size._needed(network.edges(), _network_size._WHOLE)
    assert not _network_size.is_large(network, memory=whole)
    assert _network_size.is_large(network, memory=whole - 1e-9)
    wide = block_network(blocks=[(12, 20, 12)], seed=0)
    assert not audit(wide.network, x=wide.x, memory=1.0, **QUICK).graph.is_backbone
    monkeypatch.setattr(_network_size, "_WHOLE", 2**30)
    assert audit(wide.network, x=wide.x, memory=1.0, **QUICK).graph.is_backbone
    with pytest.raises(
        InputError, match=r"too large a network: 12 weights: memory: expected about 0\.5 GiB, got 0\.25"
    ):
        audit(network, x=planted.x, memory=0.25, **QUICK)


def test_what_is_kept_for_formulas_is_said():
    late = Deadline.after(1.0, reserved=90.0).leaves_out(0.0)
    assert late == "left out, as the time is up: 0 s of --minutes 1, less 90 s kept for formulas, are left"


@pytest.mark.parametrize("name", ["minutes", "memory"])
def test_budgets_are_not_below_0(name):
    with pytest.raises(InputError, match=f"{name}: expected 0 or more"):
        AnalysisOptions(**{name: -1.0})
