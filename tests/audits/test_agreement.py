"""Agreement with known parts: hand-worked fractions, scikit-learn's scores, and what must not matter."""

import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bimt_analyze.audits import dependency_score
from bimt_analyze.audits.truth._agreement import agreement
from bimt_analyze.audits.truth._dependencies import reachable_inputs
from bimt_analyze.audits.truth._matching import known_levels, scored
from bimt_analyze.audits.truth._sensitivity import leak, sensitivity, subfunction_of
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import NotAPartition, Partition
from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.expressions import Decomposition
from bimt_train.layouts import Group, Layout, Placement, linear
from bimt_train.models import ModelSpec

INDEPENDENCE = Decomposition(
    ("x1", "x2", "x3", "x4"), ("y1", "y2"), (("y1", "(x1 + x3)**3"), ("y2", "x2**2 + sin(pi*x4)"))
)
COMPOSITION = Decomposition(
    ("x1", "x2", "x3", "x4"), ("y",), (("a", "(x1 - x2)**2"), ("b", "(x3 - x4)**2"), ("y", "sqrt(a + b)"))
)
X = np.random.default_rng(0).uniform(-1, 1, (60, 4))


def mlp(*matrices, activation="tanh", biases=None):
    widths = [matrices[0].shape[1], *(len(m) for m in matrices)]
    names = ["x", *(f"h{i}" for i in range(1, len(matrices))), "y"]
    groups = [Group.line(name, width) for name, width in zip(names, widths, strict=True)]
    pieces = [linear(f"layers.{i}", source=groups[i], target=groups[i + 1]) for i in range(len(matrices))]
    layout = Layout.merge(*pieces, inputs="x", outputs="y")
    biases = [np.zeros(len(m)) for m in matrices] if biases is None else biases
    tensors = {f"layers.{i}.weight": m for i, m in enumerate(matrices)}
    tensors |= {f"layers.{i}.bias": b for i, b in enumerate(biases)}
    spec = ModelSpec("mlp", {"widths": widths, "activation": activation})
    return Network(spec, layout, Placement.identity(layout), tensors)


def two_blocks(stray=0.0):
    """x1, x3 -> h1.0, h1.1 -> y1 and x2, x4 -> h1.2, h1.3 -> y2; ``stray`` from x2 to h1.0."""
    first = np.array([[1.0, stray, 0.5, 0], [0.7, 0, -1, 0], [0, 1.0, 0, 0.4], [0, -0.6, 0, 1.2]])
    second = np.array([[1.0, 0.8, 0, 0], [0, 0, 1.0, -0.9]])
    return mlp(first, second)


def two_squares():
    """|x1 - x2| and |x3 - x4| in the first layers, their sum after: a, b, then y."""
    first = np.array([[1.0, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]])
    second = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1]])
    third = np.ones((2, 2)) * np.array([[1.0], [0.5]])
    return mlp(first, second, third, np.ones((1, 2)), activation="relu")


def test_a_clean_network_agrees_in_everything():
    found = agreement(two_blocks(), INDEPENDENCE, x=X)
    assert found.score == 1.0
    assert (found.dependencies.precision, found.dependencies.recall, found.dependencies.f1) == (1.0, 1.0, 1.0)
    assert found.leak == 0.0
    for match in (found.flat, found.matched, found.best):
        assert (match.ends.ari, match.ends.ami, match.hidden.ari, match.hidden.ami) == (1.0, 1.0, 1.0, 1.0)
    assert (found.flat.found, found.flat.known) == ("components", "flat")
    assert {one.subfunction: one.f1 for one in found.subfunctions} == {"y1": 1.0, "y2": 1.0}
    assert found.notes == {}


def test_a_stray_weight_costs_precision_but_not_the_modules():
    # x2 reaches y1: of the 5 pairs joined 4 are known, so precision 4/5, recall 1, f1 = 8 / 9
    found = agreement(two_blocks(stray=0.01), INDEPENDENCE, x=X)
    assert found.dependencies.precision == 4 / 5
    assert found.dependencies.recall == 1.0
    assert found.dependencies.f1 == 8 / 9
    assert found.dependencies.spurious == (("y1", "x2"),)
    assert found.dependencies.missing == ()
    assert found.matched.ends.ami == found.matched.hidden.ami == 1.0
    assert found.matched.found == "components up to a leak of 1%"
    assert found.score == 8 / 9
    assert 0 < found.leak < 1e-3
    # the modules of x1 and x3 are now reached by x2 too: 2 * 2 / (3 + 2)
    assert {one.subfunction: one.f1 for one in found.subfunctions} == {"y1": 4 / 5, "y2": 1.0}


