"""Tensors as arrays: what has no values, or more entries than are stored, is refused by name."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from ...._errors import CheckpointError

if TYPE_CHECKING:
    import torch

SHARED = 16  # names that may hold one storage, on average: tied weights are a few
SMALL = 2**20  # bytes that need no bound


def arrays_of(state: Mapping[Any, Any]) -> dict[str, np.ndarray]:
    """Turn named tensors into arrays; memory stays near that of what is stored.

    Parameters
    ----------
    state : mapping of str to tensor or array
        Dense tensors of numbers.

    Returns
    -------
    dict of str to array
        Of real numbers, whole numbers or truth values.

    Raises
    ------
    CheckpointError
        Something is no tensor, has no values, is sparse or complex, or is larger than what is stored of it.

    Examples
    --------
    >>> import torch
    >>> arrays_of({"0.weight": torch.ones(2, 1, dtype=torch.bfloat16)})["0.weight"].dtype.name
    'float32'
    """
    stored: dict[int, int] = {}
    shown = 0
    for name, tensor in state.items():
        if not isinstance(name, str):
            got, hint = repr(name)[:40], "save it anew with torch.save(model.state_dict(), path)"
            raise CheckpointError("a tensor without a name", expected="names as keys", got=got, hint=hint)
        if _is_tensor(tensor):
            _check_values(name, tensor)
            storage = tensor.untyped_storage()
            stored[storage.data_ptr()] = storage.nbytes()
            shown += tensor.numel() * tensor.element_size()
    if shown > SHARED * sum(stored.values()) + SMALL:
        got = f"{len(state)} tensors of {shown} bytes in {sum(stored.values())} bytes"
        hint = "save it anew with torch.save(model.state_dict(), path)"
        raise CheckpointError("tensors that are parts of each other", where="the state", got=got, hint=hint)
    return {name: _array(name, tensor) for name, tensor in state.items()}


def _is_tensor(value: Any) -> "TypeGuard[torch.Tensor]":
    """Whether this is torch's; where torch was never imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _check_values(name: str, tensor: "torch.Tensor") -> None:
    import torch

    where = f"tensor '{name}', shape {tuple(tensor.shape)}"
    if tensor.layout != torch.strided:
        hint = "save it with .to_dense()"
        raise CheckpointError("a sparse tensor", where=where, expected="a dense one", got=str(tensor.layout), hint=hint)
    if tensor.device.type == "meta":
        hint = "save the model after its weights were loaded"
        raise CheckpointError("a tensor without values", where=where, got="a tensor on the device 'meta'", hint=hint)
    stored, shown = tensor.untyped_storage().nbytes(), tensor.numel() * tensor.element_size()
    if shown > stored:
        what, hint = "a tensor larger than what is stored of it", "save it with .clone(), which writes every entry"
        raise CheckpointError(what, where=where, expected=f"{shown} bytes", got=f"{stored} bytes", hint=hint)


def _array(name: str, tensor: Any) -> np.ndarray:
    if _is_tensor(tensor):
        import torch

        tensor = tensor.detach().cpu()
        if tensor.is_quantized:
            tensor = tensor.dequantize()
        plain = not tensor.is_floating_point() or tensor.dtype in (torch.float64, torch.float32, torch.float16)
        array = np.asarray((tensor if plain else tensor.float()).resolve_conj().resolve_neg())
    else:
        array = tensor if isinstance(tensor, np.ndarray) else np.empty(0, dtype=object)
    if array.dtype.kind not in "fiub":
        got = str(array.dtype) if array.dtype != object else type(tensor).__name__
        raise CheckpointError("not a tensor", where=f"'{name}'", got=got, hint="give model.state_dict()")
    return array.astype(np.float32) if array.dtype.kind == "f" and array.dtype != np.float64 else array
