"""Dominator modules against a walk over all paths; Infomap and the best modularity against what they maximise."""

from itertools import pairwise, product

import numpy as np
import pytest

from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import choose_level, hierarchy, infomap, leiden, modularity
from bimt_analyze.modules._dominator_modules import dominator_modules
from bimt_analyze.modules._leiden import best_modularity
from bimt_analyze.synthetic import boolean_hierarchy
from bimt_train import InputError


def graph_of(layers, arrows):
    """Layers of named neurons, and arrows "a>b" of weight 1, or with another as "a>b:3"."""
    groups = ["x", *(f"h{d}" for d in range(1, len(layers) - 1)), "y"]
    nodes, place = [], {}
    for depth, (group, names) in enumerate(zip(groups, layers, strict=True)):
        for index, name in enumerate(names.split()):
            place[name] = len(nodes)
            nodes.append(Neuron(group, index, name, (0.0,), depth))
    source, target, weight = [], [], []
    for arrow in arrows.split():
        ends, _, size = arrow.partition(":")
        start, _, end = ends.partition(">")
        source.append(place[start])
        target.append(place[end])
        weight.append(float(size or 1))
    edges = Edges(np.array(source), np.array(target), np.array(weight), np.ones(len(weight), dtype=np.int8))
    return NeuronGraph(tuple(nodes), edges, "magnitude", "x", "y")


def named(graph, partition):
    label = {node.key: node.label for node in graph.nodes}
    return {frozenset(label[key] for key in module) for module in partition.modules}


def test_functions_of_functions_fall_apart_at_their_heads():
    arrows = "p>a q>a p>b q>b a>f b>f r>c s>c r>d s>d c>g d>g f>u g>u f>v g>v u>y v>y"
    graph = graph_of(["p q r s", "a b c d", "f g", "u v", "y"], arrows)
    assert named(graph, dominator_modules(graph)) == {frozenset("pqabf"), frozenset("rscdg"), frozenset("uvy")}
    assert named(graph, dominator_modules(graph, depth=0)) == {frozenset("pqrsabcdfguvy")}
    assert dominator_modules(graph).quality == 1.0


def test_a_shared_input_goes_where_it_weighs_most():
    graph = graph_of(
        ["p q", "a b c d", "f g", "y z"], "p>a p>b:1 q>a:1 q>b p>c:3 q>c:2 p>d q>d a>f b>f c>g d>g f>y g>z"
    )
    found = named(graph, dominator_modules(graph))
    assert frozenset("pqcdgz") in found
    assert frozenset("abfy") in found


def test_a_head_that_only_passes_on_joins_what_it_hears():
    graph = graph_of(["p q", "a", "b", "y z"], "p>a q>a a>b b>y b>z")
    assert frozenset("pqab") in named(graph, dominator_modules(graph))


def test_what_many_read_has_no_head():
    graph = graph_of(["p q", "a b", "y z"], "p>a p>b q>a q>b a>y a>z b>y b>z")
    assert dominator_modules(graph).quality == 0.0


def test_post_dominators_are_what_all_paths_share():
    rng = np.random.default_rng(0)
    from bimt_analyze.modules._dominator_modules import _post_dominators

    for _ in range(20):
        layers = ["a b c", "d e f g", "h i j", "k l"]
        arrows = [
            f"{s}>{t}" for one, two in pairwise(layers)
            for s, t in product(one.split(), two.split()) if rng.random() < 0.45
        ]  # fmt: skip
        graph = graph_of(layers, " ".join(arrows))
        above = _post_dominators(graph, graph.edges.source, graph.edges.target)
        ends = set(graph.members("y").tolist())

        def paths(node, graph=graph, ends=ends):
            further = graph.edges.target[graph.edges.source == node].tolist()
            return ([[node]] if node in ends else []) + [[node, *p] for t in further for p in paths(t)]

        for node in range(len(graph.nodes)):
            every = paths(node)
            common = set.intersection(*(set(p[1:]) for p in every)) if every else set()
            wanted = min(common, key=lambda n: graph.depths[n]) if common else -1
            assert above[node] == wanted


@pytest.mark.parametrize(("overlap", "reuse"), [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)])
def test_boolean_functions_are_found_whatever_they_share(overlap, reuse):
    from bimt_analyze.graph import neuron_graph

    planted = boolean_hierarchy(outputs=3, overlap=overlap, reuse=reuse, seed=3)
    found = hierarchy(neuron_graph(planted.network, weights="attribution", x=planted.x))
    chosen = choose_level(found).partition
    for module in planted.partition.modules:
        (home,) = [m for m in chosen.modules if min(module) in m]
        assert module <= home
    assert len(chosen.modules) == len(planted.partition.modules)


def test_a_leak_out_of_range_is_refused():
    with pytest.raises(InputError, match="leak"):
        dominator_modules(graph_of(["p", "y"], "p>y"), leak=1.0)


def test_infomap_finds_two_cliques_and_is_repeatable():
    matrix = np.kron(np.eye(2), np.ones((5, 5)))
    arrows = [f"a{j}>b{i}" for i in range(10) for j in range(10) if matrix[i, j]] + ["a0>b9:0.1"]
    graph = graph_of([" ".join(f"a{j}" for j in range(10)), " ".join(f"b{i}" for i in range(10))], " ".join(arrows))
    found = infomap(graph, seed=1)
    assert sorted(map(len, found.modules)) == [10, 10]
    assert found == infomap(graph, seed=1)


def test_best_modularity_is_what_leiden_reaches():
    rng = np.random.default_rng(0)
    matrix = rng.random((6, 8)) * (rng.random((6, 8)) < 0.4)
    arrows = [f"a{j}>b{i}:{matrix[i, j]}" for i, j in np.argwhere(matrix > 0)]
    graph = graph_of([" ".join(f"a{j}" for j in range(8)), " ".join(f"b{i}" for i in range(6))], " ".join(arrows))
    best = best_modularity(graph.adjacency(), seed=0)
    found = leiden(graph, seed=0)
    assert best == pytest.approx(modularity(graph, found))
