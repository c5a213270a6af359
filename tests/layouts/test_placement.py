import pytest

from bimt_train import LayoutError
from bimt_train.layouts import Group, Layout, Placement

LAYOUT = Layout((Group.line("x", 4, heads=2), Group.grid("h", (1, 2))), {})


def test_the_identity_puts_neuron_i_in_slot_i() -> None:
    identity = Placement.identity(LAYOUT)
    assert dict(identity.slots) == {"x": (0, 1, 2, 3), "h": (0, 1)}
    assert identity.check(LAYOUT) is identity


def test_coordinates_are_those_of_the_slots() -> None:
    placed = Placement.identity(LAYOUT).moved("x", (3, 2, 0, 1))
    assert placed.coordinates(LAYOUT, "x").ravel().tolist() == [0.875, 0.625, 0.125, 0.375]
    assert placed.coordinates(LAYOUT, "h").tolist() == [[0.25, 0.5], [0.75, 0.5]]


def test_moving_gives_a_new_placement() -> None:
    identity = Placement.identity(LAYOUT)
    assert identity.moved("h", (1, 0)).slots["h"] == (1, 0)
    assert identity.slots["h"] == (0, 1)
    assert identity.moved("h", (1, 0)) != identity
    assert identity.moved("h", (0, 1)) == identity
    assert hash(identity.moved("h", (0, 1))) == hash(identity)


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        (
            {"x": (0, 1, 2, 3)},
            "the groups of a placement are not those of the layout: expected x, h, got x; "
            "hint: place each group of the layout once",
        ),
        (
            {"x": (0, 1, 2, 2), "h": (0, 1)},
            "a placement must give every neuron a slot of its own: group 'x': expected a permutation of 0..3, "
            "got (0, 1, 2, 2); hint: use each slot once",
        ),
        (
            {"x": (0, 1, 2, 3), "h": (0, 2)},
            "a placement must give every neuron a slot of its own: group 'h': expected a permutation of 0..1, "
            "got (0, 2); hint: use each slot once",
        ),
        (
            {"x": (0, 2, 1, 3), "h": (0, 1)},
            "a placement splits a head: group 'x'; hint: keep the neurons of a head in one block of slots",
        ),
    ],
)
def test_a_bad_placement_is_refused(slots: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(LayoutError) as caught:
        Placement(slots).check(LAYOUT)
    assert str(caught.value) == message
