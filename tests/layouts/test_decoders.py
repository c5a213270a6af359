"""Layouts of Hugging Face decoders: certified on small random models, broken variants refused, moved and priced."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import ConnectionCost, LayoutError, relocate, verify
from bimt_train.layouts import Layout, Placement, TensorSpec, layout_for

transformers = pytest.importorskip("transformers", reason="decoders are those of the extra 'transformers'")

TOKENS = torch.randint(0, 11, (3, 6), generator=torch.Generator().manual_seed(0))
ENDS = {"vocab_size": 11, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "use_cache": False}


def gpt2(kind: str = "GPT2LMHeadModel", layers: int = 1, **options: object) -> nn.Module:
    config = transformers.GPT2Config(n_positions=8, n_embd=12, n_layer=layers, n_head=3, **ENDS, **options)
    return getattr(transformers, kind)(config)


def llama(
    kind: str = "Llama",
    heads: int = 4,
    served_by: int = 2,
    head: str = "ForCausalLM",
    layers: int = 1,
    **options: object,
) -> nn.Module:
    sizes = {"hidden_size": 16, "intermediate_size": 7, "num_hidden_layers": layers, "max_position_embeddings": 8}
    sizes |= {"num_attention_heads": heads, "num_key_value_heads": served_by}
    config = getattr(transformers, f"{kind}Config")(**sizes, **ENDS, **options)
    return getattr(transformers, f"{kind}{head}")(config)


DECODERS: dict[str, Callable[[], nn.Module]] = {
    "gpt2": gpt2,
    "gpt2, two layers": lambda: gpt2(layers=2),
    "gpt2 untied": lambda: gpt2(tie_word_embeddings=False),
    "gpt2 without a head": lambda: gpt2("GPT2Model"),
    "llama, one key for each query": lambda: llama(served_by=4),
    "llama, grouped": llama,
    "llama, two layers": lambda: llama(layers=2),
    "llama, one key for all": lambda: llama(served_by=1),
    "llama, tied": lambda: llama(tie_word_embeddings=True),
    "llama without a head": lambda: llama(head="Model"),
    "llama with biases": lambda: llama(attention_bias=True, mlp_bias=True),
    "mistral, narrow heads": lambda: llama("Mistral", head_dim=6),
    "qwen2, biases of q, k, v": lambda: llama("Qwen2"),
    "qwen3, norms of q and k": lambda: llama("Qwen3", head_dim=4),
    "gemma2, norms behind": lambda: llama("Gemma2", head_dim=4),
}


@pytest.mark.parametrize("name", DECODERS)
def test_decoders_are_certified(name: str) -> None:
    module = DECODERS[name]()
    layout = layout_for(module)
    certificate = verify(module, layout, TOKENS)
    assert max(certificate.deviations.values()) < 1e-12
    assert {"resid", "m1"} < layout.sizes.keys()
    # even a bias of keys is heard, since rotary positions turn it, and GPT-2 keeps it in one tensor with the others
    assert certificate.silent == ()


def test_heads_are_read_off_the_module() -> None:
    assert layout_for(gpt2(layers=2)).group("a2").heads == 3
    grouped = layout_for(llama("Mistral", heads=6, served_by=3, head_dim=2, layers=2))
    assert grouped.sizes["kv2"] == 3
    assert grouped.tensors["model.layers.1.self_attn.q_proj.weight"].pattern == "(kv2 4) resid"
    assert grouped.tensors["model.layers.1.self_attn.k_proj.weight"].pattern == "(kv2 2) resid"


@pytest.mark.parametrize("name", ["gpt2", "llama, tied"])
def test_a_tied_embedding_is_declared_and_paid_for_once(name: str) -> None:
    module = DECODERS[name]()
    layout = layout_for(module)
    assert layout.tensors.keys() == dict(module.named_parameters()).keys()
    assert "lm_head.weight" in module.state_dict()
    assert "lm_head.weight" not in layout.tensors
    both = replace(layout, tensors={**layout.tensors, "lm_head.weight": TensorSpec("_ resid")})
    verify(module, both, TOKENS)  # naming both is as good


BROKEN = [
    ("gpt2", "transformer.h.0.attn.c_attn.weight", "resid -> (a1 3)"),  # q, k, v interleaved
    ("gpt2", "transformer.h.0.attn.c_proj.weight", "resid a1"),  # stored the other way round
    ("gpt2", "transformer.h.0.mlp.c_fc.bias", "_"),  # a bias that stays behind
    ("gpt2", "transformer.h.0.ln_2.weight", "_"),  # a norm that does not follow the stream
    ("gpt2 untied", "lm_head.weight", "_ _"),
    ("gpt2 untied", "transformer.h.0.attn.c_attn.bias", "(a1 3)"),
    ("gpt2 untied", "transformer.ln_f.bias", "_"),
    ("llama, one key for each query", "model.layers.0.self_attn.o_proj.weight", "(kv1 4) -> resid"),
    ("llama, one key for each query", "model.layers.0.self_attn.k_proj.weight", "(4 kv1) resid"),
    ("llama, one key for each query", "model.norm.weight", "_"),
    ("llama, grouped", "model.layers.0.self_attn.q_proj.weight", "(8 kv1) resid"),  # queries dealt out in turn
    ("llama, grouped", "model.layers.0.self_attn.o_proj.weight", "resid (2 kv1 4)"),
    ("llama, grouped", "model.layers.0.mlp.gate_proj.weight", "_ resid"),  # a gate that stays behind
    ("llama, grouped", "model.layers.0.input_layernorm.weight", "_"),
    ("llama, tied", "model.embed_tokens.weight", "_ _"),
    ("llama, tied", "model.layers.0.self_attn.q_proj.weight", "_ resid"),
    ("llama, tied", "model.layers.0.mlp.down_proj.weight", "resid _"),
    ("qwen2, biases of q, k, v", "model.layers.0.self_attn.k_proj.bias", "_"),
    ("qwen2, biases of q, k, v", "model.layers.0.self_attn.q_proj.bias", "(8 kv1)"),
    ("qwen2, biases of q, k, v", "model.layers.0.self_attn.v_proj.bias", "_"),
]


def broken(name: str, tensor: str, pattern: str) -> tuple[nn.Module, Layout]:
    module = DECODERS[name]()
    layout = layout_for(module)
    return module, replace(layout, tensors={**layout.tensors, tensor: TensorSpec(pattern)})


@pytest.mark.parametrize(("name", "tensor", "pattern"), BROKEN)
def test_broken_variants_are_refused(name: str, tensor: str, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bimt_train.layouts.certificate._diagnosis.MOST_TRIED", 0
    )  # the search for the culprit takes longer than the rest
    with pytest.raises(LayoutError, match="changes the outputs"):
        verify(*broken(name, tensor, pattern), TOKENS)


@pytest.mark.parametrize(
    ("name", "tensor", "pattern", "better"),
    [
        ("gpt2", "transformer.h.0.mlp.c_fc.bias", "_", "m1"),
        ("llama, grouped", "model.layers.0.mlp.gate_proj.weight", "_ resid", "m1 resid"),
        ("llama, grouped", "model.layers.0.self_attn.q_proj.weight", "(8 kv1) resid", "(kv1 8) resid"),
    ],
)
def test_the_culprit_is_named(name: str, tensor: str, pattern: str, better: str) -> None:
    with pytest.raises(LayoutError) as refused:
        verify(*broken(name, tensor, pattern), TOKENS)
    assert refused.value.hint == f'for \'{tensor}\' declare "{better}" in place of "{pattern}"'


def test_ignored_heads_are_refused() -> None:
    layout = layout_for(gpt2())
    with pytest.raises(LayoutError, match="heads=3"):
        verify(gpt2(), layout.with_groups([replace(layout.group("a1"), heads=1)]), TOKENS)


def test_entries_of_a_rotary_head_cannot_change_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the layout says of rotary heads, put to the test: one neuron for each entry is refused."""
    monkeypatch.setattr("bimt_train.layouts.certificate._diagnosis.MOST_TRIED", 0)  # no other reading would do
    module = llama(served_by=4)
    layout = layout_for(module)
    entries = replace(layout.group("kv1"), slots=tuple((k / 16,) for k in range(16)), heads=4)
    named = {n: spec for n, spec in layout.tensors.items() if "kv1" in spec.pattern}
    finer = {n: TensorSpec(spec.pattern.replace("(kv1 4)", "kv1"), spec.role) for n, spec in named.items()}
    layout = Layout(tuple(entries if g.name == "kv1" else g for g in layout.groups), {**layout.tensors, **finer})
    with pytest.raises(LayoutError, match="permuting group 'kv1' changes the outputs"):
        verify(module, layout, TOKENS)


