"""The checkpoint's file: safetensors with one line of JSON, checked field by field. It holds no code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from .._errors import CheckpointError, InputError
from ..layouts._group import Group
from ..layouts._layout import Layout, Role, TensorSpec
from ..layouts._placement import Placement
from ..models._contract import Strict
from ..models._model_spec import ModelSpec
from ..models.from_spec import check_options
from ..whole_files import content_digest, write_whole
from ._checkpoint import ERRORS, MEASURED, PROBES, Checkpoint, Probe
from ._network import Network
from ._task_spec import TaskSpec

VERSION = 1
"""Of the file format; raised whenever a reader of the older one could misread a file."""

_KEY = "bimt"  # the one key of the safetensors metadata: with several, their order in the file is not fixed
_GENERATOR = "generator."  # before the names of the tensors that generate weights
_DTYPES = {"F64", "F32", "F16", "I64", "I32", "I16", "I8", "U8", "BOOL"}
_FOREIGN = (
    "if it holds the weights of a plain feed-forward chain, read it with read_foreign(path, activation=...), "
    "on the command line with --activation"
)


class _Stamp(BaseModel):
    model_config = ConfigDict(strict=True)

    format: Literal["bimt"]
    version: int


class _GroupData(Strict):
    name: str
    slots: list[list[float]]
    movable: bool
    heads: int
    labels: list[str]


class _TensorData(Strict):
    name: str
    pattern: str
    role: Role


class _LayoutData(Strict):
    groups: list[_GroupData]
    tensors: list[_TensorData]
    inputs: str
    outputs: str
    row: str = ""

    def value(self) -> Layout:
        groups = tuple(Group.from_json(group.model_dump()) for group in self.groups)
        tensors = {t.name: TensorSpec(t.pattern, t.role) for t in self.tensors}
        return Layout(groups, tensors, self.inputs, self.outputs, self.row)


class _ModelData(Strict):
    kind: str
    options: dict[str, Any]


class _Metadata(Strict):
    format: Literal["bimt"]
    version: int
    layout: _LayoutData
    placement: dict[str, list[int]]
    model: _ModelData
    task: dict[str, Any]
    config: dict[str, Any]
    tied: dict[str, str]
    digest: str


# ---- writing --------------------------------------------------------------------------------------------------------


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint to a file. Equal content gives equal bytes, and the file appears whole or not at all.

    The format is written up in docs/checkpoint.md. Tied tensors, which is to say tensors of equal content, are stored
    once; constant tensors (fresh biases and norms) are equal by chance and each stored on its own.

    Parameters
    ----------
    path : str or Path
        The file to write, usually with the ending ``.safetensors``. A file that is there is replaced.
    checkpoint : Checkpoint
        What to write.

    Raises
    ------
    CheckpointError
        The config holds something that JSON does not, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="silu", ranges=(-1, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/net.safetensors", checkpoint)
    ...     loaded = load_checkpoint(f"{folder}/net.safetensors")
    >>> loaded.task == checkpoint.task, loaded.network.layout == checkpoint.network.layout
    (True, True)
    """
    network = checkpoint.network
    tensors, tied = _without_copies(network.tensors)
    # safetensors writes an array as it lies in memory: of a table of pandas, column by column
    probe = {
        f"probe.{name}": np.ascontiguousarray(getattr(checkpoint.probe, name)) for name in checkpoint.probe.arrays()
    }
    generator = {f"{_GENERATOR}{name}": np.ascontiguousarray(array) for name, array in network.generator.items()}
    taken = [name for name in network.tensors if name in probe or name in generator]
    if taken:
        raise CheckpointError(
            f"a tensor has the name of {'a probe' if taken[0] in probe else 'a tensor of a generator'}",
            where=f"tensor '{taken[0]}'",
            hint="rename the module",
        )
    layout = network.layout.to_json()
    # A list, because the order of the layers matters and that of JSON's keys does not.
    layout["tensors"] = [{"name": name, **spec} for name, spec in layout["tensors"].items()]
    said = {
        "format": "bimt",
        "version": VERSION,
        "layout": layout,
        "placement": {name: list(slots) for name, slots in network.placement.slots.items()},
        "model": {"kind": network.model.kind, "options": dict(network.model.options)},
        "task": TaskSpec.from_json(checkpoint.task.to_json()).to_json(),  # 1 and 1.0 are the same content
        "config": dict(checkpoint.config),
        "tied": tied,
    }
    try:
        text = _to_text(said)
    except (TypeError, ValueError, RecursionError) as error:
        what, hint = "a checkpoint that cannot be written as JSON", "give plain values as config and model options"
        raise CheckpointError(what, where=str(path), got=str(error), hint=hint) from error
    arrays = {**tensors, **probe, **generator}
    text = _to_text({**said, "digest": content_digest(arrays, text)})
    try:
        write_whole(path, to_safetensors(arrays, {_KEY: text}))
    except InputError as error:
        raise CheckpointError(error.what, where=error.where, got=error.got, hint=error.hint) from error.__cause__


