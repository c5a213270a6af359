"""What every family's reader does with the tensors of a folder: names, shapes, tied unembeddings, the network."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...._errors import CheckpointError
from ....layouts._placement import Placement
from ....models._contract import ModelOptions
from ....models._model_spec import ModelSpec
from ....models.building_blocks.activations import ACTIVATIONS, activation_name
from ....models.from_spec import build_model
from ..._network import Network
from .._values import Tensors
from ._config import Config

HEAD = "lm_head.weight"


class Expected(NamedTuple):
    """A tensor that a config promises.

    Attributes
    ----------
    name : str
        Its name, without the prefix of the base model.
    shape : tuple of int
        Its shape.
    fields : str
        The fields that say so, for messages.
    """

    name: str
    shape: tuple[int, ...]
    fields: str


def state_of(config: Config, found: Tensors, *, prefix: str, buffers: re.Pattern[str]) -> dict[str, Any]:
    """The tensors by their names in the base model.

    Parameters
    ----------
    config : Config
        What config.json says.
    found : Tensors
        The folder's tensors, with or without the prefix.
    prefix : str
        What a model with a head puts before the names of the model without one.
    buffers : pattern
        Names of buffers of older versions, which hold no weights; they are left out.

    Returns
    -------
    dict of str to tensor
        By name.

    Raises
    ------
    CheckpointError
        Two tensors have one name.
    """
    state = {name.removeprefix(prefix): tensor for name, tensor in found.state.items() if isinstance(name, str)}
    if len(state) != len(found.state):
        raise CheckpointError("two tensors of one name", where=str(config.path.parent), hint="save the model anew")
    return {name: tensor for name, tensor in state.items() if not buffers.fullmatch(name)}


def check_shapes(
    config: Config, wanted: Iterable[Expected], state: Mapping[str, Any], *, label: str, head: str
) -> None:
    """Pass if there are all tensors that the config promises, and no others.

    Parameters
    ----------
    config : Config
        What config.json says.
    wanted : iterable of Expected
        One by one, as a damaged config may promise many.
    state : mapping of str to tensor
        What there is.
    label : str
        What such a model is called: "a GPT-2".
    head : str
        The class of transformers whose tensors they are.

    Raises
    ------
    CheckpointError
        A tensor is missing, has another shape, or is no part of such a model.
    """
    folder, known = config.path.parent, {HEAD}
    for name, shape, fields in wanted:
        known.add(name)
        got = tuple(getattr(state.get(name), "shape", ())) if name in state else None
        if got != shape:
            hint = "config.json and the weights are of two models, or one of them is damaged"
            expected = f"shape {shape}, as {fields} in config.json say"
            raise CheckpointError(
                "a tensor that contradicts config.json", where=f"{folder}, '{name}'", expected=expected,
                got="no such tensor" if got is None else f"shape {got}", hint=hint,
            )  # fmt: skip
    left = sorted(state.keys() - known)
    if left:
        raise CheckpointError(
            f"{label} with tensors that are not its own", where=", ".join(f"'{name}'" for name in left[:8]),
            expected=f"those of {head}", got=f"{len(left)} more", hint=f"save the {head} alone",
        )  # fmt: skip


def unembedding(config: Config, arrays: Mapping[str, np.ndarray], embedding: str, said: list[str]) -> np.ndarray:
    """The matrix that writes the logits.

    Parameters
    ----------
    config : Config
        Whose tie_word_embeddings has been asked for.
    arrays : mapping of str to array
        The tensors.
    embedding : str
        The name of the embedding, where the two are tied.
    said : list of str
        Takes a sentence where they are.

    Returns
    -------
    array of shape (tokens, width)
        The unembedding.

    Raises
    ------
    CheckpointError
        It is tied and yet another matrix than the embedding.
    """
    if embedding == HEAD:
        return arrays[HEAD]
    if HEAD in arrays and not np.array_equal(arrays[HEAD], arrays[embedding]):
        raise CheckpointError(
            "an unembedding that is tied and yet another", where=f"{config.path.parent}, '{HEAD}'",
            expected=f"'{embedding}' again, as tie_word_embeddings says", got="other values",
            hint='write "tie_word_embeddings": false into config.json if they are two matrices',
        )  # fmt: skip
    said.append("the unembedding is the embedding again (tie_word_embeddings): a copy, which is pruned apart from it")
    return arrays[embedding]


def network_of_kind(kind: str, options: ModelOptions, tensors: Mapping[str, np.ndarray]) -> Network:
    """A network of a kind with these tensors, neuron i of a group in slot i.

    Parameters
    ----------
    kind : str
        A name in `MODELS`.
    options : ModelOptions
        Its options.
    tensors : mapping of str to array
        Its tensors; all get the widest of their types, single precision at least.

    Returns
    -------
    Network
        The network.
    """
    spec = ModelSpec(kind, options.to_json())
    model: Any = build_model(spec)
    layout = model.layout()
    dtype = np.result_type(*(array.dtype for array in tensors.values() if array.dtype.kind == "f"), np.float32)
    plain = {name: np.ascontiguousarray(array, dtype=dtype) for name, array in tensors.items()}
    return Network(spec, layout, Placement.identity(layout), plain)


def activation_of(config: Config, field: str, default: str) -> str:
    """The activation of the MLPs, by its name in `ACTIVATIONS`.

    Parameters
    ----------
    config : Config
        What config.json says.
    field : str
        The field.
    default : str
        transformers' name of what is meant where the field is missing.

    Returns
    -------
    str
        The name.

    Raises
    ------
    CheckpointError
        It is not known.
    """
    written = config.text(field, default)
    activation = _OTHER_ACTIVATIONS.get(written, activation_name(written))
    if activation not in ACTIVATIONS:
        raise CheckpointError(
            "an activation that is not known", where=f"{config.path}, '{field}'", expected=", ".join(ACTIVATIONS),
            got=repr(written)[:60], hint="choose another network",
        )  # fmt: skip
    return activation


# Named differently in transformers: its "gelu_fast" and "gelu_new" are the tanh form, its "quick_gelu" is none of ours.
_OTHER_ACTIVATIONS = {"gelu_python": "gelu", "gelu_python_tanh": "gelu_tanh"}


def refuse_fields(config: Config, names: Sequence[str], label: str) -> None:
    """Refuse a config that asks for what is not supported.

    Parameters
    ----------
    config : Config
        What config.json says.
    names : sequence of str
        Fields that must be missing, null, false, 0 or empty.
    label : str
        What such a model is called.

    Raises
    ------
    CheckpointError
        With the field and its value.
    """
    for name in names:
        if config.values.get(name):
            raise CheckpointError(
                f"{label} with what is not supported here", where=f"{config.path}, '{name}'", expected="none",
                got=repr(config.values[name])[:60], hint="save the model without it",
            )  # fmt: skip


def check_head(config: Config, *, label: str, head: str, ending: str, said: list[str]) -> None:
    """Refuse what has another head than a language model's; a class that is not transformers' is told.

    Parameters
    ----------
    config : Config
        What config.json says.
    label : str
        What such a model is called.
    head : str
        The class of transformers with the head of a language model.
    ending : str
        How the names of such classes end.
    said : list of str
        Takes a sentence where the class is another.

    Raises
    ------
    CheckpointError
        Another head.
    """
    named = config.values.get("architectures") or [head]
    name = str(named[0]) if isinstance(named, list) else str(named)
    if not name.endswith(ending):
        hint = f"save a {head}, or read the module, from Python: from_module(module, x)"
        where = f"{config.path}, 'architectures'"
        what = f"{label} that is no language model"
        raise CheckpointError(what, where=where, expected=head, got=name[:60], hint=hint)
    if name != head:
        said.append(f"{name[:60]} is no class of transformers: computed as {head}, whose tensors it has")
