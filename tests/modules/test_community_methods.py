"""The registry of community detection methods: every one finds planted blocks, and what is no method is refused."""

import pytest

from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import COMMUNITY_METHODS, NotAPartition, Partition, connected_components, infomap, leiden
from bimt_analyze.modules._community_methods import communities
from bimt_analyze.synthetic import block_network
from bimt_train import InputError

PLANTED = block_network(blocks=[(2, 4, 1)] * 3, scale=1.0, seed=0)
GRAPH = neuron_graph(PLANTED.network)


@pytest.mark.parametrize("name", COMMUNITY_METHODS.names())
def test_every_method_finds_separate_blocks_and_repeats(name):
    found = communities(GRAPH, method=name, seed=1)
    assert found.same_modules(PLANTED.partition)
    assert found == communities(GRAPH, method=name, seed=1)
    assert (found.method, found.seed) == (name, 1)


def test_a_name_stands_for_its_own_function():
    assert communities(GRAPH, method="leiden", seed=2) == leiden(GRAPH, seed=2)
    assert communities(GRAPH, method="infomap", seed=2) == infomap(GRAPH, seed=2)
    with pytest.raises(InputError, match=f"unknown community method: expected {', '.join(COMMUNITY_METHODS)}"):
        communities(GRAPH, method="louvain")


SOURCE = """
from bimt_analyze.modules import COMMUNITY_METHODS, Partition, connected_components
@COMMUNITY_METHODS.register("pieces", label="pieces", sentence="Connected components.")
def pieces(graph, *, seed):
    return connected_components(graph)
@COMMUNITY_METHODS.register("labels", label="labels", sentence="Not a partition.")
def labels(graph, *, seed):
    return [0] * len(graph.nodes)
@COMMUNITY_METHODS.register("few", label="few", sentence="Of too few neurons.")
def few(graph, *, seed):
    return Partition(connected_components(graph).modules[:1])
"""


def test_a_method_of_a_users_file_is_run_and_checked(tmp_path):
    file = tmp_path / "methods.py"
    file.write_text(SOURCE)
    try:
        assert communities(GRAPH, method=f"{file}:pieces") == connected_components(GRAPH)
        with pytest.raises(InputError, match=r"finds no partition: community method 'labels': .*got list"):
            communities(GRAPH, method=f"{file}:labels")
        with pytest.raises(NotAPartition, match="other neurons"):
            communities(GRAPH, method=f"{file}:few")
    finally:
        for name in ("pieces", "labels", "few"):
            COMMUNITY_METHODS._found.pop(name, None)


@pytest.mark.parametrize("missing", ["label", "sentence"])
def test_what_is_half_registered_cannot_be_used(missing):
    about = {"label": "l", "sentence": "S."}
    with pytest.raises((InputError, TypeError), match=missing):
        COMMUNITY_METHODS.register("half", **{k: v for k, v in about.items() if k != missing})(
            lambda graph, *, seed: Partition(())
        )
    with pytest.raises(InputError, match="unknown community method"):
        communities(GRAPH, method="half")