def _to_text(said: Mapping[str, Any]) -> str:
    """Equal content gives equal text."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _without_copies(tensors: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors to store, contiguous, and for each that is left out the name of the one that equals it."""
    first: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    stored, tied = {}, {}
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name]).reshape(tensors[name].shape)
        content = (array.dtype.str, array.shape, array.tobytes())
        constant = array.size == 0 or bool((array == array.flat[0]).all())
        if not constant and first.setdefault(content, name) != name:
            tied[name] = first[content]
        else:
            stored[name] = array
    return stored, tied


# ---- reading --------------------------------------------------------------------------------------------------------


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint from a file. Nothing in the file is run; every field is checked before it is used.

    Parameters
    ----------
    path : str or Path
        A file that `save_checkpoint` wrote.

    Returns
    -------
    Checkpoint
        The network, the task, the probe and the config.

    Raises
    ------
    CheckpointError
        The file is missing, truncated, no safetensors, not a checkpoint, of another version, or contradicts itself; the
        message names the file, the field and a hint.

    Examples
    --------
    >>> load_checkpoint("nowhere.safetensors")
    Traceback (most recent call last):
        ...
    bimt_train._errors.CheckpointError: no such file: nowhere.safetensors; hint: correct the path
    """
    path = Path(path)
    tensors, text = _read(path)
    data = _parse(path, text)
    whole = data.digest == _digest(tensors, text)
    for alias, name in data.tied.items():
        if alias in tensors or name not in tensors:
            where, expected = f"{path}, field 'tied.{alias}'", "the name of a stored tensor"
            raise CheckpointError("a tied tensor without a stored copy", where=where, expected=expected, got=name)
        tensors[alias] = tensors[name]
    part = "layout"
    try:
        layout = data.layout.value()
        part = "placement"
        placement = Placement({name: tuple(slots) for name, slots in data.placement.items()}).check(layout)
        placement = Placement({name: placement.slots[name] for name in layout.sizes})
        part = "task"
        task = TaskSpec.from_json(data.task)
        part = "probe"
        stated = [name for name in (*ERRORS, *MEASURED) if f"probe.{name}" in tensors]
        probe = Probe(**{name: _taken(tensors, f"probe.{name}") for name in (*PROBES, *stated)})
        part = "tensors"
        made = {name for name in tensors if name.startswith(_GENERATOR) and name not in layout.tensors}
        generator = {name.removeprefix(_GENERATOR): tensors.pop(name) for name in sorted(made)}
        model = ModelSpec(data.model.kind, data.model.options)
        check_options(model, layout.steps, {name: tensor.shape for name, tensor in tensors.items()})
        in_order = {name: tensors[name] for name in layout.tensors if name in tensors}
        network = Network(model, layout, placement, in_order | tensors, generator)
        checkpoint = Checkpoint(network, task, probe, data.config)
    except ValidationError as error:
        raise _misfit(path, "model.options", error) from error
    except InputError as error:
        where = ", ".join(filter(None, (str(path), f"field '{part}'", error.where)))
        raise CheckpointError(
            error.what, where=where, expected=error.expected, got=error.got, hint=error.hint or "write the file anew"
        ) from error
    if not whole:  # told last: a reason that names a field helps more
        raise _damaged(path, "its digest does not fit its content")
    return checkpoint


def _read(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Read the arrays and the metadata text, or say why this is no checkpoint."""
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if _KEY not in metadata:
                found = ", ".join(sorted(file.keys())[:4]) or "no tensors"
                what = "a safetensors file without the metadata of a checkpoint"
                raise CheckpointError(what, where=str(path), expected=f"metadata '{_KEY}'", got=found, hint=_FOREIGN)
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            for name, kind in kinds.items():
                if kind not in _DTYPES:
                    where, expected = f"{path}, tensor '{name}'", ", ".join(sorted(_DTYPES))
                    raise CheckpointError("a tensor of an unsupported type", where=where, expected=expected, got=kind)
            return {name: file.get_tensor(name) for name in kinds}, metadata[_KEY]
    except FileNotFoundError as error:
        raise CheckpointError("no such file", where=str(path), hint="correct the path") from error
    except OSError as error:
        raise CheckpointError("the file cannot be read", where=str(path), got=error.strerror or str(error)) from error
    except SafetensorError as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, reason: str) -> CheckpointError:
    """Tell a damaged checkpoint, which is empty or begins like one, from a file of another kind."""
    with path.open("rb") as file:
        start = file.read(9)
    if len(start) < 9 or (start[8:] == b"{" and "header too large" not in reason.lower()):
        return _damaged(path, reason)
    beside = next(iter(sorted(path.parent.glob("*.safetensors"))), None) if path.suffix in (".json", ".toml") else None
    hint = _FOREIGN if beside is None else f"name the folder, {path.parent}, or a network in it, {beside}"
    what = "not a safetensors file"
    return CheckpointError(what, where=str(path), expected="a checkpoint", got=reason, hint=hint)


