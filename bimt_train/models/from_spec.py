"""From a `ModelSpec` to a module, from a task's ends to a `ModelSpec`, and options held against tensors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .._errors import CheckpointError, InputError
from ..did_you_mean import did_you_mean
from ..extras import MissingExtra
from ._contract import MODELS, Ends, ModelOptions, Shape
from ._model_spec import ModelSpec
from .building_blocks.activations import ACTIVATIONS

if TYPE_CHECKING:
    import torch


def build_model(spec: ModelSpec, *, generator: "torch.Generator | None" = None) -> "torch.nn.Module":
    """Make a fresh module of a kind, with options.

    Parameters
    ----------
    spec : ModelSpec
        The kind and its options.
    generator : torch.Generator, optional
        Draws the first weights, whether the kind takes them from it or, as torch's layers do, from torch's own state,
        which is left as it was.

    Returns
    -------
    torch.nn.Module
        The module, with ``spec`` and ``layout``.

    Raises
    ------
    InputError
        The kind is unknown, or cannot be built with these options.

    Examples
    --------
    >>> build_model(ModelSpec("mlp", {"widths": [4, 20, 2]})).layout().sizes["h1"]
    20
    """
    if spec.kind not in MODELS:
        raise InputError(
            "unknown kind of model",
            expected=", ".join(MODELS),
            got=spec.kind,
            hint="name one of these, load the file that registers it, or load the weights into your own module",
        )
    with nullcontext() if generator is None else _drawing_from(generator):
        model: torch.nn.Module = MODELS[spec.kind].function(**spec.options, generator=generator)
    return model


@contextmanager
def _drawing_from(generator: "torch.Generator") -> Iterator[None]:
    """Let torch's own draws be the generator's, for layers that cannot be given one."""
    import torch

    before = generator.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(before)
        yield
        if torch.equal(generator.get_state(), before):  # the next model draws what follows
            generator.set_state(torch.get_rng_state())


def options_of(spec: ModelSpec) -> ModelOptions | None:
    """Read the options of a model as its kind declares them.

    Parameters
    ----------
    spec : ModelSpec
        The kind and its options.

    Returns
    -------
    ModelOptions or None
        The options; None if the kind is not in `MODELS`, or made of torch, which is not installed.

    Raises
    ------
    ValidationError
        Pydantic's, for options of another type.

    Examples
    --------
    >>> options_of(ModelSpec("mlp", {"widths": [4, 20, 2], "activation": "silu"})).ends.outputs
    2
    >>> options_of(ModelSpec("somebody's", {})) is None
    True
    """
    if spec.kind not in MODELS:
        return None
    try:
        kind = MODELS[spec.kind]
    except MissingExtra:
        return None
    return kind.options.model_validate(dict(spec.options))


def model_for(name: str, ends: Ends, given: Mapping[str, Any]) -> ModelSpec:
    """Choose a model of a kind for a task.

    Parameters
    ----------
    name : str
        A name in `MODELS`, ``file.py:NAME`` or ``package.module:NAME``.
    ends : Ends
        What the task's rows and targets are.
    given : mapping of str to object
        Options by name; ``hidden``, a number or a list of them, is known to every kind. Options that are left out are
        the kind's own choice for a task of these ends.

    Returns
    -------
    ModelSpec
        How to build the model.

    Raises
    ------
    InputError
        The kind or an option is unknown, a value is of another type, or the kind cannot have these ends.

    Examples
    --------
    >>> model_for("gated-mlp", Ends(inputs=4, outputs=2), {"hidden": 20, "activation": "relu"})
    ModelSpec(kind='gated-mlp', options={'widths': [4, 20, 2], 'activation': 'relu'})
    """
    kind = MODELS[name]
    where = f"model '{kind.name}'"
    known = list(dict.fromkeys(("hidden", *kind.options.model_fields)))
    for key in given:
        if key not in known:
            hint = did_you_mean(key, known, otherwise="name one of these")
            raise InputError("unknown model option", where=where, expected=", ".join(known), got=key, hint=hint)
    hidden = given.get("hidden", [])
    hidden = hidden if isinstance(hidden, list) else [hidden]
    if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in hidden):
        expected, hint = "a positive number, or a list of them", "for instance hidden=20 or hidden=[20,20]"
        raise InputError(
            "hidden layers of no size", where=where, expected=expected, got=repr(given["hidden"]), hint=hint
        )
    chosen = kind.options.for_task(ends, hidden).to_json()
    chosen |= {key: value for key, value in given.items() if key != "hidden"}
    try:
        options = kind.options.model_validate(chosen)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise InputError(
            "a model option of another type", where=f"{where}, {at}" if at else where, expected=first["msg"],
            got=repr(first["input"])[:60], hint="correct the value",
        ) from None  # fmt: skip
    if options.ends != ends:
        raise InputError(
            "a model that does not fit the task", where=where, expected=_said(ends), got=_said(options.ends),
            hint="leave out the options that the task decides",
        )  # fmt: skip
    return ModelSpec(kind.name, options.to_json())


def _said(ends: Ends) -> str:
    tokens = f" of {ends.tokens} tokens" if ends.tokens else ""
    return f"{ends.inputs} inputs{tokens} and {ends.outputs} outputs{' at each token' if ends.sequence else ''}"


def check_options(model: ModelSpec, steps: int, shapes: Mapping[str, Shape]) -> None:
    """Compare a model's options with the layout's steps and its tensors' shapes; kinds that are not known pass.

    Parameters
    ----------
    model : ModelSpec
        What a file says of the model.
    steps : int
        The layout's steps.
    shapes : mapping of str to tuple of int
        Name and shape of every tensor in the file.

    Raises
    ------
    CheckpointError
        Other steps, another tensor, another shape, or an unknown activation.
    InputError
        What the kind's own check refuses.
    ValidationError
        Pydantic's, for options of another type.

    Examples
    --------
    >>> spec = ModelSpec("mlp", {"widths": [2, 3], "activation": "silu"})
    >>> check_options(spec, 1, {"layers.0.weight": (3, 2), "layers.0.bias": (3,)})
    """
    options = options_of(model)
    if options is None:
        return
    if options.sequence_steps != steps:
        what, where, got = "the model contradicts the layout", "model.options.steps", str(options.sequence_steps)
        raise CheckpointError(what, where=where, expected=str(steps), got=got, hint="write the file anew")
    declared: dict[str, Shape] = {}
    for name, shape in options.shapes():
        declared[name] = shape
        if shapes.get(name) != shape:
            raise _contradiction(options, name, str(shape), str(shapes.get(name, "no such tensor")))
    for name in sorted(shapes.keys() - declared.keys()):
        raise _contradiction(options, name, "no such tensor", str(shapes[name]))
    check = MODELS[model.kind].check
    if check is not None:
        check(options)
    activation = getattr(options, "activation", None)
    if activation is not None and activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise CheckpointError("unknown activation", where="model.options", expected=known, got=activation)


def _contradiction(options: ModelOptions, name: str, expected: str, got: str) -> CheckpointError:
    where = f"model.options {options!s:.80}, tensor '{name}'"
    what, hint = "the model contradicts the tensors", "write the file anew"
    return CheckpointError(what, where=where, expected=expected, got=got, hint=hint)
