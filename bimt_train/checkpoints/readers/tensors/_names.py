"""What a tensor's name says: the module that it belongs to, and its kind there."""

import itertools
import re
from dataclasses import dataclass

import numpy as np

from ...._errors import CheckpointError
from .._keys import roles_hint

WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_checkpoint_wrapped_module"})
"""Components of names that wrappers add: data parallel, compiled, sharded."""

_KINDS = {
    "weight": ("weight",),
    "kernel": ("kernel", "kernels", "coef", "coefs"),
    "plain": ("weights", "w", "wt", "matrix"),
    "bias": ("bias", "biases", "b", "intercept", "intercepts"),
    "gain": ("gain", "gains", "gamma", "g"),
    "scale": ("scale", "scales", "weight_scale", "weight_scales", "w_scale", "scale_weight"),
    "zero_point": ("zero_point", "zero_points", "weight_zero_point"),
    "mask": ("mask", "weight_mask", "w_mask", "masks", "kernel_mask", "mask_weight"),
    "weight_orig": ("weight_orig",),
    "bias_orig": ("bias_orig",),
    "bias_mask": ("bias_mask",),
    "weight_u": ("weight_u",),
    "weight_v": ("weight_v",),
    "weight_g": ("weight_g",),
    "running_mean": ("running_mean", "moving_mean"),
    "running_var": ("running_var", "moving_variance", "moving_var"),
    "counter": ("num_batches_tracked", "n_averaged", "epoch", "step", "global_step", "steps_taken"),
    "mean": ("mean", "mu", "shift", "loc", "center"),
    "std": ("std", "sigma", "stdev", "standard_deviation"),
    "": ("log_std", "logstd", "log_sigma", "log_scale", "in_proj_weight", "in_proj_bias"),
}
_KIND = {word: kind for kind, words in _KINDS.items() for word in words}
_PARAMETRIZED = {
    "original": "original", "original0": "weight_g", "original1": "norm_v", "0._u": "weight_u", "0._v": "weight_v",
}  # fmt: skip
_IN_FRONT = (
    "weight",
    "kernel",
    "plain",
    "bias",
    "mask",
    "mean",
    "std",
)  # kinds that stand before the layer's own word: W1, b_out
WEIGHTS = ("weight", "kernel", "plain")
"""Kinds of two axes that are layers."""


@dataclass(frozen=True)
class Part:
    """A tensor with what its name says.

    Attributes
    ----------
    name : str
        As the file says it.
    module : tuple of str
        Components of the name before its kind.
    kind : str
        One of a few words, as ``weight``, ``bias`` or ``running_mean``; empty where the name tells none.
    array : ndarray
        The numbers.
    """

    name: str
    module: tuple[str, ...]
    kind: str
    array: np.ndarray

    @property
    def said(self) -> str:
        """Name and shape, for messages."""
        return f"'{self.name}' {self.array.shape}"


def snake(word: str) -> str:
    """Lower case with underscores.

    Parameters
    ----------
    word : str
        For instance ``"hiddenLayer"``.

    Returns
    -------
    str
        For instance ``"hidden_layer"``.
    """
    return re.sub(r"[\s\-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", word)).lower().strip("_")


def words_of(name: str) -> str:
    """The words of a name in lower case between underscores, for searches.

    Parameters
    ----------
    name : str
        A tensor's name.

    Returns
    -------
    str
        For instance ``"_layers_0_self_attn_weight_"``.
    """
    return "_" + re.sub(r"[^a-z0-9]+", "_", snake(name)) + "_"


