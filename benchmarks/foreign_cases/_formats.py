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

from bimt_train.checkpoints import Checkpoint, from_sklearn, read_foreign

from ._cases import X
from ._modules import chain


def one_network(folder: Path) -> list[tuple[str, str]]:
    """The largest difference from the network's own outputs, for each format."""
    net = chain(3, 5, 4, 2, act=nn.Tanh, seed=4)
    with torch.no_grad():
        right = net.double()(torch.tensor(X)).numpy()
    net = net.float()
    rows = []
    for name, write in FORMATS.items():
        try:
            checkpoint = write(net, folder / "one")
        except ImportError as error:
            rows.append((name, f"not tried: {error}"))
            continue
        rows.append((name, f"{np.abs(checkpoint.predict(X) - right).max():.1e}"))
    return rows


def _torch(ending: str, **beside: Any) -> Callable[[nn.Module, Path], Checkpoint]:
    def write(net: nn.Module, path: Path) -> Checkpoint:
        path = path.with_name(path.name + ending)
        torch.save({"state_dict": net.state_dict(), **beside} if beside else net.state_dict(), path)
        return read_foreign(path, activation="tanh", x=X)

    return write


def _nested(net: nn.Module, path: Path) -> Checkpoint:
    path = path.with_suffix(".bin")
    torch.save({"a": {"b": [net.state_dict()]}, "epoch": 3}, path)
    return read_foreign(path, activation="tanh", x=X)


def _npz(net: nn.Module, path: Path) -> Checkpoint:
    np.savez(path.with_suffix(".npz"), **{name: tensor.numpy() for name, tensor in net.state_dict().items()})
    return read_foreign(path.with_suffix(".npz"), activation="tanh", x=X)


def _safetensors(net: nn.Module, path: Path) -> Checkpoint:
    safetensors.torch.save_file(net.state_dict(), path.with_suffix(".safetensors"))
    return read_foreign(path.with_suffix(".safetensors"), activation="tanh", x=X)


def _shards(net: nn.Module, path: Path) -> Checkpoint:
    path.mkdir()
    placed = {}
    for index, (name, tensor) in enumerate(net.state_dict().items()):
        placed[name] = f"part-{index}.safetensors"
        safetensors.torch.save_file({name: tensor}, path / placed[name])
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    return read_foreign(path, activation="tanh", x=X)


def _sklearn(net: nn.Module, path: Path) -> Checkpoint:
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    fitted = SimpleNamespace(
        coefs_=[layer.weight.detach().numpy().T for layer in layers],
        intercepts_=[layer.bias.detach().numpy() for layer in layers],
        activation="tanh",
        out_activation_="identity",
    )
    return from_sklearn(fitted, x=X)


def _onnx(net: nn.Module, path: Path) -> Checkpoint:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    constants, nodes, value = [], [], "x"
    for index, layer in enumerate(layer for layer in net if isinstance(layer, nn.Linear)):
        for kind, tensor in layer.state_dict().items():
            constants.append(numpy_helper.from_array(tensor.numpy(), f"{index}.{kind}"))
        if index:
            nodes.append(helper.make_node("Tanh", [value], [f"h{index}"]))
            value = f"h{index}"
        given = [value, f"{index}.weight", f"{index}.bias"]
        nodes.append(helper.make_node("Gemm", given, [f"z{index}"], transB=1))
        value = f"z{index}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size]) for name, size in (("x", 3), (value, 2))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph), path.with_suffix(".onnx"))
    return read_foreign(path.with_suffix(".onnx"), x=X)


def _keras(net: nn.Module, path: Path) -> Checkpoint:
    import keras

    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    dense = [
        keras.layers.Dense(layer.out_features, activation=None if layer is layers[-1] else "tanh") for layer in layers
    ]
    model = keras.Sequential([keras.Input((3,)), *dense])
    for mine, layer in zip(dense, layers, strict=True):
        mine.set_weights([layer.weight.detach().numpy().T, layer.bias.detach().numpy()])
    model.save(path.with_suffix(".keras"))
    return read_foreign(path.with_suffix(".keras"), x=X)


FORMATS: dict[str, Callable[[nn.Module, Path], Checkpoint]] = {
    "torch state dict": _torch(".pt"),
    "Lightning .ckpt": _torch(".ckpt", **{"pytorch-lightning_version": "2.5", "epoch": 1}),
    ".pth.tar": _torch(".pth.tar", arch="mlp", epoch=1),
    "nested in lists and mappings": _nested,
    "npz": _npz,
    "safetensors": _safetensors,
    "safetensors in shards, a folder": _shards,
    "scikit-learn": _sklearn,
    "ONNX (written by onnx)": _onnx,
    "Keras (written by keras)": _keras,
}
