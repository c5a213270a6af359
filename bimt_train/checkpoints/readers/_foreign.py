"""Readers of networks that were trained and saved elsewhere."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

# The error alone, which torch.load raises; files are read by torch's reader of weights and by safetensors only.
from pickle import UnpicklingError
from typing import Any, TypeAlias, Unpack

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from ..._errors import CheckpointError
from ...layouts._placement import Placement
from ...models._mlp import MLP
from .._checkpoint import Checkpoint
from .._network import Network
from ._about import About, checkpoint_of
from ._chain import Linear, chain_of

State: TypeAlias = Mapping[str, Any]

_NOTEBOOK = re.compile(r"linears\.(\d+)\.linear\.(?:weight|bias)")
_WRAPPERS = ("state_dict", "model_state_dict")
_BROKEN = (UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError, AssertionError)


def from_state_dict(state: State, *, activation: str, **about: Unpack[About]) -> Checkpoint:
    """Make a checkpoint of a plain feed-forward chain ``h_l = activation(W_l h_(l-1) + b_l)``, the last layer linear.

    Parameters
    ----------
    state : mapping of str to tensor or array
        Under any names: for each layer, in order, a weight ``[out, in]`` and at most one bias ``[out]``. A layer
        without a bias gets zeros.
    activation : str
        One of `ACTIVATIONS`; tensors do not tell it.
    **about
        What the tensors do not say:

        - ``x``, array of shape (rows, inputs): rows to probe the network on, in the units it was trained in; every
          fifth is kept as a test row.
        - ``y``, array of shape (rows, outputs): their targets; left out, the network's own outputs take their place.
        - ``ranges``: in place of ``x``, (lowest, highest) for all inputs, or one such pair for each; 1000 training rows
          and 1000 test rows are drawn between, always the same.
        - ``inputs``, ``outputs``, sequences of str: names, else x1, x2, ... and y1, y2, ...
        - ``decomposition``: the known `Decomposition` of the task, over these names.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "state_dict"}`` as its config.

    Raises
    ------
    CheckpointError
        The tensors are no such chain, each named, or the probe does not fit it.
    TaskError
        Names cannot stand in a formula, or an input never changes.
    InputError
        The activation is unknown.

    Examples
    --------
    >>> state = {"W1": np.ones((3, 2)), "b1": np.zeros(3), "W2": np.ones((1, 3))}
    >>> checkpoint = from_state_dict(state, activation="relu", ranges=(-1, 1))
    >>> checkpoint.predict(np.array([[1.0, 2.0]]))
    array([[9.]])
    """
    layers = chain_of({name: _array(name, tensor) for name, tensor in state.items()})
    return checkpoint_of(_network(layers, activation), "state_dict", about)


def from_bimt_notebook(state: State, *, activation: str = "silu", **about: Unpack[About]) -> Checkpoint:
    """Make a checkpoint of a network that the notebooks of arXiv 2305.08746 saved; its neurons stay in their slots.

    There a neuron's index is its slot, and the order of inputs and outputs is kept beside, as numbers stored as floats:
    slot k reads the user's input ``in_perm[k]``, and slot k of the last layer computes the user's output
    ``out_perm[k]``; a forward pass is ``layers(x[:, in_perm])[:, argsort(out_perm)]``. Here inputs and outputs keep the
    user's order, and the placement says where they are: input j is in slot ``argsort(in_perm)[j]``, outputs alike.

    Parameters
    ----------
    state : mapping of str to tensor or array
        Keys ``linears.N.linear.weight`` and ``linears.N.linear.bias``, ``in_perm`` and ``out_perm`` or neither.
    activation : str, default "silu"
        One of `ACTIVATIONS`.
    **about
        ``x``, ``y``, ``ranges``, ``inputs``, ``outputs`` and ``decomposition``, as `from_state_dict` takes them.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "bimt_notebook"}`` as its config.

    Raises
    ------
    CheckpointError
        Other keys, orders that are no permutations, or tensors that are no chain. Learned embeddings and folded inputs
        (modular addition, permutations) are refused: their inputs are tokens, not numbers.

    Examples
    --------
    >>> layer = {"linears.0.linear.weight": np.array([[1.0, 2.0]]), "linears.0.linear.bias": np.zeros(1)}
    >>> order = {"in_perm": np.array([1.0, 0.0]), "out_perm": np.array([0.0])}
    >>> from_bimt_notebook(layer | order, ranges=(-1, 1)).predict(np.array([[10.0, 1.0]]))
    array([[21.]])
    """
    if "embedding" in state:
        raise CheckpointError(
            "a notebook's network with a learned embedding",
            where="tensor 'embedding'",
            expected="inputs that are numbers",
            got="tokens",
            hint="look the tokens up in the embedding and adapt the layers behind it alone, with from_state_dict",
        )
    numbers = {name: int(match[1]) for name in state if (match := _NOTEBOOK.fullmatch(name))}
    others = [name for name in state if name not in numbers and name not in ("in_perm", "out_perm")]
    if others or not numbers:
        raise CheckpointError(
            "not a network of the published notebooks",
            where=", ".join(f"'{name}'" for name in others[:8]) or "no tensor 'linears.0.linear.weight'",
            expected="linears.N.linear.weight, linears.N.linear.bias, in_perm, out_perm",
            hint="read it with from_state_dict",
        )
    layers = list(chain_of({name: _array(name, state[name]) for name in sorted(numbers, key=lambda n: numbers[n])}))
    into = _inverse_order(state, "in_perm", layers[0].weight.shape[1])
    out = _inverse_order(state, "out_perm", layers[-1].weight.shape[0])
    layers[0] = layers[0]._replace(weight=layers[0].weight[:, into])
    layers[-1] = layers[-1]._replace(weight=layers[-1].weight[out], bias=layers[-1].bias[out])
    network = _network(layers, activation)
    slots = {**network.placement.slots, "x": tuple(into.tolist()), "y": tuple(out.tolist())}
    return checkpoint_of(network.with_placement(Placement(slots)), "bimt_notebook", about)


def read_foreign(path: str | Path, *, activation: str | None = None, **about: Unpack[About]) -> Checkpoint:
    """Make a checkpoint of a file of weights: ``.pt`` or ``.pth`` through ``weights_only=True``, or ``.safetensors``.

    A state_dict under the key ``state_dict`` or ``model_state_dict`` is taken out; the published notebooks' networks
    are known by their keys. A safetensors file keeps no order: layers are taken in the natural order of their names.

    Parameters
    ----------
    path : str or Path
        The file.
    activation : str, optional
        One of `ACTIVATIONS`; needed but for the notebooks, which used silu.
    **about
        ``x``, ``y``, ``ranges``, ``inputs``, ``outputs`` and ``decomposition``, as `from_state_dict` takes them.

    Returns
    -------
    Checkpoint
        As `from_state_dict` or `from_bimt_notebook` makes it.

    Raises
    ------
    CheckpointError
        The file is of another kind, holds more than tensors, or the tensors are refused.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save(torch.nn.Linear(2, 1).state_dict(), f"{folder}/net.pt")
    ...     checkpoint = read_foreign(f"{folder}/net.pt", activation="tanh", ranges=(0, 1))
    >>> checkpoint.task.inputs
    ('x1', 'x2')
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError("no such file", where=str(path), hint="correct the path")
    if path.suffix not in (".pt", ".pth", ".safetensors"):
        known = ".pt, .pth or .safetensors"
        raise CheckpointError("a file of an unknown kind", where=str(path), expected=known, got=path.suffix)
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    try:
        if any(map(_NOTEBOOK.fullmatch, state)):
            return from_bimt_notebook(state, activation=activation or "silu", **about)
        if activation is None:
            raise CheckpointError(
                "the file does not say the activation",
                expected="its name",
                hint='give activation="silu" for instance, on the command line --activation silu',
            )
        return from_state_dict(state, activation=activation, **about)
    except CheckpointError as error:
        where = ", ".join(filter(None, (str(path), error.where)))
        raise CheckpointError(
            error.what, where=where, expected=error.expected, got=error.got, hint=error.hint
        ) from error


