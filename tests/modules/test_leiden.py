"""Leiden and the consensus: against brute force and igraph's own objective; seeds, and nobody's random state."""

import itertools
import subprocess
import sys

import igraph
import numpy as np
import pytest

from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import NotAPartition, Partition, leiden, modularity
from bimt_analyze.modules._consensus import consensus
from bimt_train import InputError


def graph_of(weighted, nodes):
    neurons = tuple(Neuron("n", i, f"n.{i}", (0.0,), 0) for i in range(nodes))
    source, target = np.array(list(weighted), dtype=np.int64).reshape(-1, 2).T
    weights = np.array(list(weighted.values()), dtype=np.float64)
    return NeuronGraph(neurons, Edges(source, target, weights, np.ones(len(weights), dtype=np.int8)))


def random_graph(seed, nodes, density=0.4):
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(nodes) for j in range(nodes) if i < j and rng.random() < density]
    return graph_of(
        {pair: float(rng.uniform(0.1, 3)) for pair in [(i, i + 1) for i in range(nodes - 1)] + pairs}, nodes
    )


def cliques(sizes, bridge=0.1):
    starts = np.cumsum([0, *sizes])
    edges = {(i, j): 1.0 for a, b in itertools.pairwise(starts) for i in range(a, b) for j in range(i + 1, b)}
    edges |= {(int(s) - 1, int(s)): bridge for s in starts[1:-1]}
    return graph_of(edges, int(starts[-1])), {
        frozenset(("n", i) for i in range(a, b)) for a, b in itertools.pairwise(starts)
    }


def growths(nodes):
    """Every partition of so many nodes, as labels in the order of their first use."""
    rows = [(0,)]
    for _ in range(nodes - 1):
        rows = [(*row, label) for row in rows for label in range(max(row) + 2)]
    return np.array(rows)


@pytest.mark.parametrize("resolution", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("seed", range(4))
def test_no_partition_is_better_than_the_best_run(seed, resolution):
    graph = random_graph(seed, 6)
    both = graph.adjacency() + graph.adjacency().T
    gain = both - resolution * np.outer(both.sum(0), both.sum(0)) / both.sum()
    values = [gain[row[:, None] == row[None, :]].sum() / both.sum() for row in growths(6)]
    runs = [leiden(graph, resolution=resolution, seed=s) for s in range(5)]
    assert all(run.quality == pytest.approx(modularity(graph, run, resolution=resolution)) for run in runs)
    assert max(run.quality for run in runs) == pytest.approx(max(values))


def test_it_reaches_what_igraph_s_own_objective_reaches():
    graph = random_graph(3, 40, density=0.1)
    own = igraph.Graph(40, list(zip(*(column.tolist() for column in graph.edges[:2]), strict=True)))
    reached = max(
        own.modularity(own.community_leiden("modularity", weights=graph.edges.weight.tolist(), n_iterations=-1),
                       weights=graph.edges.weight.tolist())
        for _ in range(20)
    )  # fmt: skip
    assert max(leiden(graph, seed=s).quality for s in range(20)) == pytest.approx(reached, abs=2e-3)


def test_cliques_are_found_whatever_the_unit_of_the_weights():
    graph, expected = cliques((5, 4, 4))
    for scale in (1e-9, 1.0, 1e9):
        edges = graph.edges._replace(weight=graph.edges.weight * scale)
        found = leiden(NeuronGraph(graph.nodes, edges), seed=0)
        assert set(found.modules) == expected


def test_inside_is_never_crossed():
    graph = random_graph(1, 30, density=0.3)
    outer = Partition.of(graph, [i % 3 for i in range(30)])
    for seed in range(5):
        assert leiden(graph, resolution=0.1, seed=seed, inside=outer).refines(outer)
    with pytest.raises(NotAPartition):
        leiden(graph, seed=0, inside=Partition(outer.modules[:2]))


def test_seeds_repeat_and_differ():
    graph = random_graph(5, 40, density=0.15)
    grid, again = ([[leiden(graph, resolution=r, seed=s) for s in range(8)] for r in (0.5, 2.0)] for _ in range(2))
    assert grid == again
    assert len({run.modules for run in grid[1]}) > 1
    told = grid[0][2]
    assert (told.method, told.seed, told.parameters["resolution"]) == ("leiden", 2, 0.5)
    assert told.versions["igraph"] == igraph.__version__


def test_impossible_resolutions():
    graph, _ = cliques((3, 3))
    for resolution in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="an impossible resolution: expected a positive number"):
            leiden(graph, resolution=resolution, seed=0)


