"""Decoders built like Llama (Mistral, Qwen2, Qwen3, Gemma, ...): rotary positions, gated MLPs, grouped-query heads."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._group import Group
from ._decoder import DecoderFamily


def _groups(layer: Any, n: int) -> tuple[tuple[Group, ...], Mapping[str, int]]:
    """The key/value heads kv, each with the query heads that it serves, and the neurons m of the MLP.

    Rotary embedding turns the entries of queries and keys in pairs, each pair by an angle of its own, so entries within
    a head cannot change places: a neuron of kv is a whole head. Query heads are stored by the key/value head that
    serves them (``repeat_kv``), so that each tensor is a run of equal blocks, one a key/value head.
    """
    attention, width = layer.self_attn, layer.self_attn.head_dim
    heads = attention.k_proj.weight.shape[0] // width
    groups = Group.line(f"kv{n}", heads), Group.line(f"m{n}", layer.mlp.up_proj.weight.shape[0])
    return groups, {"width": width, "queries": attention.q_proj.weight.shape[0] // heads}


LLAMA = DecoderFamily(
    name="Llama",
    base="model",
    layers="layers",
    mark="layers.N.self_attn.q_proj.weight",
    table=MappingProxyType(
        {
            "embed_tokens.weight": ("_ resid", "embedding"),
            "layers.N.input_layernorm.weight": ("resid", "norm"),
            "layers.N.self_attn.q_proj.weight": ("(kv{n} {queries}) resid", "weight"),
            "layers.N.self_attn.q_proj.bias": ("(kv{n} {queries})", "bias"),
            "layers.N.self_attn.q_norm.weight": ("{width}", "norm"),
            "layers.N.self_attn.k_proj.weight": ("(kv{n} {width}) resid", "weight"),
            "layers.N.self_attn.k_proj.bias": ("(kv{n} {width})", "bias"),
            "layers.N.self_attn.k_norm.weight": ("{width}", "norm"),
            "layers.N.self_attn.v_proj.weight": ("(kv{n} {width}) resid", "weight"),
            "layers.N.self_attn.v_proj.bias": ("(kv{n} {width})", "bias"),
            "layers.N.self_attn.o_proj.weight": ("resid (kv{n} {queries})", "weight"),
            "layers.N.self_attn.o_proj.bias": ("resid", "bias"),
            "layers.N.post_attention_layernorm.weight": ("resid", "norm"),
            "layers.N.pre_feedforward_layernorm.weight": ("resid", "norm"),
            "layers.N.mlp.gate_proj.weight": ("m{n} resid", "weight"),
            "layers.N.mlp.gate_proj.bias": ("m{n}", "bias"),
            "layers.N.mlp.up_proj.weight": ("m{n} resid", "weight"),
            "layers.N.mlp.up_proj.bias": ("m{n}", "bias"),
            "layers.N.mlp.down_proj.weight": ("resid m{n}", "weight"),
            "layers.N.mlp.down_proj.bias": ("resid", "bias"),
            "layers.N.post_feedforward_layernorm.weight": ("resid", "norm"),
            "norm.weight": ("resid", "norm"),
            "lm_head.weight": ("_ resid", "embedding"),
        }
    ),
    groups=_groups,
)
