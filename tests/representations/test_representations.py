"""What neurons stand for, on signals and networks whose content is known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from sympy.combinatorics import Permutation

from bimt_analyze.representations import (
    TargetGroup,
    ablations,
    frequency_modules,
    module_partition,
    operation_table,
    readability,
    real_characters,
    target_group,
)
from bimt_analyze.representations._frequencies import multiples
from bimt_analyze.representations._hidden_activations import all_pairs
from bimt_analyze.representations._interpretation import INTERPRETATIONS, Interpretation, interpretation
from bimt_analyze.representations._irreps import shares_of
from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
from bimt_train.models import GPT, MLP, EmbeddingMLP, RowTransformer
from bimt_train.tasks import in_context, permutation_s4
from bimt_train.tasks._group_products import s4_elements

P = 17

# Characters of S4 from textbooks: representation -> cycle type -> character.
IRREPS = {
    "trivial": {"1111": 1, "211": 1, "22": 1, "31": 1, "4": 1},
    "sign": {"1111": 1, "211": -1, "22": 1, "31": 1, "4": -1},
    "2": {"1111": 2, "211": 0, "22": 2, "31": -1, "4": 0},
    "3": {"1111": 3, "211": 1, "22": -1, "31": 0, "4": -1},
    "3'": {"1111": 3, "211": -1, "22": -1, "31": 0, "4": 1},
}


def cycle_type(element: tuple[int, ...]) -> str:
    cycles = Permutation(list(element)).full_cyclic_form
    return "".join(map(str, sorted(map(len, cycles), reverse=True)))


def s4() -> TargetGroup:
    data = permutation_s4().data(0)
    return target_group(operation_table(data.x_train, data.y_train))


def two_frequencies() -> Network:
    """Tokens as cos and sin of 1 and of 7 turns, neither a multiple of the other; the first layer adds a and b."""
    module = EmbeddingMLP(P, 2, 5, (4, 4, P), "identity")
    tensors = {name: np.zeros(p.shape, np.float64) for name, p in module.named_parameters()}
    turn = 2 * np.pi * np.arange(P)[:, None] / P
    waves = np.concatenate([np.cos(turn), np.sin(turn), np.cos(7 * turn), np.sin(7 * turn)], axis=1)
    tensors["embedding.weight"][:, :4] = waves
    tensors["layers.0.weight"][:, :4], tensors["layers.0.weight"][:, 5:9] = np.eye(4), np.eye(4)
    tensors["layers.1.weight"][:] = np.eye(4)
    tensors["layers.2.weight"][:] = waves
    return Network(module.spec, module.layout(), Network.of(module).placement, tensors)


def test_modules_without_the_output_carry_their_frequency() -> None:
    network = two_frequencies()
    tensors = {**network.tensors, "layers.1.weight": np.array(network.tensors["layers.1.weight"])}
    tensors["layers.0.weight"] = np.array(tensors["layers.0.weight"])
    tensors["layers.0.weight"][0, 1] = tensors["layers.0.weight"][2, 3] = 1.0  # joins cos and sin
    found = frequency_modules(network.with_tensors(tensors), module_partition(network.with_tensors(tensors)).modules)
    assert sorted((m.frequency, m.dimensions, m.single) for m in found) == [(1, (0, 1), True), (7, (2, 3), True)]
    assert all(m.share == pytest.approx(1.0) for m in found)


def test_a_module_of_two_frequencies_is_not_single() -> None:
    network = two_frequencies()
    everything = frozenset((g.name, i) for g in network.layout.groups for i in range(g.size))
    (found,) = frequency_modules(network, [everything])
    assert not found.single
    assert found.share == pytest.approx(0.5)


def test_multiples_are_taken_modulo_p_and_up_to_sign() -> None:
    assert multiples(12, 59) == (12, 24, 23)
    assert multiples(1, 3) == (1, 0)


def test_a_features_formula_is_its_cosine() -> None:
    turn = 2 * np.pi * np.arange(P) / P
    module = EmbeddingMLP(P, 2, P, (P, P), "identity")
    tensors = {name: np.zeros(p.shape, np.float64) for name, p in module.named_parameters()}
    tensors["embedding.weight"][:] = np.cos(2 * turn)[:, None]
    tensors["layers.0.weight"][0, 0] = 1.0
    tensors["layers.0.weight"][0, P] = 1.0
    network = Network(module.spec, module.layout(), Network.of(module).placement, tensors)
    (found,) = frequency_modules(network, [frozenset({("e", 0), ("h1", 0)})])
    (feature,) = found.features
    # cos a + cos b is no function of a + b: its part there is nothing
    assert (found.frequency, feature.r2) == (2, pytest.approx(0.0, abs=1e-9))


def test_knocking_out_what_decides_costs_what_it_decides() -> None:
    rng = np.random.default_rng(0)
    module = EmbeddingMLP(4, 1, 4, (4, 4), "identity")
    tensors = {
        "embedding.weight": np.eye(4), "layers.0.weight": np.eye(4), "layers.0.bias": np.zeros(4),
        "layers.1.weight": 20 * np.eye(4), "layers.1.bias": rng.normal(size=4) * 0.0,
    }  # fmt: skip
    network = Network(module.spec, module.layout(), Network.of(module).placement, tensors)
    x = np.arange(4.0)[:, None]
    whole, first, rest = ablations(
        network, [frozenset({("h1", 0)}), frozenset({("h1", k) for k in (1, 2, 3)})], x, np.eye(4)
    )
    assert whole.alone_accuracy == 1.0
    assert first.without_accuracy == 1.0  # class 0 wins by default, its logit at its mean
    assert rest.without_accuracy == first.alone_accuracy == 0.5  # class 0, and the first of three equals
    assert first.without_loss == rest.alone_loss > whole.alone_loss


@pytest.mark.parametrize("irrep", ["sign", "2", "3", "3'"])
def test_characters_of_the_product_are_named(irrep: str) -> None:
    elements = s4_elements()
    number = {e: k for k, e in enumerate(elements)}
    product = np.array([[number[tuple(a[i] for i in b)] for b in elements] for a in elements]).ravel()
    values = np.array([IRREPS[irrep][cycle_type(e)] for e in elements], dtype=np.float64)[product]
    (found,) = shares_of(values[:, None], s4())
    assert found.name == irrep
    assert found.shares[irrep] == pytest.approx(1.0)


def test_an_entry_of_the_permutation_matrices_is_of_the_three_dimensional_one() -> None:
    elements = s4_elements()
    number = {e: k for k, e in enumerate(elements)}
    product = np.array([[number[tuple(a[i] for i in b)] for b in elements] for a in elements]).ravel()
    entry = np.array([e[1] == 2 for e in elements], dtype=np.float64)[product]
    noise = np.random.default_rng(0).normal(size=576)
    one, other, dead = shares_of(np.stack([entry, noise, np.ones(576)], axis=1), s4())
    assert one.name == "3" and one.shares["3"] == pytest.approx(1.0)
    assert other.name == "mixed" and sum(other.shares.values()) < 0.2  # hardly a function of the product
    assert dead.name == "dead"


def test_the_characters_found_in_rows_are_those_of_the_cycle_types() -> None:
    table = np.array([[IRREPS[r][cycle_type(e)] for e in s4_elements()] for r in IRREPS])
    np.testing.assert_array_equal([one.values for one in real_characters(s4().group)], table)


def test_what_a_token_holds_can_be_read_at_it_and_what_comes_later_cannot() -> None:
    x = np.random.default_rng(0).normal(size=(400, 3))
    network = Network.of(RowTransformer((0, 1, 0), 1, 16, layers=2, hidden=8))
    found = {(r.module, r.token): r.r2 for r in readability(network, x, x[:, 1])}
    assert list(found)[:4] == [("read", 0), ("read", 1), ("read", 2), ("blocks.0", 0)]
    assert found["read", 1] == pytest.approx(1.0, abs=1e-6)
    assert found["read", 2] < 0.1 and found["blocks.1", 0] < 0.1  # not yet seen there
    assert found["blocks.0", 2] > 0.3  # attention has brought it


def test_a_readout_needs_modules_and_rows() -> None:
    network = Network.of(RowTransformer((0, 1), 1, 4))
    x = np.zeros((30, 2))
    with pytest.raises(InputError, match=r"no such module.*got \['mlp'\]"):
        readability(network, x, x[:, 0], modules=["mlp"])
    with pytest.raises(InputError, match="too few rows for a probe"):
        readability(network, x[:10], x[:10, 0])


def checkpoint_of(network: Network, task: TaskSpec, x: np.ndarray, y: np.ndarray) -> Checkpoint:
    return Checkpoint(network, task, Probe(x, y, x, y), {"seed": 0})


def test_a_reading_of_modular_addition_has_a_row_a_module() -> None:
    network, x = two_frequencies(), all_pairs(P)
    names = tuple(f"c{k}" for k in range(P))
    task = TaskSpec("modular-addition", ("a", "b"), names, ((0, P - 1),) * 2, loss="cross-entropy")
    told = interpretation(checkpoint_of(network, task, x, np.eye(P)[x.sum(1).astype(int) % P]), network)
    assert told is not None
    assert sorted(row[1] for row in told.rows) == [1, 1, 7, 7]  # nothing joins a cosine and its sine
    assert told.statement.startswith("4 of 4 modules represent a single frequency")
    assert all(len(row) == len(told.columns) for row in told.rows)


def test_a_reading_of_a_transformer_says_where_parts_are() -> None:
    task = in_context(rows=(200, 50))
    data, network = task.data(0), Network.of(RowTransformer((0, 1, 0), 1, 16, layers=1, hidden=8))
    told = interpretation(checkpoint_of(network, task.spec, data.x_train, data.y_train), network)
    assert told is not None
    assert {row[0] for row in told.rows} == {"w"} and len(told.rows) == 2 * 3
    clearest = max(told.rows, key=lambda row: row[-1])
    assert told.statement.startswith(f"w is clearest behind {clearest[1]} at {clearest[2]}")


def test_other_tasks_have_no_reading() -> None:
    task = TaskSpec("t", ("a", "b"), ("y",), ((0, 1), (0, 1)))
    network = Network.of(MLP([2, 1]))
    assert interpretation(checkpoint_of(network, task, np.zeros((2, 2)), np.zeros((2, 1))), network) is None


def test_a_reading_of_a_classifier_names_the_neurons_that_a_class_needs() -> None:
    module = MLP([2, 2, 2], "identity")
    tensors = {
        "layers.0.weight": np.eye(2), "layers.0.bias": np.zeros(2),
        "layers.1.weight": np.array([[1.0, 0.0], [0.0, 0.0]]), "layers.1.bias": np.zeros(2),
    }  # fmt: skip
    network = Network(module.spec, module.layout(), Network.of(module).placement, tensors)
    task = TaskSpec("t", ("a", "b"), ("u", "v"), ((-1, 1), (-1, 1)), loss="cross-entropy")
    x = np.array([[1.0, 0.3], [-1.0, 0.5]])
    told = interpretation(checkpoint_of(network, task, x, np.eye(2)), network)
    assert told is not None
    assert [row[1:] for row in told.rows] == [(1.0, 1, "h1.0 (100%)")] * 2  # h1.1 is read by nothing
    assert told.statement.startswith("A class needs 1 of 2 hidden neurons")


def test_a_reading_of_a_language_model_counts_what_is_alive() -> None:
    network = Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))
    labels = tuple("abcde")
    task = TaskSpec(
        "language", ("t1", "t2", "t3", "t4"), labels, ((0, 4),) * 4, loss="next-token", output_labels=labels
    )
    told = interpretation(checkpoint_of(network, task, np.zeros((2, 4)), np.zeros((2, 4))), network)
    assert told is not None
    assert told.rows == (("a1", "heads", 2, 2, 2), ("m1", "neurons", 6, 6, "-"))


def test_an_interpretation_of_ones_own_comes_before_those_that_are_built_in() -> None:
    network = Network.of(MLP([2, 1]))
    task = TaskSpec("ones-own", ("a", "b"), ("y",), ((0, 1), (0, 1)))
    made = checkpoint_of(network, task, np.zeros((2, 2)), np.zeros((2, 1)))
    classifier = checkpoint_of(network, replace(task, loss="cross-entropy"), np.zeros((2, 2)), np.ones((2, 1)))
    assert interpretation(made, network) is None

    def counted(checkpoint: Checkpoint, network: Network) -> Interpretation:
        return Interpretation("Weights", "there are some", ("tensors",), ((len(network.tensors),),))

    about = {"label": "weights", "sentence": "Counts tensors.", "applies": lambda c, _: c.task.name == "ones-own"}
    INTERPRETATIONS.register("counted", **about)(counted)
    try:
        for one in (made, classifier):
            told = interpretation(one, network)
            assert told is not None and told.rows == ((2,),)
        other = checkpoint_of(network, replace(task, name="t"), np.zeros((2, 2)), np.zeros((2, 1)))
        assert interpretation(other, network) is None
    finally:
        del INTERPRETATIONS._found["counted"]


def test_every_built_in_interpretation_is_registered() -> None:
    assert [entry.name for entry in INTERPRETATIONS.entries()] == [
        "classes", "positions", "alive", "stream-probes", "irreducible-representations", "frequencies",
    ]  # fmt: skip
