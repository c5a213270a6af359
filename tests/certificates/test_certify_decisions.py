"""Decisions on finite domains, against tables that Python writes out by itself."""

import numpy as np
import pytest
import sympy
import torch
from certified_networks import gate_network

from bimt_analyze.certificates import certify_decisions, check_certificate
from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
from bimt_train.models import EmbeddingMLP

RIGHT = [
    "x1 & (x2 | ~x3)",
    "And(x1, Or(x2, Not(x3)))",
    "x1*(1 - (1 - x2)*x3)",
    "table 00001011",
]


@pytest.fixture(scope="module")
def gate():
    return gate_network()


@pytest.mark.parametrize("formula", RIGHT)
def test_a_gate_is_certified(gate, formula):
    found = certify_decisions(gate, formula, output="y1")
    margins = np.abs(gate.predict(gate.probe.x_train))
    assert found.margin == pytest.approx(min(margins.min(), np.abs(gate.predict(gate.probe.x_test)).min()), abs=1e-8)
    checked = check_certificate(found.data, checkpoint=gate)
    assert checked.statement.endswith("at all 8 points, by a margin of 0.9999 or more")


def test_sympy_says_the_same(gate):
    x1, x2, x3 = sympy.symbols("x1 x2 x3")
    assert certify_decisions(gate, x1 & (x2 | ~x3), output="y1").formula == "x1 & (x2 | ~x3)"


def test_the_rows_are_a_table(gate):
    assert certify_decisions(gate, output="y1").formula == "table 00001011"
    few = Checkpoint(gate.network, gate.task, Probe(*(a[:2] for a in (
        gate.probe.x_train, gate.probe.y_train, gate.probe.x_test, gate.probe.y_test))))  # fmt: skip
    with pytest.raises(InputError, match="rows that are no table"):
        certify_decisions(few, output="y1", values=[(0, 1)] * 3)


@pytest.mark.parametrize("place", range(8))
def test_every_wrong_table_is_refused_with_its_row(gate, place):
    table = [0, 0, 0, 0, 1, 0, 1, 1]
    table[place] = 1 - table[place]
    row = ", ".join(f"x{k + 1} = {(place >> (2 - k)) & 1}" for k in range(3))
    with pytest.raises(InputError, match=f"another decision at {row}"):
        certify_decisions(gate, table, output="y1")


@pytest.mark.parametrize(
    "formula", ["x1 +", "x1 # x2", "sin(x1)", "x9", "x1 + 5", "x1/2", "table 01", "table 0000101x", "x1**2**2**2**9"]
)
def test_what_is_no_decision_is_refused(gate, formula):
    with pytest.raises(InputError, match="no certificate"):
        certify_decisions(gate, formula, output="y1")


def test_too_many_combinations_are_refused(gate):
    with pytest.raises(InputError, match="too many combinations"):
        certify_decisions(gate, "x1", output="y1", values=[range(200)] * 3)


def test_tokens_and_the_largest_output():
    """A network over tokens that adds modulo 3, by one neuron for each pair."""
    module = EmbeddingMLP(tokens=3, copies=2, embedding=3, widths=[9, 3], activation="relu")
    with torch.no_grad():
        module.embedding.weight.copy_(torch.eye(3))
        first, last = module.layers
        first.weight.zero_(), last.weight.zero_(), last.bias.fill_(-5.0)
        first.bias.fill_(-1.0)
        for a in range(3):
            for b in range(3):
                first.weight[3 * a + b, [a, 3 + b]] = 1.0
                last.weight[(a + b) % 3, 3 * a + b] = 2.0
    x = np.array([[a, b] for a in range(3) for b in range(3)], dtype=np.float64)
    y = (x.sum(axis=1) % 3)[:, None]
    task = TaskSpec("sum", ("a", "b"), ("c0", "c1", "c2"), ((0, 2), (0, 2)), loss="cross-entropy")
    checkpoint = Checkpoint(Network.of(module), task, Probe(x, y, x, y))
    for formula in ("(a + b) % 3", None, "table 012120201"):
        found = certify_decisions(checkpoint, formula)
        assert found.margin == pytest.approx(2, abs=1e-8)
        check_certificate(found.data, checkpoint=checkpoint)
    with pytest.raises(InputError, match="another decision at a = 0, b = 1"):
        certify_decisions(checkpoint, "(a + 2*b) % 3")


@pytest.mark.parametrize("formula", ["Equivalent(x1, x2, x3)", "Implies(x1, x2, x3)"])
def test_three_arguments_where_sympy_means_something_else_are_not_read(gate, formula):
    with pytest.raises(InputError, match="no formula of logic and whole numbers"):
        certify_decisions(gate, formula, output="y1")
