"""Interpretations go by rows and network: networks of other people, built by hand, whatever their task is called."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import sympy
from sympy.combinatorics import DihedralGroup

from bimt_analyze.representations import (
    FiniteGroup,
    frequency_modules,
    group_of,
    irrep_shares,
    module_partition,
    operation_table,
    readability,
    real_characters,
    target_group,
)
from bimt_analyze.representations._interpretation import Interpretation, interpretation
from bimt_analyze.representations._place_readout import place_readability
from bimt_analyze.representations._token_numbers import token_numbers
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, from_bimt_notebook, from_state_dict
from bimt_train.models import GPT, MLP, EmbeddingMLP, RowTransformer

P = 17
RNG = np.random.default_rng(5)
LOGARITHM = RNG.permutation(P)  # of each token
NAMED = RNG.permutation(P)  # the class of each sum
ROWS = np.array(list(product(range(P), range(P))), dtype=np.float64)


def notebook(frequencies: tuple[int, int], rows: np.ndarray, y: np.ndarray) -> Checkpoint:
    """Weights as the published notebooks keep them: tokens as cos and sin, whose sums over both tokens are added."""
    turn = 2 * np.pi * LOGARITHM[:, None] / P
    first, second = frequencies
    waves = np.concatenate(
        [np.cos(first * turn), np.sin(first * turn), np.cos(second * turn), np.sin(second * turn)], 1
    )
    joined = np.kron(np.eye(2), [[1.0, 0.5], [-0.5, 1.0]])  # a cosine and its sine are one module
    weights = (np.concatenate([joined, joined], axis=1), np.eye(4), waves)
    state = {"embedding": waves}
    for at, weight in enumerate(weights):
        state |= {f"linears.{at}.linear.weight": weight, f"linears.{at}.linear.bias": np.zeros(len(weight))}
    return from_bimt_notebook(state, activation="identity", x=rows, y=y)


def sums(rows: np.ndarray) -> np.ndarray:
    return NAMED[LOGARITHM[rows.astype(int)].sum(axis=1) % P][:, None].astype(np.float64)


def read(checkpoint: Checkpoint) -> Interpretation:
    told = interpretation(checkpoint, checkpoint.network)
    assert told is not None
    return told


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_frequencies_of_a_foreign_network_are_found_under_any_names_of_its_tokens(share: float) -> None:
    kept = np.random.default_rng(0).permutation(len(ROWS))[: round(share * len(ROWS))]
    made = notebook((1, 3), ROWS[kept], sums(ROWS[kept]))
    assert made.task.name == "foreign"
    told, group = read(made), group_of(made)
    assert group is not None
    numbers = token_numbers(group)
    assert numbers is not None
    step = int(LOGARITHM[numbers.tokens[1]] - LOGARITHM[numbers.tokens[0]]) % P  # what the found order counts by
    steps = np.diff(LOGARITHM[numbers.tokens]) % P
    assert (steps == step).all()
    expected = sorted(min(k * step % P, -k * step % P) for k in (1, 3))
    assert sorted(row[1] for row in told.rows) == expected
    assert [row[2] for row in told.rows] == [pytest.approx(1.0)] * 2
    assert told.statement.startswith("2 of 2 modules represent a single frequency")
    assert "the multiplication table of the cyclic group of order 17, with names of its own" in told.statement
    assert f"checked on {len(kept)} pairs" in told.statement
    first = ", ".join(map(str, numbers.tokens[:4]))
    assert told.statement.endswith(f"k counts turns over the tokens in the group's order: {first} and so on.")


def test_a_table_that_is_no_groups_is_told_by_classes_and_why() -> None:
    greatest = ROWS.max(axis=1, keepdims=True)
    made = notebook((1, 3), ROWS, greatest)
    for name in ("foreign", "modular-addition", "permutation-s4"):
        told = read(replace(made, task=replace(made.task, name=name)))
        assert told.title == "Which neurons each class needs"
        assert "The classes of 289 pairs of tokens are not read as the products of a group: no group's table" in (
            told.statement
        )


def test_wrong_entries_keep_a_table_from_being_read_as_a_groups() -> None:
    y = sums(ROWS)
    y[40] = (y[40] + 1) % P
    told = read(notebook((1, 3), ROWS, y))
    assert told.title == "Which neurons each class needs"
    assert "more than once" in told.statement


def pair_detectors(n: int, values: np.ndarray) -> dict[str, np.ndarray]:
    """One-hot codes of two tokens -> one neuron a pair -> neurons of these values over the pairs -> classes."""
    code = np.eye(n)
    first = np.array([np.concatenate([code[a], code[b]]) for a in range(n) for b in range(n)])
    return {
        "0.weight": first, "0.bias": np.full(n * n, -1.0),
        "2.weight": values.T - values.min(), "2.bias": np.zeros(values.shape[1]),
        "4.weight": np.random.default_rng(0).normal(size=(n, values.shape[1])), "4.bias": np.zeros(n),
    }  # fmt: skip


def one_hot_checkpoint(table: np.ndarray, values: Callable[[np.ndarray], np.ndarray]) -> Checkpoint:
    """A network that reads one-hot codes; its neurons have the given values of the product, under other names."""
    n = len(table)
    rng = np.random.default_rng(2)
    left, right, named = rng.permutation(n), rng.permutation(n), rng.permutation(n)  # elements of tokens; classes
    pairs = np.array(list(product(range(n), range(n))))
    products = table[left[pairs[:, 0]], right[pairs[:, 1]]]
    x = np.concatenate([np.eye(n)[pairs[:, 0]], np.eye(n)[pairs[:, 1]]], axis=1)
    state = pair_detectors(n, values(products))
    return from_state_dict(state, activation="relu", x=x, y=np.eye(n)[named[products]], loss="cross-entropy")


def test_representations_of_a_foreign_network_over_one_hot_codes_are_named() -> None:
    elements = [tuple(one.array_form) for one in DihedralGroup(4).elements]
    number = {element: k for k, element in enumerate(elements)}
    table = np.array([[number[tuple(a[i] for i in b)] for b in elements] for a in elements])
    characters = np.stack([one.values for one in real_characters(FiniteGroup(table))], axis=1)
    made = one_hot_checkpoint(table, lambda products: characters[products][:, 1:])
    assert made.task.name == "foreign"
    told = read(made)
    assert told.title == "Irreducible representations of the dihedral group of 8 elements in the last hidden layer"
    assert told.columns == ("neuron", "representation", "trivial", "1a", "1b", "1c", "2", "deviation")
    assert sorted(row[1] for row in told.rows) == ["1a", "1b", "1c", "2"]
    assert told.rows[3][1] == "2" and told.rows[3][6] == pytest.approx(1.0)
    assert "the multiplication table of the dihedral group of 8 elements" in told.statement
    assert "4 represent one alone" in told.statement


def test_a_cyclic_group_without_an_embedding_has_frequencies_as_representations() -> None:
    table = (np.arange(20)[:, None] + np.arange(20)) % 20
    waves = np.stack([np.cos(2 * np.pi * k * np.arange(20) / 20 + 0.3) for k in (1, 3, 10)], axis=1)
    told = read(one_hot_checkpoint(table, lambda products: waves[products]))
    assert told.title == "Irreducible representations of the cyclic group of order 20 in the last hidden layer"
    assert told.columns == ("neuron", "representation", "greatest", "its share", "next", "its share of variance",
                            "no function of the product", "deviation")  # fmt: skip
    units = [u for u in range(20) if np.gcd(u, 20) == 1]
    names = [row[1] for row in told.rows]
    assert any(names == [f"k={min(k * u % 20, -k * u % 20)}" for k in (1, 3, 10)] for u in units)
    assert [row[3] for row in told.rows] == [pytest.approx(1.0)] * 3


def test_a_network_without_hidden_neurons_is_not_read_by_representations() -> None:
    x = np.array(list(product(range(5), range(5))), dtype=np.float64)
    y = np.eye(5)[x.sum(axis=1).astype(int) % 5]
    task = TaskSpec("t", ("a", "b"), tuple("uvwxy"), ((0, 4),) * 2, loss="cross-entropy")
    deep, flat = Network.of(MLP([2, 3, 5])), Network.of(MLP([2, 5]))
    titles = []
    for network in (deep, flat):
        told = interpretation(Checkpoint(network, task, Probe(x, y, x, y)), network)
        titles.append(told and told.title)
    assert titles[0] == "Irreducible representations of the cyclic group of order 5 in the last hidden layer"
    assert titles[1] is None


def test_a_difference_has_its_frequency_and_a_formula_of_the_tokens_numbers() -> None:
    p, k, rng = 7, 2, np.random.default_rng(1)
    logarithm = rng.permutation(p)
    pairs = np.array(list(product(range(p), range(p))))
    differences = (logarithm[pairs[:, 0]] - logarithm[pairs[:, 1]] + 3) % p
    turn = 2 * np.pi * k * logarithm[:, None] / p
    module = EmbeddingMLP(p, 2, p + 2, (p * p, 1, p), "relu")
    code = np.eye(p + 2)[:p]
    tensors = {
        "embedding.weight": np.concatenate([np.eye(p), np.cos(turn), np.sin(turn)], axis=1),
        "layers.0.weight": np.array([np.concatenate([code[a], code[b]]) for a, b in pairs]),
        "layers.0.bias": np.full(p * p, -1.0),
        "layers.1.weight": 1 + np.cos(2 * np.pi * k * differences / p)[None], "layers.1.bias": np.zeros(1),
        "layers.2.weight": np.ones((p, 1)), "layers.2.bias": np.zeros(p),
    }  # fmt: skip
    network = Network(module.spec, module.layout(), Network.of(module).placement, tensors)
    found = target_group(operation_table(pairs.astype(np.float64), differences[:, None].astype(np.float64)))
    numbers = token_numbers(found)
    assert numbers is not None and numbers.sign == -1
    everything = frozenset((g.name, i) for g in network.layout.groups for i in range(g.size))
    (module_,) = frequency_modules(network, [everything], numbers=numbers)
    (feature,) = module_.features
    assert feature.r2 == pytest.approx(1.0)
    formula = sympy.lambdify(sympy.symbols("a b", real=True), feature.expression)
    number = np.argsort(numbers.tokens)
    told = [formula(number[a], number[b]) for a, b in pairs]
    np.testing.assert_allclose(told, 1 + np.cos(2 * np.pi * k * differences / p), atol=5e-3)  # three digits


def test_the_frequency_of_half_the_order_counts_by_its_variance() -> None:
    p = 6
    turn = 2 * np.pi * np.arange(p)[:, None] / p
    module = EmbeddingMLP(p, 2, 2, (2, p), "identity")
    waves = np.concatenate([np.cos(turn), np.cos(3 * turn)], axis=1)  # variances 1/2 and 1
    tensors = {name: np.zeros(part.shape, np.float64) for name, part in module.named_parameters()}
    tensors["embedding.weight"] = waves
    network = Network(module.spec, module.layout(), Network.of(module).placement, tensors)
    (found,) = frequency_modules(network, [frozenset({("e", 0), ("e", 1)})])
    np.testing.assert_allclose(found.spectrum, [0, 1 / 3, 0, 2 / 3], atol=1e-12)


def test_shares_do_not_depend_on_which_element_is_taken_for_the_identity() -> None:
    table = (np.arange(9)[:, None] + np.arange(9)) % 9
    made = one_hot_checkpoint(table, lambda products: np.random.default_rng(0).normal(size=(9, 2))[products])
    group = group_of(made)
    assert group is not None
    first = np.concatenate([made.probe.x_train, made.probe.x_test])
    classes = np.concatenate([made.probe.y_train, made.probe.y_test])
    reversed_ = target_group(operation_table(first[:, ::-1].copy(), classes[:, ::-1].copy()))
    one = irrep_shares(made.network, group)
    other = irrep_shares(made.network, reversed_, x=reversed_.pairs[:, ::-1].copy())
    for mine, others in zip(one, other, strict=True):
        assert sorted(mine.shares.values()) == pytest.approx(sorted(others.shares.values()), abs=1e-9)


def test_modules_are_those_of_the_weights_alone() -> None:
    made = notebook((1, 3), ROWS, sums(ROWS))
    assert len(module_partition(made.network).modules) == len(read(made).rows) == 2


def test_numbers_at_a_place_are_read_as_any_other_number() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3))
    network = Network.of(RowTransformer((0, 1, 0), 1, 16, layers=2, hidden=8))
    found = place_readability(network, x)
    assert len(found) == 3 * 3 * 3  # places, modules, tokens
    for place in range(3):
        own = [(one.module, one.token, one.r2) for one in found if one.place == place]
        assert own == [(one.module, one.token, one.r2) for one in readability(network, x, x[:, place])]


def test_a_token_is_read_where_it_stands_and_later_but_not_before() -> None:
    x = np.random.default_rng(1).integers(0, 5, (400, 4)).astype(np.float64)
    network = Network.of(GPT(5, 4, 16, heads=2, layers=1, hidden=8))
    found = {(one.place, one.module, one.token): one.r2 for one in place_readability(network, x)}
    last = max(module for _, module, _ in found)
    for place in range(4):
        assert found[place, last, place] > 0.9
        assert all(found[place, last, token] < 0.1 for token in range(place))
    assert found[0, last, 1] > found[0, last, 3] > 0.0  # attention has spread it


def test_a_foreign_transformer_is_read_by_its_positions() -> None:
    x = np.random.default_rng(2).integers(0, 4, (120, 3)).astype(np.float64)
    y = np.eye(4)[x.max(axis=1).astype(int)]
    network = Network.of(RowTransformer((0, 0, 0), 4, 16, layers=1, hidden=8))
    task = TaskSpec("foreign", ("a", "b", "c"), tuple("uvwx"), ((0, 3),) * 3, loss="cross-entropy")
    told = read(Checkpoint(network, task, Probe(x[:80], y[:80], x[80:], y[80:])))
    assert told.title == "Where the content of each place is linearly readable"
    assert told.statement.startswith("Rows are sequences of 3 tokens, 4 of them different (120 rows were read).")
    assert [(row[0], row[1]) for row in told.rows] == list(product("abc", ("read", "blocks.0")))
    assert all(row[3] != row[0] and row[2] >= row[4] for row in told.rows)
    # a token's four codes have three directions, of which a stream that is linear in its number carries one
    assert [row[2] for row in told.rows if row[1] == "read"] == [pytest.approx(1 / 3, abs=0.1)] * 3
