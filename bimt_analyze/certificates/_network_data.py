"""A feed-forward network as the plain data of a certificate: exact weights, activations, scaling."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.models.from_spec import options_of

from .checker._evaluate import ACTIVATIONS
from .checker._exact_fields import written

Layer = dict[str, Any]


def network_data(network: Network, task: TaskSpec) -> dict[str, Any]:
    """What a certificate says of a network, in the task's units.

    Parameters
    ----------
    network : Network
        Layers one after the other, of numbers or of tokens.
    task : TaskSpec
        Gives the names of the outputs, and shifts and scales.

    Returns
    -------
    dict of str to object
        Plain JSON; every number as text that ``float.hex`` writes.

    Raises
    ------
    InputError
        A network of another kind, or an activation that the checker does not know.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> network_data(checkpoint.network, checkpoint.task)["layers"][0]["weights"]
    ['0x1.0000000000000p+0 0x0.0p+0', '0x0.0p+0 0x1.0000000000000p+0']
    """
    kind = network.model.kind
    if kind not in _KINDS:
        raise InputError(
            "a network that cannot be certified", where="model", expected=" or ".join(_KINDS), got=kind,
            hint="layers one after the other can be read from their weights with --activation",
        )  # fmt: skip
    tokens, layers = _KINDS[kind](network)
    for layer in layers:
        if layer["activation"] not in ACTIVATIONS:
            known, got = ", ".join(ACTIVATIONS), layer["activation"]
            raise InputError("an activation that cannot be certified", where="model", expected=known, got=got)
    inputs, outputs = len(task.inputs), len(task.outputs)
    return {
        "outputs": list(task.outputs),
        "tokens": tokens,
        "input_shift": written(task.input_shift or [0.0] * inputs),
        "input_scale": written(task.input_scale or [1.0] * inputs),
        "layers": layers,
        "output_shift": written(task.output_shift or [0.0] * outputs),
        "output_scale": written(task.output_scale or [1.0] * outputs),
    }


def _of_mlp(network: Network) -> tuple[int, list[Layer]]:
    options = network.model.options
    count = len(options["widths"]) - 1
    ends = [options["activation"]] * (count - 1) + [options.get("final") or "identity"]
    return 0, [_layer(network, f"layers.{place}", ends[place]) for place in range(count)]


def _of_embedding_mlp(network: Network) -> tuple[int, list[Layer]]:
    options, table = options_of(network.model), np.asarray(network.tensors["embedding.weight"], dtype=np.float64)
    assert options is not None
    copies, count = options.ends.inputs, len(network.model.options["widths"])
    lookup = np.kron(np.eye(copies), table.T)
    first = {
        "weights": [written(row) for row in lookup],
        "bias": written([0.0] * len(lookup)),
        "activation": "identity",
    }
    ends = [network.model.options["activation"]] * (count - 1) + ["identity"]
    return len(table), [first, *(_layer(network, f"layers.{place}", ends[place]) for place in range(count))]


def _layer(network: Network, name: str, activation: str) -> Layer:
    weights, bias = network.tensors[f"{name}.weight"], network.tensors[f"{name}.bias"]
    return {"weights": [written(row) for row in weights], "bias": written(bias), "activation": activation}


_KINDS: Mapping[str, Callable[[Network], tuple[int, list[Layer]]]] = MappingProxyType(
    {"mlp": _of_mlp, "embedding-mlp": _of_embedding_mlp}
)
