"""The whole audit on networks whose answer is known, and each new measure against its definition."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from bimt_analyze import AnalysisOptions, audit, circuit_of
from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.audits import Significance, significance
from bimt_analyze.audits.chance._weight_permutation import weight_permutation
from bimt_analyze.audits.chance._wiring import wiring
from bimt_analyze.audits.chance.retraining._retrained import Measured, affordable, retrained
from bimt_analyze.audits.functions._shared_neurons import SharedNeuron, shared_neurons
from bimt_analyze.audits.robustness._edge_weight_robustness import edge_weight_robustness, partition_ami
from bimt_analyze.audits.robustness._thresholds import thresholds
from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.modules import Partition
from bimt_analyze.synthetic import block_network, dense_network
from bimt_train import InputError, RandomRestarts, Recipe, default_recipe
from bimt_train.expressions import Decomposition
from bimt_train.tasks import independence


@pytest.fixture(scope="module")
def planted():
    """Three blocks, joined by faint noise; the targets are what the blocks say without it."""
    planted = block_network(blocks=[(1, 3, 3, 1)] * 3, scale=1.0, seed=1)
    rng = np.random.default_rng(0)
    weights = {name: planted.network.tensors[name] for name in planted.network.layout.weights()}
    noisy = {name: np.where(w == 0, 1e-4 * rng.normal(size=w.shape), w) for name, w in weights.items()}
    owner = {f"{group}{i + 1}": m for (group, i), m in planted.modules.items() if group in ("x", "y")}
    stated = [f"y{k}: {' '.join(f'x{j}' for j in (1, 2, 3) if owner[f'x{j}'] == owner[f'y{k}'])}" for k in (1, 2, 3)]
    known = Decomposition.from_grouping("; ".join(stated))
    y = planted.network.predict(planted.x)
    return checkpoint_of(planted.network.with_tensors(noisy), planted.x[:200], y[:200], known)


@pytest.fixture(scope="module")
def found(planted):
    return audit(planted, samples=20, retrain_steps=5, processes=1)


def chain(*matrices):
    """A graph of layers x, h1, ..., y with these magnitudes [targets, sources]."""
    sizes = [matrices[0].shape[1], *(len(m) for m in matrices)]
    names = ["x", *(f"h{d}" for d in range(1, len(matrices))), "y"]
    nodes = [Neuron(n, i, f"{n}.{i}", (0.0,), d) for d, n in enumerate(names) for i in range(sizes[d])]
    first = np.cumsum([0, *sizes])
    source, target, weight = [], [], []
    for d, matrix in enumerate(matrices):
        for i, j in np.argwhere(matrix != 0):
            source.append(first[d] + j)
            target.append(first[d + 1] + i)
            weight.append(float(abs(matrix[i, j])))
    edges = Edges(np.array(source), np.array(target), np.array(weight), np.ones(len(weight), dtype=np.int8))
    return NeuronGraph(tuple(nodes), edges, "magnitude", "x", "y")


def test_blocks_are_modular_and_each_serves_its_output():
    planted = block_network(blocks=[(1, 4, 4, 1)] * 3, seed=1)
    told = audit(planted.network, x=planted.x, samples=99, retrain_steps=0, refit_steps=0, controls=0)
    assert told.verdict.modular
    assert told.partition.same_modules(planted.partition)
    matrix = told["mean_ablation_effects"].matrix
    assert np.allclose(np.sort(matrix, axis=None), [0] * 6 + [1] * 3, atol=1e-9)
    assert np.allclose(told["mean_ablation_effects"].specificity, 1)
    assert (told["mean_ablation_effects"].specificity_p < 0.05).all()
    assert told.summary()[0].startswith("Modular: 3 modules")


def test_a_dense_network_is_not():
    planted = dense_network(seed=0)
    told = audit(planted.network, x=planted.x, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    assert not told.verdict.modular
    assert told.summary()[0].startswith("Not modular")


def test_it_is_the_same_twice_and_becomes_json(planted, found):
    again = audit(planted, samples=20, retrain_steps=5, processes=1)
    assert json.dumps(found.to_json(), allow_nan=False) == json.dumps(again.to_json(), allow_nan=False)
    other = significance(found.graph, samples=20, seed=1)
    assert other.null != found["nulls"]["specialisation", "degree_preserving"].null


def test_every_question_is_asked(planted, found):
    assert found.verdict.modular
    assert found["agreement"].score == 1
    assert {one.weights: one.ami for one in found["edge_weight_robustness"]} == {
        "magnitude": 1,
        "activation": 1,
        "attribution": 1,
    }
    assert set(found["nulls"]) == {
        (s, m) for s in ("specialisation", "modularity") for m in ("degree_preserving", "weight_permutation")
    }
    assert set(found["retrained"]) == {"l1", "label_permutation"}
    assert found["faithfulness"].shares == pytest.approx((1, 1, 1), abs=1e-3)
    assert found["circuit_controls"].faithful and len(found["circuit_controls"].controls) == 5
    assert found["wiring"].length == pytest.approx(wiring(found.circuit.network, samples=1, starts=0).length)
    assert found["thresholds"].reference == "decomposition"
    assert found.undecided == {"which module carries which known subfunction": "no subfunction is known by its formula"}
    topics = [sentence.topic for sentence in found.verdict.sentences]
    assert topics[0] == "verdict"
    assert {"partition", "chance", "training", "threshold", "truth", "function", "circuit", "locality"} <= set(topics)


def test_modules_are_counted_from_one_in_json(found):
    plain = found.to_json()
    told = {member["module"] for family in plain["equivalent_modules"] for member in family["members"]}
    assert told == {1, 2, 3}
    assert {member.module for family in found["equivalent_modules"] for member in family.members} == {0, 1, 2}
    neuron = SharedNeuron("h1.0", 0, ((2, 0.5),))
    subject = replace(found.subject, results={**found.results, "shared_neurons": (neuron,)})
    (shared,) = replace(found, subject=subject).to_json()["shared_neurons"]
    assert shared == {"neuron": "h1.0", "module": 1, "claims": [{"module": 3, "share": 0.5}]}


def test_what_cannot_be_measured_is_said():
    planted = block_network(blocks=[(1, 3, 1)] * 2, seed=0)
    told = audit(planted.network, x=planted.x, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    assert "agreement" in told.undecided
    assert any(sentence.topic == "undecided" for sentence in told.verdict.sentences)


@pytest.mark.parametrize(
    ("given", "words"),
    [({}, "without rows"), ({"x": block_network(seed=0).x, "samples": 5}, "too few samples")],
)
def test_bad_input_is_one_line(given, words):
    with pytest.raises(InputError, match=words) as caught:
        audit(block_network(seed=0).network, **given)
    assert "\n" not in str(caught.value)


def test_rows_belong_to_networks_only(planted):
    with pytest.raises(InputError, match="its own rows"):
        audit(planted, x=np.zeros((4, 4)))


def test_weight_permutation_keeps_the_edges_and_the_weights():
    rng = np.random.default_rng(0)
    matrix = rng.random((5, 7)) * (rng.random((5, 7)) < 0.5)
    generators = [np.random.default_rng(k) for k in range(30)]
    drawn = weight_permutation(matrix, schedule=np.random.default_rng(0), generators=generators)
    assert all(((sample > 0) == (matrix > 0)).all() for sample in drawn)
    assert all(np.allclose(np.sort(sample, axis=None), np.sort(matrix, axis=None)) for sample in drawn)
    assert len({sample.tobytes() for sample in drawn}) == 30


def test_p_counts_values_that_are_equal():
    test = Significance.of(2.0, np.array([1.0, 2.0, 3.0]), statistic="", null_model="", weights="", seed=0)
    assert test.p == 3 / 4
    assert test.z == pytest.approx(0.0)


def test_modularity_is_searched_anew_in_each_sample():
    rng = np.random.default_rng(0)
    halves = [np.kron(np.eye(2), np.ones(s)) * rng.uniform(0.5, 1.5, (2 * s[0], 2 * s[1])) for s in ((4, 2), (1, 4))]
    graph = chain(*halves)
    wired, sizes = (
        significance(graph, statistic="modularity", null_model=m, samples=40)
        for m in ("degree_preserving", "weight_permutation")
    )
    assert wired.p == 1 / 41
    assert sizes.p > 0.05  # the halves stay apart whatever their weights are
    assert max(wired.null) < wired.observed


@pytest.mark.parametrize("option", ["statistic", "null_model"])
def test_unknown_tests_are_refused(option):
    with pytest.raises(InputError, match=f"unknown {option.replace('_', ' ')}: expected"):
        inspect.unwrap(significance)(chain(np.ones((2, 2)), np.ones((1, 2))), **{option: "other"})


def test_thresholds_of_a_planted_sweep(planted):
    circuit = circuit_of(planted)
    told = thresholds(planted.network, circuit, planted.task.decomposition)
    exact = [point.threshold for point in told.points if point.exact]
    assert told.low in exact
    assert told.high in exact
    assert told.low <= circuit.threshold <= told.high
    assert told.octaves == pytest.approx(np.log2(told.high / told.low))
    # an oracle for one point: boolean products of what is left, in the order in which outputs and inputs are numbered
    weights = [
        np.abs(planted.network.tensors[n]) > told.high
        for n in ("layers.0.weight", "layers.1.weight", "layers.2.weight")
    ]
    reach = (weights[2].astype(int) @ weights[1].astype(int) @ weights[0].astype(int)) > 0
    needed = planted.task.decomposition.dependencies()
    assert (reach == [[x in needed[y] for x in planted.task.inputs] for y in planted.task.outputs]).all()
    everything = thresholds(planted.network, replace(circuit, sweep=circuit.sweep[:1]), planted.task.decomposition)
    assert everything.low is None


def test_costs_of_a_network_that_is_its_own_target_are_those_of_a_constant(planted):
    circuit = circuit_of(planted)
    for loss in (0.0, 1e-25):  # rounding
        exact = replace(circuit, full_loss=loss)
        told = thresholds(planted.network, exact, planted.task.decomposition, constant_loss=4.0)
        last = next(point.loss for point in told.points if point.threshold == told.high)
        assert told.unit == "constant" and told.cost_high == last / 4
    one = replace(circuit, full_loss=0.5)
    told = thresholds(planted.network, one, planted.task.decomposition, constant_loss=4.0)
    assert told.unit == "network" and told.cost_high == last / 0.5


def test_partition_ami_partitions():
    one = Partition((frozenset({("a", 0), ("a", 1)}), frozenset({("a", 2), ("a", 3)})))
    other = Partition((frozenset({("a", 0), ("a", 2)}), frozenset({("a", 1), ("a", 3)})))
    assert partition_ami(one, one) == 1
    assert partition_ami(one, other) == pytest.approx(adjusted_mutual_info_score([0, 0, 1, 1], [0, 1, 0, 1]))


def test_weighings_agree_on_separate_blocks():
    planted = block_network(seed=2, scale=100.0)
    told = edge_weight_robustness(planted.network, planted.x, planted.partition, options=AnalysisOptions(samples=19))
    assert [one.ami for one in told] == [1.0, 1.0, 1.0]


def test_a_neuron_that_two_modules_read_is_shared():
    first = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    second = np.array([[1.0, 0.5, 0], [0, 0.5, 1]])
    graph = chain(first, second)
    modules = [
        frozenset({("x", 0), ("h1", 0), ("y", 0), ("x", 1), ("h1", 1)}),
        frozenset({("x", 2), ("h1", 2), ("y", 1)}),
    ]
    (shared, reader) = shared_neurons(graph, modules)
    assert (shared.label, shared.module, shared.claims) == ("h1.1", 0, ((1, 0.5),))
    assert (reader.label, reader.claims) == ("y.1", ((0, pytest.approx(1 / 3)),))
    with pytest.raises(InputError, match="share"):
        shared_neurons(graph, modules, claim=0.0)


def sum_of_weights(checkpoint):
    return float(sum(np.abs(t).sum() for t in checkpoint.network.tensors.values())), 0.0


def test_retrained_networks_depend_on_their_seed_alone(planted):
    measured, short = Measured("sum", "magnitude", sum_of_weights), {"steps": 20, "processes": 1}
    few = retrained(planted, measured, how="l1", samples=3, **short)
    more = retrained(planted, measured, how="l1", samples=5, **short)
    assert more.significance.null[:3] == pytest.approx(few.significance.null)
    assert len(set(more.significance.null)) == 5
    assert more.steps == 20
    assert few.significance.observed == pytest.approx(sum_of_weights(planted)[0])
    other = retrained(planted, measured, how="label_permutation", samples=3, **short)
    assert other.significance.null != few.significance.null


def test_a_race_counts_among_what_retraining_costs(planted):
    def many(recipe):
        trained = replace(planted, config={"recipe": recipe.to_json()})
        return affordable(trained, steps=20, samples=10_000, work=1e8)

    plain = default_recipe(independence())
    alone, restarted = many(plain), many(replace(plain, restarts=RandomRestarts(replicas=5, until=0.25)))
    assert restarted == pytest.approx(alone / 2, abs=1)  # 20 steps, and 5 of each of four others


def test_a_recipe_comes_back_from_json():
    recipe = default_recipe(independence())
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    with pytest.raises(InputError, match="cannot be read"):
        Recipe.from_json({"steps": 3})


def test_edge_weights_are_looked_at_in_processes_as_in_one():
    planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    given, few = (planted.network, planted.x, planted.partition), AnalysisOptions(samples=5)
    one, two = (edge_weight_robustness(*given, options=few, processes=n) for n in (1, 2))
    assert [each.to_json() for each in one] == [each.to_json() for each in two]
    assert [each.significance.null for each in one] == [each.significance.null for each in two]
