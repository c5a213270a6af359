"""What is no plain chain, known by the words in the names and by the shapes: each is refused by name."""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from ...._errors import CheckpointError
from .._keys import key_hint, key_of, roles_hint
from ._names import WEIGHTS, Part, snake, words_of

_SHOWN = 8  # tensors that a message names
LAYOUT = (
    "read it with its module (--model file.py:make, or read_into), or a part of it with key= (--key) or roles= (--role)"
)


class Family(NamedTuple):
    """Tensors that no plain chain has.

    Attributes
    ----------
    what : str
        The family, for the message.
    words : str
        A pattern over the words of a name.
    least : int
        How many different words must be found: ``query`` alone may be a name like another.
    """

    what: str
    words: str
    least: int = 1


FAMILIES = (
    Family("a recurrent network", r"_(hh|ih|whh|wih|rnn\d*|lstm\d*|gru\d*|w?rec|recurrent|lstmcell|grucell)_"),
    Family("a recurrent network", r"_([hxi]2[ho]|hidden2hidden|h_to_h|w_[hx]h|w_hy)_"),
    Family("a recurrent network", r"_(forget|reset|update|cell|candidate)_", 2),
    Family("a recurrent network", r"_((?:w|fc|lin|linear|dense)_?[hxy])_", 2),
    Family("a recurrent network", r"_([uvw])_", 3),
    Family("a state space model", r"_(x_proj|dt_proj|a_log|ssm)_"),
    Family(
        "attention", r"_(in_proj|qkv|c_attn|attn\d*|attention|mha|multihead|cross_attn|wqkv|kv_proj|query_key_value)_"
    ),
    Family(
        "attention", r"_((?:[qkvo]|query|key|value)_proj|to_[qkv]|w[qkv]|w_[qkv]|[qkv]_w|[qkv]|query|key|value)_", 2
    ),
    Family("attention", r"_((?:[qkv]_lin)|theta|phi|psi)_", 2),
    Family("a layer of GPT-2, stored [in, out]", r"_(c_fc|c_proj)_"),
    Family(
        "an embedding of positions or words", r"_(wte|wpe|pos_embed|position_embeddings?|word_embeddings?|codebook)_"
    ),
    Family(
        "a skip connection", r"_(skip\d*|shortcut|downsample|residual|highway|res\d*|resblocks?|resnet|resblock\d+)_"
    ),
    Family("a gated layer", r"_(gate|gates|gate_proj|up_proj|gate_up_proj|glu|swiglu|geglu|gating)_"),
    Family("a gated layer", r"_(wi_0|wi_1)_", 2),
    Family("a gated layer", r"_(se|se_?block|se_?layer|squeeze|excitation|excite)\d*_"),
    Family("a layer that scales another", r"_(film|adaln|modulation|cond|conditioning|time_embed|time_mlp|style)_"),
    Family("weights that a network makes for another", r"_(hyper|hyper_?net(?:work)?)_"),
    Family("an adapter, which adds to what it reads", r"_(adapters?\d*|lora_(?:up|down|mid)|loha|lokr)_"),
    Family("complex numbers in two parts", r"_(real|imag|imaginary|re|im)_", 2),
    Family("a mixture of experts", r"_(experts?\d*|router|moe)_"),
    Family("a network on graphs", r"_(adj|adjacency|edge_index|gcn\d*|gat\d*|sage\d*|gc\d+|laplacian)_"),
    Family("a network on graphs", r"_(lin_l|lin_r)_", 2),
    Family("a convolution", r"_(conv\d*|convs)_"),
    Family("a Kolmogorov-Arnold network", r"_(spline|base_weight|spline_weight|spline_scaler|kan)_"),
    Family("a network of sets", r"_(phi|rho)_", 2),
    Family("weights of a loss, or of rows", r"_((?:class|loss|pos|sample|edge|task|label)_weights?)_"),
    Family("a second output", r"_(aux\d*|auxiliary|projector|projection_head|unused)_"),
    Family("two heads", r"_(actor|critic|policy|value|val|pi|vf|advantage|adv|qf\d*)_", 2),
    Family("two heads", r"_(mu|mean|logvar|log_var|var|sigma|log_sigma|std|log_std|logstd)_", 2),
    Family("a quantised layer of a kind that is not known", r"_(qweight|qzeros|packed_params|absmax|quant_map)_"),
    Family(
        "two networks side by side",
        r"_(branch|trunk|student|teacher|online|source|target|q1|q2|left|right|prior|posterior)_",
        2,
    ),
    Family("two networks side by side", r"_(generator|discriminator|netd|netg)_", 2),
)
COPIES = r"_(ema|shadow|target|teacher|swa|averaged|avg|old|prev|previous|best|frozen|copy|backup|init|initial)\d*_"
MOMENTS = r"_(grads?|gradients?|momentum|velocity|moments?|exp_avg_sq|exp_avg|momentum_buffer)\d*_"
_HEADS = r"(?:heads?|out|outputs?|fc_out)_?\d+|head_[a-z]+|[a-z]+_head"  # of one component of a name


