"""Where a graph has too many edges for all that was asked, less is done, and the report says so."""

import pytest

from bimt_analyze import AnalysisOptions, analyze
from bimt_analyze.analysis import _within_reach
from bimt_analyze.analysis._within_reach import within_reach
from bimt_analyze.graph import neuron_graph
from bimt_analyze.synthetic import block_network

PLANTED = block_network(blocks=[(1, 3, 1)] * 2, seed=0)


def test_a_small_graph_gets_all_that_was_asked() -> None:
    options = AnalysisOptions(resolutions=(2.0, 1.0))
    assert within_reach(options, neuron_graph(PLANTED.network)) == options
    report = analyze(PLANTED.network, x=PLANTED.x, samples=30, time_limit=0)
    assert not [said for said in report.fit.assumed if "less than was asked" in said]


def test_a_large_one_gets_less_and_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_within_reach, "_NULL_EDGES", 12 * 25)
    monkeypatch.setattr(_within_reach, "_SEARCHED_EDGES", 12 * 5)
    monkeypatch.setattr(_within_reach, "_MANY_EDGES", 12)
    report = analyze(PLANTED.network, x=PLANTED.x, samples=30, time_limit=0)
    assert len(report.graph.edges.weight) == 12
    (said,) = [said for said in report.fit.assumed if "less than was asked" in said]
    assert said.startswith(
        "work: 25 null networks, compared by specialisation and modularity, 5 runs of Infomap, and of Leiden at 5 "
    )
    assert report.provenance["parameters"]["resolutions"] == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert report.significance is not None and len(report.significance.null) == 25


def test_of_the_largest_null_networks_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_within_reach, "_TOO_MANY_TO_SEARCH", 12)
    report = analyze(PLANTED.network, x=PLANTED.x, samples=20, time_limit=0, audit=True, retrain_steps=0, controls=0)
    assert report.audit is not None
    assert {statistic for statistic, _ in report.audit["nulls"]} == {"specialisation"}
    assert any("compared by specialisation, 10 runs" in said for said in report.fit.assumed)


def test_a_wide_and_sparse_one_gets_fewer_null_networks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = neuron_graph(PLANTED.network)  # 12 edges; x and h1 could be joined by 2 * 6, h1 and y by 6 * 2
    monkeypatch.setattr(_within_reach, "_NULL_EDGES", 12 * 150)
    assert within_reach(AnalysisOptions(), graph).samples == 150
    monkeypatch.setattr(_within_reach, "_PLACES_OF_AN_EDGE", 1)
    assert within_reach(AnalysisOptions(), graph).samples == 75
