"""A Keras model's config and weights as a plain chain of layers, or refused by the layer's name."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...._errors import CheckpointError
from .._values import Chain
from ._chain_builder import ChainBuilder

_CONTAINERS = ("layers", "_layers", "_layer_checkpoint_dependencies")
_NOTHING = ("InputLayer", "Identity", "Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout",
            "ActivityRegularization")  # fmt: skip
_SMALLEST = 1e-7  # what Keras divides by at least where it normalises
_FORMULAS = {"exponential": "exp(x)", "squareplus": "(x + sqrt(x**2 + 4))/2"}
_BY_VERSION = {  # what a name means in each version; others are not known for certain
    "leaky_relu": {3: "LeakyReLU(0.2)"},
    "hard_sigmoid": {3: "hardsigmoid", 2: "(abs(x + 2.5) - abs(x - 2.5))/10 + 0.5"},
    "hard_silu": {3: "hardswish"},
    "hard_swish": {3: "hardswish"},
}


@dataclass(frozen=True)
class KerasModel:
    """What a file of Keras holds.

    Attributes
    ----------
    config : object
        The model's config, as JSON.
    arrays : mapping of str to ndarray
        Its weights by path.
    version : int or None
        The first number of Keras' version; None where the file does not say it.
    where : str
        The file, for messages.
    """

    config: Any
    arrays: Mapping[str, np.ndarray]
    version: int | None
    where: str


class _Layer(NamedTuple):
    """One layer: its class, its config, and where its weights may be."""

    kind: str
    said: Mapping[str, Any]
    folders: tuple[str, ...]


@dataclass
class _Under:
    """What is being read: the chain so far, the axes of a row, and what was inferred."""

    built: ChainBuilder
    axes: int | None = None
    assumed: list[str] = field(default_factory=list)


def chain_of_keras(model: KerasModel) -> Chain:
    """Read a model of Keras whose layers are a chain.

    Parameters
    ----------
    model : KerasModel
        The model.

    Returns
    -------
    Chain
        With its activation.

    Raises
    ------
    CheckpointError
        It is no chain: the layer is named.
    KeyError, TypeError, AttributeError, IndexError, ValueError
        The config is damaged.
    """
    under = _Under(ChainBuilder(_refusal))
    for layer in _layers(model.config, "", model.where):
        _apply(layer, under, model)
    built = under.built
    if built.waiting:
        raise _refusal("a Keras model that ends in numbers which belong to no layer", model.where, "a scale or shift")
    final = "identity" if built.open or not built.layers else built.activations.pop()
    if not built.layers or len(set(built.activations)) > 1:
        raise _refused(f"{model.where}, its activations", ", ".join(built.activations) or "no layers")
    said = "order and activations of the layers are those of the model's config; kernels [in, out] are turned"
    activation = built.activations[0] if built.activations else "identity"
    return Chain(built.layers, activation, final, (said, *under.assumed))


def _layers(config: Any, root: str, where: str) -> Iterator[_Layer]:
    """The layers first to last, those of models within the model too."""
    if "layers" not in config["config"]:
        raise CheckpointError(
            "a Keras model of a class of its own, which would have to be run", where=where,
            expected="a Sequential or functional model", got=str(config["class_name"])[:60],
            hint='save its weights alone, model.save_weights("net.weights.h5"), and say the activation',
        )  # fmt: skip
    layers: list[Any] = config["config"]["layers"]
    if config["class_name"] != "Sequential":
        _check_one_path(config["config"], where)
    count: Counter[str] = Counter()
    for layer in layers:
        kind, said = layer["class_name"], layer["config"]
        snake = _snake(kind)
        number = count[snake]
        count[snake] += 1
        names = dict.fromkeys((f"{snake}_{number}" if number else snake, str(said["name"])))
        folders = tuple(f"{root}{container}/{name}" for name in names for container in _CONTAINERS)
        if "layers" in said:
            yield from _layers(layer, f"{folders[0]}/", where)
        else:
            yield _Layer(kind, said, folders)


def _snake(kind: str) -> str:
    """A class's name as Keras writes it in paths."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _check_one_path(config: Any, where: str) -> None:
    """Each layer of a functional model reads the one before it alone, and the last is the only output."""
    layers: list[Any] = config["layers"]
    for before, layer in itertools.pairwise(layers):
        names = set(re.findall(r'"keras_history", "config": \["([^"]+)"', json.dumps(_bare(layer["inbound_nodes"]))))
        if names != {before["config"]["name"]}:
            got = f"it reads {', '.join(sorted(names)) or 'nothing'}"
            raise _refused(f"{where}, layer '{layer['config']['name']}'", got)
    outputs = list(_ends(config.get("output_layers", [])))
    if len(outputs) > 1 or outputs != [layers[-1]["config"]["name"]] * len(outputs):
        raise CheckpointError(
            "a Keras model with several outputs", where=where, expected="one output, of its last layer",
            got=", ".join(map(str, outputs))[:80],
            hint='save a model of one: keras.Model(model.input, model.get_layer("NAME").output)',
        )  # fmt: skip


