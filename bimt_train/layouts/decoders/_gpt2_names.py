"""Decoders built like GPT-2: Conv1D layers that store [in, out], learned positions."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._group import Group
from ._decoder import DecoderFamily


def _groups(layer: Any, n: int) -> tuple[tuple[Group, ...], Mapping[str, int]]:
    """The readers a, q, k and v of a head in one slot as in `attention`, and the neurons m of the MLP."""
    readers = Group.line(f"a{n}", layer.attn.c_proj.weight.shape[0], heads=layer.attn.num_heads)
    return (readers, Group.line(f"m{n}", layer.mlp.c_fc.weight.shape[1])), {}


GPT2 = DecoderFamily(
    name="GPT-2",
    base="transformer",
    layers="h",
    mark="h.N.attn.c_attn.weight",
    table=MappingProxyType(
        {
            "wte.weight": ("_ resid", "embedding"),
            "wpe.weight": ("_ resid", "embedding"),
            "h.N.ln_1.weight": ("resid", "norm"),
            "h.N.ln_1.bias": ("resid", "norm"),
            "h.N.attn.c_attn.weight": ("resid -> (3 a{n})", "weight"),
            "h.N.attn.c_attn.bias": ("(3 a{n})", "bias"),
            "h.N.attn.c_proj.weight": ("a{n} -> resid", "weight"),
            "h.N.attn.c_proj.bias": ("resid", "bias"),
            "h.N.ln_2.weight": ("resid", "norm"),
            "h.N.ln_2.bias": ("resid", "norm"),
            "h.N.mlp.c_fc.weight": ("resid -> m{n}", "weight"),
            "h.N.mlp.c_fc.bias": ("m{n}", "bias"),
            "h.N.mlp.c_proj.weight": ("m{n} -> resid", "weight"),
            "h.N.mlp.c_proj.bias": ("resid", "bias"),
            "ln_f.weight": ("resid", "norm"),
            "ln_f.bias": ("resid", "norm"),
            "lm_head.weight": ("_ resid", "embedding"),
        }
    ),
    groups=_groups,
)
