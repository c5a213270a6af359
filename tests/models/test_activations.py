import numpy as np
import pytest
import torch
from torch import nn

from bimt_train.models.building_blocks.activations import ACTIVATIONS, activated, activation_module, activation_name

X = np.linspace(-7, 7, 57)

# by torch's own functions, each an oracle of the module under the name
FUNCTIONS = {
    "silu": nn.functional.silu,
    "relu": nn.functional.relu,
    "gelu": nn.functional.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
    "gelu_tanh": lambda x: x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2,
    "leaky_relu": lambda x: torch.where(x > 0, x, 0.01 * x),
    "relu6": lambda x: x.clamp(0, 6),
    "elu": lambda x: torch.where(x > 0, x, x.exp() - 1),
    "celu": lambda x: torch.where(x > 0, x, x.exp() - 1),
    "selu": nn.functional.selu,
    "mish": lambda x: x * torch.tanh(torch.log1p(x.exp())),
    "softplus": lambda x: torch.log1p(x.exp()),
    "softsign": lambda x: x / (1 + x.abs()),
    "logsigmoid": lambda x: -torch.log1p((-x).exp()),
    "tanhshrink": lambda x: x - torch.tanh(x),
    "hardtanh": lambda x: x.clamp(-1, 1),
    "hardsigmoid": lambda x: (x / 6 + 0.5).clamp(0, 1),
    "hardswish": lambda x: x * (x / 6 + 0.5).clamp(0, 1),
}


def test_every_activation_has_an_oracle() -> None:
    assert set(FUNCTIONS) == set(ACTIVATIONS.names())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_activation_is_what_its_name_says(name: str) -> None:
    expected = FUNCTIONS[name](torch.tensor(X)).numpy()
    assert np.allclose(activated(name, X), expected, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_numpy_gives_what_the_module_gives(name: str) -> None:
    numbers, x = ACTIVATIONS[name].numbers, np.append(np.linspace(-40, 40, 4001), 0.123)
    assert numbers is not None
    np.testing.assert_allclose(numbers(x), activated(name, x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_the_name_of_torchs_class_is_another_spelling(name: str) -> None:
    module = type(activation_module(name)).__name__
    written_out = "GELU(approximate='tanh')" if name == "gelu_tanh" else f"{module}()"
    for written in (name, name.upper(), f"nn.{written_out}", f"torch.nn.{written_out.removesuffix('()')}"):
        assert activation_name(written) == name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("swish", "silu"),
        ("logistic", "sigmoid"),
        ("linear", "identity"),
        ("gelu_new", "gelu_tanh"),
        ("GELU(approximate='tanh')", "gelu_tanh"),
        ("F.relu", "relu"),
        ("torch.nn.functional.leaky_relu", "leaky_relu"),
        ("sine", "sin(x)"),
        ("sin(30*x)", "sin(30*x)"),
        ("ReLU(inplace=True)", "relu"),
        ("nn.ELU(alpha=1.0)", "elu"),
        ("sinus", "sinus"),
        ("file.py:mine", "file.py:mine"),
    ],
)
def test_usual_spellings_are_known(written: str, name: str) -> None:
    assert activation_name(written) == name
