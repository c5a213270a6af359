"""Layouts of torch's own modules are certified; what is no chain, and broken variants, are refused by name."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bimt_train import LayoutError, verify
from bimt_train.layouts import TensorSpec, layout_for

X = torch.randn((20, 6), generator=torch.Generator().manual_seed(0))
SEQUENCE = torch.randn((4, 5, 12), generator=torch.Generator().manual_seed(0))


def encoder(
    *, norm_first: bool = False, bias: bool = True, final: bool = True, heads: int = 3
) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(12, heads, 7, batch_first=True, norm_first=norm_first, bias=bias, dropout=0.1)
    last = nn.LayerNorm(12) if final else None
    return nn.TransformerEncoder(layer, 2, norm=last, enable_nested_tensor=False)


CHAINS = {
    "plain": lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)),
    "without biases": lambda: nn.Sequential(nn.Linear(6, 5, bias=False), nn.Tanh(), nn.Linear(5, 4, bias=False)),
    "norms and dropout": lambda: nn.Sequential(
        nn.LayerNorm(6), nn.Linear(6, 5), nn.Dropout(0.5), nn.RMSNorm(5), nn.GELU(), nn.Identity(), nn.Linear(5, 4)
    ),
    "one layer": lambda: nn.Sequential(nn.Linear(6, 4)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains_are_certified(name: str) -> None:
    module = CHAINS[name]()
    layout = layout_for(module)
    assert (layout.inputs, layout.outputs, layout.sizes["x"], layout.sizes["y"]) == ("x", "y", 6, 4)
    verify(module, layout, X)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("final", [False, True])
def test_encoders_are_certified(norm_first: bool, bias: bool, final: bool) -> None:
    module = encoder(norm_first=norm_first, bias=bias, final=final)
    layout = layout_for(module)
    assert layout.group("a2").heads == 3
    verify(module, layout, SEQUENCE)


@pytest.mark.parametrize(
    ("tensor", "pattern"),
    [
        ("layers.0.self_attn.in_proj_weight", "(a1 3) resid"),
        ("layers.1.self_attn.out_proj.weight", "a2 -> resid"),
        ("layers.0.norm1.weight", "_"),
        ("layers.1.linear1.bias", "_"),
    ],
)
def test_broken_encoders_are_refused(tensor: str, pattern: str) -> None:
    module = encoder()
    layout = layout_for(module)
    broken = replace(layout, tensors={**layout.tensors, tensor: TensorSpec(pattern)})
    with pytest.raises(LayoutError, match=tensor.replace(".", r"\.")):
        verify(module, broken, SEQUENCE)


def test_ignored_heads_are_refused() -> None:
    module = encoder()
    layout = layout_for(module)
    with pytest.raises(LayoutError, match="heads=3"):
        verify(module, layout.with_groups([replace(layout.group("a1"), heads=1)]), SEQUENCE)


@pytest.mark.parametrize("module", [nn.Conv2d(1, 1, 1), nn.Sequential(nn.ReLU())])
def test_modules_that_need_example_inputs_say_so(module: nn.Module) -> None:
    said = "no layout is known for this module: expected .* or example inputs, got .*; hint: give example inputs"
    with pytest.raises(LayoutError, match=said):
        layout_for(module)
