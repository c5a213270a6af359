"""A module as a value and as a file: what it reads and gives by name, its layers, its formulas, where it is from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from jaxtyping import Float64
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from .._errors import CheckpointError, InputError
from ..did_you_mean import did_you_mean
from ..frozen import FrozenDict
from ..models._contract import Strict
from ..models.building_blocks.activations import ACTIVATIONS, activated
from ..showing import Shown
from ..whole_files import content_digest, write_whole

VERSION = 1
_KEY = "bimt-module"

Layer = tuple[Float64[np.ndarray, "_ _"], Float64[np.ndarray, " _"]]


class _Metadata(Strict):
    format: Literal["bimt-module"]
    version: int
    inputs: list[str]
    outputs: list[str]
    activation: str
    formulas: dict[str, str]
    provenance: dict[str, Any]
    digest: str


@dataclass(frozen=True, eq=False, repr=False)
class StoredModule(Shown):
    """A small network of layers that was found in a larger one, in the units of the task that it was found in.

    Attributes
    ----------
    inputs : tuple of str
        Names of what it reads.
    outputs : tuple of str
        Names of what it gives.
    layers : tuple of (weight, bias)
        A weight has shape (given, read). An activation stands between two layers, and none behind the last.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`.
    formulas : mapping of str to str
        Output -> its formula in the inputs, where one was found.
    provenance : mapping
        Where it is from; plain JSON values.

    Raises
    ------
    InputError
        Layers that do not follow each other or do not fit the names, or an unknown activation.

    Examples
    --------
    >>> import tempfile
    >>> layers = ((np.array([[1.0], [-1.0]]), np.zeros(2)), (np.array([[1.0, 1.0]]), np.zeros(1)))
    >>> module = StoredModule(("x",), ("y",), layers, "relu", {"y": "abs(x)"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = module.save(f"{folder}/abs.safetensors")
    ...     load_module(path).predict(np.array([[-2.0]])).tolist()
    [[2.0]]
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layers: tuple[Layer, ...]
    activation: str
    formulas: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = tuple(tuple(np.array(a, dtype=np.float64) for a in layer) for layer in self.layers)
        wide, where = len(self.inputs), "layers of a module"
        for number, (weight, bias) in enumerate(layers):
            if weight.ndim != 2 or weight.shape[1] != wide or bias.shape != weight.shape[:1]:
                got = f"weight {list(weight.shape)}, bias {list(bias.shape)}"
                raise InputError(
                    "a layer of the wrong shape", where=f"{where}, {number}", expected=f"[n, {wide}], [n]", got=got
                )
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise InputError("weights that are not finite", where=f"{where}, {number}")
            wide = len(weight)
        if wide != len(self.outputs) or not layers:
            raise InputError(
                "a module whose last layer does not fit its outputs", expected=str(len(self.outputs)), got=str(wide)
            )
        if self.activation not in ACTIVATIONS:
            raise InputError("unknown activation", where=where, expected=", ".join(ACTIVATIONS), got=self.activation)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "formulas", FrozenDict(self.formulas))
        object.__setattr__(self, "provenance", FrozenDict(self.provenance))

    def _brief(self) -> str:
        said = ", ".join(f"{name} = {self.formulas.get(name, '?')}" for name in self.outputs)
        return f"{said} of {', '.join(self.inputs)}; {sum(self.hidden)} neurons"

    @property
    def hidden(self) -> tuple[int, ...]:
        """Neurons of each hidden layer."""
        return tuple(len(bias) for _, bias in self.layers[:-1])

    def predict(self, x: Float64[np.ndarray, "rows _"]) -> Float64[np.ndarray, "rows _"]:
        """What it gives.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            What it reads, a column for each of ``inputs``.

        Returns
        -------
        array of float64, shape (rows, outputs)
            A column for each of ``outputs``.
        """
        for number, (weight, bias) in enumerate(self.layers):
            x = x @ weight.T + bias
            if number + 1 < len(self.layers):
                x = np.asarray(activated(self.activation, x))
        return x

    def reading(self, names: Mapping[str, str]) -> Self:
        """The module with other inputs.

        Parameters
        ----------
        names : mapping of str to str
            Input -> its new name.

        Returns
        -------
        StoredModule
            Inputs that are not named keep their names.

        Raises
        ------
        InputError
            There is no such input.
        """
        for name in names:
            if name not in self.inputs:
                hint = did_you_mean(name, self.inputs)
                raise InputError("no such input of the module", expected=", ".join(self.inputs), got=name, hint=hint)
        return replace(self, inputs=tuple(names.get(name, name) for name in self.inputs))

    def save(self, path: str | Path) -> Path:
        """Write it to a file, which appears whole or not at all.

        Parameters
        ----------
        path : str or Path
            The file, usually with the ending ``.safetensors``.

        Returns
        -------
        Path
            The file.
        """
        said = {
            "format": _KEY, "version": VERSION, "inputs": list(self.inputs), "outputs": list(self.outputs),
            "activation": self.activation, "formulas": dict(self.formulas), "provenance": dict(self.provenance),
        }  # fmt: skip
        arrays = {
            f"layers.{number}.{name}": np.ascontiguousarray(array)
            for number, layer in enumerate(self.layers)
            for name, array in zip(("weight", "bias"), layer, strict=True)
        }
        text = json.dumps(said, sort_keys=True, allow_nan=False)
        text = json.dumps({**said, "digest": content_digest(arrays, text)}, sort_keys=True)
        write_whole(path, to_safetensors(arrays, {_KEY: text}))
        return Path(path)


def is_module(path: str | Path) -> bool:
    """Whether a file says that it holds a module.

    Parameters
    ----------
    path : str or Path
        The file.
    """
    try:
        with safe_open(path, framework="np") as file:
            return _KEY in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False


def load_module(path: str | Path) -> StoredModule:
    """Read a module from a file. Nothing in the file is run.

    Parameters
    ----------
    path : str or Path
        A file that `StoredModule.save` wrote.

    Returns
    -------
    StoredModule
        The module.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, of another version, or no module.

    Examples
    --------
    >>> load_module("nowhere.safetensors")
    Traceback (most recent call last):
        ...
    bimt_train._errors.CheckpointError: no such file: nowhere.safetensors; hint: correct the path
    """
    where = str(path)
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise CheckpointError("no such file", where=where, hint="correct the path") from error
    except (OSError, SafetensorError, TypeError, AttributeError) as error:
        hint = "copy the file again, or save it anew"
        raise CheckpointError("not a whole file of a module", where=where, got=str(error), hint=hint) from error
    if text is None:
        hint = "save one with StoredModule.save, or bimt_analyze.reuse.module_files"
        raise CheckpointError("a file that is no module", where=where, expected=f"metadata '{_KEY}'", hint=hint)
    try:
        said = _Metadata.model_validate_json(text)
        plain = json.dumps({k: v for k, v in json.loads(text).items() if k != "digest"}, sort_keys=True)
        if said.version != VERSION:
            raise CheckpointError(
                "a module of another version", where=where, expected=str(VERSION), got=str(said.version)
            )
        if content_digest(arrays, plain) != said.digest:
            raise CheckpointError("a damaged module", where=where, hint="copy the file again, or save it anew")
        count = len(arrays) // 2
        layers = tuple((arrays[f"layers.{k}.weight"], arrays[f"layers.{k}.bias"]) for k in range(count))
        inputs, outputs = tuple(said.inputs), tuple(said.outputs)
        return StoredModule(inputs, outputs, layers, said.activation, said.formulas, said.provenance)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field_name = ".".join(map(str, first["loc"]))
        raise CheckpointError(
            "a field that cannot be read", where=f"{where}, {field_name}", expected=first["msg"]
        ) from error
    except KeyError as error:
        raise CheckpointError("a tensor is missing", where=where, expected=str(error)) from error
