"""Weights of a file in the module that a user's function makes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from ..._errors import CheckpointError, InputError
from ...extras import need
from ...layouts._layout import Layout
from .._checkpoint import Checkpoint
from ._about import AboutTask
from ._from_module import from_module
from ._values import Tensors, Told
from .files._folder import read_weights
from .tensors._arrays import arrays_of
from .tensors._names import WRAPPERS

if TYPE_CHECKING:
    from torch import nn


def read_into(
    path: str | Path,
    factory: "Callable[[], nn.Module]",
    x: Any = None,
    *,
    key: str | None = None,
    layout: Layout | None = None,
    **about: Unpack[AboutTask],
) -> Checkpoint:
    """Make a checkpoint of a file of weights and the module that they belong to.

    Nothing in the file is run; the factory is the user's own code.

    Parameters
    ----------
    path : str or Path
        The file or folder, of any kind that `read_foreign` takes and that holds tensors by name.
    factory : callable
        Takes nothing and gives the module; a class will do.
    x : array or Tensor of shape (rows, ...), tuple of them, or mapping of str to them, optional
        Rows of what the module takes; in its place, ``ranges``.
    key : str, optional
        Which of several networks in the file.
    layout : Layout, optional
        As `from_module` takes it.
    **about
        As `from_module` takes it.

    Returns
    -------
    Checkpoint
        As `from_module` makes it.

    Raises
    ------
    CheckpointError
        The file cannot be read, or its tensors are not those of the module, each named.
    InputError
        The factory makes no module, or as `from_module` raises it.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from torch import nn
    >>> def make():
    ...     return nn.Sequential(nn.Linear(2, 3), nn.SiLU(), nn.Linear(3, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save({"model": make().state_dict(), "epoch": 3}, f"{folder}/net.pt")
    ...     checkpoint = read_into(f"{folder}/net.pt", make, ranges=(-1, 1))
    >>> checkpoint.network.model.options["widths"], checkpoint.network.edges()
    ([2, 3, 1], 9)
    """
    path = Path(path)
    if not path.exists():
        raise CheckpointError("no such file", where=str(path), hint="correct the path")
    module = _made(factory)
    found = read_weights(path, Told(key=key))
    if not isinstance(found, Tensors):
        hint = "leave out the model: the file says how it is built"
        raise CheckpointError("a file of layers, not of tensors by name", where=str(path), hint=hint)
    _load(module, arrays_of(found.state), str(path))
    checkpoint = from_module(module, x, layout=layout, **about)
    config = {**checkpoint.config, "adapter": "factory"}
    config["assumed"] = [*found.assumed, *config["assumed"]]
    return replace(checkpoint, config=config)


def _made(factory: Any) -> "nn.Module":
    need("torch", "a network made by a function")
    from torch import nn

    where = getattr(factory, "__qualname__", type(factory).__name__)
    if isinstance(factory, nn.Module):
        return factory
    try:
        module = factory()
    except Exception as error:  # whatever the user's function raises is told in one line
        got, hint = f"{type(error).__name__}: {error}", "give a function that takes nothing and returns the module"
        raise InputError("a function that makes no module", where=where, got=got, hint=hint) from error
    if not isinstance(module, nn.Module):
        hint = "return a torch.nn.Module"
        raise InputError("a function that makes no module", where=where, got=type(module).__name__, hint=hint)
    return module


def _load(module: "nn.Module", arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Put the arrays into the module, whatever wrappers stand before their names."""
    import torch

    own = module.state_dict()
    state = _renamed(arrays, set(own))
    missing = [f"'{name}' {tuple(own[name].shape)}" for name in own if name not in state]
    surplus = [f"'{name}' {array.shape}" for name, array in state.items() if name not in own]
    if missing or surplus:
        got = "; ".join(
            f"{word} {', '.join(names[:4])}{' and more' * (len(names) > 4)}"
            for word, names in (("missing", missing), ("surplus", surplus))
            if names
        )
        hint = "make the module as it was made when the file was saved"
        raise CheckpointError("tensors of another module", where=where, expected=type(module).__name__, got=got,
                              hint=hint)  # fmt: skip
    for name, array in state.items():
        if tuple(own[name].shape) != array.shape:
            hint = "make the module with the sizes that it had"
            raise CheckpointError(
                "a tensor of another shape", where=f"{where}, tensor '{name}'", expected=str(tuple(own[name].shape)),
                got=str(array.shape), hint=hint,
            )  # fmt: skip
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})


def _renamed(arrays: Mapping[str, np.ndarray], wanted: set[str]) -> dict[str, np.ndarray]:
    """The arrays without wrappers in their names, and without what all names begin with, if only then they fit."""
    bare = {".".join(step for step in name.split(".") if step not in WRAPPERS): array for name, array in arrays.items()}
    ways = [dict(arrays), bare]
    firsts = {name.partition(".")[0] for name in bare}
    while len(firsts) == 1 and all("." in name for name in ways[-1]):
        ways.append({name.partition(".")[2]: array for name, array in ways[-1].items()})
        firsts = {name.partition(".")[0] for name in ways[-1]}
    return max(ways, key=lambda way: len(wanted & set(way)) - len(set(way) - wanted))
