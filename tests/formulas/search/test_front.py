"""The front of length against error: what is shorter leaves more, and the choice is explained with its margin."""

from itertools import pairwise

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Formula, find_formula
from bimt_analyze.formulas._front import ParetoEntry, front_lines


@pytest.fixture(scope="module")
def found() -> Formula:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 2, (150, 2))
    clean = 1.37 * x[:, 0] * x[:, 1] ** 2 + 0.83 * x[:, 0]
    return find_formula(
        x, clean + 0.05 * np.std(clean) * rng.normal(size=150), names=["a", "b"], output="y", time_limit=0.6
    )


def test_what_is_longer_leaves_less(found: Formula) -> None:
    front = found.front
    assert [one.complexity for one in front] == sorted(one.complexity for one in front) and len(front) > 2
    assert all(before.error > after.error for before, after in pairwise(front))
    assert sum(one.chosen for one in front) == 1
    assert front[0].complexity == 1 and front[0].error == pytest.approx(1.0)
    assert any(not one.searched for one in front)


def test_the_errors_are_those_of_the_entries(found: Formula) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 2, (150, 2))
    clean = 1.37 * x[:, 0] * x[:, 1] ** 2 + 0.83 * x[:, 0]
    y = clean + 0.05 * np.std(clean) * rng.normal(size=150)
    for entry in found.pareto_front:
        values = sympy.lambdify(sympy.symbols("a b", real=True), entry.expression, "numpy")(*x.T)
        assert np.sqrt(np.mean((y - values) ** 2)) / np.std(y) == pytest.approx(entry.error, rel=1e-6)


def test_the_choice_is_told_with_its_margin(found: Formula) -> None:
    near = min(found.pareto_front, key=lambda one: one.bits)
    assert f"{near.bits:.0f} bits shorter" in found.choice() and str(near.readable) in found.choice()
    lines = front_lines("y", found.front, met=found.fits)
    assert len(lines) == len(found.front) + 2 and sum(line.startswith("*") for line in lines) == 1
    frame = found.to_frame()
    assert frame["chosen"].sum() == 1 and frame.loc[frame["chosen"], "expression"].item() == str(found.expression)


def test_a_choice_against_the_bits_says_why() -> None:
    x = sympy.Symbol("x", real=True)
    other = ParetoEntry(x**2, complexity=3, error=0.1, bits=-12.0)
    formula = Formula("y", x**3 + 1, ("x",), 1.0, 0.0, 0.0, 1e-11, 5, (), 9, pareto_front=(other,))
    said = "though the description of x**2 (3 nodes, error 0.1) is 12 bits shorter."
    assert formula.choice() == f"It was chosen because it meets the rows, {said}"