def _read_torch(path: Path) -> State:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except _BROKEN as error:
        raise CheckpointError(
            "the file holds more than tensors, or is damaged",
            where=str(path),
            expected="a state_dict",
            got=f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else 'nothing'}",
            hint="save it anew with torch.save(model.state_dict(), path)",
        ) from error
    for wrapper in _WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        got, hint = type(state).__name__, "save it anew with torch.save(model.state_dict(), path)"
        raise CheckpointError("no state_dict", where=str(path), expected="names and tensors", got=got, hint=hint)
    return state


def _read_safetensors(path: Path) -> State:
    try:
        with safe_open(path, framework="pt") as file:
            ours = "bimt" in (file.metadata() or {})
        state = load_file(path)
    except SafetensorError as error:
        hint = "copy the file again"
        raise CheckpointError("not a safetensors file", where=str(path), got=str(error), hint=hint) from error
    if ours:
        raise CheckpointError("a checkpoint of this program", where=str(path), hint="read it with load_checkpoint")
    return {name: state[name] for name in sorted(state, key=_natural)}


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name)]


def _array(name: str, tensor: Any) -> np.ndarray:
    """A tensor or an array as float32 or float64; what is neither is refused by name."""
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.detach().cpu()
        array = np.asarray(tensor.float() if tensor.dtype == torch.bfloat16 else tensor)
    else:
        array = tensor if isinstance(tensor, np.ndarray) else np.empty(0, dtype=object)
    if array.dtype.kind not in "fiub":
        hint = "give model.state_dict()"
        raise CheckpointError("not a tensor", where=f"'{name}'", got=type(tensor).__name__, hint=hint)
    return array if array.dtype == np.float64 else array.astype(np.float32)


def _inverse_order(state: State, name: str, size: int) -> np.ndarray:
    """Sort an order that was stored as floats: the slot of each input or output."""
    if name not in state:
        return np.arange(size)
    order = _array(name, state[name])
    if order.shape != (size,) or sorted(order.tolist()) != list(range(size)):
        raise CheckpointError(
            "an order that is no permutation",
            where=f"tensor '{name}', shape {order.shape}",
            expected=f"each of 0..{size - 1} once",
            got=str(order.ravel()[:8].tolist()),
            hint="networks whose inputs are folded tokens are not supported; else save the network again",
        )
    return np.argsort(order)


def _network(layers: Sequence[Linear], activation: str) -> Network:
    widths = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
    model = MLP(widths, activation)
    layout = model.layout()
    tensors: dict[str, np.ndarray] = {}
    for index, layer in enumerate(layers):
        tensors |= {f"layers.{index}.weight": layer.weight, f"layers.{index}.bias": layer.bias}
    return Network(model.spec, layout, Placement.identity(layout), tensors)
