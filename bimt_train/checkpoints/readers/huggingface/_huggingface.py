"""A language model in a folder that transformers saved, as a checkpoint."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...._errors import CheckpointError
from ....models.building_blocks._language_model import LanguageModel
from ....models.building_blocks.activations import activation_name
from ..._checkpoint import Checkpoint, Probe
from ..._network import Network
from ..._task_spec import TaskSpec
from ...own_outputs import OWN_OUTPUTS
from .._about import About
from .._values import Tensors
from ._config import Config
from ._gpt2_tensors import gpt2_network
from ._llama_tensors import llama_network
from ._token_labels import token_labels
from ._token_rows import TokenRows, rows_of_model, rows_of_table

FAMILIES: Mapping[str, Callable[[Config, Tensors], tuple[Network, list[str]]]] = {
    "gpt2": gpt2_network,
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3"), llama_network),
}
"""model_type -> from config and tensors to the network, and what was inferred."""


def check_family(config: Config) -> None:
    """Pass if a config's family of models can be read.

    Parameters
    ----------
    config : Config
        What config.json says.

    Raises
    ------
    CheckpointError
        Another model_type, or none.
    """
    if config.model_type not in FAMILIES:
        got = "none" if config.model_type is None else repr(config.model_type)[:60]
        raise CheckpointError(
            "a family of models that is not read from its folder", where=f"{config.path}, 'model_type'",
            expected=", ".join(FAMILIES), got=got,
            hint="load it with transformers, and read the module, from Python: audit(module, x=tokens); "
            "for a chain of layers give the activation",
        )  # fmt: skip


def checkpoint_of_folder(config: Config, found: Tensors, activation: str | None, about: About) -> Checkpoint:
    """Make a checkpoint of a language model.

    Parameters
    ----------
    config : Config
        What config.json says.
    found : Tensors
        The folder's tensors.
    activation : str, optional
        Must be the config's, where it is given.
    about : About
        ``x``, rows of tokens, in every column the next place of a sequence; without it the model draws sequences
        itself. ``y``, the tokens that follow, where x does not say it. ``inputs`` and ``outputs``, names.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "huggingface", "assumed": [...]}`` as its config.

    Raises
    ------
    CheckpointError
        Another family, a config that contradicts the tensors, or rows that are no tokens.
    """
    check_family(config)
    given: dict[str, Any] = dict(about)
    _check_given(given)
    assert config.model_type is not None
    network, said = FAMILIES[config.model_type](config, found)
    model = network.module().double()
    assert isinstance(model, LanguageModel)
    theirs = model.activation
    if activation is not None and activation_name(activation) != theirs:
        raise CheckpointError(
            "another activation than the model's", where=str(config.path), expected=theirs, got=activation,
            hint="leave it out: config.json says it",
        )  # fmt: skip
    folder = config.path.parent
    labels, called = token_labels(folder, model.tokens)
    rows = _rows(model, config, given)
    outputs = _names(given.get("outputs"), "y", model.tokens)
    inputs = _names(given.get("inputs"), "t", rows.x.shape[1], further=given.get("y") is None)
    ranges = ((0, max(1, model.tokens - 1)),) * len(inputs)
    task = TaskSpec(
        "foreign", inputs, outputs, ranges, loss="next-token", decomposition=given.get("decomposition"),
        output_labels=labels,
    )  # fmt: skip
    test = np.arange(len(rows.x)) % 5 == 4
    probe = Probe(rows.x[~test], rows.y[~test], rows.x[test], rows.y[test])
    labelled = network.layout.with_groups([replace(network.layout.group("y"), labels=outputs)])
    told: dict[str, Any] = {"adapter": "huggingface", "assumed": [*found.assumed, *said, called, rows.said]}
    if rows.own:
        told["assumed"].append("targets: at each place a token drawn from the model's own distribution there")
        told["targets"] = OWN_OUTPUTS
    return Checkpoint(replace(network, layout=labelled), task, probe, told)


# What of `About` is for networks of numbers alone -> the values that say nothing
_UNSAID: Mapping[str, tuple[str, ...]] = {
    "ranges": (),
    "final": ("auto", "none"),
    "loss": ("auto", "next-token"),
    "standardize": ("raw",),
}


def _check_given(given: Mapping[str, Any]) -> None:
    for name, unsaid in _UNSAID.items():
        value = given.get(name)
        if value is not None and not (isinstance(value, str) and value in unsaid):
            expected = "none: this network reads tokens and says the next"
            hint = "leave it out; rows of tokens are x, on the command line --probe"
            what = "an option for networks of numbers"
            raise CheckpointError(what, where=name, expected=expected, got=str(value)[:40], hint=hint)


def _rows(model: LanguageModel, config: Config, given: Mapping[str, Any]) -> TokenRows:
    if given.get("x") is not None:
        return rows_of_table(given["x"], given.get("y"), tokens=model.tokens, context=model.context)
    if given.get("y") is not None:
        raise CheckpointError("targets without rows", where="y", expected="x too", hint="give rows of tokens as x")
    begin, *others = (config.tokens(f"{name}_token_id", model.tokens) for name in ("bos", "eos", "pad"))
    return rows_of_model(model, begin=begin, special={*begin, *itertools.chain(*others)})


def _names(given: Any, letter: str, size: int, *, further: bool = False) -> tuple[str, ...]:
    """Names, t1, t2, ... where none are given; the last column of a table is only followed, and may have one too."""
    names = tuple(given) if given is not None else tuple(f"{letter}{number + 1}" for number in range(size))
    names = names[:size] if further and len(names) == size + 1 else names
    if len(names) != size:
        raise CheckpointError(
            "a wrong number of names", expected=f"{size}, one for each {'place' if letter == 't' else 'token'}",
            got=str(len(names)), hint="name each",
        )  # fmt: skip
    return names