def refuse_families(parts: Sequence[Part], under: str = "") -> None:
    """Refuse attention, recurrent and other networks, and second copies of a network.

    Parameters
    ----------
    parts : sequence of Part
        All tensors of the file.
    under : str
        Where in the file they lie, for hints.

    Raises
    ------
    CheckpointError
        With the family's name and the tensors.
    """
    deep = [part for part in parts if part.array.ndim >= 3]
    if deep:
        what = "a convolution, or another layer whose weights have three axes or more"
        raise _refusal(what, deep)
    for part in parts:
        if part.array.size == 0:
            raise CheckpointError("a tensor without entries", where=part.said, hint="save the network again")
    # Means and deviations beside a network are no heads.
    layers = [part for part in parts if part.kind not in ("mean", "std", "running_mean", "running_var")]
    for family in FAMILIES:
        found = {part.name: match[1] for part in layers if (match := re.search(family.words, _place(part)))}
        if len(set(found.values())) >= family.least:
            raise _refusal(family.what, [part for part in layers if part.name in found])
    heads = {piece for part in layers for piece in _steps(part) if re.fullmatch(_HEADS, piece)}
    if len(heads) > 1:
        raise _refusal("two heads", [part for part in layers if heads & set(_steps(part))])
    moments = [part for part in layers if re.search(MOMENTS, _place(part))]
    if moments:
        raise _refusal("gradients or moments of a training", moments)
    copied = [part for part in layers if re.search(COPIES, _place(part))]
    others = [part for part in layers if part not in copied]
    if copied and others:
        first, second = others[0], copied[0]
        keys = (
            key_hint(key_of([one[0].name], [part.name for part in rest], under))
            for one, rest in ((others, copied), (copied, others))
        )
        raise CheckpointError(
            "two copies of a network in one file", where=f"{first.said} and {second.said}", expected="one network",
            hint=f"choose one with {' or '.join(keys)}",
        )  # fmt: skip
    _refuse_embeddings(layers)
    _refuse_gated(layers)


def _place(part: Part) -> str:
    """A tensor's name, and its module, which may be a word before or after the kind."""
    return words_of(part.name) + words_of(".".join(part.module))


def _steps(part: Part) -> list[str]:
    """Components of a module in lower case; a number belongs to the plural before it: heads.0 is heads_0."""
    steps = [snake(piece) for piece in part.module]
    pairs = [f"{a}_{b}" for a, b in itertools.pairwise(steps) if a in ("heads", "outputs") and b.isdecimal()]
    return [*steps, *pairs]


def _refuse_embeddings(parts: Sequence[Part]) -> None:
    """A word for an embedding, and no bias: torch's own Embedding has none."""
    biased = {part.module for part in parts if part.kind == "bias"}
    words = r"_(embeddings?|embed|embeds|emb|tok|tokens?|token_emb|vocab|lookup)\d*_"
    found = [p for p in parts if p.array.ndim == 2 and p.module not in biased and re.search(words, words_of(p.name))]
    if found:
        what = "an embedding: its inputs are tokens, not numbers"
        raise CheckpointError(
            what, where=found[0].said, expected="layers that read numbers",
            hint=f"if it is a layer, say {roles_hint({found[0].name: 'weight'})}; else look the tokens up in it, and "
            "read the layers behind it alone",
        )  # fmt: skip


def _refuse_gated(parts: Sequence[Part]) -> None:
    """Llama's w1, w2, w3 have shapes that would chain, and are no chain."""
    named = {"".join(part.module[-1:]): part for part in parts if part.kind in WEIGHTS}
    biased = any(part.kind == "bias" for part in parts)
    three = [named.get(word) for word in ("w1", "w2", "w3")]
    if biased or any(part is None for part in three):
        return
    first, second, third = (part.array.shape for part in three if part is not None)
    if first == third == second[::-1]:
        raise _refusal("a gated layer", [part for part in three if part is not None])


def _refusal(what: str, parts: Sequence[Part]) -> CheckpointError:
    said = ", ".join(part.said for part in parts[:4])
    more = f" and {len(parts) - 4} more" if len(parts) > 4 else ""
    return CheckpointError(what, where=f"{said}{more}", expected="a plain feed-forward chain", hint=LAYOUT)


def leftover(parts: Sequence[Part]) -> CheckpointError:
    """The error for tensors that have no place in a chain.

    Parameters
    ----------
    parts : sequence of Part
        The tensors.

    Returns
    -------
    CheckpointError
        With their names.
    """
    first = parts[0]
    some = parts[:_SHOWN]
    ignored = roles_hint({part.name: "ignore" for part in some})
    hint = (
        f"if these do nothing say {ignored}, else read the network with its module (--model file.py:make, or read_into)"
    )
    if any(part.array.ndim == 2 and not part.kind for part in parts) and all(
        part.array.ndim in (1, 2) for part in parts
    ):
        layers = roles_hint({part.name: ("bias", "weight")[part.array.ndim - 1] for part in some})
        hint = f"if these are layers say {layers}, first to last, kernel where stored [in, out]; {hint}"
    norm = first.array.ndim == 1 and first.kind in ("weight", "gain")
    return CheckpointError(
        "tensors that do not belong to a plain feed-forward chain" + (" (a gain, or a layer norm)" if norm else ""),
        where=", ".join(part.said for part in parts[:_SHOWN]),
        expected="for each layer one weight of two axes and at most one bias of one axis",
        hint=hint,
    )
