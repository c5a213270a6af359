"""Assignments of large groups, which are not exact, against exact ones; and small ones, which are."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from bimt_train.connection_cost import _assignment
from bimt_train.connection_cost._assignment import assignment


def costs_of(kind: str, size: int, seed: int = 0) -> np.ndarray:
    """What neurons cost on a line, or on a grid, that read neurons at random places."""
    rng, line = np.random.default_rng(seed), np.arange(size) / size
    at = rng.random(size)
    if kind == "blocks":
        half = np.arange(size) % 2
        return (rng.random((size, size)) * (half[:, None] == (at > 0.5))) @ np.abs(at[:, None] - line)
    if kind == "sparse":
        return (rng.random((size, size)) * (rng.random((size, size)) < 3 / size)) @ np.abs(at[:, None] - line)
    side = int(size**0.5)
    slots = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) / side
    read = rng.random((50, 2))
    return rng.random((side**2, 50)) @ np.abs(slots[:, None] - read).sum(axis=2).T


@pytest.mark.parametrize("kind", ["blocks", "sparse", "grid"])
def test_a_large_group_is_assigned_nearly_as_well_as_can_be(kind, monkeypatch):
    monkeypatch.setattr(_assignment, "EXACT", 100)
    monkeypatch.setattr(_assignment, "_WINDOW", 50)
    costs = costs_of(kind, 400)
    rows, random = np.arange(len(costs)), np.random.default_rng(1).permutation(len(costs))
    found, best = assignment(costs), linear_sum_assignment(costs)[1]
    assert sorted(found) == rows.tolist()
    gained, possible = (costs[rows, random].sum() - costs[rows, slots].sum() for slots in (found, best))
    assert 0.99 * possible < gained <= possible * (1 + 1e-12)
    assert costs[rows, assignment(costs, best)].sum() <= costs[rows, best].sum() * (1 + 1e-12)  # a good start is kept


def test_a_small_group_is_assigned_exactly():
    costs = np.random.default_rng(0).random((60, 60))
    assert (assignment(costs) == linear_sum_assignment(costs)[1]).all()
    assert (assignment(costs, np.arange(60)) == assignment(costs)).all()
