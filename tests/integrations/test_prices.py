"""Prices that are made from places, against those that `ConnectionCost` gives for every entry."""

import numpy as np
import pytest
import torch

from bimt_train import ConnectionCost
from bimt_train.connection_cost import COST_TERMS
from bimt_train.integrations import _add_gradients
from bimt_train.integrations._add_gradients import Charged, add_by_torch
from bimt_train.integrations._prices import DistancePrice, EqualPrice, StoredPrice, prices_of
from bimt_train.layouts import Group, Layout, Placement, TensorSpec, attention, embedding, linear, recurrent

LINE, GRID, SMALL = Group.line("a", 5), Group.grid("b", 6), Group.line("c", 4, heads=2)
LAYOUTS = {
    "lines": linear("w", source=LINE, target=Group.line("y", 3)),
    "grid": linear("w", source=GRID, target=Group.grid("y", 9)),
    "line to grid": linear("w", source=LINE, target=GRID),
    "copies": linear("w", source=LINE, target=GRID, copies=3),
    "transposed": Layout((LINE, GRID), {"w.weight": TensorSpec("a -> b")}),
    "recurrent": recurrent("w", source=LINE, state=GRID),
    "attention": attention("w", residual=LINE, readers=SMALL),
    "kernel": Layout((LINE, GRID), {"w.weight": TensorSpec("b a _ _"), "w.bias": TensorSpec("b")}),
    "one axis": Layout((LINE, GRID), {"w.weight": TensorSpec("(b a)")}),
    "embedding": Layout.merge(embedding("e", target=LINE), linear("w", source=LINE, target=SMALL)),
}
COSTS = {
    "sum": ConnectionCost(),
    "mean": ConnectionCost(l0=0.5, scale=2.0, reduction="mean", embedding=0.0),
    "average": ConnectionCost(local=False),
    "without": ConnectionCost(without_distance=frozenset({"w.weight"})),
}


@pytest.fixture(autouse=True)
def a_term_of_ones_own(monkeypatch):
    """Among the costs as long as a test runs; the registry is as it was afterwards."""
    monkeypatch.setattr(COST_TERMS, "_found", dict(COST_TERMS._found))
    COST_TERMS.register("squared_here", label="squared_here", sentence="The square.")(lambda d: d**2)
    monkeypatch.setitem(COSTS, "terms", ConnectionCost(terms={"squared_here": 0.3}))


def drawn(layout: Layout, seed: int = 0) -> tuple[Placement, dict[str, torch.Tensor]]:
    """Neurons in any slots, and weights of which some are 0."""
    draw = np.random.default_rng(seed)
    slots = {
        group.name: np.arange(group.size) if group.heads > 1 else draw.permutation(group.size)
        for group in layout.groups
    }
    tensors = {}
    for name, spec in layout.tensors.items():
        sizes = {**layout.sizes, None: 3}
        shape = tuple(int(np.prod([sizes.get(f, f) for f in axis])) for axis in spec.plan.axes)
        values = draw.normal(size=shape) * (draw.random(shape) > 0.3)
        tensors[name] = torch.tensor(values, dtype=torch.float32)
    return Placement({name: tuple(chosen.tolist()) for name, chosen in slots.items()}), tensors


@pytest.mark.parametrize("cost", [*COSTS, "terms"])
@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("piece", [1, 7, 10**6])
def test_prices_are_those_of_the_cost(name, cost, piece, monkeypatch):
    monkeypatch.setattr(_add_gradients, "_PIECE", piece)
    layout, wanted = LAYOUTS[name], COSTS[cost]
    placement, tensors = drawn(layout)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    prices = prices_of(wanted, layout, placement, tensors)
    for tensor, stored in wanted.prices(layout, placement, shapes).items():
        assert (tensor in prices) == bool(stored.any())
        if tensor in prices:
            w, gradient = tensors[tensor], torch.ones(shapes[tensor])
            np.testing.assert_allclose(prices[tensor].at(..., w).expand_as(w), stored, rtol=1e-5, atol=1e-7)
            add_by_torch(Charged(prices[tensor], gradient, w), 0.25)
            np.testing.assert_allclose(gradient, 1 + 0.25 * stored * np.sign(w.numpy()), rtol=1e-5, atol=1e-7)


def test_only_what_is_not_linear_in_the_distance_is_stored():
    for name, layout in LAYOUTS.items():
        placement, tensors = drawn(layout)
        for cost in COSTS.values():
            prices = prices_of(cost, layout, placement, tensors)
            for tensor, price in prices.items():
                if layout.tensors[tensor].role != "weight":
                    assert isinstance(price, EqualPrice)
                elif cost.terms or not cost.local or name == "one axis":
                    assert isinstance(price, StoredPrice | EqualPrice)
                else:
                    assert isinstance(price, DistancePrice | EqualPrice)
