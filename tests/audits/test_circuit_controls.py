"""Controls of circuits: each number against arithmetic by hand or another way to compute it, and what they decide."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from bimt_analyze import AnalysisOptions, circuit_of
from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.analysis._run_audit import check_options
from bimt_analyze.audits import MEASURES, AuditSubject, CircuitControls, circuit_controls
from bimt_analyze.audits.ablation._faithfulness import faithfulness
from bimt_analyze.audits.controls import _held_against_controls
from bimt_analyze.audits.controls._behaviour import Behaviour
from bimt_analyze.audits.controls._control import Control
from bimt_analyze.audits.controls._control_networks import nonsense
from bimt_analyze.audits.controls._edge_stability import EdgeStability
from bimt_analyze.audits.controls._kept_behaviour import KeptBehaviour
from bimt_analyze.audits.controls._outside_ablation import OutsideAblation
from bimt_analyze.audits.controls._probe_rows import thinned
from bimt_analyze.audits.controls._trained_again import trained_again
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import choose_level, hierarchy
from bimt_analyze.synthetic import block_network, dense_network
from bimt_train import InputError
from bimt_train.checkpoints import Network, Probe, from_module, task_score
from bimt_train.models import MLP, MODELS, ModelSpec
from bimt_train.models.from_spec import build_model

BITS = np.array(list(product([-1.0, 1.0], repeat=2)))


def mlp(widths, activation="tanh", seed=0):
    return Network.of(MLP(widths, activation, generator=torch.Generator().manual_seed(seed)))


def example(kind):
    """A small network of a kind, and rows for it."""
    options, rng = MODELS[kind].options.example(), np.random.default_rng(0)
    network = Network.of(build_model(ModelSpec(kind, options.to_json()), generator=torch.Generator().manual_seed(0)))
    shape = (12, options.ends.inputs)
    x = rng.integers(0, options.ends.tokens, shape).astype(float) if options.ends.tokens else rng.uniform(-1, 1, shape)
    return network, x


@pytest.fixture
def quick(monkeypatch):
    """Few draws of the rows, and one network pruned at the tolerance: the number of them is not what is asked."""
    monkeypatch.setattr(_held_against_controls, "DRAWS", 2)
    monkeypatch.setattr(_held_against_controls, "FEW", 1)
    monkeypatch.setattr(_held_against_controls, "TRAINED", 2)


@pytest.fixture(scope="module")
def blocks():
    made = block_network(blocks=[(2, 4, 4, 1)] * 3, seed=1)
    return checkpoint_of(made.network, made.x[:120])


@pytest.fixture(scope="module")
def of_blocks(blocks):
    return circuit_controls(blocks, circuit_of(blocks, refit_steps=0))


def test_the_numbers_of_a_sum_of_two_bits_are_those_by_hand(quick):
    # y = 2a + b has variance 5; without b the error is 1, with the other row's b it is (b - b')^2, at worst 2^2
    network = mlp([2, 1]).with_tensors({"layers.0.weight": np.array([[2.0, 1.0]]), "layers.0.bias": np.zeros(1)})
    ablation = OutsideAblation(network, {"layers.0.weight": np.array([[True, False]])}, BITS)
    y = network.predict(BITS)
    error = {
        "cut": ((ablation.cut() - y) ** 2).mean(),
        "means": ((ablation.at_means() - y) ** 2).mean(),
        "resampled": ((ablation.resampled(np.array([1, 0, 2, 3])) - y) ** 2).mean(),
        "adversarial": ((ablation.adversarial(y, loss="mse") - y) ** 2).mean(),
    }
    assert error == pytest.approx({"cut": 1, "means": 1, "resampled": 2, "adversarial": 4})
    checkpoint = checkpoint_of(network, np.tile(BITS, (10, 1)).repeat(2, axis=0))
    whole = circuit_of(checkpoint, refit_steps=0)
    cut = network.with_tensors({"layers.0.weight": np.array([[2.0, 0.0]])})
    found = circuit_controls(checkpoint, replace(whole, network=cut, threshold=1.0), samples=1)
    assert (found.edges, found.weights, found.does, found.targets) == (1, 2, None, None)
    assert found.kept.cut == pytest.approx(0.8) and found.kept.refitted == pytest.approx(0.8)
    assert found.kept.means == pytest.approx(0.8) and found.kept.adversarial == pytest.approx(0.2)
    assert found.control("nonsense targets").observed == pytest.approx(0.8)
    assert not found.faithful and found.failed[0].value == pytest.approx(0.8)


def test_what_is_kept_is_a_share_of_the_gain_over_means():
    y = np.array([[1.0, 10.0], [-1.0, -10.0], [1.0, -10.0], [-1.0, 10.0]])
    whole, means = y * [0.5, 1.0], np.zeros_like(y)  # losses 1/4 and 0 of a variance, against 1 and 1
    behaviour = Behaviour.of(whole, means, y, "error")
    assert (behaviour.whole, behaviour.nothing, behaviour.gain) == pytest.approx((0.125, 1.0, 0.875))
    assert behaviour.kept(y * [0.5, 0.0], y) == pytest.approx((1 - 0.625) / 0.875)
    assert np.isnan(Behaviour.of(means, means, y, "error").kept(y, y))


def test_stability_counts_edges():
    edges = [{"w": np.array(row, dtype=bool)} for row in ([1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1])]
    found = EdgeStability.of(edges[0], edges[0], [edges[0]] * 8 + [edges[1], edges[2]])
    assert found.jaccard == pytest.approx((8 + 2 / 3 + 3 / 4) / 10)
    assert found.found_again == pytest.approx(1.0)
    assert EdgeStability.of(edges[0], edges[0], [edges[1]] * 2 + [edges[0]] * 8).found_again == pytest.approx(2 / 3)


def test_what_is_kept_is_faithfulness_and_targets_are_permuted(blocks, of_blocks):
    circuit = circuit_of(blocks, refit_steps=0)
    x, y = blocks.probe.x_test, blocks.probe.y_test
    shares = faithfulness(blocks.network, circuit.network, x, y).shares
    assert of_blocks.kept.refitted == pytest.approx(np.mean(shares), abs=1e-6)
    other = nonsense(blocks, 3)
    assert "targets" not in other.config
    before, after = (np.concatenate([one.probe.y_train, one.probe.y_test]) for one in (blocks, other))
    assert np.allclose(np.sort(before, axis=0), np.sort(after, axis=0)) and not np.allclose(before, after)
    some = thinned(blocks, 30)
    assert len(some.probe.x_train) == len(some.probe.x_test) == 30


def test_planted_blocks_are_more_than_pruning_finds_anywhere(of_blocks):
    assert of_blocks.faithful and of_blocks.does is None and not of_blocks.failed
    assert [one.name for one in of_blocks.controls] == [
        "nonsense targets", "untrained, true targets", "untrained, own outputs",
    ]  # fmt: skip
    assert all(one.reached == 0 and len(one.kept) == 20 for one in of_blocks.controls)
    own = of_blocks.control("untrained, own outputs")
    assert own.weights > 0.8 > of_blocks.edges / of_blocks.weights
    assert own.full_loss == pytest.approx(0) and own.p == pytest.approx(1 / 21)


@pytest.mark.parametrize("made", ["dense", "untrained"])
def test_networks_of_which_pruning_leaves_nearly_all_are_not(quick, made):
    rng = np.random.default_rng(0)
    network = dense_network(seed=0).network if made == "dense" else mlp([4, 12, 2], seed=9)
    x = rng.uniform(-1, 1, (100, network.layout.columns))
    checkpoint = checkpoint_of(network, x)
    found = circuit_controls(checkpoint, circuit_of(checkpoint, refit_steps=0), samples=5)
    assert not found.faithful
    assert found.control("untrained, own outputs").median > 0.9


def test_a_circuit_that_owes_all_to_its_refit_is_told_apart(quick):
    checkpoint = checkpoint_of(mlp([4, 12, 12, 2], "silu", seed=5), np.random.default_rng(0).uniform(-1, 1, (60, 4)))
    circuit = circuit_of(checkpoint)
    found = circuit_controls(checkpoint, circuit, samples=2)
    assert found.by_refit.cut < 0.9 < found.by_refit.refitted
    assert found.edges_by_refit == circuit.edges < found.edges and found.kept.cut > 0.9
    assert found.control("untrained, own outputs").refitted_weights < found.control("untrained, own outputs").weights
    assert not found.faithful


def test_a_network_that_does_not_do_the_task_has_nothing_to_explain(subject):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (120, 4)), rng.normal(size=(120, 2))
    checkpoint = checkpoint_of(mlp([4, 12, 2]), x, y)
    found = circuit_controls(checkpoint, circuit_of(checkpoint, refit_steps=0))
    assert found.does is False and found.kept is None and not found.faithful
    (said,) = MEASURES["circuit_controls"].sentences(found, subject)
    assert said == (
        "The circuit means nothing: the network does not do the task (its loss is that of a constant), so there is "
        "nothing to explain."
    )
    plain = found.to_json()
    assert plain["faithful"] is False and plain["kept"] is None
    assert MEASURES["circuit_controls"].view(found, subject).rows == ()


def test_a_network_that_gives_a_constant_does_nothing():
    network = mlp([3, 5, 1])
    network = network.with_tensors({"layers.1.weight": np.zeros((1, 5))})
    checkpoint = checkpoint_of(network, np.random.default_rng(0).normal(size=(40, 3)))
    found = circuit_controls(checkpoint, circuit_of(checkpoint, refit_steps=0))
    assert found.does is False and json.dumps(found.to_json(), allow_nan=False)


def test_what_was_learnt_by_heart_is_not_done_on_other_rows():
    rng = np.random.default_rng(0)
    network, x = mlp([2, 6, 1], seed=2), rng.uniform(-1, 1, (90, 2))
    y = network.predict(x)
    probe = Probe(x[:60], y[:60], x[60:], rng.permutation(y[60:]))
    learnt = replace(checkpoint_of(network, x, y), probe=probe)
    assert not task_score(learnt).useless and not _held_against_controls._does_its_task(learnt)
    assert _held_against_controls._does_its_task(checkpoint_of(network, x, y))
    assert circuit_controls(learnt, circuit_of(learnt, refit_steps=0)).does is False


def test_targets_known_by_heart_are_not_enough(quick):
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (40, 3))
    network = mlp([3, 30, 1], seed=1)
    y = network.predict(x)
    by_heart = checkpoint_of(network, x, y)
    found = circuit_controls(by_heart, circuit_of(by_heart, refit_steps=0), samples=1)
    assert found.targets == 40 < found.edges
    assert "there are more targets than weights in the circuit, which could else know them by heart" in [
        one.name for one in found.failed
    ]


def test_the_rule_asks_for_every_condition():
    fresh = Control(name="untrained, own outputs", null=True, kept=(0.2,) * 20, observed=0.98)
    kept = KeptBehaviour(cut=0.98, refitted=0.99, means=0.98, resampled=0.97, adversarial=-3.0)
    good = CircuitControls(
        does=True, weights=100, edges=20, kept=kept, targets=50, stability=EdgeStability(10, 0.95, 0.9),
        controls=(fresh,),
    )  # fmt: skip
    assert good.faithful
    for changes in (
        {"does": False},
        {"kept": replace(kept, cut=0.89)},
        {"kept": replace(kept, resampled=0.89)},
        {"kept": replace(kept, cut=float("nan"))},
        {"controls": ()},
        {"controls": (replace(fresh, kept=(0.91,) * 20),)},
        {"controls": (replace(fresh, kept=(0.2,) * 19 + (0.98,)),)},
        {"edges": 76, "targets": None},
        {"stability": EdgeStability(10, 0.79, 0.9)},
        {"targets": 20},
    ):
        assert not replace(good, **changes).faithful, changes
    again = replace(fresh, name="trained again", null=False, kept=(0.99,) * 5)
    assert replace(good, controls=(fresh, again)).faithful
    assert replace(good, edges=75, targets=None).faithful
    assert replace(good, stability=None, targets=None).faithful  # large networks; own outputs


@pytest.fixture(scope="module")
def subject(blocks):
    """A subject as an audit makes it, before any measure."""
    circuit = circuit_of(blocks, refit_steps=0)
    graph = neuron_graph(circuit.network)
    levels = hierarchy(graph, resolutions=(1.0,), runs=2)
    return AuditSubject(
        source="blocks", checkpoint=blocks, circuit=circuit, graph=graph, levels=levels, functional=None,
        choice=choose_level(levels), options=AnalysisOptions(retrain_steps=0),
    )  # fmt: skip


def test_it_is_said_in_one_sentence_and_one_table(subject, of_blocks):
    found = MEASURES["circuit_controls"].function(subject)
    assert found == of_blocks
    (said,) = MEASURES["circuit_controls"].sentences(found, subject)
    assert said.startswith(
        "The circuit is more than pruning finds anywhere: it keeps 99% of what the network does with "
    )
    assert f"with {found.edges / found.weights:.0%} of the weights" in said
    assert f"costs {1 - found.kept.resampled:.1%}, chosen adversarially {1 - found.kept.adversarial:.1%}; 100%" in said
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["faithful"] is True and len(plain["controls"]) == 3 and len(plain["conditions"]) == 6
    view = MEASURES["circuit_controls"].view(found, subject)
    assert len(view.rows) == 4 and {len(row) for row in view.rows} == {len(view.columns)}
    assert view.rows[0][2] == pytest.approx(found.edges / found.weights) and view.rows[3][0] == found.controls[2].name


def test_a_circuit_that_is_not_faithful_is_told_why(subject, of_blocks):
    nothing = replace(of_blocks, kept=replace(of_blocks.kept, resampled=0.5), by_refit=of_blocks.kept, edges_by_refit=8)
    (said,) = MEASURES["circuit_controls"].sentences(nothing, subject)
    assert said.startswith(
        "The circuit without a refit is not shown to be more than pruning finds anywhere (not so: they keep it while "
        "the others send what they send in other rows): "
    )
    assert "the refitted circuit, with 3% of the weights, owes what it does to its refit, as these keep 99% as" in said
    less = replace(of_blocks, left_out=("too many weights",))
    assert MEASURES["circuit_controls"].undecided(less) == {"all controls of the circuit": "too many weights"}


def test_networks_are_trained_again_where_steps_are_given(quick, blocks):
    found = circuit_controls(blocks, circuit_of(blocks, refit_steps=0), samples=1, retrain_steps=2)
    assert [(one.name, one.null, len(one.kept)) for one in found.controls[3:]] == [
        ("trained on nonsense targets", True, 2), ("trained again", False, 2),
    ]  # fmt: skip
    for permuted in (True, False):
        (one,) = trained_again(blocks, permuted=permuted, samples=1, steps=2, seed=0)
        assert np.array_equal(one.probe.y_train, blocks.probe.y_train) != permuted
        assert np.array_equal(np.sort(one.probe.y_train, axis=0), np.sort(blocks.probe.y_train, axis=0))
    read = checkpoint_of(*example("gpt"))
    found = circuit_controls(read, circuit_of(read, refit_steps=0), samples=1, retrain_steps=2)
    assert [one.name for one in found.controls] == [one.name for one in found.controls if "trained " not in one.name]
    assert "cannot be trained anew" in found.left_out[0]


def test_controls_may_be_left_out_but_not_be_too_few(subject):
    without = replace(subject, options=subject.options.with_changes(controls=0))
    assert not MEASURES["circuit_controls"].applies(without) and MEASURES["circuit_controls"].applies(subject)
    check_options(without.options, audit=True)
    with pytest.raises(InputError, match="too few controls"):
        check_options(without.options.with_changes(controls=5), audit=True)
    with pytest.raises(InputError, match="no controls"):
        circuit_controls(subject.checkpoint, subject.circuit, samples=0)


def test_large_networks_do_less_and_say_so(blocks, monkeypatch):
    circuit = circuit_of(blocks, refit_steps=0)
    monkeypatch.setattr(_held_against_controls, "MANY_WEIGHTS", 10)
    found = circuit_controls(blocks, circuit, samples=2)
    assert found.faithful and found.stability is None and found.kept.adversarial is None
    assert len(found.left_out) == 1 and "weights, controls were not pruned at the tolerance" in found.left_out[0]
    assert found.control("untrained, own outputs").weights is None
    monkeypatch.setattr(_held_against_controls, "TOO_MANY_WEIGHTS", 10)
    with pytest.raises(InputError, match="take too long"):
        circuit_controls(blocks, circuit)


def test_a_parameter_that_nothing_reads_pays_nothing_when_the_network_is_trained_again():
    class Idle(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.read, self.idle = torch.nn.Linear(2, 3), torch.nn.Linear(2, 2)
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, x):
            return torch.tanh(self.read(x)) * self.scale

    checkpoint = from_module(Idle(), np.random.default_rng(0).uniform(-1, 1, (20, 2)))
    (run,) = trained_again(checkpoint, permuted=True, samples=1, steps=2, seed=0)
    assert run.network.predict(checkpoint.probe.x_test).shape == (4, 3)
