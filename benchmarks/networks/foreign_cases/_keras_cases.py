"""Files of Keras, laid out as its versions 2 and 3 write them: layers that are folded in, and those that are not."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import nn

from ._cases import Case
from ._modules import W, chain

_DRAW = np.random.default_rng(11)
_GAIN, _SHIFT, _MEAN, _VARIANCE = _DRAW.uniform(0.5, 2, (4, W))


def _dense(activation: Any = "linear", name: str = "") -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "units": W, "activation": activation, "use_bias": True}}


def _layer(kind: str, **said: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": kind.lower(), **said}}


def _model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"layers": list(layers)}}


def _functional(outputs: Any, *layers: dict[str, Any]) -> dict[str, Any]:
    for index, layer in enumerate(layers):
        layer["config"]["name"] = f"l{index}"
        read = {"class_name": "__keras_tensor__", "config": {"keras_history": [f"l{index - 1}", 0, 0]}}
        layer["inbound_nodes"] = [{"args": [read]}] if index else []
    return {"class_name": "Functional", "config": {"layers": list(layers), "output_layers": outputs}}


def _numbered(net: nn.Module, folders: tuple[str, ...] = ("layers/dense", "layers/dense_1")) -> dict[str, Any]:
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    stored = {}
    for folder, layer in zip(folders, layers, strict=True):
        stored |= {f"{folder}/vars/0": layer.weight.detach().numpy().T, f"{folder}/vars/1": layer.bias.detach().numpy()}
    return stored


def _archive(content: tuple[dict[str, Any], dict[str, Any]], path: Path) -> None:
    config, stored = content
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for name, array in stored.items():
            file[name] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())


def _alone(content: dict[str, Any], path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, array in content.items():
            file[name] = array


def _whole(content: tuple[dict[str, Any], dict[str, Any]], path: Path) -> None:
    config, stored = content
    with h5py.File(path, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "2.15.0"
        for name, array in stored.items():
            file[f"model_weights/{name}"] = array


def keras_cases() -> list[Case]:
    """Twenty files, all square."""
    net = chain(W, W, W, act=nn.Identity)
    first, second = net[0], net[2]
    stored, named = _numbered(net), _by_name(net)
    norm = {f"layers/batch_normalization/vars/{i}": a for i, a in enumerate((_GAIN, _SHIFT, _MEAN, _VARIANCE))}
    scaler = {f"layers/normalization/vars/{i}": a for i, a in enumerate((_MEAN, _VARIANCE))}
    one, two = _dense(name="dense"), _dense(name="dense_1")
    bent = _dense("tanh", "dense")
    inner = {"class_name": "Sequential", "config": {"name": "inner", **_model(bent)["config"]}}
    nested = _numbered(net, ("layers/sequential/layers/dense", "layers/dense"))
    slope = {"class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}
    gain, shift, mean, variance = (torch.tensor(a) for a in (_GAIN, _SHIFT, _MEAN, _VARIANCE))

    def between(step: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda x: second(step(first(x)))

    def normed(h: torch.Tensor) -> torch.Tensor:
        scale = gain / torch.sqrt(variance + 1e-3)
        return (h - mean.float()) * scale.float() + shift.float()

    def scaled(x: torch.Tensor) -> torch.Tensor:
        return ((x - mean) / variance.sqrt()).float()

    def archive(name: str, layers: Any, truth: Any, expected: str = "read", **more: Any) -> Case:
        content = (_model(*layers), stored | more)
        return Case(f"Keras, {name}", content, truth, expected, None, _archive, ".keras")

    leaky = _layer("LeakyReLU", alpha=0.3)
    ends = [["l1", 0, 0], ["l2", 0, 0]]
    several = (_functional(ends, _layer("InputLayer"), _dense("tanh"), _dense()), stored)
    swapped = (_dense("tanh", "dense_1"), _dense(name="dense"))
    return [
        archive("an activation that is a layer", (one, _layer("ReLU"), two), between(nn.functional.relu)),
        archive("LeakyReLU of 0.2", (one, _layer("LeakyReLU", negative_slope=0.2), two), between(nn.LeakyReLU(0.2))),
        archive("an object as activation", (_dense(slope, "dense"), two), between(nn.LeakyReLU(0.2))),
        archive("ReLU up to 1", (one, _layer("ReLU", max_value=1.0), two), between(nn.Hardtanh(0, 1))),
        archive("leaky_relu by name", (_dense("leaky_relu", "dense"), two), between(nn.LeakyReLU(0.2))),
        archive("batch norm before tanh",
                (one, _layer("BatchNormalization", epsilon=1e-3), _layer("Activation", activation="tanh"), two),
                between(lambda h: torch.tanh(normed(h))), **norm),
        archive("batch norm after tanh", (bent, _layer("BatchNormalization", epsilon=1e-3), two),
                between(lambda h: normed(torch.tanh(h))), **norm),
        archive("Normalization", (_layer("Normalization", axis=[-1]), bent, two),
                lambda x: between(torch.tanh)(scaled(x)), **scaler),
        archive("Rescaling", (_layer("Rescaling", scale=2.0, offset=-1.0), bent, two),
                lambda x: between(torch.tanh)(2 * x - 1)),
        archive("names of each other", swapped, between(torch.tanh)),
        archive("PReLU", (one, _layer("PReLU"), two), None, "refused"),
        archive("LayerNormalization", (one, _layer("LayerNormalization"), two), None, "refused"),
        archive("a lambda", (one, _layer("Lambda"), two), None, "refused"),
        Case("Keras, a model in a model", (_model(inner, two), nested), between(torch.tanh), "read", None, _archive,
             ".keras"),
        Case("Keras, weights of a model in a model", nested, between(torch.tanh), "refused", "tanh", _alone, ".h5"),
        Case("Keras, weights with a batch norm", stored | norm, None, "refused", "tanh", _alone, ".h5"),
        Case("Keras, two outputs", several, None, "refused", None, _archive, ".keras"),
        Case("Keras, a class of its own", ({"class_name": "Mine", "config": {}}, stored), None, "refused", None,
             _archive, ".keras"),
        Case("Keras 2, LeakyReLU", (_model(one, leaky, two), named), between(nn.LeakyReLU(0.3)), "read", None, _whole,
             ".h5"),
        Case("Keras 2, leaky_relu by name", (_model(_dense("leaky_relu", "dense"), two), named), None, "refused", None,
             _whole, ".h5"),
    ]  # fmt: skip


def _by_name(net: nn.Module) -> dict[str, Any]:
    words = {"0": "kernel:0", "1": "bias:0"}
    return {
        f"{folder.removeprefix('layers/')}/{folder.removeprefix('layers/')}/{words[number]}": array
        for path, array in _numbered(net).items()
        for folder, _, number in [path.partition("/vars/")]
    }
