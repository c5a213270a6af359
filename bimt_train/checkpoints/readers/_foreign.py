"""Adapters: networks that were trained and saved elsewhere, as checkpoints."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

# The error alone, which torch.load raises; files are read by torch's reader of weights and by safetensors only.
from pickle import UnpicklingError
from typing import Any, TypeAlias, TypedDict, Unpack

import numpy as np
import torch
from jaxtyping import Float, Float64
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from ..._errors import CheckpointError
from ...expressions._decomposition import KnownParts
from ...layouts._placement import Placement
from ...models._mlp import MLP
from .._checkpoint import Checkpoint, Probe
from .._network import Network
from .._task_spec import TaskCard
from ._chain import Linear, chain_of

State: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Float64[np.ndarray, "rows columns"]

SAMPLED_ROWS = 1000
"""Rows drawn, for training and for testing each, where ranges are given in place of a table."""

_NOTEBOOK = re.compile(r"linears\.(\d+)\.linear\.(?:weight|bias)")
_WRAPPERS = ("state_dict", "model_state_dict")
_BROKEN = (UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError, AssertionError)


class About(TypedDict, total=False):
    """What a file of weights does not say; all may be left out but one of x and ranges.

    Attributes:
        x: rows to probe the network on, in the units it was trained in; every fifth is kept as a test row.
        y: their targets; left out, the network's own outputs take their place.
        ranges: in place of x, (lowest, highest) for all inputs, or one such pair for each; rows are drawn between.
        inputs: names of the inputs, else x1, x2, ...
        outputs: names of the outputs, else y1, y2, ...
        parts: what is known of the task, over these names.
    """

    x: Rows
    y: Rows | None
    ranges: Sequence[Any]
    inputs: Sequence[str]
    outputs: Sequence[str]
    parts: KnownParts | None


def from_state_dict(state: State, *, activation: str, **about: Unpack[About]) -> Checkpoint:
    """The checkpoint of a plain feed-forward chain ``h_l = activation(W_l h_(l-1) + b_l)``, the last layer linear.

    Args:
        state: tensors or arrays under any names: for each layer, in order, a weight ``[out, in]`` and at most one bias
            ``[out]``. A layer without a bias gets zeros.
        activation: one of `ACTIVATIONS`; tensors do not tell it.
        about: a table or ranges to probe on, names, and known parts; see `About`.

    Raises:
        CheckpointError: tensors that are no such chain, each named, or a probe that does not fit it.
        TaskError: names that cannot stand in a formula, an input that never changes.
        InputError: unknown activation.
    """
    layers = chain_of({name: _array(name, tensor) for name, tensor in state.items()})
    return _checkpoint(_network(layers, activation), "state_dict", _About(**about))


def from_bimt_notebook(state: State, *, activation: str = "silu", **about: Unpack[About]) -> Checkpoint:
    """The checkpoint of a network that the notebooks of arXiv 2305.08746 saved; its neurons stay in their places.

    There a neuron's index is its slot, and the order of inputs and outputs is kept beside, as numbers stored as floats:
    slot k reads the user's input ``in_perm[k]``, and slot k of the last layer computes the user's output
    ``out_perm[k]``; a forward pass is ``layers(x[:, in_perm])[:, argsort(out_perm)]``. Here inputs and outputs keep the
    user's order, and the placement says where they sit: input j in slot ``argsort(in_perm)[j]``, outputs alike.

    Args:
        state: keys ``linears.N.linear.weight`` and ``linears.N.linear.bias``, ``in_perm`` and ``out_perm`` or neither.
        activation: one of `ACTIVATIONS`.
        about: a table or ranges to probe on, names, and known parts; see `About`.

    Raises:
        CheckpointError: other keys, orders that are no permutations, tensors that are no chain. Learned embeddings and
            folded inputs (modular addition, permutations) are refused: their inputs are tokens, not numbers.
    """
    if "embedding" in state:
        raise CheckpointError(
            "a notebook's network with a learned embedding",
            where="tensor 'embedding'",
            expected="inputs that are numbers",
            got="tokens",
            mend="look the tokens up in the embedding and adapt the layers behind it alone, with from_state_dict",
        )
    numbers = {name: int(match[1]) for name in state if (match := _NOTEBOOK.fullmatch(name))}
    others = [name for name in state if name not in numbers and name not in ("in_perm", "out_perm")]
    if others or not numbers:
        raise CheckpointError(
            "not a network of the published notebooks",
            where=", ".join(f"'{name}'" for name in others[:8]) or "no tensor 'linears.0.linear.weight'",
            expected="linears.N.linear.weight, linears.N.linear.bias, in_perm, out_perm",
            mend="read it with from_state_dict",
        )
    layers = list(chain_of({name: _array(name, state[name]) for name in sorted(numbers, key=lambda n: numbers[n])}))
    into = _inverse_order(state, "in_perm", layers[0].weight.shape[1])
    out = _inverse_order(state, "out_perm", layers[-1].weight.shape[0])
    layers[0] = layers[0]._replace(weight=layers[0].weight[:, into])
    layers[-1] = layers[-1]._replace(weight=layers[-1].weight[out], bias=layers[-1].bias[out])
    network = _network(layers, activation)
    slots = {**network.placement.slots, "x": tuple(into.tolist()), "y": tuple(out.tolist())}
    return _checkpoint(network.with_placement(Placement(slots)), "bimt_notebook", _About(**about))


def read_foreign(path: str | Path, *, activation: str | None = None, **about: Unpack[About]) -> Checkpoint:
    """The checkpoint of a file of weights: ``.pt`` or ``.pth`` through ``weights_only=True``, or ``.safetensors``.

    A state_dict under the key ``state_dict`` or ``model_state_dict`` is taken out; the published notebooks' networks
    are known by their keys. A safetensors file keeps no order: layers are taken in the natural order of their names.

    Args:
        path: the file.
        activation: one of `ACTIVATIONS`; needed but for the notebooks, which used silu.
        about: a table or ranges to probe on, names, and known parts; see `About`.

    Raises:
        CheckpointError: a file of another kind, one that holds more than tensors, or what the adapters refuse.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError("no such file", where=str(path), mend="correct the path")
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
                mend='give activation="silu" for instance, on the command line --activation silu',
            )
        return from_state_dict(state, activation=activation, **about)
    except CheckpointError as error:
        where = ", ".join(filter(None, (str(path), error.where)))
        raise CheckpointError(
            error.what, where=where, expected=error.expected, got=error.got, mend=error.mend
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
            mend="save it anew with torch.save(model.state_dict(), path)",
        ) from error
    for wrapper in _WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        got, mend = type(state).__name__, "save it anew with torch.save(model.state_dict(), path)"
        raise CheckpointError("no state_dict", where=str(path), expected="names and tensors", got=got, mend=mend)
    return state


