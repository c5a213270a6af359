"""safetensors: weights, indices and what is known of them, for programs that compute by themselves."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int64
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save

from bimt_train.extras import installed

from .._formats import EXPORT_FORMATS
from .._parts import Facts, Parts, Run, Written


def variants(parts: Parts) -> tuple[str, ...]:
    """Each matrix takes the form that is smaller."""
    return ("the smaller of dense and sparse",)


def load(data: bytes, parts: Parts) -> Run | None:
    """Read the numbers back, and run the layers with them."""
    if not installed("torch"):
        return None
    import torch

    from ..layers._torch_neurons_first import NeuronsFirst

    arrays = unpacked(load_tensors(data), json.loads(_metadata(data)["circuit"])["arrays"])
    layers = tuple(
        layer.with_arrays({name: arrays[f"layers.{number}.{name}"] for name in layer.arrays()})
        for number, layer in enumerate(parts.whole.layers)
    )
    network = replace(parts.whole, layers=layers)
    turned = network.to_torch_neurons_first()
    module = network.to_torch() if turned is None else NeuronsFirst(turned)

    def run(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(x)))

    return run


def pack(built: tuple[dict[str, np.ndarray], dict[str, Any]], parts: Parts, facts: Facts) -> Written:
    """The arrays; what is known of them is the metadata ``circuit``."""
    tensors, shapes = built
    layers = [{"layer": type(layer).__name__, **layer.options()} for layer in parts.whole.layers]
    about = {**facts, "layers": layers, "arrays": shapes}
    numbers = sum(tensor.nbytes for tensor in tensors.values())
    return Written(save(tensors, metadata={"circuit": json.dumps(about)}), numbers)


@EXPORT_FORMATS.register(
    "safetensors",
    label="safetensors",
    sentence="Weights and indices, each matrix dense or sparse (CSR), for programs that compute by themselves.",
    ending=".safetensors",
    variants=variants,
    pack=pack,
    load=load,
    runs_in="the layers, read back",
)
def build(parts: Parts, variant: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All arrays by name, and how each lies."""
    tensors: dict[str, np.ndarray] = {"columns": smallest(np.array(parts.whole.reads))}
    shapes: dict[str, Any] = {}
    for name, array in parts.whole.arrays().items():
        packed = sparse(array) if array.ndim == 2 else {"": array if array.dtype.kind == "f" else smallest(array)}
        if sum(one.nbytes for one in packed.values()) >= array.nbytes:
            packed = {"": array}
        shapes[name] = {"shape": list(array.shape), "form": "dense" if "" in packed else "sparse"}
        tensors |= {f"{name}{part}": np.ascontiguousarray(one) for part, one in packed.items()}
    return tensors, shapes


def sparse(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """A matrix as CSR: values, their columns, and where each row starts.

    Parameters
    ----------
    matrix : array of shape (outputs, inputs)
        The matrix.

    Returns
    -------
    dict of str to array
        By what stands behind the matrix's name.
    """
    rows, columns = np.nonzero(matrix)
    start = np.searchsorted(rows, np.arange(len(matrix) + 1))
    return {".values": matrix[rows, columns], ".columns": smallest(columns), ".starts": smallest(start)}


def unpacked(tensors: Mapping[str, np.ndarray], shapes: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of a file, dense.

    Parameters
    ----------
    tensors : mapping of str to array
        What is in the file.
    shapes : mapping of str to mapping
        The entry ``arrays`` of what the file says of itself.

    Returns
    -------
    dict of str to array
        By name.
    """
    found = {}
    for name, about in shapes.items():
        if about["form"] == "dense":
            found[name] = tensors[name] if tensors[name].dtype.kind == "f" else tensors[name].astype(np.int64)
            continue
        values, columns, starts = (tensors[f"{name}.{part}"] for part in ("values", "columns", "starts"))
        each: Int64[np.ndarray, " rows"] = np.diff(starts.astype(np.int64))
        found[name] = np.zeros(about["shape"], dtype=values.dtype)
        found[name][np.repeat(np.arange(len(starts) - 1), each), columns] = values
    return found


def smallest(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest type that holds them.

    Parameters
    ----------
    numbers : array of int
        None below 0.

    Returns
    -------
    array of uint8, uint16 or uint32
        Equal numbers.
    """
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _metadata(data: bytes) -> dict[str, str]:
    size = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(data[8 : 8 + size])["__metadata__"]
    return metadata