def test_what_is_missing_costs_recall():
    first = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 1.0]])
    graph = neuron_graph(mlp(first, np.eye(2)))
    found = dependency_score(graph, INDEPENDENCE)
    assert (found.precision, found.recall, found.f1) == (1.0, 3 / 4, 6 / 7)
    assert found.missing == (("y1", "x3"),)
    reached = reachable_inputs(graph)
    assert reached[graph.numbers["y", 1]].tolist() == [False, True, False, True]
    assert reached[graph.numbers["x", 2]].tolist() == [False, False, True, False]


def test_a_network_that_is_cut_off_has_no_precision():
    graph = neuron_graph(mlp(np.zeros((2, 4)), np.eye(2)))
    found = dependency_score(graph, INDEPENDENCE)
    assert (found.precision, found.recall, found.f1) == (None, 0.0, 0.0)


def test_a_dense_network_does_not_agree():
    rng = np.random.default_rng(1)
    found = agreement(mlp(rng.normal(size=(20, 4)), rng.normal(size=(2, 20))), INDEPENDENCE, x=X)
    assert found.dependencies.precision == 1 / 2
    assert found.score < 0.2
    assert found.leak > 0.1


def test_the_leak_by_hand():
    # y = W x is its own Jacobian: G[k, j] = (W_kj sd_j / sd_k)^2, and y1 is known to depend on x1, x3
    weights = np.array([[2.0, 1.0, -1.0, 0.5], [0.0, 3.0, 0.3, 1.0]])
    x = X * np.array([1.0, 5.0, 0.2, 2.0]) + 3
    y = x @ weights.T
    g = (weights * x.std(0) / y.std(0)[:, None]) ** 2
    expected = (g[0, 1] + g[0, 3] + g[1, 0] + g[1, 2]) / g.sum()
    network = mlp(weights)
    measured = sensitivity(network, x)
    assert np.allclose(measured.outputs_by_inputs, g)
    assert leak(measured, INDEPENDENCE) == pytest.approx(expected)
    # the units of inputs and outputs do not matter
    units_x, units_y = np.array([10.0, 0.1, 3.0, 1.0]), np.array([[100.0], [0.01]])
    other = sensitivity(mlp(weights * units_y / units_x), x * units_x)
    assert leak(other, INDEPENDENCE) == pytest.approx(expected)


def test_sensitivities_of_hidden_neurons_are_those_of_their_pre_activations():
    first, second = np.array([[1.0, 0.5, 0, 0], [0, 0, 2.0, 1.0]]), np.array([[1.0, 0.0], [0.3, 2.0]])
    measured = sensitivity(mlp(first, second), X)
    p = X @ first.T
    slope = 1 - np.tanh(p) ** 2
    y = np.tanh(p) @ second.T
    for i in range(2):
        heard, moved = measured.neurons["h1", i]
        assert np.allclose(heard, (first[i] * X.std(0)) ** 2)
        assert np.allclose(moved, (second[:, i] ** 2) * (slope[:, i] ** 2).mean() / y.std(0) ** 2)


def test_hidden_neurons_serve_the_smallest_part_that_fits():
    serves = subfunction_of(sensitivity(two_squares(), X), COMPOSITION)
    assert [serves["h1", i] for i in range(4)] == ["a", "a", "b", "b"]
    assert [serves["h2", i] for i in range(2)] == ["a", "b"]
    assert [serves["h3", i] for i in range(2)] == ["y", "y"]


def test_parts_are_told_apart_by_the_outputs_they_move():
    # sq goes into both outputs, y1 is y1's own, and all have one input
    parts = Decomposition(("x1",), ("y1", "y2"), (("sq", "x1**2"), ("y1", "sq + sin(x1)"), ("y2", "3*sq")))
    first, second = np.array([[1.0], [2.0], [0.5], [1.0]]), np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]])
    serves = subfunction_of(sensitivity(mlp(first, second), X[:, :1]), parts)
    assert [serves["h1", i] for i in range(3)] == ["sq", "y1", "y2"]
    assert serves["h1", 3] is None  # it moves nothing


def test_stated_parts_serve_as_well_as_formulas():
    stated = Decomposition.from_grouping("y: a b; a: x1 x2; b: x3 x4")
    assert subfunction_of(sensitivity(two_squares(), X), stated) == subfunction_of(
        sensitivity(two_squares(), X), COMPOSITION
    )


def test_a_trivial_flat_grouping_is_said_and_the_hierarchy_is_matched():
    found = agreement(two_squares(), COMPOSITION, x=X)
    assert found.flat.ends.ami is None
    assert found.flat.ends.reason == "one known group at this level"
    assert found.notes["flat.ends"] == "one known group at this level"
    assert found.leak is None
    assert "every output may depend on every input" in found.notes["leak"]
    assert found.matched.known == "subfunctions of height 1"
    assert found.matched.found == "dominators of depth 1"
    assert found.matched.ends.ami == found.matched.hidden.ami == 1.0
    assert found.score == 1.0
    assert {one.subfunction: one.f1 for one in found.subfunctions} == {"a": 1.0, "b": 1.0, "y": 1.0}
    assert len({one.module for one in found.subfunctions}) == 3