def test_a_graph_without_edges_has_no_modules():
    found = leiden(graph_of({}, 3), seed=0)
    assert found.modules == ()
    assert len(found.unused) == 3
    assert found.quality == 0.0


TIE = """
import numpy as np
from bimt_analyze.modules._leiden_searches import Ready
pairs = np.array([[0, 2], [1, 3], [2, 4], [3, 5]])
weight = np.array([0.1250156155885374, 0.2499687688229252, 0.37504684676561223, 0.2499687688229252])
strengths = np.bincount(pairs.ravel(), weight.repeat(2))
for seed in range(20):
    labels = Ready.of(pairs, weight, strengths).labels(1.415, seed)
    assert labels[2] == labels[4] != labels[0], labels
"""


def test_equal_gains_on_two_sides_do_not_keep_it_going_for_ever():
    """Node 3 may sit with 1 or with 5 at the same quality; igraph's own loop goes to and fro without end."""
    done = subprocess.run([sys.executable, "-c", TIE], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


STATES = """
import random, numpy as np, igraph
from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import _leiden_searches, leiden
nodes = tuple(Neuron("n", i, str(i), (0.0,), i // 5) for i in range(10))
source, target = np.array([(i, j) for i in range(5) for j in range(5, 10)]).T
graph = NeuronGraph(nodes, Edges(source, target, np.ones(25), np.ones(25, dtype=np.int8)))
leiden(graph, seed=0)
random.seed(7); np.random.seed(7); expected = random.getstate(), np.random.get_state()[1].tolist()
random.seed(7); drawn = igraph.Graph.Erdos_Renyi(20, 0.3).get_edgelist(); random.seed(7)
leiden(graph, seed=3)
try:
    with _leiden_searches.igraph_random(4):
        igraph.Graph.Erdos_Renyi(20, 0.3)
        raise KeyError
except KeyError:
    pass
assert random.getstate() == expected[0], "random"
assert np.random.get_state()[1].tolist() == expected[1], "numpy"
assert igraph.Graph.Erdos_Renyi(20, 0.3).get_edgelist() == drawn, "igraph draws from random again"
"""


def test_the_caller_s_random_state_is_untouched():
    # in a process of its own: the tests' type checker draws from random itself
    done = subprocess.run([sys.executable, "-c", STATES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def part(*modules):
    return Partition(tuple(frozenset(("n", i) for i in module) for module in modules))


def test_a_consensus_of_equals_is_their_partition():
    given = part([0, 1, 2], [3, 4], [5])
    found = consensus([given] * 4)
    assert found.modules == given.modules
    assert found.quality == pytest.approx(1.0)
    assert found.method == "consensus"
    assert found.parameters["rounds"] == 0


def test_a_consensus_follows_the_majority():
    usual = [[0, 1, 2, 3], [4, 5, 6, 7]]
    runs = [part(*usual)] * 3 + [part([0, 1, 2], [3, 4, 5, 6, 7]), part([0, 1, 2, 3, 4], [5, 6, 7])]
    assert consensus(runs).modules == part(*usual).modules


def test_a_consensus_does_not_depend_on_names_or_order():
    runs = [part([0, 1, 2], [3, 4, 5]), part([0, 1], [2, 3], [4, 5]), part([0, 1, 2, 3], [4, 5])]
    found = consensus(runs, seed=1)
    assert consensus(runs[::-1], seed=1).modules == found.modules
    renamed = [Partition(tuple(frozenset((g, 5 - i) for g, i in m) for m in run.modules)) for run in runs]
    again = consensus(renamed, seed=1)
    assert {frozenset((g, 5 - i) for g, i in m) for m in again.modules} == set(found.modules)


def test_a_consensus_keeps_a_neuron_that_is_never_alone_with_its_likeliest_company():
    # node 2 is with {0, 1} in 2 of 5 runs, with {3, 4} in 1 of 5, alone in the rest: below the threshold everywhere
    runs = [part([0, 1, 2], [3, 4])] * 2 + [part([0, 1], [2, 3, 4])] + [part([0, 1], [2], [3, 4])] * 2
    assert consensus(runs, threshold=0.5).modules == part([0, 1, 2], [3, 4]).modules


def test_what_has_no_consensus():
    with pytest.raises(InputError, match="a consensus of nothing"):
        consensus([])
    with pytest.raises(InputError, match=r"an impossible threshold: expected 0 to 1, got 1\.5"):
        consensus([part([0])], threshold=1.5)
    with pytest.raises(NotAPartition):
        consensus([part([0]), part([0, 1])])
