"""What planted modules send, written down, against what was planted."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from bimt_analyze.audits.functions._linear_probes import linear_probes
from bimt_analyze.audits.functions._subfunction_formulas import subfunction_formulas
from bimt_analyze.graph import NodeId
from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.expressions import Decomposition
from bimt_train.models import MLP

INPUTS, OUTPUTS = ("x1", "x2", "x3", "x4"), ("y1", "y2")
PARTS = Decomposition(INPUTS, OUTPUTS, (("a", "abs(x1 - x2)"), ("b", "3*x3 + x4"), ("y1", "a"), ("y2", "abs(b)")))
CARD = TaskSpec("planted", INPUTS, OUTPUTS, ((-2.0, 2.0),) * 4, decomposition=PARTS, input_scale=(2.0,) * 4)
X = np.random.default_rng(0).uniform(-1, 1, (400, 4))  # as the network sees it: the task's inputs over 2


def hidden(*nodes: NodeId) -> frozenset[NodeId]:
    return frozenset(nodes)


def planted(noise: float = 0.0) -> Network:
    """a in h1.0 and h1.1, b in h1.2; y2 is |b| by h2."""
    first = np.array([[2.0, -2, 0, 0], [-2, 2, 0, 0], [0, 0, 6, 2], [0, 0, -6, -2]])
    second = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1]])
    rng = np.random.default_rng(1)
    tensors = {"layers.0.weight": first, "layers.1.weight": second, "layers.0.bias": np.zeros(4)}
    tensors["layers.1.bias"] = np.zeros(2)
    noisy = {name: t + noise * rng.normal(size=t.shape) * (t != 0) for name, t in tensors.items()}
    return Network.of(MLP([4, 4, 2], "relu")).with_tensors(noisy)


MODULES = [hidden(("h1", 0), ("h1", 1)), hidden(("h1", 2), ("h1", 3), ("y", 1))]


def test_the_formula_is_in_the_tasks_own_inputs_and_is_the_part_up_to_scale() -> None:
    network = planted()
    (one,) = [s for s in told(network) if s.subfunction == "a"]
    assert one.module == 0
    assert one.r2 == pytest.approx(1.0, abs=1e-4)
    assert one.subfunction_r2 == pytest.approx(1.0, abs=1e-4)
    x1, x2 = sympy.symbols("x1 x2")
    found = sympy.lambdify((x1, x2), sympy.sympify(one.expression), "numpy")
    a, b = np.random.default_rng(2).uniform(-2, 2, (2, 50))
    assert np.corrcoef(found(a, b), np.abs(a - b))[0, 1] ** 2 > 0.999


def told(network: Network, task: TaskSpec = CARD) -> tuple:
    return subfunction_formulas(network, MODULES, linear_probes(network, MODULES, task, x=X, samples=3), task, x=X)


def test_a_formula_that_is_only_near_says_how_near() -> None:
    network = planted(noise=0.1)
    found = {s.subfunction: s for s in told(network)}
    assert set(found) == {"a", "y1", "y2"}
    for one in found.values():
        assert 0.95 < one.r2 < 1.0 - 1e-9
        assert 0.95 < one.subfunction_r2 < 1.0 - 1e-9


def test_the_part_itself_is_never_seen_by_the_search() -> None:
    """Other parts change which part is named and its r2, and nothing of the formula."""
    network = planted()
    parts = replace(PARTS, definitions=(("a", "(x1 - x2)**2"), ("b", "x4"), ("y1", "a"), ("y2", "abs(b)")))
    other = {s.module: s for s in told(network, replace(CARD, decomposition=parts))}
    same = {s.module: s for s in told(network)}
    assert other[0].expression == same[0].expression and other[0].r2 == same[0].r2
    assert other[0].subfunction_r2 < same[0].subfunction_r2


def test_there_is_none_where_no_part_is_carried() -> None:
    parts = Decomposition(INPUTS, OUTPUTS, (("a", "sin(9*x1)"), ("y1", "a"), ("y2", "cos(9*x3)")))
    assert told(planted(), replace(CARD, decomposition=parts)) == ()
    assert told(planted(), replace(CARD, decomposition=None)) == ()


def test_rows_of_another_task_are_refused() -> None:
    network = planted()
    found = linear_probes(network, MODULES, CARD, x=X, samples=3)
    with pytest.raises(InputError, match="rows of another task"):
        subfunction_formulas(network, MODULES, found, CARD, x=X[:, :3])
