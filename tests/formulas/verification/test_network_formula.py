"""A formula of a network that is not the formula of its rows."""

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_analyze.formulas.verification._network_formula import network_formula
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
from bimt_train.models import MLP


def absolute(scale: float) -> Network:
    """scale * |a| of two inputs a and b."""
    tensors = {
        "layers.0.weight": np.array([[1.0, 0.0], [-1.0, 0.0]]), "layers.0.bias": np.zeros(2),
        "layers.1.weight": np.array([[scale, scale]]), "layers.1.bias": np.zeros(1),
    }  # fmt: skip
    return Network.of(MLP([2, 2, 1], "relu")).with_tensors(tensors)


def test_the_network_that_computes_something_else_gets_a_formula_of_its_own() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    y = (x[:, :1] + 2 * x[:, 1:]) / 2
    task = TaskSpec("other", ("a", "b"), ("y",), ((-1.0, 1.0),) * 2)
    report = analyze(
        Checkpoint(absolute(3.0), task, Probe(x[::2], y[::2], x[1::2], y[1::2]), {"seed": 0}), samples=0, time_limit=2
    )
    formula = report.formulas["y"]
    assert str(formula.expression) == "a/2 + b" and formula.withheld and formula.verification.network.word == "departs"
    assert str(formula.of_network.expression) in ("3*Abs(a)", "3.0*Abs(a)")
    plain = report.to_json()["formulas"]["y"]["of_network"]
    assert plain["word"] == "follows" and plain["expression"] == str(formula.of_network.expression)
    assert any("the network's own formula: y = 3" in line for line in report.summary())
    assert "the network's own formula" in report.to_html() and "the network's own formula" in report.to_markdown()


def test_its_verdict_is_that_of_fresh_points() -> None:
    def network(x: np.ndarray) -> np.ndarray:
        return np.sin(40 * x[:, 0])  # far too fast for a brief search on 400 points

    found = network_formula(network, names=["a"], output="y", ranges=[(0.0, 30.0)])
    seen = found.verification.network
    x = np.random.default_rng(99).uniform(0, 30, (20_000, 1))
    r2 = 1 - np.mean((network(x) - found.predict(x)) ** 2) / np.var(network(x))
    assert seen.r2 == pytest.approx(r2, abs=0.05) and seen.word == "departs"
