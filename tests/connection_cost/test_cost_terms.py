"""Cost terms of one's own: what they charge, what relocation makes of them, and what is refused."""

import itertools
import json
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from bimt_train import ConnectionCost, InputError, Recipe, relocate
from bimt_train.connection_cost import COST_TERMS
from bimt_train.layouts import Group, Layout, Placement, TensorSpec, distances, linear
from bimt_train.registry import loaded_files

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "extending" / "cost_term.py"
# Convex, concave, falling and not zero at no distance, and a step: what each charges, for plain numbers.
OWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "squared": lambda d: d**2,
    "root": lambda d: d**0.5,
    "falling": lambda d: np.exp(-3 * d),
    "step": lambda d: (d > 0.3) * 1.0,
}


@pytest.fixture(autouse=True)
def own_terms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Terms that this file's tests know by name, and nobody else."""
    monkeypatch.setattr(COST_TERMS, "_found", dict(COST_TERMS._found))
    before = loaded_files()
    for name, function in OWN.items():
        COST_TERMS.register(name, label=name, sentence=f"The term {name}.")(function)
    yield
    for module in set(loaded_files()) - set(before):
        del sys.modules[module.__name__]


def _layout(*, recurrent: bool = False) -> Layout:
    ends = [Group.line(name, n, movable=False) for name, n in (("x", 3), ("y", 4))]
    free = Group.line("h", 5)
    joined = Layout.merge(linear("a", source=ends[0], target=free), linear("b", source=free, target=ends[1]))
    return Layout.merge(joined, Layout((free,), {"w": TensorSpec("h h")})) if recurrent else joined