def test_scores_are_scikit_learn_s_and_none_for_a_trivial_truth():
    known, found = [0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 2]
    score = scored(found, known)
    assert score.ari == pytest.approx(adjusted_rand_score(known, found), abs=1e-12)
    assert score.ami == pytest.approx(adjusted_mutual_info_score(known, found), abs=1e-12)
    assert scored([0, 0, 1], [5, 5, 5]).reason == "one known group at this level"
    assert scored([0, 0, 1], [5, 6, 7]).reason == "no two belong together at this level"
    assert scored([0], [5]).reason == "fewer than two neurons at this level"
    assert scored([0, 0], [1, 2]).ami is None


def test_known_levels_start_with_the_flat_one():
    levels = known_levels(COMPOSITION)
    assert list(levels) == ["flat", "subfunctions of height 1"]
    assert {frozenset(group) for group in levels["subfunctions of height 1"]} == {
        frozenset({"x1", "x2", "a"}), frozenset({"x3", "x4", "b"}), frozenset({"y"})
    }  # fmt: skip


def test_a_given_partition_is_judged_as_it_is():
    network = two_blocks()
    graph = neuron_graph(network)
    wrong = Partition.of(graph, [0, 0, 1, 1, 0, 0, 1, 1, 0, 1], method="by hand")  # x1, x2 | x3, x4
    found = agreement(network, INDEPENDENCE, x=X, partition=wrong)
    assert found.flat.found == "by hand"
    truth, labels = [0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 0, 1]
    assert found.flat.ends.ari == pytest.approx(adjusted_rand_score(truth, labels), abs=1e-12)
    assert found.flat.ends.ami == pytest.approx(adjusted_mutual_info_score(truth, labels), abs=1e-12)
    assert found.best.ends.ami == 1.0  # what could have been chosen
    assert found.best.found == "components"
    assert found.score == max(0.0, found.matched.ami)
    with pytest.raises(NotAPartition):
        agreement(network, INDEPENDENCE, x=X, partition=Partition(wrong.modules[:1]))


def test_an_input_that_is_not_used_is_a_group_of_its_own():
    first = np.array([[1.0, 0, 1, 0], [0, 0, 0, 1.0]])  # x2 is ignored
    found = agreement(mlp(first, np.eye(2)), INDEPENDENCE, x=X)
    assert found.flat.ends.ami == pytest.approx(
        adjusted_mutual_info_score([0, 1, 0, 1, 0, 1], [0, 2, 0, 1, 0, 1]), abs=1e-12
    )
    assert found.dependencies.recall == 3 / 4


@pytest.mark.parametrize("seed", range(3))
def test_renaming_and_rescaling_neurons_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    first = np.where(rng.random((6, 4)) < 0.5, rng.normal(size=(6, 4)), 0)
    second = np.where(rng.random((2, 6)) < 0.6, rng.normal(size=(2, 6)), 0)
    order, scale = rng.permutation(6), rng.uniform(0.01, 100, 6)
    plain = agreement(mlp(first, second, activation="relu"), INDEPENDENCE, x=X)
    scaled_first, scaled_second = first * scale[:, None], second / scale
    changed = mlp(scaled_first[order], scaled_second[:, order], activation="relu")
    other = agreement(changed, INDEPENDENCE, x=X)
    assert other.score == pytest.approx(plain.score, abs=1e-9)
    assert other.leak == pytest.approx(plain.leak, rel=1e-6)
    assert other.dependencies == plain.dependencies
    assert other.flat.hidden.ami == pytest.approx(plain.flat.hidden.ami)


def test_it_becomes_json():
    found = agreement(two_squares(), COMPOSITION, x=X).to_json()
    assert json.loads(json.dumps(found))["score"] == 1.0
    assert set(found) == {"score", "dependencies", "flat", "matched", "best", "subfunctions", "leak", "notes"}


def test_nothing_known_and_strangers_are_refused():
    task = TaskSpec("t", ("x1", "x2", "x3", "x4"), ("y1", "y2"), ((-1.0, 1.0),) * 4)
    with pytest.raises(InputError, match="nothing is known of the task to agree with"):
        agreement(two_blocks(), task, x=X)
    with pytest.raises(
        InputError, match=r"a decomposition of another network: outputs: expected 2 outputs, got 1 \(y\)"
    ):
        agreement(two_blocks(), COMPOSITION, x=X)
