"""One network, saved in every format that can be written here."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import nn

from bimt_train.checkpoints import from_sklearn, read_foreign

from ._cases import X
from ._modules import chain

SAYS_ALL = (".onnx", ".keras")
"""Endings of files that say the activation themselves."""


def one_network(folder: Path) -> list[tuple[str, str]]:
    """The largest difference from the network's own outputs, for each format."""
    net = chain(3, 5, 4, 2, act=nn.Tanh, seed=4)
    with torch.no_grad():
        right = net.double()(torch.tensor(X)).numpy()
    net = net.float()
    rows = []
    for name, write in FORMATS.items():
        try:
            path = write(net, folder / "one")
        except ImportError as error:
            rows.append((name, f"not tried: {error}"))
            continue
        checkpoint = read_foreign(path, activation=None if path.suffix in SAYS_ALL else "tanh", x=X)
        rows.append((name, f"{np.abs(checkpoint.predict(X) - right).max():.1e}"))
    said = from_sklearn(as_sklearn(net), x=X).predict(X)
    return [*rows, ("scikit-learn", f"{np.abs(said - right).max():.1e}")]


def as_sklearn(net: nn.Module) -> Any:
    """The chain with the attributes of a fitted ``MLPRegressor``."""
    layers = _layers(net)
    return SimpleNamespace(
        coefs_=[layer.weight.detach().numpy().T for layer in layers],
        intercepts_=[layer.bias.detach().numpy() for layer in layers],
        activation="tanh",
        out_activation_="identity",
    )


def _layers(net: nn.Module) -> list[nn.Linear]:
    return [layer for layer in net.children() if isinstance(layer, nn.Linear)]


def _torch(ending: str, key: str = "", prefix: str = "", **beside: Any) -> Callable[[nn.Module, Path], Path]:
    def write(net: nn.Module, path: Path) -> Path:
        path = path.with_name(path.name + ending)
        state = {prefix + name: tensor for name, tensor in net.state_dict().items()}
        torch.save({key: state, **beside} if key else state, path)
        return path

    return write


def _nested(net: nn.Module, path: Path) -> Path:
    path = path.with_suffix(".bin")
    torch.save({"a": {"b": [net.state_dict()]}, "epoch": 3}, path)
    return path


def _npz(net: nn.Module, path: Path) -> Path:
    np.savez(path.with_suffix(".npz"), **{name: tensor.numpy() for name, tensor in net.state_dict().items()})
    return path.with_suffix(".npz")


def _safetensors(net: nn.Module, path: Path) -> Path:
    safetensors.torch.save_file(net.state_dict(), path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


def _shards(net: nn.Module, path: Path) -> Path:
    path.mkdir()
    placed = {}
    for index, (name, tensor) in enumerate(net.state_dict().items()):
        placed[name] = f"part-{index}.safetensors"
        safetensors.torch.save_file({name: tensor}, path / placed[name])
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    return path


def _notebook(turned: bool) -> Callable[[nn.Module, Path], Path]:
    """With inputs and outputs in slots of their own order, or of the opposite one."""

    def order(size: int) -> torch.Tensor:
        return torch.arange(size).flip(0) if turned else torch.arange(size)

    def write(net: nn.Module, path: Path) -> Path:
        layers, path, state = _layers(net), path.with_name(path.name + ".pth"), dict[str, torch.Tensor]()
        into, out = order(layers[0].in_features), order(layers[-1].out_features)
        for index, layer in enumerate(layers):
            weight, bias = layer.weight.detach(), layer.bias.detach()
            weight = weight[:, into] if index == 0 else weight
            if index == len(layers) - 1:
                weight, bias = weight[out], bias[out]
            state |= {f"linears.{index}.linear.weight": weight, f"linears.{index}.linear.bias": bias}
        torch.save(state | {"in_perm": into.float(), "out_perm": out.float()}, path)
        return path

    return write


def _onnx(net: nn.Module, path: Path) -> Path:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    layers = _layers(net)
    constants, nodes, value = [], [], "x"
    for index, layer in enumerate(layers):
        for kind, tensor in layer.state_dict().items():
            constants.append(numpy_helper.from_array(tensor.numpy(), f"{index}.{kind}"))
        if index:
            nodes.append(helper.make_node("Tanh", [value], [f"h{index}"]))
            value = f"h{index}"
        given = [value, f"{index}.weight", f"{index}.bias"]
        nodes.append(helper.make_node("Gemm", given, [f"z{index}"], transB=1))
        value = f"z{index}"
    sizes = (("x", layers[0].in_features), (value, layers[-1].out_features))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size]) for name, size in sizes]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph), path.with_suffix(".onnx"))
    return path.with_suffix(".onnx")


def _hdf5(net: nn.Module, path: Path) -> Path:
    """Kernels [in, out], as Keras writes the weights alone."""
    import h5py

    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for index, layer in enumerate(_layers(net)):
            name = "dense" + (f"_{index}" if index else "")
            file[f"{name}/{name}/kernel:0"] = layer.weight.detach().numpy().T
            file[f"{name}/{name}/bias:0"] = layer.bias.detach().numpy()
    return path.with_suffix(".h5")


def _keras(net: nn.Module, path: Path) -> Path:
    import keras

    layers = _layers(net)
    dense = [
        keras.layers.Dense(layer.out_features, activation=None if layer is layers[-1] else "tanh") for layer in layers
    ]
    model = keras.Sequential([keras.Input((layers[0].in_features,)), *dense])
    for mine, layer in zip(dense, layers, strict=True):
        mine.set_weights([layer.weight.detach().numpy().T, layer.bias.detach().numpy()])
    model.save(path.with_suffix(".keras"))
    return path.with_suffix(".keras")


FORMATS: dict[str, Callable[[nn.Module, Path], Path]] = {
    "torch state dict": _torch(".pt"),
    "nested under model": _torch(".pth", "model", epoch=3),
    "Lightning .ckpt": _torch(".ckpt", "state_dict", "model.", **{"pytorch-lightning_version": "2.5", "epoch": 1}),
    ".pth.tar": _torch(".pth.tar", "state_dict", "module.", arch="mlp", epoch=1),
    "nested in lists and mappings": _nested,
    "npz": _npz,
    "safetensors": _safetensors,
    "safetensors in shards, a folder": _shards,
    "published notebooks": _notebook(turned=False),
    "published notebooks, in other slots": _notebook(turned=True),
    "ONNX (written by onnx)": _onnx,
    "HDF5, weights alone": _hdf5,
    "Keras (written by keras)": _keras,
}
