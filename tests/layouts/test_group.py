import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_train import LayoutError
from bimt_train.layouts import Group, distances


def test_a_line_has_the_papers_places() -> None:
    assert Group.line("h", 4).slots == ((0.125,), (0.375,), (0.625,), (0.875,))


def test_a_grid_is_filled_row_by_row() -> None:
    assert Group.grid("h", (1, 2)).slots == ((0.25, 0.5), (0.75, 0.5))
    assert Group.grid("h", 3).slots == ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75))
    assert Group.grid("h", 4) == Group.grid("h", (2, 2))
    assert Group.grid("h", 5).slots[-1] == (0.5 / 3 + 1 / 3, 0.5)


def test_a_ring_is_round() -> None:
    ring = Group.ring("y", 10, radius=0.3).coordinates
    assert np.allclose(np.hypot(*(ring - 0.5).T), 0.3)
    steps = np.hypot(*(ring - np.roll(ring, 1, axis=0)).T)
    assert np.allclose(steps, 2 * 0.3 * math.sin(math.pi / 10))
    assert np.allclose(ring[0], [0.8, 0.5])


@given(st.integers(1, 60))
def test_every_place_is_in_the_unit_square_and_taken_once(size: int) -> None:
    for group in (Group.line("a", size), Group.grid("a", size), Group.ring("a", size)):
        assert group.size == size == len(set(group.slots))
        assert all(0 <= c <= 1 for slot in group.slots for c in slot)


def test_distances_are_sums_over_axes() -> None:
    found = distances(np.array([[0.0, 0.0], [1.0, 0.5]]), np.array([[0.5, 0.25]]))
    assert found.tolist() == [[0.75], [0.75]]


def test_a_line_lies_along_the_first_axis_of_a_grid() -> None:
    assert distances(np.array([[0.5]]), np.array([[0.1, 0.9]])).tolist() == [[0.4]]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_distances_are_those_of_a_loop(points: list[tuple[float, float]]) -> None:
    array = np.array(points)
    looped = [[abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in points] for a in points]
    assert np.allclose(distances(array, array), looped)


def test_coordinates_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Group.line("h", 3).coordinates[0] = 7.0


def test_labels_name_neurons() -> None:
    assert Group.line("x", 2, labels=["mass", "speed"]).label(1) == "speed"
    assert Group.line("h", 2).label(1) == "h.1"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Group.line("h", 0), "a group without neurons: group 'h'; hint: give it at least one slot"),
        (
            lambda: Group("h", ((0.5,), (0.5, 0.5))),
            "slots must be finite and of one dimension: group 'h': got dimensions [1, 2]; "
            "hint: use Group.line, Group.grid or Group.ring",
        ),
        (
            lambda: Group("h", ((math.nan,),)),
            "slots must be finite and of one dimension: group 'h': got dimensions [1]; "
            "hint: use Group.line, Group.grid or Group.ring",
        ),
        (
            lambda: Group.line("h", 6, heads=4),
            "heads must divide the neurons: group 'h': expected a divisor of 6, got 4; "
            "hint: correct the number of heads",
        ),
        (
            lambda: Group.line("h", 3, labels=["a"]),
            "the number of labels is not the number of neurons: group 'h': expected 3, got 1; "
            "hint: give one label for each neuron, or none",
        ),
    ],
)
def test_a_bad_group_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(LayoutError) as caught:
        make()
    assert str(caught.value) == message