@pytest.mark.parametrize("name", ["gpt2", "llama, grouped", "qwen2, biases of q, k, v"])
def test_decoders_are_priced_and_relocated(name: str) -> None:
    module = DECODERS[name]()
    layout = layout_for(module)
    tensors = {n: p.detach().numpy() for n, p in module.named_parameters()}
    cost, start = ConnectionCost(), Placement.identity(layout)
    moved = relocate(layout, start, tensors, cost)
    moved.check(layout)
    assert cost.value(layout, moved, tensors) < cost.value(layout, start, tensors)
    prices = cost.prices(layout, start, {n: t.shape for n, t in tensors.items()})
    assert all(not price.any() for n, price in prices.items() if layout.tensors[n].role == "norm")


def test_queries_lie_where_their_key_does() -> None:
    """Heads of a grouped layer by hand: query head h lies where key/value head h // 2 does, which serves it."""
    module = llama()
    layout = layout_for(module)
    shapes = {n: tuple(p.shape) for n, p in module.named_parameters()}
    prices = ConnectionCost(l0=0.0).prices(layout, Placement.identity(layout), shapes)
    place = [0.25, 0.25, 0.75, 0.75]
    stream = (np.arange(16) + 0.5) / 16
    expected = np.abs(np.repeat(place, 4)[:, None] - stream)
    np.testing.assert_allclose(prices["model.layers.0.self_attn.q_proj.weight"], expected)
    np.testing.assert_allclose(prices["model.layers.0.self_attn.o_proj.weight"], expected.T)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Mixtral", r"a decoder like Llama does not have: 'model.layers.0.mlp.gate.weight' \(8, 16\)"),
        ("Olmo2", 'q_norm.weight\', pattern "4".*: expected 4 .*got 16'),  # norms over all heads at once
    ],
)
def test_decoders_built_otherwise_are_refused_by_name(kind: str, said: str) -> None:
    with pytest.raises(LayoutError, match=said):
        layout_for(llama(kind))


@pytest.mark.parametrize("kind", ["Phi3", "Olmo2", "Mixtral"])
def test_decoders_built_otherwise_are_traced_with_example_inputs(kind: str) -> None:
    options = {"experts_implementation": "eager", "num_local_experts": 3} if kind == "Mixtral" else {}
    module = llama(kind, **options)
    layout = layout_for(module, TOKENS)
    assert {16, 7} <= {group.size for group in layout.groups if group.movable}  # the stream, the neurons of the MLP
    verify(module, layout, TOKENS)