def _damaged(path: Path, reason: str) -> CheckpointError:
    hint = "the file is truncated or damaged: copy it again, or train anew"
    return CheckpointError("a damaged checkpoint", where=str(path), got=reason, hint=hint)


def _digest(tensors: Mapping[str, np.ndarray], text: str) -> str:
    """The digest that the metadata should state, which covers all of the file but itself."""
    said = json.loads(text)
    del said["digest"]
    try:
        return content_digest(tensors, _to_text(said))
    except ValueError:  # NaN, which is never written
        return ""


def _parse(path: Path, text: str) -> _Metadata:
    try:
        version = _Stamp.model_validate_json(text).version
        if version != VERSION:
            newer = version > VERSION
            raise CheckpointError(
                "a checkpoint of another version",
                where=f"{path}, field 'version'",
                expected=str(VERSION),
                got=str(version),
                hint="install a newer version of this program" if newer else "write the file anew",
            )
        return _Metadata.model_validate_json(text)
    except ValidationError as error:
        raise _misfit(path, "", error) from error


def _misfit(path: Path, field: str, error: ValidationError) -> CheckpointError:
    first = error.errors(include_url=False, include_context=False)[0]
    name = ".".join(filter(None, (field, *(str(step) for step in first["loc"])))) or _KEY
    got = "" if first["type"] == "missing" else repr(first["input"])
    return CheckpointError(
        "a field that cannot be read",
        where=f"{path}, field '{name}'",
        expected=first["msg"],
        got=got if len(got) <= 60 else f"{got[:57]}...",
        hint="write the file anew: bimt_train.checkpoints.save_checkpoint",
    )


def _taken(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in tensors:
        raise CheckpointError("a tensor is missing", where=f"tensor '{name}'", expected="float64 [rows, columns]")
    array = tensors.pop(name)
    if array.dtype != np.float64:
        raise CheckpointError("a probe of the wrong type", where=name, expected="float64", got=str(array.dtype))
    return array
