"""The registry of activation functions, and what they give on plain numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float64

from ..._registry import Entry, Registry
from ...extras import installed, need

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Activation(Entry):
    """An activation function: a ``torch.nn.Module`` class without parameters.

    Attributes
    ----------
    name : str
        What a model's option ``activation`` calls it.
    label : str
        A few words for tables and pictures.
    sentence : str
        One sentence with the formula.
    function : callable
        The ``torch.nn.Module`` class; it is called without arguments, and what it makes acts entry by entry.
    numbers : callable or None
        The activation of an array, for where torch is not installed; None where the module alone computes it.

    Examples
    --------
    >>> ACTIVATIONS["relu"].sentence
    'max(x, 0).'
    """

    numbers: Callable[[np.ndarray], np.ndarray] | None = None


ACTIVATIONS: Registry[Activation] = Registry(
    "activation",
    Activation,
    builtin=dict.fromkeys(
        (
            "silu",
            "relu",
            "gelu",
            "tanh",
            "sigmoid",
            "identity",
            "gelu_tanh",
            "leaky_relu",
            "relu6",
            "elu",
            "celu",
            "selu",
            "mish",
            "softplus",
            "softsign",
            "logsigmoid",
            "tanhshrink",
            "hardtanh",
            "hardsigmoid",
            "hardswish",
        ),
        "bimt_train.models.building_blocks._activation_functions",
    ),
    group="bimt.activations",
)
"""Every activation that a model can be told by name."""


_OTHER_NAMES = {
    "swish": "silu",
    "logistic": "sigmoid",
    "linear": "identity",
    "none": "identity",
    "gelunew": "gelu_tanh",
    "gelufast": "gelu_tanh",
    "gelupytorchtanh": "gelu_tanh",
    "geluapproximatetanh": "gelu_tanh",
    "geluapproximatenone": "gelu",
    "hardsilu": "hardswish",
    "leakyrelunegativeslope001": "leaky_relu",
}


def activation_name(written: str) -> str:
    """The name in `ACTIVATIONS` of an activation that is written in another usual way.

    Case, the module before the name (``nn.``, ``torch.nn.functional.``), parentheses, hyphens and underscores make no
    difference; swish, logistic, linear and the like are other names.

    Parameters
    ----------
    written : str
        For instance ``"ReLU"``, ``"nn.ReLU()"``, ``"Leaky-ReLU"`` or ``"gelu_pytorch_tanh"``.

    Returns
    -------
    str
        The name in `ACTIVATIONS`; what is not known is returned as it is.

    Examples
    --------
    >>> [activation_name(written) for written in ("nn.ReLU()", "LeakyReLU", "swish", "GELU(approximate='tanh')")]
    ['relu', 'leaky_relu', 'silu', 'gelu_tanh']
    """
    if written in ACTIVATIONS or ":" in written:
        return written
    bare = re.sub(r"^(?:[a-z_]+\.)+", "", written.strip().lower())
    bare = re.sub(r"[^a-z0-9]", "", bare)
    return {name.replace("_", ""): name for name in ACTIVATIONS}.get(bare) or _OTHER_NAMES.get(bare, written)


def activation_module(name: str) -> "nn.Module":
    """The activation of this name, as a module.

    Parameters
    ----------
    name : str
        A name in `ACTIVATIONS`.

    Returns
    -------
    torch.nn.Module
        A new module without parameters.

    Raises
    ------
    InputError
        The name is unknown.

    Examples
    --------
    >>> activation_module("tanh")
    Tanh()
    """
    module: nn.Module = ACTIVATIONS[name].function()
    return module


def activated(name: str, numbers: Float[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
    """Apply an activation to plain numbers, in double precision.

    Parameters
    ----------
    name : str
        A name in `ACTIVATIONS`.
    numbers : ndarray of shape (n,)
        What it is applied to.

    Returns
    -------
    ndarray of shape (n,)
        The activations.

    Raises
    ------
    InputError
        The name is unknown.

    Examples
    --------
    >>> activated("relu", np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    numerical = ACTIVATIONS[name].numbers
    if numerical is not None and not installed("torch"):
        return np.asarray(numerical(np.asarray(numbers, dtype=np.float64)), dtype=np.float64)
    need("torch", f"the activation {name}")
    import torch

    return np.asarray(activation_module(name)(torch.tensor(numbers, dtype=torch.float64)).numpy())
