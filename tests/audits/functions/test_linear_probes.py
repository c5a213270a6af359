"""Linear probes for subfunctions that were planted by hand; random groups against all groups there are."""

import json
from itertools import combinations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from bimt_analyze.audits.functions._linear_probes import LinearProbe, linear_probes
from bimt_analyze.graph import NodeId
from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.expressions import Decomposition
from bimt_train.models import MLP

X = np.random.default_rng(0).uniform(-1, 1, (120, 4))
INPUTS, OUTPUTS = ("x1", "x2", "x3", "x4"), ("y1", "y2")
PARTS = Decomposition(
    INPUTS,
    OUTPUTS,
    (("a", "abs(x1 - x2)"), ("b", "abs(x3)"), ("c", "abs(x4 + 0.3)"), ("y1", "a + b"), ("y2", "2*b - c")),
)
TERMS = np.array([[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, 0], [0, 0, -1, 0], [0, 0, 0, 1], [0, 0, 0, -1.0]])
SUMS = np.array([[1, 1, 1, 1, 0, 0], [0, 0, 2, 2, -1, -1.0]])
SHIFTS = np.array([0, 0, 0, 0, 0.3, -0.3])


def planted(scales: np.ndarray | None = None) -> Network:
    """|x1 - x2|, |x3| and |x4 + 0.3| of two neurons each, hidden neurons rescaled; y1 = a + b, y2 = 2 b - c."""
    s = np.ones(6) if scales is None else scales
    tensors = {"layers.0.weight": TERMS * s[:, None], "layers.0.bias": SHIFTS * s}
    tensors |= {"layers.1.weight": SUMS / s, "layers.1.bias": np.array([3.0, 0.0])}
    return Network.of(MLP([4, 6, 2], "relu")).with_tensors(tensors)


def hidden(*numbers: int) -> frozenset[NodeId]:
    return frozenset(("h1", n) for n in numbers)


MODULES = [hidden(4, 5) | {("x", 3)}, hidden(0, 1) | {("x", 0), ("x", 1)}, hidden(2, 3), frozenset({("y", 0)})]


def by_subfunction(*args: object, **options: object) -> dict[str, LinearProbe]:
    return {c.subfunction: c for c in linear_probes(*args, **options).found}  # type: ignore[arg-type]


def r2(columns: np.ndarray, part: np.ndarray) -> float:
    return float(LinearRegression().fit(columns[::2], part[::2]).score(columns[1::2], part[1::2]))


def test_each_part_is_carried_by_the_module_it_was_planted_in() -> None:
    found = by_subfunction(planted(), MODULES, PARTS, x=X, samples=5)
    assert {part: (c.module, c.layer, c.neurons, c.of) for part, c in found.items()} == {
        "a": (1, "h1", 2, 6),
        "b": (2, "h1", 2, 6),
        "c": (0, "h1", 2, 6),
        "y1": (3, "y", 1, 2),
        "y2": (2, "h1", 2, 6),  # in no module: of these |x3| comes nearest
    }
    values = PARTS.evaluate(X)
    for part in ("a", "b", "c", "y1"):
        assert found[part].r2 == pytest.approx(1) and found[part].output_r2 == pytest.approx(1) and found[part].encoded
    assert found["y2"].r2 == pytest.approx(r2(np.maximum(X[:, 2:3] * [1, -1], 0), values["y2"]))
    assert found["y2"].output_r2 == pytest.approx(np.corrcoef(values["b"], values["y2"])[0, 1] ** 2)
    assert not found["y2"].encoded


def test_random_groups_have_the_mean_and_the_p_of_all_groups_there_are() -> None:
    found = by_subfunction(planted(), MODULES[:3], PARTS, x=X, samples=600, seed=1)
    activations = np.maximum(X @ TERMS.T + SHIFTS, 0)
    for part, value in PARTS.evaluate(X).items():
        every = np.array([r2(activations[:, list(pair)], value) for pair in combinations(range(6), 2)])
        assert found[part].random_mean == pytest.approx(every.mean(), abs=0.04)
        assert found[part].p == pytest.approx((every >= found[part].r2 - 1e-9).mean(), abs=0.04)


def test_what_is_sent_is_the_first_component_over_readers_in_units_of_what_they_hear() -> None:
    values = PARTS.evaluate(X)
    a, b, c, y1, y2 = (values[part] for part in PARTS.names)
    lumped = [hidden(0, 1, 2, 3), hidden(4, 5)]
    found = by_subfunction(planted(), lumped, PARTS, x=X, samples=1)
    pca = PCA().fit(np.stack([(a + b) / y1.std(), 2 * b / y2.std()], axis=1))
    number = pca.transform(np.stack([(a + b) / y1.std(), 2 * b / y2.std()], axis=1))[:, 0]
    for part in ("a", "b"):  # a can be read off, but it is not what is sent
        assert found[part].module == 0 and found[part].r2 == pytest.approx(1)
        assert found[part].output_r2 == pytest.approx(np.corrcoef(number, values[part])[0, 1] ** 2)
        assert found[part].share == pytest.approx(pca.explained_variance_ratio_[0])
    assert not found["a"].encoded
    assert found["c"].share == pytest.approx(1) and found["c"].output_r2 == pytest.approx(1)
    assert c.std() > 0


