"""Networks that the notebooks of arXiv 2305.08746 saved: neurons in slots, orders kept beside as floats."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
from jaxtyping import Float64, Int

from ..._errors import CheckpointError
from ...layouts._placement import Placement
from ...models.building_blocks.activations import activation_name
from .._checkpoint import Checkpoint, Probe
from .._network import Network
from .._task_spec import TaskSpec
from ._about import SAMPLED_ROWS, About, checkpoint_of
from ._network_of import network_of
from ._values import Linear, State, Told
from .tensors._arrays import arrays_of
from .tensors._names import part_of
from .tensors._orientation import turned
from .tensors._resolved import Layer

_LAYER = re.compile(r"linears\.(\d+)\.linear\.(weight|bias)")
_BESIDE = ("in_perm", "out_perm", "embedding")
PAIRS = 20_000
"""All rows of tokens are taken where there are at most so many."""


def is_notebook(state: State) -> bool:
    """Whether tensors have the names of the notebooks' networks.

    Parameters
    ----------
    state : mapping of str to tensor
        By name.

    Returns
    -------
    bool
        Whether any name is ``linears.N.linear.weight`` or ``bias``.
    """
    return any(isinstance(name, str) and _LAYER.fullmatch(name) for name in state)


def from_bimt_notebook(state: State, *, activation: str = "silu", **about: Unpack[About]) -> Checkpoint:
    """Make a checkpoint of a network that the notebooks of arXiv 2305.08746 saved; its neurons stay in their slots.

    There a neuron's index is its slot, and the order of inputs and outputs is kept beside, as numbers stored as floats:
    slot k reads the user's input ``in_perm[k]``, and slot k of the last layer computes the user's output
    ``out_perm[k]``; a forward pass is ``layers(x[:, in_perm])[:, argsort(out_perm)]``. Here inputs and outputs keep the
    user's order, and the placement says where they are: input j is in slot ``argsort(in_perm)[j]``, outputs alike.

    With an ``embedding`` (modular addition, permutations) the inputs are tokens. Their vectors stand side by side, and
    are folded on the same slots: ``in_perm`` orders the entries of a vector, alike for each token.

    Parameters
    ----------
    state : mapping of str to tensor or array
        Keys ``linears.N.linear.weight`` and ``linears.N.linear.bias``, ``in_perm`` and ``out_perm`` or neither, and
        ``embedding`` of shape (tokens, entries) or none.
    activation : str, default "silu"
        One of `ACTIVATIONS`.
    **about
        ``x``, ``y``, ``ranges``, ``inputs``, ``outputs`` and ``decomposition``, as `from_state_dict` takes them. Where
        the inputs are tokens, ``x`` may be left out (all rows of tokens, or 2000 drawn ones, take its place), there are
        no ``ranges``, and ``y`` holds the numbers of classes.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "bimt_notebook", "assumed": [...]}`` as its config.

    Raises
    ------
    CheckpointError
        Other keys, orders that are no permutations, tensors that are no chain, or an embedding that does not fit.

    Examples
    --------
    >>> layer = {"linears.0.linear.weight": np.array([[1.0, 2.0]]), "linears.0.linear.bias": np.zeros(1)}
    >>> order = {"in_perm": np.array([1.0, 0.0]), "out_perm": np.array([0.0])}
    >>> from_bimt_notebook(layer | order, ranges=(-1, 1)).predict(np.array([[10.0, 1.0]]))
    array([[21.]])
    """
    numbers = {name: int(match[1]) for name in state if (match := _LAYER.fullmatch(name))}
    others = [name for name in state if name not in numbers and name not in _BESIDE]
    if others or not any(name.endswith("weight") for name in numbers):
        raise CheckpointError(
            "not a network of the published notebooks",
            where=", ".join(f"'{name}'" for name in others[:8]) or "no tensor 'linears.0.linear.weight'",
            expected="linears.N.linear.weight, linears.N.linear.bias, in_perm, out_perm, embedding",
            hint="read it with from_state_dict",
        )
    arrays = arrays_of(state)
    layers = _layers(arrays, numbers)
    said = ["the names are those of the notebooks of arXiv 2305.08746: layers stand in the order of their numbers"]
    name = activation_name(activation)
    said.append(f"{name} stands between the layers, and nothing after the last" + _SILU.get(name, ""))
    if "embedding" in arrays:
        return _of_tokens(arrays, layers, name, about, said)
    into = _inverse_order(arrays, "in_perm", layers[0].weight.shape[1])
    out = _inverse_order(arrays, "out_perm", layers[-1].weight.shape[0])
    layers[0] = layers[0]._replace(weight=layers[0].weight[:, into])
    layers[-1] = layers[-1]._replace(weight=layers[-1].weight[out], bias=layers[-1].bias[out])
    network = network_of(layers, name)
    slots = {**network.placement.slots, "x": tuple(into.tolist()), "y": tuple(out.tolist())}
    found = checkpoint_of(network.with_placement(Placement(slots)), "bimt_notebook", about)
    said.append("in_perm and out_perm say in which slots inputs and outputs are")
    return replace(found, config={**found.config, "assumed": said})


_SILU = {"silu": ": the notebooks used silu"}


def _layers(arrays: Mapping[str, np.ndarray], numbers: Mapping[str, int]) -> list[Linear]:
    found = []
    for number in sorted(set(numbers.values())):
        names = {name.rpartition(".")[2]: name for name, other in numbers.items() if other == number}
        where = f"linears.{number}.linear"
        weight = arrays.get(names.get("weight", ""))
        if weight is None or weight.ndim != 2:
            expected = "a weight of two axes"
            raise CheckpointError("a layer of the notebooks without its weight", where=where, expected=expected)
        bias = part_of(names["bias"], arrays[names["bias"]]) if "bias" in names else None
        found.append(Layer((str(number),), names["weight"], weight, bias, "weight"))
    return turned(found, Told(orientation="out_in"))[0]


def _of_tokens(
    arrays: Mapping[str, np.ndarray], layers: list[Linear], activation: str, about: About, said: list[str]
) -> Checkpoint:
    table = arrays["embedding"]
    reads = layers[0].weight.shape[1]
    if table.ndim != 2 or table.shape[1] < 1 or reads % table.shape[1]:
        raise CheckpointError(
            "an embedding that does not fit the first layer", where=f"'embedding' {table.shape}",
            expected=f"a vector a token, some of which fill the {reads} inputs of the first layer",
            hint="read the layers behind it alone, with from_state_dict",
        )  # fmt: skip
    tokens, entries = table.shape
    copies = reads // entries
    into = _inverse_order(arrays, "in_perm", entries)
    out = _inverse_order(arrays, "out_perm", layers[-1].weight.shape[0])
    # Entry e of each token's vector is read by slot into[e]; here entries keep the order of the embedding.
    columns = np.concatenate([copy * entries + into for copy in range(copies)])
    layers[0] = layers[0]._replace(weight=layers[0].weight[:, columns])
    layers[-1] = layers[-1]._replace(weight=layers[-1].weight[out], bias=layers[-1].bias[out])
    widths = [len(layer.bias) for layer in layers]
    from ...models import EmbeddingMLP  # brings torch

    model = EmbeddingMLP(tokens, copies, entries, widths, activation)
    layout = model.layout()
    tensors: dict[str, np.ndarray] = {"embedding.weight": table.astype(layers[0].weight.dtype)}
    for index, layer in enumerate(layers):
        tensors |= {f"layers.{index}.weight": layer.weight, f"layers.{index}.bias": layer.bias}
    placement = Placement.identity(layout)
    slots = {**placement.slots, "e": tuple(into.tolist()), "y": tuple(out.tolist())}
    network = Network(model.spec, layout, Placement(slots), tensors)
    said += [
        f"'embedding' has {entries} entries for each of {tokens} tokens; the first layer reads {copies} side by side",
        "in_perm orders the entries of a vector, alike for each token, and out_perm the outputs",
        f"the {widths[-1]} outputs are taken as the logits of classes",
    ]
    return _tokens_checkpoint(network, tokens, copies, about, said)


def _tokens_checkpoint(network: Network, tokens: int, copies: int, about: About, said: list[str]) -> Checkpoint:
    """A checkpoint whose rows are tokens."""
    given: dict[str, Any] = dict(about)
    if given.get("ranges") is not None:
        hint = "leave the ranges out, or give rows of tokens as x"
        what = "ranges for inputs that are tokens"
        raise CheckpointError(what, where="ranges", expected="tokens by number", hint=hint)
    outputs = network.layout.sizes["y"]
    if given.get("x") is not None:
        x = np.asarray(given["x"], dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != copies or not np.isin(x, np.arange(tokens)).all() or len(x) < 5:
            expected, got = f"[rows, {copies}], tokens from 0 to {tokens - 1}, five rows or more", str(list(x.shape))
            raise CheckpointError("rows that are no tokens", where="x", expected=expected, got=got)
    else:
        x = _rows(tokens, copies)
        said.append(f"the rows are {'all' if len(x) == tokens**copies else 'drawn'} rows of {copies} tokens")
    y = given.get("y")
    labels = network.predict(x).argmax(1)[:, None].astype(np.float64) if y is None else np.asarray(y, np.float64)
    one_hot = labels.ndim == 2 and labels.shape[1] == outputs
    if labels.ndim != 2 or len(labels) != len(x) or not (one_hot or np.isin(labels, np.arange(outputs)).all()):
        expected = f"[{len(x)}, 1], classes from 0 to {outputs - 1}"
        raise CheckpointError("targets that are no classes", where="y", expected=expected, got=str(list(labels.shape)))
    inputs = _names(given.get("inputs"), "x", copies)
    ranges = tuple((0, tokens - 1) for _ in range(copies))
    task = TaskSpec(
        "foreign", inputs, _names(given.get("outputs"), "y", outputs), ranges, loss="cross-entropy",
        decomposition=given.get("decomposition"),
    )  # fmt: skip
    test = np.arange(len(x)) % 5 == 4
    probe = Probe(x[~test], labels[~test], x[test], labels[test])
    labelled = network.layout.with_groups([replace(network.layout.group("y"), labels=task.outputs)])
    done = replace(network, layout=labelled)
    return Checkpoint(done, task, probe, {"adapter": "bimt_notebook", "assumed": said})


def _names(given: Sequence[str] | None, letter: str, size: int) -> tuple[str, ...]:
    names = tuple(given) if given is not None else tuple(f"{letter}{i + 1}" for i in range(size))
    if len(names) != size:
        expected, hint = f"{size}, as many as the network has", "name each column"
        raise CheckpointError("a wrong number of names", expected=expected, got=str(len(names)), hint=hint)
    return names


def _rows(tokens: int, copies: int) -> Float64[np.ndarray, "rows copies"]:
    """All rows of tokens in a shuffled order, or a sample of them; always the same."""
    draw = np.random.default_rng(0)
    if tokens**copies <= PAIRS:
        every = np.indices((tokens,) * copies).reshape(copies, -1).T
        return draw.permutation(every).astype(np.float64)
    return draw.integers(0, tokens, (2 * SAMPLED_ROWS, copies)).astype(np.float64)


def _inverse_order(arrays: Mapping[str, np.ndarray], name: str, size: int) -> Int[np.ndarray, " size"]:
    """Sort an order that was stored as floats: the slot of each input or output."""
    if name not in arrays:
        return np.arange(size)
    order = arrays[name]
    if order.shape != (size,) or sorted(order.tolist()) != list(range(size)):
        raise CheckpointError(
            "an order that is no permutation",
            where=f"tensor '{name}', shape {order.shape}",
            expected=f"each of 0..{size - 1} once",
            got=str(order.ravel()[:8].tolist()),
            hint="save the network again; of inputs in folded copies, one copy's order is read, with the embedding",
        )
    return np.argsort(order)