def _drawn(layout: Layout, seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    sizes = {name: [layout.sizes[str(f)] for axis in s.plan.axes for f in axis] for name, s in layout.tensors.items()}
    return {name: generator.normal(size=shape) * (generator.random(shape) > 1 / 3) for name, shape in sizes.items()}


def _paid(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray, price: Callable[[float], float]) -> float:
    """Sum of |w| times the price of the distance, entry by entry."""
    return sum(
        abs(float(matrix[i, j])) * price(float(np.abs(rows[i] - columns[j]).sum()))
        for i, j in itertools.product(range(matrix.shape[0]), range(matrix.shape[1]))
    )


@pytest.mark.parametrize("name", COST_TERMS.names())
def test_each_term_gives_a_price_of_0_or_more_for_each_distance(name: str) -> None:
    apart = np.array([[0.0, 0.25, 1.0], [2.0, 0.5, 0.1]])
    prices = COST_TERMS[name].prices(apart)
    assert prices.shape == apart.shape and (prices >= 0).all()
    assert (np.ptp(prices) == 0) == COST_TERMS[name].constant


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_price_of_a_weight_is_the_sum_of_its_terms(name: str, reduction: str) -> None:
    layout = _layout()
    tensors, placement = _drawn(layout, 0), Placement.identity(layout).moved("h", (3, 1, 4, 0, 2))
    place = {group.name: placement.coordinates(layout, group.name) for group in layout.groups}
    cost = ConnectionCost(l0=0.2, scale=1.5, reduction=reduction, terms={name: 0.7})  # type: ignore[arg-type]

    def price(d: float) -> float:
        return 1.5 * d + 0.2 + 0.7 * float(OWN[name](np.array(d)))

    expected = 0.0
    for weight, target, source in (("a.weight", "h", "x"), ("b.weight", "y", "h")):
        share = 1 / tensors[weight].size if reduction == "mean" else 1.0
        expected += share * _paid(tensors[weight], place[target], place[source], price)
    assert cost.value(layout, placement, tensors, biases=False) == pytest.approx(expected, rel=1e-12)


def test_without_distance_and_plain_l1_hold_for_all_terms() -> None:
    layout, shapes = _layout(), {"a.weight": (5, 3), "a.bias": (5,), "b.weight": (4, 5), "b.bias": (4,)}
    placement = Placement.identity(layout)
    off = ConnectionCost(terms={"squared": 2.0}, without_distance=frozenset({"a.weight"}))
    assert (off.prices(layout, placement, shapes)["a.weight"] == 0.1).all()
    full = ConnectionCost(terms={"squared": 2.0}).prices(layout, placement, shapes)["b.weight"]
    mean = ConnectionCost(terms={"squared": 2.0}, local=False).prices(layout, placement, shapes)["b.weight"]
    np.testing.assert_allclose(mean, full.mean(), rtol=1e-12)
    assert np.ptp(full) > 0.1


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("scale", [0.0, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_relocation_finds_the_best_of_all_permutations_under_a_term_of_ones_own(
    name: str, scale: float, seed: int
) -> None:
    layout = _layout()
    tensors, placement = _drawn(layout, seed), Placement.identity(layout)
    cost = ConnectionCost(scale=scale, reduction="mean", terms={name: 0.7})
    found = cost.value(layout, relocate(layout, placement, tensors, cost), tensors)
    every = [placement.moved("h", slots) for slots in itertools.permutations(range(5))]
    assert found == pytest.approx(min(cost.value(layout, each, tensors) for each in every), rel=1e-9)


def test_a_term_changes_which_placement_is_best() -> None:
    layout = _layout()
    tensors, placement = _drawn(layout, 1), Placement.identity(layout)
    by_length = relocate(layout, placement, tensors, ConnectionCost())
    assert relocate(layout, placement, tensors, ConnectionCost(scale=0.0, terms={"falling": 1.0})) != by_length


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("method", ["assignment", "swap"])
@pytest.mark.parametrize("seed", range(3))
def test_a_recurrent_group_never_pays_more_and_ends_where_no_swap_gains(name: str, method: str, seed: int) -> None:
    layout = _layout(recurrent=True)
    tensors, placement = _drawn(layout, seed), Placement.identity(layout)
    cost = ConnectionCost(scale=0.0, terms={name: 0.7})
    moved = relocate(layout, placement, tensors, cost, method=method, max_sweeps=100)  # type: ignore[arg-type]
    before, least = (cost.value(layout, each, tensors) for each in (placement, moved))
    assert least <= before * (1 + 1e-12)
    assert moved == placement or least < before
    if method == "assignment":
        for i, j in itertools.combinations(range(5), 2):
            slots = list(moved.slots["h"])
            slots[i], slots[j] = slots[j], slots[i]
            assert cost.value(layout, moved.moved("h", tuple(slots)), tensors) >= least * (1 - 1e-9)


def test_without_further_terms_relocation_sees_the_distances_themselves() -> None:
    apart = distances(Group.line("a", 3).coordinates, Group.line("b", 4).coordinates)
    factor, prices = ConnectionCost(scale=3.0).distance_prices(apart)
    assert factor == 3.0 and prices is apart
    factor, prices = ConnectionCost(scale=3.0, terms={"squared": 2.0}).distance_prices(apart)
    np.testing.assert_allclose(factor * prices, 3.0 * apart + 2.0 * apart**2, rtol=1e-12)


def test_a_term_in_a_file_is_remembered_by_its_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE.parent)
    del COST_TERMS._found["squared"]
    cost = ConnectionCost(terms={"cost_term.py:squared": 0.5})
    assert cost.terms == {f"{EXAMPLE}:squared": 0.5}
    monkeypatch.chdir("/")
    factor, prices = ConnectionCost.from_json(json.loads(json.dumps(cost.to_json()))).distance_prices(
        np.array([[0.0, 0.5]])
    )
    np.testing.assert_allclose(factor * prices, [[0.0, 0.5 + 0.5 * 0.25]])


def test_the_json_of_a_recipe_says_terms_only_where_there_are_any() -> None:
    assert "terms" not in Recipe().to_json()["cost"]
    recipe = Recipe(cost=ConnectionCost(terms={"squared": 0.5}))
    assert recipe.to_json()["cost"]["terms"] == {"squared": 0.5}
    assert Recipe.from_json(recipe.to_json()) == recipe != Recipe()
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert hash(recipe.cost) == hash(ConnectionCost(terms={"squared": 0.5}))


def test_with_term_sets_the_coefficient_of_any_term() -> None:
    cost = ConnectionCost().with_term("length", 2.0).with_term("existence", 0.3).with_term("squared", 0.5)
    assert (cost.scale, cost.l0, cost.terms) == (2.0, 0.3, {"squared": 0.5})


def _refused(shape: Sequence[int] | None, value: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda d: np.full(d.shape if shape is None else tuple(shape), value)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (_refused((1,), 1.0), r"a cost term of another shape: strange: expected \[1, 2\], got \[1\]"),
        (_refused(None, -1.0), "a price that cannot be charged: strange: expected finite numbers of 0 or more, got -1"),
        (_refused(None, np.nan), "a price that cannot be charged.*got nan"),
        (lambda d: d / {}, "a cost term that cannot be computed: strange: got TypeError"),
    ],
)
def test_prices_that_cannot_be_charged_are_refused(function: Callable[[np.ndarray], np.ndarray], said: str) -> None:
    COST_TERMS.register("strange", label="strange", sentence="Strange.")(function)
    with pytest.raises(InputError, match=said):
        ConnectionCost(terms={"strange": 1.0}).distance_prices(np.array([[0.0, 0.5]]))


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"length": 2.0}, "a term whose coefficient is a field: terms, 'length'; hint: write scale=2.0"),
        ({"existence": 2.0}, "hint: write l0=2.0"),
        ({"squared": -1.0}, "a price cannot be negative: terms, 'squared'"),
        ({"squared": float("nan")}, "a price cannot be negative"),
    ],
)
def test_coefficients_that_make_no_sense_are_refused(terms: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ConnectionCost(terms=terms)


def test_an_unknown_term_is_refused_with_a_near_name() -> None:
    with pytest.raises(InputError, match=r"unknown cost term: .*got 'square'; hint: did you mean squared\?"):
        ConnectionCost().with_term("square", 1.0)
    with pytest.raises(InputError, match="a price cannot be negative: 'length'"):
        ConnectionCost().with_term("length", -1.0)
