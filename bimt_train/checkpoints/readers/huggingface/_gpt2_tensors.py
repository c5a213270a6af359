"""GPT-2 as transformers saves it, as the model `GPT`: the same function, with the weights of the file."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ....models._gpt import GPTOptions
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

_LABEL, _HEAD = "a GPT-2", "GPT2LMHeadModel"
# GPT-2's part of a block -> ours; those of Conv1D are stored [in, out]
_PARTS = {
    "ln_1": ("norm1", False),
    "attn.c_attn": ("qkv", True),
    "attn.c_proj": ("out", True),
    "ln_2": ("norm2", False),
    "mlp.c_fc": ("up", True),
    "mlp.c_proj": ("down", True),
}
_MASKS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")  # buffers of older versions, which hold no weights


def gpt2_network(config: Config, found: Tensors) -> tuple[Network, list[str]]:
    """Make the network of a GPT-2: causal, pre-norm, learned positions, with a language-model head.

    Parameters
    ----------
    config : Config
        What config.json says.
    found : Tensors
        The folder's tensors, with or without ``transformer.`` before their names.

    Returns
    -------
    network : Network
        A `GPT`. Its function is that of the saved model in evaluation.
    assumed : list of str
        What was inferred, a sentence each.

    Raises
    ------
    CheckpointError
        The config asks for what `GPT` does not do, or contradicts the tensors, or tensors are left over.
    """
    options, said = _options(config)
    state = state_of(config, found, prefix="transformer.", buffers=_MASKS)
    embedding = "wte.weight" if config.flag("tie_word_embeddings", True) else HEAD
    check_shapes(config, _shapes(options, embedding), state, label=_LABEL, head=_HEAD)
    arrays = arrays_of(state)
    tensors = {
        "embedding.weight": arrays["wte.weight"], "positions.weight": arrays["wpe.weight"],
        "norm.weight": arrays["ln_f.weight"], "norm.bias": arrays["ln_f.bias"],
        "write.weight": unembedding(config, arrays, embedding, said),
        "write.bias": np.zeros(options.tokens, np.float32),
    }  # fmt: skip
    for index in range(options.layers):
        for theirs, (ours, turned) in _PARTS.items():
            weight = arrays[f"h.{index}.{theirs}.weight"]
            tensors[f"blocks.{index}.{ours}.weight"] = weight.T if turned else weight
            tensors[f"blocks.{index}.{ours}.bias"] = arrays[f"h.{index}.{theirs}.bias"]
    return network_of_kind("gpt", options, tensors), said


def _options(config: Config) -> tuple[GPTOptions, list[str]]:
    """What the config says, as options of `GPT`; what `GPT` does not do is refused by name."""
    said: list[str] = []
    check_head(config, label=_LABEL, head=_HEAD, ending="LMHeadModel", said=said)
    refuse_fields(config, ("add_cross_attention", "pruned_heads", "quantization_config"), _LABEL)
    for name, default in (("activation_function", "gelu_new"), ("layer_norm_epsilon", 1e-5)):
        if not config.has(name):
            said.append(f"config.json does not say {name}: {default}, as in transformers")
    activation = activation_of(config, "activation_function", "gelu_new")
    width, heads, layers = (config.size(name) for name in ("n_embd", "n_head", "n_layer"))
    if width % heads:
        raise config.wrong("n_head", f"a divisor of n_embd, {width}", heads)
    epsilon = config.number("layer_norm_epsilon", 1e-5)
    config.flag("reorder_and_upcast_attn", False)  # which changes the rounding alone
    options: dict[str, Any] = {
        "tokens": config.size("vocab_size"), "context": config.size("n_positions"), "width": width, "heads": heads,
        "layers": layers, "hidden": config.size("n_inner", 4 * width), "scale": _scale(config, width // heads),
    }  # fmt: skip
    options |= {} if activation == "gelu_tanh" else {"activation": activation}
    options |= {} if epsilon == 1e-5 else {"epsilon": epsilon}
    return GPTOptions(**options), said


def _scale(config: Config, size: int) -> float | list[float] | None:
    """What scores are multiplied with, where it is not 1/sqrt(size of a head)."""
    usual = config.flag("scale_attn_weights", True)
    by_layer = config.flag("scale_attn_by_inverse_layer_idx", False)
    one = size**-0.5 if usual else 1.0
    if by_layer:
        layers = config.size("n_layer")
        if layers > 10_000:  # a list is made here, before the tensors are asked
            raise config.wrong("n_layer", "as many layers as there are tensors for", layers)
        return [one / (index + 1) for index in range(layers)]
    return None if usual else one


def _shapes(options: GPTOptions, head: str) -> Iterator[Expected]:
    w, ours = options.width, dict(_PARTS.values())
    yield Expected("wte.weight", (options.tokens, w), "vocab_size and n_embd")
    yield Expected("wpe.weight", (options.context, w), "n_positions and n_embd")
    if head == HEAD:
        yield Expected(head, (options.tokens, w), "vocab_size and n_embd")
    yield from (Expected(f"ln_f.{kind}", (w,), "n_embd") for kind in ("weight", "bias"))
    theirs = {ours: name for name, (ours, _) in _PARTS.items()}
    hidden = options.hidden
    assert isinstance(hidden, int)
    sizes = {"norm1": (w,), "qkv": (3 * w, w), "out": (w, w), "norm2": (w,), "up": (hidden, w), "down": (w, hidden)}
    for index in range(options.layers):
        for part, shape in sizes.items():
            name = f"h.{index}.{theirs[part]}"
            yield Expected(f"{name}.weight", shape[::-1] if ours[part] else shape, "n_layer, n_embd and n_inner")
            yield Expected(f"{name}.bias", shape[:1], "n_layer, n_embd and n_inner")