def _read_safetensors(path: Path) -> State:
    try:
        with safe_open(path, framework="pt") as file:
            ours = "bimt" in (file.metadata() or {})
        state = load_file(path)
    except SafetensorError as error:
        mend = "copy the file again"
        raise CheckpointError("not a safetensors file", where=str(path), got=str(error), mend=mend) from error
    if ours:
        raise CheckpointError("a checkpoint of our own", where=str(path), mend="read it with load_checkpoint")
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
        mend = "give model.state_dict()"
        raise CheckpointError("not a tensor", where=f"'{name}'", got=type(tensor).__name__, mend=mend)
    return array if array.dtype == np.float64 else array.astype(np.float32)


def _inverse_order(state: State, name: str, size: int) -> np.ndarray:
    """argsort of an order that was stored as floats: the slot of each input or output."""
    if name not in state:
        return np.arange(size)
    order = _array(name, state[name])
    if order.shape != (size,) or sorted(order.tolist()) != list(range(size)):
        raise CheckpointError(
            "an order that is no permutation",
            where=f"tensor '{name}', shape {order.shape}",
            expected=f"each of 0..{size - 1} once",
            got=str(order.ravel()[:8].tolist()),
            mend="networks whose inputs are folded tokens are not supported; else save the network again",
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


@dataclass(frozen=True)
class _About:
    """`About`, with every field present."""

    # Shapes are compared with the network's in every run, with errors of our own.
    x: Float[np.ndarray, "..."] | None = None
    y: Float[np.ndarray, "..."] | None = None
    ranges: Sequence[Any] | None = None
    inputs: Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    parts: KnownParts | None = None


def _checkpoint(network: Network, adapter: str, about: _About) -> Checkpoint:
    layout = network.layout
    inputs = _names(about.inputs, "x", layout.sizes["x"], "inputs")
    outputs = _names(about.outputs, "y", layout.sizes["y"], "outputs")
    if about.x is not None and about.ranges is None:
        x = _table(about.x, "x", len(inputs))
        y = network.predict(x) if about.y is None else _table(about.y, "y", len(outputs))
        probe = _parted(x, y)
        ranges = tuple(zip(x.min(0).tolist(), x.max(0).tolist(), strict=True))
        card = TaskCard("foreign", inputs, outputs, ranges, parts=about.parts)
    elif about.ranges is not None and about.x is None and about.y is None:
        card = TaskCard("foreign", inputs, outputs, _pairs(about.ranges, len(inputs)), parts=about.parts)
        low, high = np.array(card.ranges).T
        train, tests = np.random.default_rng(0).uniform(low, high, (2, SAMPLED_ROWS, len(inputs)))
        probe = Probe(train, network.predict(train), tests, network.predict(tests))
    else:
        mend = "give x (and y), on the command line --probe and --target, or ranges, --range -1 1"
        raise CheckpointError("nowhere to sample the network", expected="either a table or ranges", mend=mend)
    labelled = layout.with_groups(replace(layout.group(g), labels=n) for g, n in (("x", inputs), ("y", outputs)))
    return Checkpoint(replace(network, layout=labelled), card, probe, {"adapter": adapter})


def _parted(x: Rows, y: Float64[np.ndarray, "_ targets"]) -> Probe:
    """Every fifth row is for testing: a table that is sorted is parted as fairly as any other."""
    test = np.arange(len(x)) % 5 == 4
    if not test.any() or len(y) != len(x):
        got, mend = f"{len(x)} rows of x, {len(y)} of y", "give a target row for each of at least five rows"
        raise CheckpointError("a table that cannot be parted", where="x and y", got=got, mend=mend)
    return Probe(x[~test], y[~test], x[test], y[test])


def _names(given: Sequence[str] | None, letter: str, size: int, what: str) -> tuple[str, ...]:
    names = tuple(given) if given is not None else tuple(f"{letter}{i + 1}" for i in range(size))
    if len(names) != size:
        expected, mend = f"{size}, as many as the network has", "name each column"
        raise CheckpointError("a wrong number of names", where=what, expected=expected, got=str(len(names)), mend=mend)
    return names


def _table(rows: np.ndarray, name: str, columns: int) -> Rows:
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != columns:
        expected, got = f"[rows, {columns}]", str(list(table.shape))
        mend = "give one column for each neuron of that end of the network"
        raise CheckpointError("a table of the wrong shape", where=name, expected=expected, got=got, mend=mend)
    return table


def _pairs(ranges: Sequence[Any], size: int) -> tuple[tuple[float, float], ...]:
    try:
        array = np.asarray(ranges, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    array = np.tile(array, (size, 1)) if array.shape == (2,) else array
    if array.shape != (size, 2):
        expected, got = f"one pair, or one for each of {size} inputs", str(ranges)[:60]
        raise CheckpointError(
            "ranges that do not fit", where="ranges", expected=expected, got=got, mend="for instance (-1, 1)"
        )
    return tuple((float(low), float(high)) for low, high in array)
