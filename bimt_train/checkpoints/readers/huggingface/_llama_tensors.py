"""Llama, Mistral, Qwen2 and Qwen3 as transformers saves them, as the model `Llama`: the same function."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from ....models.building_blocks._block_options import Each
from ....models.building_blocks._rotary_options import ACTIVATION, EPSILON, LlamaOptions
from ..._network import Network
from .._values import Tensors
from ..tensors._arrays import arrays_of
from ._config import Config
from ._folder_tensors import (
    HEAD,
    Expected,
    activation_of,
    check_head,
    check_shapes,
    network_of_kind,
    refuse_fields,
    state_of,
    unembedding,
)
from ._rotary import THETA, rotary_of

# the family's part of a block -> ours
_MAPS = {
    "self_attn.q_proj": "query", "self_attn.k_proj": "key", "self_attn.v_proj": "value", "self_attn.o_proj": "out",
    "mlp.gate_proj": "gate", "mlp.up_proj": "up", "mlp.down_proj": "down",
}  # fmt: skip
_NORMS = {"input_layernorm": "norm1", "post_attention_layernorm": "norm2"}
_QUERY_NORMS = {"self_attn.q_norm": "query_norm", "self_attn.k_norm": "key_norm"}
_BUFFERS = re.compile(r"(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq")
_EMBEDDING = "embed_tokens.weight"
_REFUSED = ("quantization_config", "pruned_heads", "num_experts", "num_local_experts", "num_experts_per_tok")
# lists of so many numbers are made before the tensors are asked: a window a layer, a turn a pair of neurons of a head
MOST_LAYERS, MOST_NEURONS = 10_000, 65_536

Biased = Callable[[Config], tuple[str, ...]]
Windows = Callable[[Config, int], Each | None]


def _by_flags(config: Config, *, mlp: bool) -> tuple[str, ...]:
    """Parts with biases, as attention_bias and mlp_bias say."""
    attention = config.flag("attention_bias", False)
    gated = mlp and config.flag("mlp_bias", False)
    return tuple(ours for theirs, ours in _MAPS.items() if (gated if theirs.startswith("mlp.") else attention))


def _no_window(config: Config, layers: int) -> None:
    return None


def _one_window(config: Config, layers: int) -> Each | None:
    """Mistral's: the same for all blocks; null means none, and a missing field transformers' default."""
    if "sliding_window" in config.values and not config.has("sliding_window"):
        return None
    return config.size("sliding_window", 4096)


def _windows_of_layers(config: Config, layers: int) -> Each | None:
    """Qwen's: in the layers that layer_types names, or from max_window_layers on, where use_sliding_window is true."""
    if not config.flag("use_sliding_window", False):
        kinds = config.values.get("layer_types") or []
        if not isinstance(kinds, list) or any(kind != "full_attention" for kind in kinds):
            raise config.wrong("layer_types", "full_attention alone, as use_sliding_window is not true", kinds)
        return None
    window = config.size("sliding_window", 4096)
    if layers > MOST_LAYERS:
        raise config.wrong("num_hidden_layers", "as many layers as there are tensors for", layers)
    first = 0 if config.values.get("max_window_layers") == 0 else config.size("max_window_layers", 28)
    usual = ["sliding_attention" if index >= first else "full_attention" for index in range(layers)]
    kinds = config.values.get("layer_types") or usual
    known = {"full_attention": config.size("max_position_embeddings", QWEN_CONTEXT), "sliding_attention": window}
    if not isinstance(kinds, list) or len(kinds) != layers or any(kind not in known for kind in map(str, kinds)):
        raise config.wrong("layer_types", f"full_attention or sliding_attention for each of {layers} layers", kinds)
    return [known[str(kind)] for kind in kinds]


@dataclass(frozen=True)
class _Family:
    """What models of one model_type have in common; numbers are transformers' own defaults.

    Attributes
    ----------
    label : str
        What such a model is called.
    head : str
        The class with the head of a language model.
    context : int
        ``max_position_embeddings``.
    biased : callable
        From a config to the parts of a block that have biases.
    windows : callable
        From a config and the number of blocks to how many tokens each attends to at most.
    kv_heads : int or None
        ``num_key_value_heads``; as many as heads where it is None.
    head_size : int or None
        ``head_dim``; width / heads where it is None.
    query_norm : bool
        Whether queries and keys are normed.
    """

    label: str
    head: str
    context: int
    biased: Biased
    windows: Windows
    kv_heads: int | None = None
    head_size: int | None = None
    query_norm: bool = False


QWEN_CONTEXT = 32_768
_FAMILIES: Mapping[str, _Family] = MappingProxyType(
    {
        "llama": _Family("a Llama", "LlamaForCausalLM", 2048, partial(_by_flags, mlp=True), _no_window),
        "mistral": _Family("a Mistral", "MistralForCausalLM", 131_072, lambda config: (), _one_window, kv_heads=8),
        "qwen2": _Family(
            "a Qwen2", "Qwen2ForCausalLM", QWEN_CONTEXT, lambda config: ("query", "key", "value"), _windows_of_layers,
            kv_heads=32,
        ),
        "qwen3": _Family(
            "a Qwen3", "Qwen3ForCausalLM", QWEN_CONTEXT, partial(_by_flags, mlp=False), _windows_of_layers,
            kv_heads=32, head_size=128, query_norm=True,
        ),
    }
)  # fmt: skip


