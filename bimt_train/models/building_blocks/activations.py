"""The registry of activation functions, and what they give on plain numbers."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float64

from ..._errors import InputError
from ...expressions.expression import Expression, parse_expression
from ...extras import installed, need
from ...registry import Entry, Registry

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


class Activations(Registry[Activation]):
    """Activations by name, and any other as a formula of x.

    Examples
    --------
    >>> "sin(30*x)" in ACTIVATIONS, "sin(30*y)" in ACTIVATIONS
    (True, False)
    """

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _formula(name) is not None)

    def __getitem__(self, name: str) -> Activation:
        """The entry of this name, or at this place, or of this formula.

        Raises
        ------
        InputError
            There is none, with the names that are known.
        """
        found = None if super().__contains__(name) else _formula(name)
        if found is not None:
            return found
        try:
            return super().__getitem__(name)
        except InputError as error:
            if error.what != f"unknown {self.kind}":
                raise
            expected = f"{error.expected}, or a formula of x"
            raise InputError(
                error.what, where=error.where, expected=expected, got=error.got,
                hint=f'{error.hint}; or write what it computes, as "sin(30*x)" or "x + sin(x)**2"',
            ) from None  # fmt: skip


@functools.lru_cache(maxsize=256)
def _formula(text: str) -> Activation | None:
    """The activation that a formula of x says; None where the text is no such formula."""
    if ":" in text or not re.search(r"\bx\b", text):
        return None
    try:
        formula = parse_expression(text, variables=("x",))
    except InputError:
        return None
    return Activation(
        name=text, label=text, sentence=f"{text}.", function=functools.partial(_module_of, formula),
        numbers=lambda x: formula.evaluate({"x": x}),
    )  # fmt: skip


def _module_of(formula: Expression) -> "nn.Module":
    from ._formula_activation import FormulaActivation  # brings torch

    return FormulaActivation(formula)


ACTIVATIONS = Activations(
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
"""Every activation that a model can be told by name; it may also be told one as a formula of x."""


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
    "sin": "sin(x)",
    "sine": "sin(x)",
    "cos": "cos(x)",
    "exp": "exp(x)",
    "abs": "abs(x)",
    "square": "x**2",
    "snake": "x + sin(x)**2",
    "gaussian": "exp(-x**2)",
    "relusquared": "(x + abs(x))**2/4",
    "relu2": "(x + abs(x))**2/4",
}
_HIGH, _LOW = "(x + abs(x))/2", "(x - abs(x))/2"  # max(x, 0) and min(x, 0)
_WITH_SETTINGS = {  # torch's name -> its settings and their defaults, and the formula
    "leakyrelu": ({"negative_slope": 0.01}, f"{_HIGH} + {{negative_slope}}*{_LOW}"),
    "elu": ({"alpha": 1.0}, f"{_HIGH} + {{alpha}}*(exp({_LOW}) - 1)"),
    "celu": ({"alpha": 1.0}, f"{_HIGH} + {{alpha}}*(exp({_LOW}/{{alpha}}) - 1)"),
    "softplus": ({"beta": 1.0}, f"{_HIGH} + log(1 + exp(-{{beta}}*abs(x)))/{{beta}}"),
    "hardtanh": (
        {"min_val": -1.0, "max_val": 1.0},
        "(abs(x - {min_val}) - abs(x - {max_val}) + {min_val} + {max_val})/2",
    ),
}


def activation_name(written: str) -> str:
    """The name in `ACTIVATIONS` of an activation that is written in another usual way.

    Case, the module before the name (``nn.``, ``torch.nn.functional.``), parentheses, hyphens and underscores make no
    difference; swish, logistic, linear and the like are other names. Settings other than torch's own, as in
    ``LeakyReLU(0.2)``, give a formula of x.

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
    >>> activation_name("LeakyReLU(0.2)")
    '(x + abs(x))/2 + 0.2*(x - abs(x))/2'
    """
    if written in ACTIVATIONS or ":" in written:
        return written
    bare = re.sub(r"^(?:[a-z_]+\.)+", "", written.strip().lower())
    bare = re.sub(r",?\s*inplace\s*=\s*(true|false)", "", bare)
    if (formula := _set_to(bare)) is not None:
        return formula
    bare = re.sub(r"[^a-z0-9]", "", bare)
    return {name.replace("_", ""): name for name in ACTIVATIONS}.get(bare) or _OTHER_NAMES.get(bare, written)


def _set_to(written: str) -> str | None:
    """The formula of an activation of torch at settings other than its own, as ``leakyrelu(0.2)``; else None."""
    call = re.fullmatch(r"(\w+)\((.+)\)", written)
    known = _WITH_SETTINGS.get(call[1].replace("_", "")) if call else None
    if call is None or known is None:
        return None
    defaults, formula = known
    values = dict(defaults)
    for place, word in enumerate(call[2].split(",")):
        name, sign, value = word.rpartition("=")
        name = name.strip() if sign else list(defaults)[min(place, len(defaults) - 1)]
        try:
            values[name] = float(value)
        except ValueError:
            return None
    if values.keys() != defaults.keys():
        return None
    if values == defaults:
        return next(name for name in ACTIVATIONS.names() if name.replace("_", "") == call[1].replace("_", ""))
    return formula.format(**{name: f"({value!r})" if value < 0 else repr(value) for name, value in values.items()})


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
