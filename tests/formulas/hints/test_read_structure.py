"""What a circuit says, against hand-worked nets and against networkx."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.formulas import Structure
from bimt_analyze.formulas.hints._circuit_structure import read_structure
from bimt_analyze.formulas.hints._proposed_structure import structure_from_tests
from bimt_analyze.formulas.problem._structure import Ridge
from bimt_train import InputError

NAMES = ("x1", "x2", "x3", "x4")


def test_two_blocks_worked_by_hand() -> None:
    first = np.zeros((5, 4))
    first[0, [0, 2]] = 2.0, 1.9  # reads x1 + 0.95 x3
    first[1, [0, 2]] = -1.0, -0.95  # the same sum, turned
    first[2, 1] = 1.0
    first[3, 3] = 1.0
    first[4, 1] = 5.0  # goes nowhere
    second = np.zeros((2, 5))
    second[0, [0, 1]] = 1.0
    second[1, [2, 3]] = 1.0
    one = read_structure([first, second], names=NAMES, output=0)
    assert one.inputs == ("x1", "x3")
    assert one.terms == (frozenset({"x1", "x3"}),)
    assert len(one.ridges) == 1
    assert one.ridges[0].inputs == ("x1", "x3")
    assert one.ridges[0].direction == pytest.approx((1.0, 0.95))
    two = read_structure([first, second], names=NAMES, output=1)
    assert two == Structure(("x2", "x4"), (frozenset({"x2"}), frozenset({"x4"})), ())


def test_different_sums_stay_apart() -> None:
    first = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 3.0, 3.0], [1.0, 1.0, 0.0, 0.0]])
    found = read_structure([first, np.ones((1, 3))], names=NAMES, output=0)
    assert found.terms == (frozenset({"x1", "x2"}), frozenset({"x3", "x4"}))
    assert [ridge.inputs for ridge in found.ridges] == [("x3", "x4"), ("x1", "x2"), ("x1", "x2")]
    assert {ridge.direction for ridge in found.ridges} == {(1.0, 1.0), (1.0, -1.0)}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 4), density=st.floats(0.1, 0.7))
def test_inputs_and_terms_are_those_of_the_graph(seed: int, depth: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    widths = [4, *rng.integers(1, 6, size=depth - 1).tolist(), 2]
    weights = [rng.normal(size=(b, a)) * (rng.random((b, a)) < density) for a, b in pairwise(widths)]
    graph = nx.DiGraph()
    for layer, width in enumerate(widths):
        graph.add_nodes_from((layer, i) for i in range(width))
    for layer, matrix in enumerate(weights):
        graph.add_edges_from(((layer, int(s)), (layer + 1, int(t))) for t, s in zip(*np.nonzero(matrix), strict=True))
    for output in range(2):
        found = read_structure(weights, names=NAMES, output=output)
        end = (depth, output)
        reaching = nx.ancestors(graph, end)
        starts = {node for node in reaching if node[0] == 0}
        assert set(found.inputs) == {NAMES[i] for _, i in starts}
        alive = {n for n in reaching if n in starts or nx.ancestors(graph, n) & starts}
        parts = nx.connected_components(graph.subgraph(alive).to_undirected())
        expected = {frozenset(NAMES[i] for layer, i in part if layer == 0) for part in parts}
        assert set(found.terms) == expected
        assert sum(map(len, found.terms)) == len(found.inputs)


@pytest.mark.parametrize(
    ("weights", "output", "said"),
    [
        ([np.ones((3, 4)), np.ones((1, 2))], 0, "weights[1]: expected [n_target, 3], got (1, 2)"),
        ([np.ones((3, 5))], 0, "weights[0]: expected [n_target, 4], got (3, 5)"),
        ([np.ones((3, 4))], 3, "expected 0 to 2, got 3"),
        ([], 0, "one weight matrix or more"),
    ],
)
def test_chains_that_do_not_fit_are_refused(weights: list, output: int, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_structure(weights, names=NAMES, output=output)
    assert said in str(refused.value)


def test_hints_must_stay_inside_their_inputs() -> None:
    with pytest.raises(InputError, match=r"got \['x9'\]"):
        Structure(("x1",), (frozenset({"x9"}),), (Ridge(("x1",), (1.0,)),))


def test_a_function_is_probed_for_inputs_and_terms() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (200, 4))

    def function(rows: np.ndarray) -> np.ndarray:
        return rows[:, 0] * rows[:, 2] + np.sin(2 * rows[:, 1]) + 0.003 * rows[:, 3]

    found = structure_from_tests(function, x, function(x), names=NAMES, seed=0)
    assert found.inputs == ("x1", "x2", "x3")
    assert found.terms == (frozenset({"x1", "x3"}), frozenset({"x2"}))
    far_off = structure_from_tests(function, x, function(x) + 5 * rng.normal(size=200), names=NAMES, seed=0)
    assert far_off.inputs == ()  # a function this far from the rows has nothing to say