def part_of(name: str, array: np.ndarray) -> Part:
    """Read a tensor's name.

    Parameters
    ----------
    name : str
        As the file says it.
    array : ndarray
        The numbers.

    Returns
    -------
    Part
        Module and kind.

    Examples
    --------
    >>> [part_of(name, np.zeros(1)).module for name in ("layers.0.weight", "W1", "fc1_bias", "coefs_.2", "b_out")]
    [('layers', '0'), ('1',), ('fc1',), ('2',), ('out',)]
    """
    pieces = [piece for piece in re.split(r"[./:|]+", re.sub(r":\d+$", "", name)) if piece and piece not in WRAPPERS]
    pieces = [piece for piece in pieces if piece != "base_layer"] or [""]
    if "parametrizations" in pieces:
        at = pieces.index("parametrizations")
        what, rest = ".".join(pieces[at + 1 : at + 2]), ".".join(pieces[at + 2 :])
        return Part(name, tuple(pieces[:at]), _PARAMETRIZED.get(rest, "") if what == "weight" else "", array)
    for at, piece in enumerate(pieces):
        if piece.lower() in ("lora_a", "lora_b"):
            return Part(name, tuple(pieces[:at]), piece.lower(), array)
    *module, leaf = pieces
    if leaf.isdecimal() and module and (kind := _KIND.get(snake(module[-1]))):
        return Part(name, (*module[:-1], leaf), kind, array)
    tokens = re.findall(r"[a-z]+|\d+", snake(leaf))
    for size in (3, 2, 1):
        last, first = "_".join(tokens[-size:]), "_".join(tokens[:size])
        if last in _KIND and len(tokens) >= size:
            return Part(name, (*module, *_joined(tokens[:-size])), _KIND[last], array)
        numbered = any(a.isdecimal() and not b.isdecimal() for a, b in itertools.pairwise(tokens[size:]))
        if _KIND.get(first) in _IN_FRONT and len(tokens) > size and not numbered:
            return Part(name, (*module, *_joined(tokens[size:])), _KIND[first], array)
    return Part(name, (*module, leaf), "", array)


def _joined(tokens: list[str]) -> tuple[str, ...]:
    text = ""
    for token in tokens:
        text += token if not text or token.isdecimal() else f"_{token}"
    return (text,) if text else ()


def parts_of(arrays: dict[str, np.ndarray]) -> tuple[list[Part], tuple[str, ...]]:
    """Read all names, and drop the components that all share.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The tensors by name.

    Returns
    -------
    parts : list of Part
        In the same order, without counters.
    assumed : tuple of str
        What was dropped.

    Raises
    ------
    CheckpointError
        Two tensors have the same place.
    """
    parts, assumed = [part_of(name, array) for name, array in arrays.items()], []
    counters = [
        part for part in parts if part.kind == "counter" and part.array.size == 1 and part.array.dtype.kind in "iu"
    ]
    parts = [part for part in parts if part not in counters]
    if counters:
        assumed.append(f"{_quoted(counters)} left out: counts steps, and changes no output")
    dropped = sorted({piece for name in arrays for piece in re.split(r"[./:|]+", name) if piece in WRAPPERS})
    shared = _shared([part.module for part in parts]) if len({part.module for part in parts}) > 1 else ()
    dropped += [".".join(shared)] if shared else []
    if dropped and parts:
        said = ", ".join(f"'{word}.'" for word in dropped)
        assumed.append(f"{said} dropped from the names: a wrapper's word, or one that all names share")
    parts = [Part(part.name, part.module[len(shared) :], part.kind, part.array) for part in parts]
    seen: dict[tuple[tuple[str, ...], str], Part] = {}
    for part in parts:
        other = seen.setdefault((part.module, part.kind or part.name), part)
        if other is not part:
            raise CheckpointError(
                "two tensors for one place", where=f"'{other.name}' and '{part.name}'",
                expected="one network in one file", hint=f"say {roles_hint({part.name: 'ignore'})} to leave one out",
            )  # fmt: skip
    return parts, tuple(assumed)


def _shared(modules: list[tuple[str, ...]]) -> tuple[str, ...]:
    shared: tuple[str, ...] = min(modules, key=len, default=())
    for module in modules:
        while module[: len(shared)] != shared:
            shared = shared[:-1]
    return shared


def _quoted(parts: list[Part]) -> str:
    named = ", ".join(f"'{part.name}'" for part in parts[:4])
    return named if len(parts) <= 4 else f"{named} and {len(parts) - 4} more"
