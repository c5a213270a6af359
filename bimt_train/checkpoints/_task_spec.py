"""The card of a task: what a checkpoint remembers of the task its network was trained on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float64

from .._errors import TaskError
from ..expressions._decomposition import KnownParts, as_names, as_text
from ..expressions._formula_reader import is_variable_name

Loss: TypeAlias = Literal["mse", "cross-entropy", "next-token"]
Numbers: TypeAlias = tuple[int | float, ...]

_SCALES = ("input_shift", "input_scale", "output_shift", "output_scale")
_LABELS = ("input_labels", "output_labels")


@dataclass(frozen=True)
class TaskCard:
    """Names, ranges and units of a task, and the parts it is known to be made of.

    The network sees (x - input_shift) / input_scale, and the task's y is the network's output * output_scale +
    output_shift, column by column; None means that nothing is shifted or scaled. ``ranges`` gives the lowest and
    highest value of each input in the task's own units. ``inputs`` and ``outputs`` are names that can stand in a
    formula; ``input_labels`` and ``output_labels`` are what the user called them, where that is something else
    ("mass (kg)" for mass_kg), for tables and pictures.

    With ``loss="cross-entropy"`` the outputs are the logits of classes, and their units are left alone. ``classes``
    says of ``loss="mse"`` that the targets are one-hot: the largest output names the class.

    With ``loss="next-token"`` a row is a sequence of tokens, and the outputs are the logits of what comes next, at each
    of them: the inputs are the places of the sequence, and targets are tokens by number, one a place.

    Raises TaskError for names that cannot stand in a formula or occur twice, for lengths that differ, for empty or
    infinite ranges, for scales that are not positive, and for parts of another task.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ranges: tuple[tuple[int | float, int | float], ...]
    loss: Loss = "mse"
    parts: KnownParts | None = None
    input_shift: Numbers | None = None
    input_scale: Numbers | None = None
    output_shift: Numbers | None = None
    output_scale: Numbers | None = None
    input_labels: tuple[str, ...] | None = None
    output_labels: tuple[str, ...] | None = None
    classes: bool = False

    def __post_init__(self) -> None:
        where = f"task {self.name!r}"
        if not self.inputs or not self.outputs:
            raise TaskError("a task needs inputs and outputs", where=where, got=f"{self.inputs} -> {self.outputs}")
        names = [*self.inputs, *self.outputs]
        for name in names:
            if not is_variable_name(name):
                mend = "start with a letter and go on with letters, digits and _"
                raise TaskError("a name that cannot stand in a formula", where=where, got=repr(name), mend=mend)
            if names.count(name) > 1:
                raise TaskError("a name is given twice", where=where, got=repr(name), mend="rename one of the two")
        self._check_numbers(where)
        if self.loss not in get_args(Loss):
            raise TaskError("unknown loss", where=where, expected=" or ".join(get_args(Loss)), got=repr(self.loss))
        if self.loss != "mse" and (self.output_shift or self.output_scale):
            raise TaskError("classes have no units", where=where, mend="leave out output_shift and output_scale")
        if self.parts and (self.parts.inputs, self.parts.outputs) != (self.inputs, self.outputs):
            expected, got = (f"{of.inputs} -> {of.outputs}" for of in (self, self.parts))
            raise TaskError("known parts of another task", where=where, expected=expected, got=got)

    def _check_numbers(self, where: str) -> None:
        for field in ("ranges", *_SCALES, *_LABELS):
            of = "outputs" if field.startswith("output") else "inputs"
            given, size = getattr(self, field), len(getattr(self, of))
            if given is not None and len(given) != size:
                expected = f"{size}, as many as {of}"
                raise TaskError(f"{field} of the wrong length", where=where, expected=expected, got=str(len(given)))
        for name, (low, high) in zip(self.inputs, self.ranges, strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                expected, got = "two finite numbers, the lower first", f"[{low}, {high}]"
                raise TaskError("an impossible range", where=f"{where}, input {name!r}", expected=expected, got=got)
        for field in _SCALES:
            for number in getattr(self, field) or ():
                if not math.isfinite(number) or (field.endswith("scale") and number <= 0):
                    expected = "finite numbers, scales above 0"
                    raise TaskError(f"impossible {field}", where=where, expected=expected, got=str(number))

    @property
    def classifies(self) -> bool:
        """Whether the outputs are classes: by the loss, or because targets are one-hot by construction (mnist)."""
        return self.loss != "mse" or self.classes

    @property
    def predictions(self) -> int:
        """How often a row asks for the outputs: once, or with ``next-token`` at each of its tokens."""
        return len(self.inputs) if self.loss == "next-token" else 1

    @property
    def targets(self) -> tuple[str, ...]:
        """What the columns of y stand for: the outputs, or with ``next-token`` the places of the sequence."""
        return self.inputs if self.loss == "next-token" else self.outputs

    def to_network_inputs(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows inputs"]:
        """(x - input_shift) / input_scale, for x [rows, inputs] in the task's units."""
        shift, scale = self._affine(x, self.inputs, self.input_shift, self.input_scale)
        return np.asarray((x - shift) / scale)

    def to_network_targets(self, y: Float64[np.ndarray, "rows targets"]) -> Float64[np.ndarray, "rows targets"]:
        """(y - output_shift) / output_scale, for y [rows, targets] in the task's units."""
        shift, scale = self._affine(y, self.targets, self.output_shift, self.output_scale)
        return np.asarray((y - shift) / scale)

    def one_hot(self, y: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows targets"]:
        """Numbers of classes, in one column, as one column a class; any other targets as they are."""
        if self.loss != "cross-entropy" or y.shape[1] == len(self.outputs) > 1:
            return y
        return np.eye(len(self.outputs))[y[:, 0].astype(np.int64)]

    def from_network_outputs(
        self, y: Float64[np.ndarray, "rows *places outputs"]
    ) -> Float64[np.ndarray, "rows *places outputs"]:
        """y * output_scale + output_shift, for what the network gives [rows, outputs]; logits stay as they are."""
        if self.loss == "next-token":
            return y
        shift, scale = self._affine(y, self.outputs, self.output_shift, self.output_scale)
        return np.asarray(y * scale + shift)

    def _affine(
        self,
        rows: Float64[np.ndarray, "rows columns"],
        names: tuple[str, ...],
        shift: Numbers | None,
        scale: Numbers | None,
    ) -> tuple[Float64[np.ndarray, " columns"], Float64[np.ndarray, " columns"]]:
        if rows.ndim != 2 or rows.shape[1] != len(names):
            expected = f"[rows, {len(names)}] for {', '.join(names)}"
            raise TaskError("wrong shape", where=f"task {self.name!r}", expected=expected, got=str(list(rows.shape)))
        zero, one = np.zeros(len(names)), np.ones(len(names))
        return (
            zero if shift is None else np.asarray(shift, dtype=np.float64),
            one if scale is None else np.asarray(scale, dtype=np.float64),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists, strings and numbers, for a JSON file; floats survive the round trip exactly."""
        plain: dict[str, Any] = {"name": self.name, "inputs": list(self.inputs), "outputs": list(self.outputs)}
        plain["ranges"] = [list(pair) for pair in self.ranges]
        plain["loss"] = self.loss
        plain["parts"] = self.parts.to_json() if self.parts else None
        for field in (*_SCALES, *_LABELS):
            given = getattr(self, field)
            plain[field] = None if given is None else list(given)
        if self.classes:
            plain["classes"] = True
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TaskCard":
        """The inverse of ``to_json``. Raises TaskError when a field is missing, unknown or of another kind."""
        try:
            left = dict(data)
            name, loss = as_text(left.pop("name")), left.pop("loss")
            if loss not in get_args(Loss):
                raise ValueError(f"unknown loss {loss!r}")
            ranges = tuple((_number(low), _number(high)) for low, high in left.pop("ranges"))
            inputs, outputs = (as_names(left.pop(field)) for field in ("inputs", "outputs"))
            options: dict[str, Any] = {field: _numbers(left.pop(field)) for field in _SCALES}
            options |= {field: None if left[field] is None else as_names(left[field]) for field in _LABELS}
            options["classes"] = _flag(left.pop("classes", False))
            unknown = left.keys() - {"parts", *_LABELS}
            if unknown:
                raise ValueError(f"unknown field {min(map(str, unknown))!r}")
            given = left["parts"]
            if not isinstance(given, Mapping | None):
                raise TypeError(f"parts {given!r} are no object")
        except (KeyError, TypeError, ValueError) as error:
            raise TaskError("a task card that cannot be read", got=f"{type(error).__name__}: {error}") from None
        parts = None if given is None else KnownParts.from_json(given)
        return cls(name, inputs, outputs, ranges, loss, parts, **options)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _numbers(value: Any) -> tuple[float, ...] | None:
    return None if value is None else tuple(_number(each) for each in value)