def test_a_module_that_sends_the_part_comes_before_one_that_merely_contains_it() -> None:
    # all of h1 has every part, and sends none; one neuron, which lacks the 0.1 x1 - 0.1 x2, sends nearly this one
    modules = [hidden(*range(6)), hidden(3)]
    parts = Decomposition(INPUTS, OUTPUTS, (("d", "abs(x3) - x3 + 0.1*(x1 - x2)"), ("y1", "d"), ("y2", "d")))
    found = by_subfunction(planted(), modules, parts, x=X, samples=1)
    assert linear_probes(planted(), modules[:1], parts, x=X).found[0].r2 == pytest.approx(1)
    assert found["d"].module == 1 and 0.9 < found["d"].output_r2 < 1 and found["d"].r2 < 0.999


def test_rescaled_neurons_and_dead_ones_change_nothing() -> None:
    plain = linear_probes(planted(), MODULES, PARTS, x=X, samples=20).to_json()
    scales = np.random.default_rng(3).uniform(0.1, 10, 6)
    for part, other in zip(
        plain["found"], linear_probes(planted(scales), MODULES, PARTS, x=X, samples=20).to_json()["found"], strict=True
    ):
        assert part == {k: pytest.approx(v) if isinstance(v, float) else v for k, v in other.items()}
    assert json.loads(json.dumps(plain)) == plain
    wide = [MODULES[0] | {("x", 0), ("x", 1)}, *MODULES[1:]]  # inputs carry nothing
    assert linear_probes(planted(), wide, PARTS, x=X, samples=20).to_json() == plain
    dead = planted().with_tensors({"layers.1.weight": SUMS * [1, 1, 1, 1, 0, 0]})
    found = by_subfunction(dead, MODULES, PARTS, x=X, samples=5)
    assert found["b"].of == 4 and found["c"].module != 0


def test_a_card_says_in_which_units_the_parts_are() -> None:
    parts = Decomposition(INPUTS, OUTPUTS, (("d", "abs(x3 - 1)"), ("y1", "d"), ("y2", "d")))
    task = TaskSpec(
        "t", INPUTS, OUTPUTS, ((-1, 3),) * 4, decomposition=parts, input_shift=(0, 0, 1, 0), input_scale=(1, 1, 2, 1)
    )
    assert by_subfunction(planted(), MODULES, task, x=X, samples=1)["d"].r2 == pytest.approx(1)
    assert by_subfunction(planted(), MODULES[:3], parts, x=X, samples=1)["d"].output_r2 < 0.1


def test_parts_without_a_formula_are_left_out() -> None:
    stated = Decomposition.from_grouping("y1: x1 x2 x3; y2: x3 x4", inputs=INPUTS, outputs=OUTPUTS)
    found = linear_probes(planted(), MODULES, stated, x=X)
    assert found.found == () and found.reason == "no subfunction is known by its formula"
    mixed = Decomposition(INPUTS, OUTPUTS, (("b", "abs(x3)"), ("y1", "a + b"), ("y2", "2*b")), (("a", ("x1", "x2")),))
    assert list(by_subfunction(planted(), MODULES, mixed, x=X, samples=1)) == ["b", "y2"]


def test_rows_without_a_value_are_left_out_and_what_cannot_be_asked_is_refused() -> None:
    parts = Decomposition(INPUTS, OUTPUTS, (("r", "sqrt(x3)"), ("y1", "abs(x3)"), ("y2", "x3")))
    kept = X[X[:, 2] >= 0]
    assert linear_probes(planted(), MODULES, parts, x=X, samples=3) == linear_probes(
        planted(), MODULES, parts, x=kept, samples=3
    )
    with pytest.raises(InputError, match="too few rows to fit and to judge on: x: expected 20 or more, got 0 of 40"):
        linear_probes(planted(), MODULES, parts, x=-np.abs(X[:40]) - 0.1)
    with pytest.raises(InputError, match="nothing to compare"):
        linear_probes(planted(), [], PARTS, x=X)
    with pytest.raises(InputError, match=r"no such neuron: module 0: expected x, h1, y, got h1\.9"):
        linear_probes(planted(), [hidden(9)], PARTS, x=X)
    with pytest.raises(InputError, match="rows of another task"):
        linear_probes(planted(), MODULES, Decomposition(("x1",), ("y",), (("y", "x1"),)), x=X)
