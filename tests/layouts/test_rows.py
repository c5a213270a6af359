"""Rows of inputs that parts of a group make up, and patterns that name parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_train import LayoutError, PatternError
from bimt_train.layouts import Group, Layout, TensorSpec, parse_pattern
from bimt_train.layouts._side_by_side import row_of, side_by_side

X, H = Group.line("x", 5), Group.line("h", 3)


@pytest.mark.parametrize(
    ("row", "neurons"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("(2 x)", [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]),
        ("(2 x[0:2]) x[2:5]", [0, 1, 0, 1, 2, 3, 4]),
        ("x[3:5] 2 x[0:3]", [3, 4, -1, -1, 0, 1, 2]),
        ("(x[0:2] 2) x[2:5]", [0, 0, 1, 1, 2, 3, 4]),
    ],
)
def test_a_row_says_which_neuron_each_column_is(row: str, neurons: list[int]) -> None:
    layout = Layout((X, H), {}, "x", "h", row)
    assert layout.input_neurons == tuple(neurons) and layout.columns == len(neurons)
    assert Layout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x[3:6]", r"neurons that a group does not have: row .*expected 5 neurons of 'x', got 3:6"),
        ("h", "a row of other than inputs"),
        ("_ x", "a row of other than inputs"),
        ("z", "unknown group: row"),
    ],
)
def test_rows_of_what_is_not_there_are_refused(row: str, said: str) -> None:
    with pytest.raises(LayoutError, match=said):
        Layout((X, H), {}, "x", "h", row)


def test_a_part_without_neurons_does_not_parse() -> None:
    with pytest.raises(PatternError, match=r"no neurons in x\[2:2\]"):
        parse_pattern("h x[2:2]")


def test_a_row_that_no_file_could_fill_is_counted_and_not_written_out() -> None:
    assert Layout((X, H), {}, "x", "h", "(999999999 x)").columns == 5 * 999999999


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=12))
def test_every_order_of_columns_has_a_row(neurons: list[int]) -> None:
    found = Layout((X, H), {}, "x", "h", row_of([*neurons, 0], "x", 5)).input_neurons
    assert found == (*neurons, 0)


def test_groups_side_by_side_are_one_whose_parts_are_read() -> None:
    a, b = Group.line("a", 2), Group("b", ((0.0,), (0.5,), (1.0,)), labels=("u", "v", "w"))
    tensors = {"p": TensorSpec("h a"), "q": TensorSpec("(2 b) -> h"), "r": TensorSpec("b")}
    joined = side_by_side(Layout((a, H, b), tensors, "a", "h"), ["b", "a"], "x")
    assert dict(joined.sizes) == {"h": 3, "x": 5} and joined.group("x").labels == ("u", "v", "w", "a.0", "a.1")
    assert [spec.pattern for spec in joined.tensors.values()] == ["h x[3:5]", "(2 x[0:3]) -> h", "x[0:3]"]
    assert (joined.inputs, joined.outputs) == ("", "h")
    weight = np.arange(18.0).reshape(6, 3)
    whole = joined.tensors["q"].plan
    assert whole.open_shape(weight.shape, joined.sizes) == (2, 3, 3)
