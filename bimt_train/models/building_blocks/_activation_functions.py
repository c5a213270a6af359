"""The built-in activation functions, which are torch's own without parameters, at torch's default settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64
from scipy.special import expit, log_expit, ndtr

from .activations import ACTIVATIONS

if TYPE_CHECKING:
    from torch import nn

Numbers = Float64[np.ndarray, "..."]

_SELU = 1.0507009873554805, 1.0507009873554805 * 1.6732632423543772  # above 0 and below
_STEEP = 20.0  # from where on torch takes softplus for the identity


@dataclass(frozen=True)
class TorchModule:
    """A class of ``torch.nn`` by its name, so that the registry is read where torch is not installed."""

    name: str
    approximate: str = ""

    def __call__(self) -> "nn.Module":
        """Make the module."""
        from torch import nn

        module: nn.Module = getattr(nn, self.name)(**({"approximate": self.approximate} if self.approximate else {}))
        return module


def _register(name: str, module: TorchModule, label: str, sentence: str, numbers: Callable[[Numbers], Numbers]) -> None:
    ACTIVATIONS.register(name, label=label, sentence=sentence, numbers=numbers)(module)


def _elu(x: Numbers) -> Numbers:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _gelu_tanh(x: Numbers) -> Numbers:
    return np.asarray(x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2)


def _softplus(x: Numbers) -> Numbers:
    return np.where(x > _STEEP, x, np.logaddexp(0, x))


def _hard_sigmoid(x: Numbers) -> Numbers:
    return np.clip(x / 6 + 0.5, 0, 1)


_register("silu", TorchModule("SiLU"), "SiLU", "x / (1 + exp(-x)), the paper's activation.", lambda x: x * expit(x))
_register("relu", TorchModule("ReLU"), "ReLU", "max(x, 0).", lambda x: np.maximum(x, 0))
_register("gelu", TorchModule("GELU"), "GELU", "x times the normal distribution function of x.", lambda x: x * ndtr(x))
_register("tanh", TorchModule("Tanh"), "tanh", "The hyperbolic tangent of x.", np.tanh)
_register("sigmoid", TorchModule("Sigmoid"), "sigmoid", "1 / (1 + exp(-x)).", expit)
_register("identity", TorchModule("Identity"), "identity", "x itself: a linear network.", np.copy)
_register(
    "gelu_tanh", TorchModule("GELU", approximate="tanh"), "GELU (tanh)",
    "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, which is near GELU.", _gelu_tanh,
)  # fmt: skip
_register(
    "leaky_relu", TorchModule("LeakyReLU"), "leaky ReLU", "max(x, 0) + 0.01 min(x, 0).",
    lambda x: np.maximum(x, 0) + 0.01 * np.minimum(x, 0),
)  # fmt: skip
_register("relu6", TorchModule("ReLU6"), "ReLU6", "min(max(x, 0), 6).", lambda x: np.clip(x, 0, 6))
_register("elu", TorchModule("ELU"), "ELU", "x where x > 0, else exp(x) - 1.", _elu)
_register("celu", TorchModule("CELU"), "CELU", "max(x, 0) + min(exp(x) - 1, 0).", _elu)
_register(
    "selu", TorchModule("SELU"), "SELU", "1.0507 x where x > 0, else 1.7581 (exp(x) - 1).",
    lambda x: np.where(x > 0, _SELU[0], _SELU[1]) * _elu(x),
)  # fmt: skip
_register("mish", TorchModule("Mish"), "Mish", "x tanh(log(1 + exp(x))).", lambda x: x * np.tanh(np.logaddexp(0, x)))
_register("softplus", TorchModule("Softplus"), "softplus", "log(1 + exp(x)).", _softplus)
_register("softsign", TorchModule("Softsign"), "softsign", "x / (1 + |x|).", lambda x: x / (1 + np.abs(x)))
_register("logsigmoid", TorchModule("LogSigmoid"), "log sigmoid", "-log(1 + exp(-x)).", log_expit)
_register("tanhshrink", TorchModule("Tanhshrink"), "tanh shrink", "x - tanh(x).", lambda x: x - np.tanh(x))
_register("hardtanh", TorchModule("Hardtanh"), "hard tanh", "x, held between -1 and 1.", lambda x: np.clip(x, -1, 1))
_register("hardsigmoid", TorchModule("Hardsigmoid"), "hard sigmoid", "x/6 + 1/2, held between 0 and 1.", _hard_sigmoid)
_register(
    "hardswish", TorchModule("Hardswish"), "hard swish", "x times the hard sigmoid of x.",
    lambda x: x * _hard_sigmoid(x),
)  # fmt: skip