def llama_network(config: Config, found: Tensors) -> tuple[Network, list[str]]:
    """Make the network of a model of Llama's family, with a language-model head.

    Parameters
    ----------
    config : Config
        What config.json says; its model_type is one of this family.
    found : Tensors
        The folder's tensors, with or without ``model.`` before their names.

    Returns
    -------
    network : Network
        A `Llama`. Its function is that of the saved model in evaluation.
    assumed : list of str
        What was inferred, a sentence each.

    Raises
    ------
    CheckpointError
        The config asks for what `Llama` does not do, or contradicts the tensors, or tensors are left over.
    """
    assert config.model_type is not None
    family = _FAMILIES[config.model_type]
    options, said = _options(config, family)
    biased = family.biased(config)
    state = state_of(config, found, prefix="model.", buffers=_BUFFERS)
    embedding = _EMBEDDING if config.flag("tie_word_embeddings", False) else HEAD
    check_shapes(
        config, _shapes(options, biased, embedding), state, label=family.label, head=family.head
    )  # fmt: skip
    arrays = arrays_of(state)
    tensors = {
        "embedding.weight": arrays[_EMBEDDING], "norm.weight": arrays["norm.weight"],
        "write.weight": unembedding(config, arrays, embedding, said),
        "write.bias": np.zeros(options.tokens, np.float32),
    }  # fmt: skip
    norms = _NORMS | (_QUERY_NORMS if options.query_norm else {})
    for index in range(options.layers):
        for theirs, ours in norms.items():
            tensors[f"blocks.{index}.{ours}.weight"] = arrays[f"layers.{index}.{theirs}.weight"]
        for theirs, ours in _MAPS.items():
            weight = tensors[f"blocks.{index}.{ours}.weight"] = arrays[f"layers.{index}.{theirs}.weight"]
            bias = arrays[f"layers.{index}.{theirs}.bias"] if ours in biased else np.zeros(len(weight), np.float32)
            tensors[f"blocks.{index}.{ours}.bias"] = bias
    without = ", ".join(ours for ours in _MAPS.values() if ours not in biased)
    said.append(f"biases that the family does not have are 0: {without}, and the unembedding's" if without else
                "the bias of the unembedding is 0: the family has none")  # fmt: skip
    return network_of_kind("llama", options, tensors), said


def _options(config: Config, family: _Family) -> tuple[LlamaOptions, list[str]]:
    """What the config says, as options of `Llama`; what `Llama` does not do is refused by name."""
    said: list[str] = []
    check_head(config, label=family.label, head=family.head, ending="ForCausalLM", said=said)
    refuse_fields(config, _REFUSED, family.label)
    for name, default in (("hidden_act", ACTIVATION), ("rms_norm_eps", EPSILON)):
        if not config.has(name):
            said.append(f"config.json does not say {name}: {default}, as in transformers")
    activation, epsilon = activation_of(config, "hidden_act", ACTIVATION), config.number("rms_norm_eps", EPSILON)
    tokens, width, hidden, layers, heads = (
        config.size(name)
        for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    )
    missing = "num_key_value_heads" not in config.values
    kv_heads = config.size("num_key_value_heads", (missing and family.kv_heads) or heads)
    if heads % kv_heads:
        raise config.wrong("num_key_value_heads", f"a divisor of num_attention_heads, {heads}", kv_heads)
    if not config.has("head_dim") and family.head_size is None and width % heads:
        raise config.wrong("num_attention_heads", f"a divisor of hidden_size, {width}, or head_dim", heads)
    size = config.size("head_dim", family.head_size or width // heads)
    if size > MOST_NEURONS:
        raise config.wrong("head_dim", f"{MOST_NEURONS} or fewer", size)
    if size % 2:
        named = "head_dim" if config.has("head_dim") else "num_attention_heads"
        raise config.wrong(named, "heads with an even number of neurons, which turn in pairs", size)
    context = config.size("max_position_embeddings", family.context)
    windows = family.windows(config, layers)
    if isinstance(windows, int):
        windows = windows if windows < context else None
    elif windows is not None:
        windows = None if min(windows) >= context else windows
    options: dict[str, Any] = {
        "tokens": tokens, "context": context, "width": width, "heads": heads, "layers": layers, "hidden": hidden,
    }  # fmt: skip
    rotary = rotary_of(config, size, context)
    said += [rotary.said] if rotary.said else []
    options |= {} if rotary.theta == THETA else {"theta": rotary.theta}
    options |= {} if rotary.frequencies is None else {"frequencies": rotary.frequencies}
    options |= {} if kv_heads == heads else {"kv_heads": kv_heads}
    options |= {} if size * heads == width else {"head_size": size}
    options |= {} if activation == ACTIVATION else {"activation": activation}
    options |= {} if epsilon == EPSILON else {"epsilon": epsilon}
    if windows is not None:
        options["window"] = windows
        each = windows if isinstance(windows, int) else ", ".join(map(str, windows))
        said.append(f"a token attends to itself and those before it, at most so many (sliding_window): {each}")
    options |= {"query_norm": True} if family.query_norm else {}
    return LlamaOptions(**options), said


def _shapes(options: LlamaOptions, biased: tuple[str, ...], embedding: str) -> Iterator[Expected]:
    """Name and shape of each tensor by the family's names, of the parts that have one."""
    sizes = "hidden_size, num_attention_heads, num_key_value_heads, head_dim and intermediate_size"
    theirs = {ours: name for name, ours in (_MAPS | _NORMS | _QUERY_NORMS).items()}
    for name in dict.fromkeys((_EMBEDDING, embedding)):
        yield Expected(name, (options.tokens, options.width), "vocab_size and hidden_size")
    yield Expected("norm.weight", (options.width,), "hidden_size")
    for name, shape in options.shapes():
        if name.startswith("blocks."):
            _, index, ours, kind = name.split(".")
            if kind == "weight" or ours in biased:
                yield Expected(f"layers.{index}.{theirs[ours]}.{kind}", shape, f"num_hidden_layers, {sizes}")
