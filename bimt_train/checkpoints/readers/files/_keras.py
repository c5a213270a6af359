"""Keras models: the archive .keras, and HDF5 files. Both need the package h5py."""

import io
import itertools
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...._errors import CheckpointError
from ....extras import need
from .._values import Chain, Linear, Tensors, Told
from ._bounds import ZIP_ERRORS, check_bytes, members_of
from ._weight_file import WEIGHT_FILES

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_NOTHING = ("InputLayer", "Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization")
_USUAL: dict[str, dict[str, Any]] = {
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "ELU": {"alpha": 1.0},
    "LeakyReLU": {"negative_slope": 0.01},
    "Softmax": {"axis": -1},
}
_LAYERS = ("ReLU", "Softmax", "ELU", "LeakyReLU")  # activations that are layers


def is_keras(path: Path) -> bool:
    """Whether a file is an archive of a config and weights.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    return {_CONFIG, _WEIGHTS} <= members_of(path).keys()


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


@WEIGHT_FILES.register(
    "keras", label="Keras", sentence="A Sequential model of Dense layers, with its activations.", knows=is_keras
)
def read_keras(path: Path, told: Told) -> Chain:
    """Read a .keras archive.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Chain
        With its activation.

    Raises
    ------
    CheckpointError
        The model is no chain, or the file is damaged.
    """
    members_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            config, weights = json.loads(archive.read(_CONFIG)), archive.read(_WEIGHTS)
    except ZIP_ERRORS as error:
        raise _damaged(path, error) from error
    return _chain(config, _datasets(io.BytesIO(weights), path), path)


@WEIGHT_FILES.register("hdf5", label="HDF5", sentence="A Keras model, or named weights, in HDF5.", knows=is_hdf5)
def read_hdf5(path: Path, told: Told) -> Chain | Tensors:
    """Read an HDF5 file of Keras.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Chain or Tensors
        A chain where the file holds its config, else named tensors.

    Raises
    ------
    CheckpointError
        The package h5py is missing, the model is no chain, or the file is damaged.
    """
    arrays = _datasets(path, path)
    config = _config_of(path)
    if config is not None:
        return _chain(config, arrays, path)
    return Tensors({_renamed(name): array for name, array in arrays.items()}, ordered=False)


def _h5py(path: Path) -> Any:
    need("h5py", f"{path}, an HDF5 file,")
    import h5py

    return h5py


def _damaged(path: Path, error: BaseException) -> CheckpointError:
    got, hint = f"{type(error).__name__}: {error}"[:120], "save the model again"
    return CheckpointError("a Keras file that is damaged", where=str(path), got=got, hint=hint)


def _datasets(source: Any, path: Path) -> dict[str, np.ndarray]:
    """Every dataset of the file that is stored in it; what is elsewhere, or larger than what is stored, is refused."""
    h5py = _h5py(path)
    found: dict[str, np.ndarray] = {}
    wanted = 0
    try:
        with h5py.File(source, "r") as file:
            waiting, seen = [("", file)], set()
            while waiting:
                at, group = waiting.pop(0)
                for name in group:
                    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                        raise CheckpointError("a part that lies in another file", where=f"{path}, '{at}{name}'")
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        if item.id not in seen:
                            seen.add(item.id)
                            waiting.append((f"{at}{name}/", item))
                        continue
                    wanted += item.size * item.dtype.itemsize
                    if item.external or item.is_virtual:
                        raise CheckpointError("a part that lies in another file", where=f"{path}, '{at}{name}'")
                    check_bytes(path, wanted, f"'{at}{name}'")
                    if item.dtype.kind in "fiub":
                        found[f"{at}{name}"] = np.asarray(item[()])
    except CheckpointError:
        raise
    except Exception as error:  # damaged files make h5py raise anything
        raise _damaged(path, error) from error
    return {name: array for name, array in found.items() if not re.match(r"optimizer|seed_generator|metrics", name)}


def _config_of(path: Path) -> Any:
    with _h5py(path).File(path, "r") as file:
        text = file.attrs.get("model_config")
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from error


def _renamed(name: str) -> str:
    """Keras numbers a layer's variables: 0 is the kernel, 1 the bias."""
    match = re.fullmatch(r"(?:.*layers/)?(.+)/vars/([01])", name)
    return f"{match[1]}.{('kernel', 'bias')[int(match[2])]}" if match else name


def _chain(config: Any, arrays: Mapping[str, np.ndarray], path: Path) -> Chain:
    try:
        layers = _sequence(config, path)
        return _read(layers, arrays, path)
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise _damaged(path, error) from error


