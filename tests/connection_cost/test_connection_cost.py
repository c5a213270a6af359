"""The connection cost against the formula written out, entry by entry, for every row of the paper's table."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_train import ConnectionCost, InputError
from bimt_train.layouts import Group, Layout, Placement, TensorSpec, attention, embedding, linear, norm, recurrent
from bimt_train.models import MLP
from bimt_train.training import PAPER_RECIPES

Place = tuple[float, ...]
Tensors = Mapping[str, np.ndarray]


# ---- the oracle: plain loops, which know nothing of layouts


def line(size: int) -> list[Place]:
    return [((i + 0.5) / size,) for i in range(size)]


def square(rows: int, columns: int) -> list[Place]:
    return [((c + 0.5) / columns, (r + 0.5) / rows) for r in range(rows) for c in range(columns)]


def weights_by_hand(
    weight: np.ndarray, rows: Sequence[Place], columns: Sequence[Place], *, l0: float, scale: float, mean: bool
) -> float:
    """Sum or mean of |w| (A d + l0), d the L1 distance."""
    total = 0.0
    for i, target in enumerate(rows):
        for j, source in enumerate(columns):
            d = sum(abs(a - b) for a, b in zip(target, source, strict=False))
            total += abs(float(weight[i, j])) * (scale * d + l0)
    return total / (len(rows) * len(columns)) if mean else total


def entries_by_hand(tensor: np.ndarray, *, l0: float, mean: bool) -> float:
    """Sum or mean of l0 |b|."""
    total = sum(l0 * abs(float(entry)) for entry in tensor.ravel())
    return total / tensor.size if mean else total


def placed_at(places: Sequence[Place], slots: Sequence[int]) -> list[Place]:
    return [places[slot] for slot in slots]


# ---- the things measured


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def shuffled(layout: Layout, seed: int = 1) -> Placement:
    generator = np.random.default_rng(seed)
    return Placement({g.name: tuple(generator.permutation(g.size).tolist()) for g in layout.groups})


def mlp_shapes(widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        shapes |= {f"layers.{i}.weight": (b, a), f"layers.{i}.bias": (b,)}
    return shapes


@pytest.mark.parametrize(
    ("widths", "l0"),
    [
        ((4, 20, 20, 2), 0.1),
        ((3, 20, 20, 3), 0.1),
        ((4, 20, 20, 20, 20, 1), 0.1),
        ((2, 20, 20, 2), 0.2),
    ],
    ids=["independence", "feature-sharing", "composition", "two-moons"],
)
@pytest.mark.parametrize("biases", [False, True])
def test_formula_tasks_and_two_moons_sum_over_lines(widths: tuple[int, ...], l0: float, biases: bool) -> None:
    layout, tensors = MLP(widths).layout(), drawn(mlp_shapes(widths))
    placement = shuffled(layout)
    places = [placed_at(line(g.size), placement.slots[g.name]) for g in layout.groups]
    by_hand = 0.0
    for i in range(len(widths) - 1):
        weight = tensors[f"layers.{i}.weight"]
        by_hand += weights_by_hand(weight, places[i + 1], places[i], l0=l0, scale=1.0, mean=False)
        by_hand += entries_by_hand(tensors[f"layers.{i}.bias"], l0=l0, mean=False) if biases else 0.0
    found = ConnectionCost(l0=l0, scale=1.0, reduction="sum").value(layout, placement, tensors, biases=biases)
    assert found == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("task", ["independence", "feature-sharing", "composition"])
def test_the_papers_recipes_state_these_prices_and_charge_biases_from_three_quarters_on(task: str) -> None:
    recipe = PAPER_RECIPES[task]
    assert (recipe.cost.l0, recipe.cost.scale, recipe.cost.reduction) == (0.1, 1.0, "sum")
    steps = [0, recipe.steps // 4, 3 * recipe.steps // 4 - 1, 3 * recipe.steps // 4, recipe.steps - 1]
    assert [recipe.phase_at(step).biases for step in steps] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("words", "l0", "scale"),
    [(59, 0.5, 2.0), (24, 0.5, 1.0)],
    ids=["modular-addition", "permutation-s4"],
)
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("own", [None, 0.0, 3.0])
def test_two_tokens_folded_on_the_same_slots_and_a_learned_embedding_are_averaged(
    words: int, l0: float, scale: float, biases: bool, own: float | None
) -> None:
    groups = [Group.line(name, size) for name, size in (("e", 32), ("h1", 50), ("h2", 50), ("y", words))]
    pieces = [linear(f"fc{i}", source=groups[i], target=groups[i + 1], copies=2 if i == 0 else 1) for i in range(3)]
    layout = Layout.merge(embedding("emb", target=groups[0]), *pieces, outputs="y")
    shapes: dict[str, tuple[int, ...]] = {"emb.weight": (words, 32)}
    for i, (rows, columns) in enumerate([(50, 64), (50, 50), (words, 50)]):
        shapes |= {f"fc{i}.weight": (rows, columns), f"fc{i}.bias": (rows,)}
    tensors, placement = drawn(shapes), shuffled(layout)
    places = [placed_at(line(g.size), placement.slots[g.name]) for g in groups]
    sources = [places[0] * 2, places[1], places[2]]  # each token's 32 numbers lie where the other's do
    by_hand = entries_by_hand(tensors["emb.weight"], l0=l0 if own is None else own, mean=True)
    for i in range(3):
        by_hand += weights_by_hand(tensors[f"fc{i}.weight"], places[i + 1], sources[i], l0=l0, scale=scale, mean=True)
        by_hand += entries_by_hand(tensors[f"fc{i}.bias"], l0=l0, mean=True) if biases else 0.0
    cost = ConnectionCost(l0=l0, scale=scale, reduction="mean", embedding=own)
    found = cost.value(layout, placement, tensors, biases=biases)
    assert found == pytest.approx(by_hand, rel=1e-12)


def test_a_price_is_not_negative() -> None:
    with pytest.raises(InputError, match="a price cannot be negative"):
        ConnectionCost(embedding=-1.0)


def test_a_transformer_shares_readers_threefold_and_its_norms_are_free() -> None:
    d, wide, l0, scale = 32, 128, 0.5, 2.0
    x, resid, y = Group.line("x", 2), Group.line("resid", d), Group.line("y", 1)
    pieces = [linear("read", source=x, target=resid), linear("out", source=resid, target=y)]
    shapes: dict[str, tuple[int, ...]] = {"read.weight": (d, 2), "read.bias": (d,)}
    shapes |= {"out.weight": (1, d), "out.bias": (1,)}
    for i in range(2):
        readers, hidden = Group.line(f"attn{i}", d), Group.line(f"mlp{i}", wide)
        pieces += [
            norm(f"{i}.ln", target=resid),
            attention(f"{i}.attn", residual=resid, readers=readers),
            linear(f"{i}.up", source=resid, target=hidden),
            linear(f"{i}.down", source=hidden, target=resid),
        ]
        shapes |= {f"{i}.ln.weight": (d,), f"{i}.ln.bias": (d,)}
        shapes |= {f"{i}.attn.in_proj_weight": (3 * d, d), f"{i}.attn.in_proj_bias": (3 * d,)}
        shapes |= {f"{i}.attn.out_proj.weight": (d, d), f"{i}.attn.out_proj.bias": (d,)}
        shapes |= {f"{i}.up.weight": (wide, d), f"{i}.up.bias": (wide,)}
        shapes |= {f"{i}.down.weight": (d, wide), f"{i}.down.bias": (d,)}
    layout = Layout.merge(*pieces, inputs="x", outputs="y")
    tensors, placement = drawn(shapes), shuffled(layout)
    place = {g.name: placed_at(line(g.size), placement.slots[g.name]) for g in layout.groups}
    ends = {"read.weight": ("resid", "x"), "out.weight": ("y", "resid")}
    by_hand = 0.0
    for i in range(2):
        ends |= {
            f"{i}.attn.out_proj.weight": ("resid", f"attn{i}"),
            f"{i}.up.weight": (f"mlp{i}", "resid"),
            f"{i}.down.weight": ("resid", f"mlp{i}"),
        }
        rows = place[f"attn{i}"] * 3  # q, k and v one under the other, each on the same slots
        weight = tensors[f"{i}.attn.in_proj_weight"]
        by_hand += weights_by_hand(weight, rows, place["resid"], l0=l0, scale=scale, mean=True)
    for name, (target, source) in ends.items():
        by_hand += weights_by_hand(tensors[name], place[target], place[source], l0=l0, scale=scale, mean=True)
    for name, tensor in tensors.items():
        if "bias" in name and ".ln." not in name:
            by_hand += entries_by_hand(tensor, l0=l0, mean=True)
    found = ConnectionCost(l0=l0, scale=scale, reduction="mean").value(layout, placement, tensors)
    assert found == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("biases", [False, True])
def test_images_lie_on_grids_classes_on_a_ring_and_the_last_layer_pays_for_no_length(biases: bool) -> None:
    l0, scale = 0.5, 2.0
    groups = [Group.grid("x", 784, movable=False), Group.grid("h1", 100), Group.grid("h2", 100), Group.ring("y", 10)]
    pieces = [linear(f"layers.{i}", source=groups[i], target=groups[i + 1]) for i in range(3)]
    layout = Layout.merge(*pieces, inputs="x", outputs="y")
    tensors, placement = drawn(mlp_shapes((784, 100, 100, 10))), shuffled(layout)
    ring = [(0.5 + 0.4 * np.cos(2 * np.pi * i / 10), 0.5 + 0.4 * np.sin(2 * np.pi * i / 10)) for i in range(10)]
    whole = [square(28, 28), square(10, 10), square(10, 10), ring]
    places = [placed_at(p, placement.slots[g.name]) for p, g in zip(whole, groups, strict=True)]
    by_hand = 0.0
    for i in range(3):
        own = scale if i < 2 else 0.0
        weight = tensors[f"layers.{i}.weight"]
        by_hand += weights_by_hand(weight, places[i + 1], places[i], l0=l0, scale=own, mean=True)
        by_hand += entries_by_hand(tensors[f"layers.{i}.bias"], l0=l0, mean=True) if biases else 0.0
    cost = ConnectionCost(l0=l0, scale=scale, reduction="mean", without_distance=frozenset({"layers.2.weight"}))
    assert cost.value(layout, placement, tensors, biases=biases) == pytest.approx(by_hand, rel=1e-12)


# ---- beyond the table


def test_a_recurrent_weight_pays_for_the_way_from_neuron_to_neuron() -> None:
    x, h = Group.line("x", 2), Group.line("h", 5)
    layout = recurrent("rnn", source=x, state=h)
    shapes = {"rnn.weight_ih_l0": (5, 2), "rnn.weight_hh_l0": (5, 5), "rnn.bias_ih_l0": (5,), "rnn.bias_hh_l0": (5,)}
    tensors, placement = drawn(shapes), shuffled(layout)
    state, source = placed_at(line(5), placement.slots["h"]), placed_at(line(2), placement.slots["x"])
    by_hand = weights_by_hand(tensors["rnn.weight_hh_l0"], state, state, l0=0.1, scale=1.0, mean=False)
    by_hand += weights_by_hand(tensors["rnn.weight_ih_l0"], state, source, l0=0.1, scale=1.0, mean=False)
    by_hand += sum(entries_by_hand(tensors[f"rnn.bias_{kind}_l0"], l0=0.1, mean=False) for kind in ("ih", "hh"))
    assert ConnectionCost().value(layout, placement, tensors) == pytest.approx(by_hand, rel=1e-12)


def test_a_transposed_weight_costs_the_same() -> None:
    x, h = Group.line("x", 3), Group.line("h", 4)
    weight = np.random.default_rng(0).normal(size=(4, 3))
    as_linear = Layout((x, h), {"w": TensorSpec("h x")})
    as_conv1d = Layout((x, h), {"w": TensorSpec("x -> h")})
    placement = shuffled(as_linear)
    straight = ConnectionCost().value(as_linear, placement, {"w": weight})
    assert ConnectionCost().value(as_conv1d, placement, {"w": weight.T}) == pytest.approx(straight, rel=1e-12)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_plain_l1_pays_the_average_price_whatever_the_length(reduction: str) -> None:
    layout, tensors = MLP([3, 4]).layout(), drawn({"layers.0.weight": (4, 3), "layers.0.bias": (4,)})
    cost = replace(ConnectionCost(l0=0.3, scale=2.0, local=False), reduction=reduction)
    gaps = [abs(a - b) for (a,) in line(4) for (b,) in line(3)]
    price = 2.0 * sum(gaps) / 12 + 0.3
    share = 1 / 12 if reduction == "mean" else 1.0
    by_hand = price * share * float(np.abs(tensors["layers.0.weight"].astype(float)).sum())
    by_hand += entries_by_hand(tensors["layers.0.bias"], l0=0.3, mean=reduction == "mean")
    for seed in range(3):
        assert cost.value(layout, shuffled(layout, seed), tensors) == pytest.approx(by_hand, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["sum", "mean"]), st.booleans())
def test_prices_are_the_gradient_of_the_cost(seed: int, reduction: str, biases: bool) -> None:
    layout = MLP([3, 4, 2]).layout()
    tensors = {n: t.astype(np.float64) for n, t in drawn(mlp_shapes((3, 4, 2)), seed).items()}
    cost, placement = replace(ConnectionCost(), reduction=reduction), shuffled(layout, seed)
    prices = cost.prices(layout, placement, {n: t.shape for n, t in tensors.items()}, biases=biases)
    generator = np.random.default_rng(seed)
    for name, tensor in tensors.items():
        index = tuple(generator.integers(0, tensor.shape))
        changed = tensor.copy()
        changed[index] *= 2.0
        rise = cost.value(layout, placement, {**tensors, name: changed}, biases=biases)
        rise -= cost.value(layout, placement, tensors, biases=biases)
        assert rise == pytest.approx(prices[name][index] * abs(tensor[index]), rel=1e-9, abs=1e-12)