def _ends(said: Any) -> Iterator[str]:
    """The layers that a config names as ends: one [name, node, tensor], or several, in lists or by name."""
    if isinstance(said, dict):
        said = list(said.values())
    if said and isinstance(said[0], str):
        yield said[0]
    else:
        for one in said:
            yield from _ends(one)


def _bare(nodes: Any) -> Any:
    """Nodes with the history of each tensor in one form."""
    if isinstance(nodes, dict):
        if "keras_history" in nodes:
            return {"class_name": "keras_history", "config": nodes["keras_history"]}
        return {name: _bare(value) for name, value in nodes.items()}
    return [_bare(value) for value in nodes] if isinstance(nodes, list) else nodes


def _apply(layer: _Layer, under: _Under, model: KerasModel) -> None:
    kind, said, built = layer.kind, layer.said, under.built
    at = f"{model.where}, layer '{said['name']}'"
    shape = said.get("batch_shape") or said.get("batch_input_shape")
    if shape and under.axes is None:
        under.axes = len(shape) - 1
    if kind == "Dense":
        _add_dense(layer, under, model, at)
    elif kind == "Activation" or kind in _WITH_SETTINGS:
        given = said["activation"] if kind == "Activation" else {"class_name": kind, "config": said}
        name = _activation(given, model, at)
        if not built.open and name != "linear":
            raise _refused(at, f"{kind}, which follows no layer")
        if name != "linear":
            built.activations.append(name)
    elif kind in _AFFINE:
        scale, shift = _AFFINE[kind](layer, under, model, at)
        built.add_affine(scale, shift, at)
    elif kind == "Flatten" or (kind == "Reshape" and len(said["target_shape"]) == 1):
        kept = under.axes == 1 or (not built.layers and built.columns_waiting == 1)
        if not kept:
            raise _refused(at, f"{kind} of what has several axes")
        under.axes = 1
    elif kind not in _NOTHING:
        raise _refused(at, kind)


def _add_dense(layer: _Layer, under: _Under, model: KerasModel, at: str) -> None:
    said, built = layer.said, under.built
    kernel, *bias = _variables(layer, ("kernel", "bias")[: 1 + bool(said.get("use_bias", True))], model, at)
    units = int(said["units"])
    if kernel.dtype.kind != "f":
        raise _refused(at, f"a kernel of {kernel.dtype.name}; save the model before it is quantised")
    if kernel.ndim != 2 or kernel.shape[1] != units or any(each.shape != (units,) for each in bias):
        raise _refused(at, f"no kernel [in, {units}] and bias of its own")
    if built.open:
        built.activations.append("identity")
    if under.axes is not None and under.axes > 1 and not built.layers:
        under.assumed.append(
            f"a row of the model has {under.axes} axes, and its layers read the last one: a row here is one place of it"
        )
    if "float16" in json.dumps(said.get("dtype")) and not built.layers:
        under.assumed.append("the model computes in half precision, which is left out: outputs differ by that rounding")
    built.add_layer(str(said["name"]), kernel.T, bias[0] if bias else np.zeros(units, kernel.dtype), at)
    name = _activation(said["activation"], model, at)
    if name != "linear":
        built.activations.append(name)


def _variables(layer: _Layer, names: Sequence[str], model: KerasModel, at: str) -> list[np.ndarray]:
    """A layer's variables: by number in archives, by name in HDF5 files of whole models."""
    for folder in layer.folders:
        start = f"{folder}/vars/"
        if f"{start}0" in model.arrays:
            found = [model.arrays[f"{start}{i}"] for i in range(len(names)) if f"{start}{i}" in model.arrays]
            if len(found) == len(names):
                return found
            raise _refused(at, f"{layer.kind} with {len(found)} of its variables {', '.join(names)}")
    own = re.escape(str(layer.said["name"]))
    for start in (rf"(?:model_weights/)?{own}/(?:.*/)?", rf".*/{own}/"):  # the second: in a model within the model
        keys = [[key for key in model.arrays if re.fullmatch(rf"{start}{name}(?::0)?", key)] for name in names]
        if all(len(each) == 1 for each in keys):
            return [model.arrays[each[0]] for each in keys]
    raise _refused(at, f"{layer.kind} with no {' and '.join(names)} of its own")