def _sequence(config: Any, path: Path) -> list[Any]:
    """The layers' configs, first to last."""
    layers: list[Any] = config["config"]["layers"]
    if config["class_name"] == "Sequential":
        return layers
    for before, layer in itertools.pairwise(layers):
        names = set(re.findall(r'"keras_history", "config": \["([^"]+)"', json.dumps(_bare(layer["inbound_nodes"]))))
        if names != {before["config"]["name"]}:
            raise _refusal(
                path, f"layer '{layer['config']['name']}'", f"it reads {', '.join(sorted(names)) or 'nothing'}"
            )
    return layers


def _bare(nodes: Any) -> Any:
    """Nodes with the history of each tensor in one form."""
    if isinstance(nodes, dict):
        if "keras_history" in nodes:
            return {"class_name": "keras_history", "config": nodes["keras_history"]}
        return {name: _bare(value) for name, value in nodes.items()}
    return [_bare(value) for value in nodes] if isinstance(nodes, list) else nodes


def _read(layers: Sequence[Any], arrays: Mapping[str, np.ndarray], path: Path) -> Chain:
    linears: list[Linear] = []
    activations: list[str] = []
    dense = [layer for layer in layers if layer["class_name"] == "Dense"]
    for layer in layers:
        kind, said = layer["class_name"], layer["config"]
        if kind == "Dense":
            kernel, bias = _variables(said, dense.index(layer), arrays, path)
            if len(linears) > len(activations):
                activations.append("identity")
            linears.append(Linear(str(said["name"]), kernel.T, bias))
            if _named(said["activation"]) != "linear":
                activations.append(_named(said["activation"]))
        elif kind == "Activation" or kind in _LAYERS:
            unusual = {
                name: said[name] for name, usual in _USUAL.get(kind, {}).items() if said.get(name, usual) != usual
            }
            if len(linears) == len(activations) or unusual:
                raise _refusal(path, f"layer '{said['name']}'", kind)
            activations.append(_named(said["activation"]) if kind == "Activation" else kind)
        elif kind not in _NOTHING and not (kind == "Flatten" and not linears):
            raise _refusal(path, f"layer '{said['name']}'", kind)
    final = activations.pop() if linears and len(activations) == len(linears) else "identity"
    if not linears or len(set(activations)) > 1:
        raise _refusal(path, "its activations", ", ".join(activations) or "no layers")
    activation = activations[0] if activations else "identity"
    if activation in ("leaky_relu", "hard_sigmoid", "hard_silu", "hard_swish"):
        raise _refusal(path, "its activations", f"{activation}, whose numbers differ among the versions of Keras")
    assumed = ["order and activations of the layers are those of the model's config; kernels [in, out] are turned"]
    return Chain(linears, activation, final, tuple(assumed))


def _named(activation: Any) -> str:
    if not isinstance(activation, str):
        raise ValueError("an activation that is no name")
    return activation


def _variables(said: Any, index: int, arrays: Mapping[str, np.ndarray], path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a Dense layer, under each of the names that Keras has given them."""
    name, units = str(said["name"]), int(said["units"])
    numbered = "dense" if index == 0 else f"dense_{index}"
    bases = [
        rf"(?:_?layers/)({re.escape(name)}|{numbered})/vars/{{}}",
        rf"(?:model_weights/)?{re.escape(name)}/.*{{}}(?::0)?",
    ]
    pairs = (("0", "1"), ("kernel", "bias"))
    for base, (kernel_name, bias_name) in zip(bases, pairs, strict=True):
        kernels = [key for key in arrays if re.fullmatch(base.format(kernel_name), key)]
        if len(kernels) != 1:
            continue
        biases = [key for key in arrays if re.fullmatch(base.format(bias_name), key)]
        kernel = arrays[kernels[0]]
        bias = arrays[biases[0]] if len(biases) == 1 else np.zeros(units, kernel.dtype)
        if (
            kernel.dtype.kind == "f"
            and kernel.ndim == 2
            and kernel.shape[1] == units
            and bias.shape == (units,)
            and bool(said.get("use_bias", True)) == (len(biases) == 1)
        ):
            return kernel, bias
    raise _refusal(path, f"layer '{name}'", f"no kernel [in, {units}] and bias of its own")


def _refusal(path: Path, where: str, got: str) -> CheckpointError:
    return CheckpointError(
        "a Keras model that is no chain of Dense layers with one activation", where=f"{path}, {where}",
        expected="Dense layers, one after the other", got=got, hint="export it to ONNX, or save a part of it",
    )  # fmt: skip
