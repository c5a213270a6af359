"""What tutorials, training scripts and other frameworks write: names, things beside weights, activations."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ._cases import Case
from ._modules import W, chain, drawn


def _npz(content: Any, path: Path) -> None:
    np.savez(path, **content)


def _text(content: str, path: Path) -> None:
    path.write_text(content)


def _named(net: nn.Module, names: str) -> dict[str, torch.Tensor]:
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    return {
        f"{name}.{kind}": tensor
        for name, layer in zip(names.split(), layers, strict=True)
        for kind, tensor in layer.state_dict().items()
    }


def _stored(net: nn.Module, weight: str, bias: str, *, turned: bool) -> dict[str, np.ndarray]:
    """Matrices and vectors under names with a number, counted from 0."""
    done = {}
    for index, layer in enumerate(layer for layer in net.modules() if isinstance(layer, nn.Linear)):
        matrix = layer.weight.detach().numpy()
        done |= {weight.format(index): matrix.T if turned else matrix, bias.format(index): layer.bias.detach().numpy()}
    return done


class _Entry(nn.Module):
    """An activation that is a function."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def _with(activation: nn.Module) -> nn.Sequential:
    net = nn.Sequential(nn.Linear(W, 5), activation, nn.Linear(5, 2))
    return drawn(net)


def _normed(*parts: nn.Module) -> nn.Sequential:
    net = drawn(nn.Sequential(*parts))
    draw = torch.Generator().manual_seed(5)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            mean, variance = module.get_buffer("running_mean"), module.get_buffer("running_var")
            mean.copy_(torch.randn(module.num_features, generator=draw))
            variance.copy_(torch.rand(module.num_features, generator=draw) + 0.3)
    return net


def others() -> list[Case]:
    """Small files, many of them square."""
    net, slim = chain(W, W, W, W, act=nn.ReLU), chain(3, 5, 4, 2, act=nn.ReLU)
    state, few = net.state_dict(), slim.state_dict()
    names = {
        "quickstart's stack": "linear_relu_stack.0 linear_relu_stack.2 linear_relu_stack.4",
        "input, hidden, output": "input hidden output",
        "hidden list and a prediction": "hidden.0 hidden.1 predict",
        "trunk and head": "trunk.0 trunk.2 head.0",
        "first, second, third": "first second third",
        "a layer list and a final layer": "layers.0 layers.1 final",
    }
    beside = {
        "a loss of numpy beside": {"loss": np.float64(0.3), "best": np.int64(4)},
        "arguments of a command beside": {"args": argparse.Namespace(lr=0.1, hidden=[5, 4]), "out": Path("runs/a")},
        "a scaler of gradients beside": {"scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 3}},
        "a history of losses beside": {"losses": [torch.tensor(1.0), torch.tensor(0.5)]},
    }
    leaky, sine = _with(nn.LeakyReLU(0.2)), _with(_Entry(lambda x: torch.sin(30 * x)))
    snake = _with(_Entry(lambda x: x + torch.sin(x) ** 2))
    late = _normed(nn.Linear(W, W), nn.ReLU(), nn.BatchNorm1d(W), nn.Dropout(), nn.Linear(W, 2))
    early = _normed(nn.Linear(W, W), nn.Dropout(), nn.BatchNorm1d(W), nn.ReLU(), nn.Linear(W, 2))
    theta = _stored(slim, "Theta{}", "c{}", turned=True)
    plain = _stored(slim, "W{}", "b{}", turned=False)
    data = {"X_train": np.ones((50, 3)), "loss": np.ones(9)}
    reads, refused = "read", "refused"
    npz: dict[str, Any] = {"activation": "relu", "save": _npz, "suffix": ".npz"}
    return [
        *(Case(name, _named(net, words), net, reads, "relu") for name, words in names.items()),
        *(Case(name, {"state_dict": state, **more}, net, reads, "relu") for name, more in beside.items()),
        Case("flax, keys as Python writes them",
             _stored(net, "['Dense_{}']['kernel']", "['Dense_{}']['bias']", turned=True), net, reads, **npz),
        Case("equinox", _stored(net, ".layers[{}].weight", ".layers[{}].bias", turned=False), net, reads, **npz),
        Case("haiku, slim", _stored(slim, "mlp/~/linear_{}/w", "mlp/~/linear_{}/b", turned=True), slim, reads, **npz),
        Case("biases as columns", {k: v[:, None] if v.ndim == 1 else v for k, v in plain.items()}, slim, reads, **npz),
        Case("texts beside arrays", {**plain, "activation": "relu", "names": np.array(["a", "b"])}, slim, reads, **npz),
        Case("rows beside arrays", {**plain, **data}, slim, refused, **npz),
        Case("rows beside arrays, told", {**plain, **data}, slim, reads, **npz,
             options={"roles": {"X_train": "ignore", "loss": "ignore"}}),
        Case("names of one's own", theta, slim, refused, **npz),
        Case("names of one's own, told", theta, slim, reads, **npz,
             options={"roles": {name: "kernel" if "T" in name else "bias" for name in theta}}),
        Case("leaky ReLU with a slope", leaky.state_dict(), leaky, reads, "nn.LeakyReLU(negative_slope=0.2)"),
        Case("sine of thirty times", sine.state_dict(), sine, reads, "sin(30*x)"),
        Case("snake", snake.state_dict(), snake, reads, "snake"),
        Case("softplus with a beta", (soft := _with(nn.Softplus(beta=2))).state_dict(), soft, reads,
             "Softplus(beta=2)"),
        Case("ELU with an alpha", (elu := _with(nn.ELU(0.5))).state_dict(), elu, reads, "nn.ELU(alpha=0.5)"),
        Case("ReLU in place", state, net, reads, "ReLU(inplace=True)"),
        Case("an activation that nobody knows", state, net, refused, "sinus"),
        Case("batch norm after ReLU, then dropout", late.state_dict(), late, refused, "relu"),
        Case("batch norm after ReLU, then dropout, told", late.state_dict(), late, reads, "relu",
             options={"batch_norm": "after"}),
        Case("batch norm after dropout, told", early.state_dict(), early, reads, "relu",
             options={"batch_norm": "before"}),
        Case("layers from last to first", _named(net, "output hidden input"), net, refused, "relu"),
        Case("layers from last to first, told", _named(net, "output hidden input"), net, reads, "relu",
             options={"roles": dict.fromkeys(("output.weight", "hidden.weight", "input.weight"), "weight")}),
        Case("a whole module", slim, slim, refused, "relu"),
        Case("an array of numpy beside", {"state_dict": few, "x_mean": np.zeros(3)}, slim, refused, "relu"),
        Case("lists of numbers beside", {"model": few, "scaler": {"mean": [1.0, 2.0, 3.0]}}, slim, refused, "relu"),
        Case("a web page", "<!DOCTYPE html>", None, refused, save=_text),
        Case("a pointer to a large file", "version https://git-lfs.github.com/spec/v1\n", None, refused, save=_text,
             suffix=".safetensors"),
    ]  # fmt: skip
