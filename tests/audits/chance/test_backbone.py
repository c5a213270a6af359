"""Audits of networks so large that only a backbone of their edges is looked at."""

import numpy as np
import pytest

from bimt_analyze import _network_size, analyze, audit
from bimt_analyze.audits.chance._backbone_significance import BACKBONE, backbone_significance
from bimt_analyze.graph import adopt_graph, neuron_graph, to_igraph, to_networkx
from bimt_analyze.graph._backbone import among_strongest
from bimt_analyze.report.page import _pictures
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.checkpoints import Network, from_state_dict
from bimt_train.models import MLP


def drawn(seed: int, *, scales: bool = False, halves: bool = False) -> Network:
    """Weights of any size, with neurons that give and read on scales of their own, or with two planted halves."""
    rng = np.random.default_rng(seed)
    network, tensors = Network.of(MLP([30, 60, 60, 30])), {}
    half = [np.arange(width) % 2 for width in (30, 60, 60, 30)]
    for k in range(3):
        weight = rng.normal(size=(len(half[k + 1]), len(half[k])))
        if scales:
            weight *= rng.lognormal(size=(1, weight.shape[1])) * rng.lognormal(size=(weight.shape[0], 1))
        if halves:
            weight *= np.where(half[k + 1][:, None] == half[k], 1.0, 0.2)
        tensors[f"layers.{k}.weight"] = weight
    return network.with_tensors(tensors)


# ---- the backbone


def test_the_backbone_is_what_is_strongest_for_one_of_two_neurons():
    strengths = np.random.default_rng(0).random((7, 9)) * (np.random.default_rng(1).random((7, 9)) > 0.3)
    kept = among_strongest(strengths, 2)
    for i in range(7):
        for j in range(9):
            rank = min((strengths[i] > strengths[i, j]).sum(), (strengths[:, j] > strengths[i, j]).sum())
            assert kept[i, j] == (strengths[i, j] > 0 and rank < 2)


def test_a_graph_says_how_many_edges_are_not_in_its_backbone():
    network = drawn(0)
    whole, backbone = neuron_graph(network), neuron_graph(network, strongest=3)
    assert whole.left_out == 0 and len(backbone.edges.weight) + backbone.left_out == len(whole.edges.weight)
    assert set(zip(*backbone.edges[:3], strict=True)) < set(zip(*whole.edges[:3], strict=True))
    assert backbone.nodes == whole.nodes and backbone != whole
    assert backbone.without("y").left_out == backbone.left_out
    assert neuron_graph(network, strongest=60) == whole
    assert adopt_graph(to_networkx(backbone)).graph == backbone and adopt_graph(to_igraph(backbone)).graph == backbone


@pytest.mark.parametrize("given", [{"strongest": 0}, {"strongest": 4, "samples": 0}])
def test_nothing_to_keep_and_nothing_to_compare_are_refused(given):
    with pytest.raises(InputError, match="expected samples 1 or more, strongest 1 or more"):
        backbone_significance(drawn(0), **given)
    with pytest.raises(InputError, match="a backbone needs edges: strongest: expected 1 or more, got 0"):
        neuron_graph(drawn(0), strongest=0)


def test_a_network_is_large_by_the_weights_that_it_has(monkeypatch):
    network = drawn(0)
    monkeypatch.setattr(_network_size, "LARGE", network.edges())
    assert _network_size.is_large(network)
    weight = network.tensors["layers.1.weight"] * (np.arange(60) > 0)
    assert not _network_size.is_large(network.with_tensors({"layers.1.weight": weight}))


def test_what_is_dead_in_a_large_network_does_not_change_how_it_is_looked_at(monkeypatch):
    network = drawn(0)
    weight = network.tensors["layers.2.weight"] * (np.arange(60) % 2)  # half of the neurons reach no output
    state = {name.removeprefix("layers."): t for name, t in network.tensors.items()} | {"2.weight": weight}
    monkeypatch.setattr(_network_size, "LARGE", network.with_tensors({"layers.2.weight": weight}).edges())
    checkpoint = from_state_dict(state, activation="silu", ranges=(-1, 1))
    found = audit(checkpoint, samples=20)
    assert found.circuit.edges < _network_size.LARGE and found.graph.is_backbone
    assert list(found["nulls"]) == [BACKBONE]
    assert "reach the modularity of its backbone" in found.verdict.sentences[1].text


# ---- chance


@pytest.mark.parametrize("seed", range(3))
def test_halves_are_more_modular_than_chance(seed):
    found = backbone_significance(drawn(seed, halves=True), strongest=4, samples=39)
    assert found.p == 1 / 40 and found.z > 5


@pytest.mark.parametrize("scales", [False, True])
def test_random_weights_are_seldom_called_modular(scales):
    tests = [
        backbone_significance(drawn(seed, scales=scales), strongest=4, samples=19, seed=seed) for seed in range(30)
    ]
    assert sum(test.p <= 0.05 for test in tests) <= 4  # of 30 at a level of 5 %: 5 and more in 2 of 100 cases
    if not scales:
        assert np.mean([test.p for test in tests]) == pytest.approx(0.5, abs=0.17)


def test_a_sample_does_not_depend_on_how_many_are_drawn():
    few, many = (backbone_significance(drawn(0), strongest=4, samples=n, seed=3) for n in (5, 9))
    assert few.null == many.null[:5] and few.observed == many.observed


# ---- whole audits


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr(_network_size, "LARGE", 1)


def test_a_large_network_is_audited_by_its_backbone(all_are_large):
    planted = block_network(blocks=[(12, 40, 12)] * 2, seed=0)
    found = audit(planted.network, x=planted.x, samples=20)
    assert list(found["nulls"]) == [BACKBONE] and found["nulls"][BACKBONE].p == pytest.approx(1 / 21)
    assert found.verdict.modular and len(found.modules) == 2
    assert found.verdict.sentences[0].text.startswith("Modular: 2 modules, and wiring this modular is rare by chance")
    assert found.circuit.edges == planted.network.edges()  # nothing was pruned
    said = " ".join(sentence.text for sentence in found.verdict.sentences)
    assert "Not decided: locality (left out, as it takes long for" in said and "'wiring'" in said
    assert found.get("wiring") is None
    asked = audit(planted.network, x=planted.x, samples=20, measures=("wiring",))
    assert asked.get("wiring") is not None and asked.get("faithfulness") is None


def test_a_report_says_that_it_looked_at_a_backbone_and_draws_what_can_be_seen(all_are_large, monkeypatch):
    monkeypatch.setattr(_pictures, "DRAWN", 10)
    network = drawn(1)
    state = {name.removeprefix("layers."): tensor for name, tensor in network.tensors.items()}
    checkpoint = from_state_dict(state, activation="silu", ranges=(-1, 1))
    report = analyze(checkpoint, audit=True, samples=20, time_limit=0)
    assert not report.audit.verdict.modular and report.significance.statistic == "modularity"
    assumed = [line for line in report.fit.assumed if line.startswith("size: not pruned")]
    assert len(assumed) == 1 and "the 8 strongest edges" in assumed[0]
    page = report.to_html()
    assert "too many neurons to be drawn" in page and 'id="circuit-' not in page and 'id="audit-levels-' not in page
