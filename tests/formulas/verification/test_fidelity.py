"""A formula that parts from its network says in which inputs."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Rows, find_formula, verify_formula
from bimt_analyze.formulas._fidelity import divergence

NAMES = ("a", "b", "c")
RANGES = ((-1.0, 1.0),) * 3


def network(x: np.ndarray) -> np.ndarray:
    return x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2])


def rows(count: int = 300) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, 3))


def test_the_input_whose_part_is_wrong_is_told() -> None:
    missed = divergence(lambda x: x[:, 0] * x[:, 1] + 3 * x[:, 2], network, rows(), names=NAMES, seed=0)
    assert missed.inputs == ("c",)
    assert missed.share > 0.9
    assert missed.r2 < 0.5
    np.testing.assert_allclose(
        missed.network, np.sin(3 * missed.x[:, 0]) - np.mean(np.sin(3 * missed.x[:, 0])), atol=1e-9
    )


def test_a_wrong_term_of_two_inputs_is_told_as_a_group() -> None:
    groups = (frozenset({"a", "b"}), frozenset({"c"}))
    missed = divergence(lambda x: np.sin(3 * x[:, 2]), network, rows(), names=NAMES, groups=groups, seed=0)
    assert missed.inputs == ("a", "b")
    assert missed.share > 0.9
    assert missed.r2 == pytest.approx(0.0, abs=0.1)


def test_inputs_that_fail_together_are_told_together() -> None:
    missed = divergence(lambda x: np.sin(3 * x[:, 2]), network, rows(), names=NAMES, seed=0)
    assert missed.inputs == ("a", "b")  # a b has no main effect of a or of b
    assert missed.share > 0.9
    missed = divergence(lambda x: np.zeros(len(x)), lambda x: np.prod(x, axis=1), rows(), names=NAMES, seed=0)
    assert missed.inputs == NAMES  # and a b c none of two
    assert missed.share == 1.0


def test_the_proof_tells_it_only_where_the_formula_is_not_exact() -> None:
    x = rows()
    formula = find_formula(x, network(x), names=NAMES, output="y", time_limit=5.0)
    held = {"test": Rows(rows(50), network(rows(50))), "truth": None, "ranges": RANGES, "network": network}
    assert verify_formula(formula, **held).verification.divergence is None
    a, b, c = sympy.symbols(NAMES, real=True)
    wrong = replace(formula, expression=a * b + 2 * c, worst=1.0, shortfall="not exact: residual")
    proven = verify_formula(wrong, **held, terms=(frozenset({"a", "b"}), frozenset({"c"})))
    assert not proven.exact
    assert proven.verification.divergence.inputs == ("c",)
    assert "lies in the part of c" in proven.verification.statement
