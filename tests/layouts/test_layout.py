import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_train import LayoutError
from bimt_train.layouts import Group, Layout, TensorSpec, linear
from bimt_train.models import MLP

X, H, Y = Group.line("x", 2), Group.line("h", 3), Group.line("y", 1)
CHAIN = Layout.merge(linear("a", source=X, target=H), linear("b", source=H, target=Y), inputs="x", outputs="y")


@pytest.mark.parametrize(
    ("pattern", "role"),
    [
        ("h x", "weight"),
        ("x -> h", "weight"),
        ("h h", "weight"),
        ("h", "bias"),
        ("(3 h)", "bias"),
        ("_ h", "embedding"),
        ("_", "buffer"),
        ("", "buffer"),
    ],
)
def test_the_role_follows_from_the_pattern(pattern: str, role: str) -> None:
    assert TensorSpec(pattern).role == role


def test_a_stated_role_stands() -> None:
    assert TensorSpec("h", "norm").role == "norm"
    assert TensorSpec("h x", "buffer").role == "buffer"


def test_the_inverse_index_is_derived() -> None:
    assert CHAIN.touching("h") == ("a.weight", "a.bias", "b.weight")
    assert CHAIN.touching("x") == ("a.weight",)
    assert CHAIN.weights() == ("a.weight", "b.weight")
    assert dict(CHAIN.sizes) == {"x": 2, "h": 3, "y": 1}


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.booleans(),
)
def test_json_and_back(widths: list[int], movable: bool) -> None:
    layout = MLP(widths).layout(input_labels=[f"in {i}" for i in range(widths[0])], movable_ends=movable)
    copy = Layout.from_json(json.loads(json.dumps(layout.to_json())))
    assert copy == layout
    assert hash(copy) == hash(layout)
    assert copy.groups == layout.groups
    assert list(copy.tensors) == list(layout.tensors)


def test_json_keeps_grids_rings_heads_and_roles() -> None:
    groups = (Group.grid("a", (2, 3)), Group.ring("b", 5, movable=False), Group.line("c", 4, heads=2))
    tensors = {"w": TensorSpec("(3 a) b"), "n": TensorSpec("c", "norm"), "e": TensorSpec("_ c")}
    layout = Layout(groups, tensors, inputs="a")
    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


def test_equal_layouts_have_equal_hashes_whatever_the_order_of_their_tensors() -> None:
    turned = Layout(CHAIN.groups, dict(reversed(CHAIN.tensors.items())), "x", "y")
    assert turned == CHAIN
    assert hash(turned) == hash(CHAIN)


def test_layouts_that_differ_are_unequal() -> None:
    assert Layout(CHAIN.groups, CHAIN.tensors, "x", "") != CHAIN
    assert CHAIN.with_groups([Group.line("h", 4)]) != CHAIN
    assert CHAIN.with_groups([Group.line("h", 4)]).sizes["h"] == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Layout((X, X), {}),
            "a group is declared twice: x; hint: give each group its own name",
        ),
        (
            lambda: Layout((X,), {"w": TensorSpec("z x")}),
            "unknown group: tensor 'w', pattern \"z x\": expected x, got z; "
            "hint: declare the group, or correct the name",
        ),
        (
            lambda: Layout((X,), {}, outputs="z"),
            "unknown group: inputs and outputs: expected x, got z; hint: declare the group, or correct the name",
        ),
        (
            lambda: TensorSpec("h", "weight"),
            'a weight joins two groups: pattern "h": expected 2 groups, got 1; hint: name both groups, or another role',
        ),
        (
            lambda: Layout.merge(Layout((X,), {}), Layout((Group.line("x", 3),), {})),
            "two fragments declare a group differently: group 'x'; hint: share one Group object",
        ),
        (
            lambda: Layout.merge(linear("a", source=X, target=H), linear("a", source=X, target=H)),
            "two fragments declare one tensor: tensor 'a.weight'; hint: declare it once",
        ),
        (lambda: CHAIN.group("z"), "unknown group: expected x, h, y, got z; hint: correct the name"),
    ],
)
def test_a_bad_layout_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(LayoutError) as caught:
        make()
    assert str(caught.value) == message


def test_a_layout_keeps_its_own_copy_of_the_declarations() -> None:
    tensors = {"w": TensorSpec("h x")}
    layout = Layout((X, H), tensors)
    tensors["v"] = TensorSpec("h")
    assert list(layout.tensors) == ["w"]
