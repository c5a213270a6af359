"""GPT-2 as transformers saves it, as the model `GPT`: the same function, with the weights of the file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...._errors import CheckpointError
from ....layouts._placement import Placement
from ....models._gpt import GPTOptions
from ....models._model_spec import ModelSpec
from ....models._models import build_model
from ....models.building_blocks._activations import ACTIVATIONS, activation_name
from ..._network import Network
from .._values import Tensors
from ..tensors._arrays import arrays_of
from ._config import Config

# GPT-2's part of a block -> ours; those of Conv1D are stored [in, out]
_PARTS = {
    "ln_1": ("norm1", False),
    "attn.c_attn": ("qkv", True),
    "attn.c_proj": ("out", True),
    "ln_2": ("norm2", False),
    "mlp.c_fc": ("up", True),
    "mlp.c_proj": ("down", True),
}
_PREFIX = "transformer."
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
    state = {name.removeprefix(_PREFIX): tensor for name, tensor in found.state.items() if isinstance(name, str)}
    if len(state) != len(found.state):
        raise CheckpointError("two tensors of one name", where=str(config.path.parent), hint="save the model anew")
    state = {name: tensor for name, tensor in state.items() if not _MASKS.fullmatch(name)}
    tied = config.flag("tie_word_embeddings", True)
    head = "wte.weight" if tied else "lm_head.weight"
    _check_shapes(config, options, state, head)
    arrays = arrays_of(state)
    dtype = np.result_type(*(array.dtype for array in arrays.values()), np.float32)
    if "lm_head.weight" in arrays and tied and not np.array_equal(arrays["lm_head.weight"], arrays["wte.weight"]):
        raise CheckpointError(
            "an unembedding that is tied and yet another", where=f"{config.path.parent}, 'lm_head.weight'",
            expected="'wte.weight' again, as tie_word_embeddings says", got="other values",
            hint='write "tie_word_embeddings": false into config.json if they are two matrices',
        )  # fmt: skip
    if tied:
        said.append(
            "the unembedding is the embedding again (tie_word_embeddings): a copy, which is pruned apart from it"
        )
    tensors = {
        "embedding.weight": arrays["wte.weight"], "positions.weight": arrays["wpe.weight"],
        "norm.weight": arrays["ln_f.weight"], "norm.bias": arrays["ln_f.bias"],
        "write.weight": arrays[head], "write.bias": np.zeros(options.tokens),
    }  # fmt: skip
    for index in range(options.layers):
        for theirs, (ours, turned) in _PARTS.items():
            weight = arrays[f"h.{index}.{theirs}.weight"]
            tensors[f"blocks.{index}.{ours}.weight"] = weight.T if turned else weight
            tensors[f"blocks.{index}.{ours}.bias"] = arrays[f"h.{index}.{theirs}.bias"]
    spec = ModelSpec("gpt", options.to_json())
    model: Any = build_model(spec)
    layout = model.layout()
    plain = {name: np.ascontiguousarray(array, dtype=dtype) for name, array in tensors.items()}
    return Network(spec, layout, Placement.identity(layout), plain), said


def _options(config: Config) -> tuple[GPTOptions, list[str]]:
    """What the config says, as options of `GPT`; what `GPT` does not do is refused by name."""
    said: list[str] = []
    _check_head(config, said)
    for name in ("add_cross_attention", "pruned_heads", "quantization_config"):
        if config.values.get(name):
            raise CheckpointError(
                "a GPT-2 with what is not supported here", where=f"{config.path}, '{name}'", expected="none",
                got=repr(config.values[name])[:60], hint="save the model without it",
            )  # fmt: skip
    for name, default in (("activation_function", "gelu_new"), ("layer_norm_epsilon", 1e-5)):
        if not config.has(name):
            said.append(f"config.json does not say {name}: {default}, as in transformers")
    written = config.text("activation_function", "gelu_new")
    activation = _OTHER_ACTIVATIONS.get(written, activation_name(written))
    if activation not in ACTIVATIONS:
        raise CheckpointError(
            "an activation that is not known", where=f"{config.path}, 'activation_function'",
            expected=", ".join(ACTIVATIONS), got=repr(written)[:60], hint="choose another network",
        )  # fmt: skip
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


def _check_head(config: Config, said: list[str]) -> None:
    """Refuse what has another head than a language model's; a class that is not transformers' is told."""
    named = config.values.get("architectures") or ["GPT2LMHeadModel"]
    name = str(named[0]) if isinstance(named, list) else str(named)
    if not name.endswith("LMHeadModel"):
        hint = "save a GPT2LMHeadModel, or give the module to bimt_train.layouts.layout_for"
        where = f"{config.path}, 'architectures'"
        what = "a GPT-2 that is no language model"
        raise CheckpointError(what, where=where, expected="GPT2LMHeadModel", got=name[:60], hint=hint)
    if name != "GPT2LMHeadModel":
        said.append(f"{name[:60]} is no class of transformers: computed as GPT2LMHeadModel, whose tensors it has")


# Named differently in transformers: its "gelu_fast" and "gelu_new" are the tanh form, its "quick_gelu" is none of ours.
_OTHER_ACTIVATIONS = {"gelu_python": "gelu", "gelu_python_tanh": "gelu_tanh"}


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


def _shapes(options: GPTOptions, head: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Name and shape of each tensor, and the fields that say so; one by one, as a damaged config may promise many."""
    w, ours = options.width, dict(_PARTS.values())
    yield "wte.weight", (options.tokens, w), "vocab_size and n_embd"
    yield "wpe.weight", (options.context, w), "n_positions and n_embd"
    if head != "wte.weight":
        yield head, (options.tokens, w), "vocab_size and n_embd"
    yield from ((f"ln_f.{kind}", (w,), "n_embd") for kind in ("weight", "bias"))
    theirs = {ours: name for name, (ours, _) in _PARTS.items()}
    hidden = options.hidden
    assert isinstance(hidden, int)
    sizes = {"norm1": (w,), "qkv": (3 * w, w), "out": (w, w), "norm2": (w,), "up": (hidden, w), "down": (w, hidden)}
    for index in range(options.layers):
        for part, shape in sizes.items():
            name = f"h.{index}.{theirs[part]}"
            yield f"{name}.weight", shape[::-1] if ours[part] else shape, "n_layer, n_embd and n_inner"
            yield f"{name}.bias", shape[:1], "n_layer, n_embd and n_inner"


def _check_shapes(config: Config, options: GPTOptions, state: Mapping[str, Any], head: str) -> None:
    folder, known = config.path.parent, {"lm_head.weight"}
    for name, shape, fields in _shapes(options, head):
        known.add(name)
        got = tuple(getattr(state.get(name), "shape", ())) if name in state else None
        if got != shape:
            hint = "config.json and the weights are of two models, or one of them is damaged"
            expected = f"shape {shape}, as {fields} in config.json say"
            raise CheckpointError(
                "a tensor that contradicts config.json", where=f"{folder}, '{name}'", expected=expected,
                got="no such tensor" if got is None else f"shape {got}", hint=hint,
            )  # fmt: skip
    left = sorted(state.keys() - known)
    if left:
        raise CheckpointError(
            "a GPT-2 with tensors that are not its own", where=", ".join(f"'{name}'" for name in left[:8]),
            expected="those of GPT2LMHeadModel", got=f"{len(left)} more", hint="save the GPT2LMHeadModel alone",
        )  # fmt: skip
