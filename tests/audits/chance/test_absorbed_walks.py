"""Ends of walks by blocks of groups against one system of equations for all neurons."""

import numpy as np
import pytest

from bimt_analyze.audits.chance._absorbed_walks import absorbed

SIZES = {"a": 3, "b": 5, "c": 2, "d": 4}
JOINED = {
    "layers": [("b", "a"), ("c", "b"), ("d", "b"), ("d", "c")],
    "a circle of groups": [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("d", "c")],
    "a group that reads itself": [("b", "b"), ("c", "b"), ("b", "d")],
    "all": [(row, column) for row in SIZES for column in SIZES],
}


@pytest.mark.parametrize("joined", JOINED.values(), ids=JOINED)
def test_blocks_lead_where_all_equations_at_once_do(joined: list[tuple[str, str]]) -> None:
    random, samples, ends = np.random.default_rng(0), 3, 2
    starts = dict(zip(SIZES, np.cumsum([0, *SIZES.values()]), strict=False))
    size = sum(SIZES.values())
    whole, last = np.zeros((samples, size, size)), random.random((samples, size, ends))
    for row, column in joined:
        rows, columns = (slice(starts[group], starts[group] + SIZES[group]) for group in (row, column))
        whole[:, rows, columns] = random.random((samples, SIZES[row], SIZES[column]))
    total = whole.sum(2, keepdims=True) + last.sum(2, keepdims=True)
    whole, last = whole / total, last / total
    piece = {group: slice(starts[group], starts[group] + SIZES[group]) for group in SIZES}
    steps = {(row, column): whole[:, piece[row], piece[column]] for row, column in joined}
    found = absorbed(steps, {group: last[:, piece[group]] for group in SIZES})
    expected = np.linalg.solve(np.eye(size) - whole, last)
    for group in SIZES:
        assert np.allclose(found[group], expected[:, piece[group]], atol=1e-12)


def test_what_is_given_stays_as_it_is() -> None:
    steps = {("b", "a"): np.ones((1, 1, 1)), ("b", "b"): np.full((1, 1, 1), 0.5)}
    known = {"a": np.ones((1, 1, 1)), "b": np.zeros((1, 1, 1))}
    assert absorbed(steps, known)["b"].item() == pytest.approx(2.0)
    assert sorted(steps) == [("b", "a"), ("b", "b")] and known["b"].item() == 0.0
