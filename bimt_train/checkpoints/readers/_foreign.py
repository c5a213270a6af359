"""Networks that were trained and saved elsewhere, as checkpoints."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from ..._errors import CheckpointError
from ...extras import need
from .._checkpoint import Checkpoint
from ._about import About
from ._from_graph import checkpoint_of_graph
from ._network_of import checkpoint_of_chain
from ._notebook import from_bimt_notebook, is_notebook
from ._values import ORIENTATIONS, Chain, Reading, State, Tensors, Told
from .files._folder import read_weights
from .graphs._graph import Graph
from .huggingface._config import Config, is_huggingface_folder
from .tensors._chain import chain_of


class AboutAndReading(About, Reading, total=False):
    """What a file of weights does not say, and how it is read where it does not say that."""


def from_state_dict(state: State, *, activation: str, **about: Unpack[AboutAndReading]) -> Checkpoint:
    """Make a checkpoint of a plain feed-forward chain ``h_l = activation(W_l h_(l-1) + b_l)``, the last layer linear.

    Tensors are read by name, kind and shape together. Masks, norms of weights, scales of small integers, batch norms
    and the units of the ends are applied; what is no chain is refused by name. Everything that was inferred stands in
    the checkpoint's config.

    Parameters
    ----------
    state : mapping of str to tensor or array
        For each layer, a weight ``[out, in]`` (a ``kernel`` is ``[in, out]``) and at most one bias ``[out]``. A layer
        without a bias gets zeros. Layers stand in the order of the numbers in their names, else in that of the mapping.
    activation : str
        One of `ACTIVATIONS`, in any usual spelling; tensors do not tell it.
    **about
        What the tensors do not say:

        - ``x``, array of shape (rows, inputs): rows to probe the network on, in the units it was trained in; every
          fifth is kept as a test row.
        - ``y``, array of shape (rows, outputs): their targets; left out, the network's own outputs take their place.
        - ``ranges``: in place of ``x``, (lowest, highest) for all inputs, or one such pair for each; 1000 training rows
          and 1000 test rows are drawn between, always the same.
        - ``inputs``, ``outputs``, sequences of str: names, else x1, x2, ... and y1, y2, ...
        - ``decomposition``: the known `Decomposition` of the task, over these names.
        - ``key``, str: which of several networks, by the beginning of its names.
        - ``roles``, mapping of str to str: roles of tensors by name, ``"weight"``, ``"kernel"``, ``"bias"`` or
          ``"ignore"``; where every weight has one, the layers stand in the order of this mapping.
        - ``orientation``, ``"out_in"`` or ``"in_out"``: how all weights are stored.
        - ``lora_scale``, float: what low-rank products are multiplied by.
        - ``batch_norm``, ``"before"`` or ``"after"``: where batch norms stand, seen from the activation.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "state_dict", "assumed": [...]}`` as its config: each thing that was inferred, in a sentence.

    Raises
    ------
    CheckpointError
        The tensors are no such chain, or not certainly one, each named, or the probe does not fit it.
    TaskError
        Names cannot stand in a formula.
    InputError
        The activation is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> state = {"W1": np.ones((3, 2)), "b1": np.zeros(3), "W2": np.ones((1, 3))}
    >>> checkpoint = from_state_dict(state, activation="relu", ranges=(-1, 1))
    >>> checkpoint.predict(np.array([[1.0, 2.0]]))
    array([[9.]])
    >>> for sentence in checkpoint.config["assumed"]:
    ...     print(sentence)
    the layers stand in the order of the numbers in their names: 'W1', 'W2'
    the weights are stored [out, in]: only so do the shapes chain
    the layer of 'W2' has no bias: zeros
    relu stands between the layers: activation was given
    targets: none were given, so the network's own outputs stand for them
    """
    told, rest = _told(about)
    return checkpoint_of_chain(chain_of(Tensors(state), told), "state_dict", activation, rest)


def read_foreign(path: str | Path, *, activation: str | None = None, **about: Unpack[AboutAndReading]) -> Checkpoint:
    """Make a checkpoint of a file of weights. Which kind it is, its content says; nothing in it is run.

    Read are: files of ``torch.save`` under any ending (through ``weights_only=True``), a state dict in them under any
    key; safetensors, in shards too; a folder that holds one of these; arrays of numpy; ONNX; Keras (with the package
    h5py). The published notebooks' networks are known by their names. A GPT-2, Llama, Mistral, Qwen2 or Qwen3 in a
    folder of Hugging Face's transformers is known by its config.json: there rows are tokens, and without ``x`` the
    model draws sequences itself.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    activation : str, optional
        One of `ACTIVATIONS`, in any usual spelling; needed where the file does not say it: ONNX, Keras and a
        config.json do, and the notebooks used silu.
    **about
        As `from_state_dict` takes it; ``key`` is the path of the network in the file, or one of several outputs of an
        ONNX graph.

    Returns
    -------
    Checkpoint
        As `from_state_dict` or `from_bimt_notebook` makes it.

    Raises
    ------
    CheckpointError
        The file is of another kind, holds more than tensors, asks for much more memory than its size, or the tensors
        are refused.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save({"model": torch.nn.Linear(2, 1).state_dict(), "epoch": 3}, f"{folder}/net.pt")
    ...     checkpoint = read_foreign(f"{folder}/net.pt", activation="tanh", ranges=(0, 1))
    >>> checkpoint.task.inputs, checkpoint.config["assumed"][0]
    (('x1', 'x2'), "the state dict is the one under 'model', the only one in the file; 'epoch' left out")
    """
    path = Path(path)
    if not path.exists():
        raise CheckpointError("no such file", where=str(path), hint="correct the path")
    told, rest = _told(about)
    try:
        config = Config.read(path) if is_huggingface_folder(path) else None
        if config is not None:
            need("torch", f"{path}, a folder of transformers',")
            from .huggingface._huggingface import FAMILIES, check_family, checkpoint_of_folder

            if activation is None:
                check_family(config)  # before the weights, which may be many
        found = read_weights(path, told)
        if isinstance(found, Graph | Chain):
            unneeded = _unneeded(told, key=found.under is None)
            found = replace(found, assumed=(*found.assumed, *unneeded))
        if isinstance(found, Graph):
            return checkpoint_of_graph(found, rest)
        if isinstance(found, Chain):
            return checkpoint_of_chain(found, "file", activation, rest)
        if config is not None and config.model_type in FAMILIES:
            unneeded = _unneeded(told, key=found.under is None)
            return checkpoint_of_folder(config, replace(found, assumed=(*found.assumed, *unneeded)), activation, rest)
        if is_notebook(found.state):
            return from_bimt_notebook(found.state, activation=activation or "silu", **rest)
        return checkpoint_of_chain(chain_of(found, told), "state_dict", activation, rest)
    except CheckpointError as error:
        told_where = error.where if str(path) in error.where else ", ".join(filter(None, (str(path), error.where)))
        raise CheckpointError(
            error.what, where=told_where, expected=error.expected, got=error.got, hint=error.hint
        ) from error
    except OSError as error:
        raise CheckpointError("the file cannot be read", where=str(path), got=str(error.strerror or error)) from error


def _unneeded(told: Told, *, key: bool) -> list[str]:
    """What was said of a file that says it itself."""
    said = {"key": told.key if key else None, "orientation": told.orientation}
    return [f"{name} was given, and is not needed: the file says it itself" for name in said if said[name] is not None]


def _told(about: AboutAndReading) -> tuple[Told, About]:
    """What is said of the reading, and of the task."""
    given: dict[str, Any] = dict(about)
    reading = {name: given.pop(name) for name in Reading.__annotations__ if name in given}
    way, rest = reading.get("orientation"), cast(About, given)
    if way not in (None, *ORIENTATIONS):
        raise CheckpointError(
            "an orientation that is not known", where="orientation", expected=" or ".join(ORIENTATIONS),
            got=repr(way)[:60], hint="say how the weights are stored (--orientation out-in, or in-out)",
        )  # fmt: skip
    return Told(**reading, inputs=_inputs(given)), rest


def _inputs(given: dict[str, Any]) -> int | None:
    """How many inputs there are, where rows, names or ranges say it."""
    x, names, ranges = (given.get(name) for name in ("x", "inputs", "ranges"))
    if getattr(x, "ndim", 0) == 2:
        return int(x.shape[1])  # type: ignore[union-attr]
    if names is not None:
        return len(names)
    pairs = ranges is not None and all(isinstance(pair, tuple | list) for pair in ranges)
    return len(ranges) if pairs and ranges is not None else None