def _activation(given: Any, model: KerasModel, at: str) -> str:
    """The activation of a layer: a name, or a layer that is one."""
    if isinstance(given, Mapping):
        kind, said = given["class_name"], given["config"]
        if kind in _WITH_SETTINGS:
            return _WITH_SETTINGS[kind](said, at)
        given = said if isinstance(said, str) else kind
    name = str(given)
    versions = _BY_VERSION.get(name)
    if versions is None:
        return _FORMULAS.get(name, name)
    if model.version not in versions:
        raise _refused(at, f"{name}, whose numbers differ among the versions of Keras")
    return versions[model.version]


def _relu(said: Any, at: str) -> str:
    slope, most = _number(said.get("negative_slope") or 0.0), said.get("max_value")
    if _number(said.get("threshold") or 0.0) or (most is not None and slope):
        raise _refused(at, "ReLU with a threshold, or a slope and a largest value")
    if most is not None:
        return "relu6" if _number(most) == 6 else f"Hardtanh(0.0, {_number(most)!r})"
    return f"LeakyReLU({slope!r})" if slope else "relu"


def _leaky_relu(said: Any, at: str) -> str:
    return f"LeakyReLU({_number(said.get('negative_slope', said.get('alpha', 0.3)))!r})"


def _elu(said: Any, at: str) -> str:
    return f"ELU({_number(said.get('alpha', 1.0))!r})"


def _softmax(said: Any, at: str) -> str:
    if said.get("axis", -1) not in (-1, 1, [-1], [1]):
        raise _refused(at, f"Softmax of axis {said['axis']}")
    return "softmax"


_WITH_SETTINGS = {"ReLU": _relu, "LeakyReLU": _leaky_relu, "ELU": _elu, "Softmax": _softmax}


def _number(value: Any) -> float:
    """A number of a config; one of single precision by as few digits as tell it apart."""
    number = float(_plain(value))
    single = np.float32(number)
    return float(str(single)) if float(single) == number else number


def _plain(value: Any) -> Any:
    """A number or list of a config, also where numpy wrote it."""
    return value["config"]["value"] if isinstance(value, Mapping) and isinstance(value["config"], Mapping) else value


def _batch_norm(layer: _Layer, under: _Under, model: KerasModel, at: str) -> tuple[np.ndarray, np.ndarray]:
    said = layer.said
    _check_axis(said.get("axis", -1), under, at)
    flags = (said.get("scale", True), said.get("center", True), True, True)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    wanted = list(itertools.compress(names, flags))
    found = dict(zip(wanted, _variables(layer, wanted, model, at), strict=True))
    mean, variance = found["moving_mean"].astype(np.float64), found["moving_variance"].astype(np.float64)
    scale = found.get("gamma", np.ones(1)).astype(np.float64) / np.sqrt(variance + _number(said.get("epsilon", 1e-3)))
    return scale, found.get("beta", np.zeros(1)).astype(np.float64) - mean * scale


def _normalization(layer: _Layer, under: _Under, model: KerasModel, at: str) -> tuple[np.ndarray, np.ndarray]:
    said = layer.said
    if said.get("axis", -1) not in (None, []):  # else one mean for all
        _check_axis(said.get("axis", -1), under, at)
    given = [_plain(said.get(name)) for name in ("mean", "variance")]
    if any(each is None for each in given):
        given = list(_variables(layer, ("mean", "variance"), model, at))
    mean, variance = (np.asarray(each, np.float64).reshape(-1) for each in given)
    deviation = np.maximum(np.sqrt(variance), _SMALLEST)
    return (deviation, mean) if said.get("invert") else (1 / deviation, -mean / deviation)


def _rescaling(layer: _Layer, under: _Under, model: KerasModel, at: str) -> tuple[np.ndarray, np.ndarray]:
    given = (_plain(layer.said["scale"]), _plain(layer.said.get("offset", 0.0)))
    scale, shift = (np.asarray(each, np.float64).reshape(-1) for each in given)
    return scale, shift


_AFFINE = {"BatchNormalization": _batch_norm, "Normalization": _normalization, "Rescaling": _rescaling}


def _check_axis(axis: Any, under: _Under, at: str) -> None:
    """Numbers belong to the columns, which are the last axis."""
    if axis not in (-1, [-1]) and axis not in (under.axes or 1, [under.axes or 1]):
        raise _refused(at, f"numbers of axis {axis}, not the last one")


def _refusal(what: str, where: str, got: str) -> CheckpointError:
    expected = "Dense layers, one after the other, with one activation"
    return CheckpointError(
        what, where=where, expected=expected, got=got, hint="export it to ONNX, or save a part of it"
    )


def _refused(where: str, got: str) -> CheckpointError:
    return _refusal("a Keras model that is no chain of Dense layers with one activation", where, got)
