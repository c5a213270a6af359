import pytest
import torch
from torch import nn

from bimt_train import LayoutError
from bimt_train.layouts import Group, Layout, TensorSpec, bind
from bimt_train.models import MLP


def _declared(layout: Layout, **patterns: str | None) -> Layout:
    """The layout with some declarations replaced, or taken away; __ stands for a dot."""
    tensors = dict(layout.tensors)
    for name, pattern in patterns.items():
        if pattern is None:
            del tensors[name.replace("__", ".")]
        else:
            tensors[name.replace("__", ".")] = TensorSpec(pattern)
    return Layout(layout.groups, tensors, layout.inputs, layout.outputs)


NET = MLP([4, 6, 2], generator=torch.Generator().manual_seed(0))


def test_a_true_layout_is_given_back() -> None:
    layout = NET.layout()
    assert bind(layout, NET) is layout


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layers__0__bias": None, "layers__1__weight": None},
            "undeclared parameters or buffers: 'layers.0.bias' (6,), 'layers.1.weight' (2, 6): "
            "expected a pattern for each axis, got none; "
            "hint: declare each in the layout, with _ for an axis that no neuron indexes",
        ),
        (
            {"layers__0__weight": "x h1"},
            "a tensor contradicts the layout: tensor 'layers.0.weight', pattern \"x h1\", shape (6, 4), axis 0: "
            "expected 4 (x=4), got 6; "
            'hint: the tensor is transposed: declare "h1 -> x" in place of "x h1", or "h1 x" if h1 is the target',
        ),
        (
            {"layers__1__bias": "h1"},
            "a tensor contradicts the layout: tensor 'layers.1.bias', pattern \"h1\", shape (2,), axis 0: "
            "expected 6 (h1=6), got 2; hint: correct the pattern, or the size of the group",
        ),
        (
            {"layers__0__weight": "(3 h1) x"},
            "a tensor contradicts the layout: tensor 'layers.0.weight', pattern \"(3 h1) x\", shape (6, 4), axis 0: "
            "expected 18 (3 * h1=6), got 6; hint: correct the pattern, or the size of the group",
        ),
        (
            {"layers__0__weight": "h1"},
            "a tensor contradicts the layout: tensor 'layers.0.weight', pattern \"h1\", shape (6, 4): "
            "expected 1 axes, got 2; hint: name one group, number or _ for each axis",
        ),
        (
            {"layers__2__bias": "y"},
            "declared tensors that the module does not have: 'layers.2.bias': "
            "expected layers.0.weight, layers.0.bias, layers.1.weight, layers.1.bias, got no such tensor; "
            "hint: correct the names",
        ),
    ],
)
def test_a_false_layout_is_refused(changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(LayoutError) as caught:
        bind(_declared(NET.layout(), **changes), NET)
    assert str(caught.value) == message


def test_buffers_are_declared_too_but_those_that_are_not_saved_need_not_be() -> None:
    module = nn.BatchNorm1d(3)
    module.register_buffer("mask", torch.zeros(3, 3), persistent=False)
    group = Group.line("h", 3)
    layout = Layout((group,), {"weight": TensorSpec("h", "norm"), "bias": TensorSpec("h", "norm")})
    with pytest.raises(LayoutError) as caught:
        bind(layout, module)
    assert caught.value.where == "'running_mean' (3,), 'running_var' (3,), 'num_batches_tracked' ()"
    buffers = {"running_mean": "h", "running_var": "h", "num_batches_tracked": ""}
    assert bind(_declared(layout, **buffers), module).touching("h") == ("weight", "bias", "running_mean", "running_var")
    bind(_declared(layout, **buffers, mask="_ _"), module)
    with pytest.raises(LayoutError, match="tensor 'mask'"):
        bind(_declared(layout, **buffers, mask="_ _ _"), module)


@pytest.mark.parametrize("name", ["0.weight", "1.weight"])
def test_one_name_of_a_tied_tensor_is_enough(name: str) -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    module[1].weight = module[0].weight
    biases = {"0.bias": TensorSpec("h"), "1.bias": TensorSpec("h")}
    groups = (Group.line("h", 3),)
    layout = Layout(groups, {name: TensorSpec("h h"), **biases})
    assert bind(layout, module) is layout
    with pytest.raises(LayoutError) as caught:
        bind(Layout(groups, biases), module)
    assert caught.value.where == "'0.weight' (3, 3), '1.weight' (3, 3)"
