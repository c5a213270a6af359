"""The description of a task: what a checkpoint remembers of the task that its network was trained on."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float64

from .._errors import TaskError
from ..expressions._decomposition import Decomposition
from ..expressions._formula_reader import is_variable_name, name_hint
from ..expressions._json_text import as_names, as_text
from ..losses import LOSSES, Loss
from ..showing import Shown
from ._ode_spec import OdeSpec
from ._units_in_names import split_unit

Numbers: TypeAlias = tuple[int | float, ...]

_SCALES = ("input_shift", "input_scale", "output_shift", "output_scale")
_LABELS = ("input_labels", "output_labels")
_UNITS = ("input_units", "output_units")


@dataclass(frozen=True, repr=False)
class TaskSpec(Shown):
    """Names, ranges and units of a task, and its known decomposition.

    The network sees ``(x - input_shift) / input_scale``, and the task's y is the network's ``output * output_scale +
    output_shift``, column by column.

    Attributes
    ----------
    name : str
        The task's name.
    inputs : tuple of str
        Names of the inputs, which can stand in a formula.
    outputs : tuple of str
        Names of the outputs, which can stand in a formula.
    ranges : tuple of (float, float)
        The lowest and highest value of each input, in the task's own units.
    loss : str, default "mse"
        One of `LOSSES`. With ``"cross-entropy"`` the outputs are the logits of classes; with ``"bce"`` each output is
        the logit of a yes or no of its own. Logits have no units. With ``"next-token"`` a row is a sequence of tokens,
        and the outputs are the logits of what comes next, at each of them: the inputs are the places of the sequence,
        and targets are tokens by number, one for each place.
    decomposition : Decomposition, optional
        What is known of how the task is built, over the same inputs and outputs.
    input_shift : tuple of float, optional
        What is taken from each input, in the task's own units; None means that nothing is shifted.
    input_scale : tuple of float, optional
        What each input is divided by, in the task's own units; None means that nothing is scaled.
    output_shift : tuple of float, optional
        What is added to each output, in the task's own units; None means that nothing is shifted.
    output_scale : tuple of float, optional
        What each output is multiplied by, in the task's own units; None means that nothing is scaled.
    input_labels : tuple of str, optional
        What the user called the inputs, where that is something else ("mass (kg)" for mass_kg).
    output_labels : tuple of str, optional
        What the user called the outputs, where that is something else. Labels are for tables and pictures.
    classes : bool, default False
        Whether, with ``loss="mse"``, the targets are one-hot: the largest output names the class.
    input_units : tuple of str, optional
        The unit of measurement of each input, empty where it has none; None where nothing was said but by labels.
    output_units : tuple of str, optional
        The unit of measurement of each output likewise.
    notes : tuple of str, optional
        What was done to rows and columns before they became the task's, a sentence each.
    ode : OdeSpec, optional
        That the outputs are derivatives of the inputs by time; None where they are not.

    Raises
    ------
    TaskError
        Names cannot stand in a formula or occur twice, lengths differ, a range is empty or infinite, a scale is not
        positive, or the decomposition is of another task.

    Examples
    --------
    >>> task = TaskSpec("fall", ("t",), ("h",), ((0.0, 3.0),), input_shift=(1.5,), input_scale=(0.5,))
    >>> task.to_network_inputs(np.array([[1.0], [2.0]])).ravel()
    array([-1.,  1.])
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ranges: tuple[tuple[int | float, int | float], ...]
    loss: str = "mse"
    decomposition: Decomposition | None = None
    input_shift: Numbers | None = None
    input_scale: Numbers | None = None
    output_shift: Numbers | None = None
    output_scale: Numbers | None = None
    input_labels: tuple[str, ...] | None = None
    output_labels: tuple[str, ...] | None = None
    classes: bool = False
    input_units: tuple[str, ...] | None = None
    output_units: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    ode: OdeSpec | None = None

    def _brief(self) -> str:
        return f"{self.name}: {', '.join(self.inputs)} -> {', '.join(self.outputs)}; {self.loss}"

    def __post_init__(self) -> None:
        where = f"task {self.name!r}"
        if not self.inputs or not self.outputs:
            raise TaskError("a task needs inputs and outputs", where=where, got=f"{self.inputs} -> {self.outputs}")
        counted = Counter((*self.inputs, *self.outputs))
        for name, times in counted.items():
            if not is_variable_name(name):
                hint = name_hint(name)
                raise TaskError("a name that cannot stand in a formula", where=where, got=repr(name), hint=hint)
            if times > 1:
                raise TaskError("a name is given twice", where=where, got=repr(name), hint="rename one of the two")
        self._check_numbers(where)
        if self.ode is not None:
            self.ode.check(self.inputs, self.outputs, where)
        if self.loss not in LOSSES:
            raise TaskError("unknown loss", where=where, expected=" or ".join(LOSSES), got=repr(self.loss))
        if LOSSES[self.loss].targets != "numbers" and (self.output_shift or self.output_scale):
            raise TaskError("logits have no units", where=where, hint="leave out output_shift and output_scale")
        if self.decomposition and (self.decomposition.inputs, self.decomposition.outputs) != (
            self.inputs,
            self.outputs,
        ):
            expected, got = (f"{of.inputs} -> {of.outputs}" for of in (self, self.decomposition))
            raise TaskError("the decomposition is of another task", where=where, expected=expected, got=got)

    def _check_numbers(self, where: str) -> None:
        for field in ("ranges", *_SCALES, *_LABELS, *_UNITS):
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
    def units(self) -> dict[str, str]:
        """The unit of measurement of each input and output that has one: as said, else as its label says, ``T (K)``."""
        found = {}
        for names, labels, units in (
            (self.inputs, self.input_labels, self.input_units), (self.outputs, self.output_labels, self.output_units),
        ):  # fmt: skip
            for at, name in enumerate(names):
                said = units[at] if units else ""
                if unit := said or split_unit(labels[at] if labels else name)[1]:
                    found[name] = unit
        return found

    def with_unit(self, name: str) -> str:
        """The name of an input or output with its unit, where it has one.

        Parameters
        ----------
        name : str
            The name.

        Returns
        -------
        str
            ``drag [N]``, or the name.

        Examples
        --------
        >>> TaskSpec("fall", ("t",), ("h",), ((0.0, 3.0),), input_units=("s",)).with_unit("t")
        't [s]'
        """
        unit = self.units.get(name, "")
        return f"{name} [{unit}]" if unit else name

    @property
    def classifies(self) -> bool:
        """Whether the outputs are classes: by the loss, or because targets are one-hot by construction (mnist)."""
        return LOSSES[self.loss].targets in ("class", "tokens") or self.classes

    @property
    def judged_by(self) -> Loss:
        """The loss; where targets are one-hot by construction, also with the share of right classes."""
        loss = LOSSES[self.loss]
        return replace(loss, right=LOSSES["cross-entropy"].right) if self.classes and loss.right is None else loss

    @property
    def reads_sequences(self) -> bool:
        """Whether a row is a sequence of tokens, and targets are those that follow."""
        return LOSSES[self.loss].targets == "tokens"

    @property
    def predictions(self) -> int:
        """How often a row asks for the outputs: once, or of sequences at each token."""
        return len(self.inputs) if self.reads_sequences else 1

    @property
    def targets(self) -> tuple[str, ...]:
        """What the columns of y stand for: the outputs, or of sequences their places."""
        return self.inputs if self.reads_sequences else self.outputs

    def to_network_inputs(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows inputs"]:
        """Convert inputs to the network's units, ``(x - input_shift) / input_scale``.

        Parameters
        ----------
        x : array of float, shape (rows, inputs)
            Inputs in the task's units.

        Returns
        -------
        array of float, shape (rows, inputs)
            Inputs as the network sees them.

        Raises
        ------
        TaskError
            x has another number of columns.
        """
        shift, scale = self._affine(x, self.inputs, self.input_shift, self.input_scale)
        return np.asarray((x - shift) / scale)

    def to_network_targets(self, y: Float64[np.ndarray, "rows targets"]) -> Float64[np.ndarray, "rows targets"]:
        """Convert targets to the network's units, ``(y - output_shift) / output_scale``.

        Parameters
        ----------
        y : array of float, shape (rows, targets)
            Targets in the task's units.

        Returns
        -------
        array of float, shape (rows, targets)
            Targets as the network is trained on them.

        Raises
        ------
        TaskError
            y has another number of columns.
        """
        shift, scale = self._affine(y, self.targets, self.output_shift, self.output_scale)
        return np.asarray((y - shift) / scale)

    def one_hot(self, y: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows targets"]:
        """Write the numbers of classes, in one column, as one column for each class.

        Parameters
        ----------
        y : array of float, shape (rows, columns)
            Targets. Targets that are not numbers of classes are returned as they are.

        Returns
        -------
        array of float, shape (rows, outputs)
            1 in the column of the row's class, 0 elsewhere.
        """
        if LOSSES[self.loss].targets != "class" or y.shape[1] == len(self.outputs) > 1:
            return y
        return np.eye(len(self.outputs))[y[:, 0].astype(np.int64)]

    def from_network_outputs(
        self, y: Float64[np.ndarray, "rows *places outputs"]
    ) -> Float64[np.ndarray, "rows *places outputs"]:
        """Convert outputs to the task's units, ``y * output_scale + output_shift``; logits stay as they are.

        Parameters
        ----------
        y : array of float, shape (rows, outputs)
            What the network gives; shape (rows, places, outputs) with ``next-token``.

        Returns
        -------
        array of float
            The task's outputs, in an array of the same shape.

        Raises
        ------
        TaskError
            y has another number of columns.
        """
        if self.reads_sequences:
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
        """Write the task as plain values, for a JSON file; floats survive the round trip exactly."""
        plain: dict[str, Any] = {"name": self.name, "inputs": list(self.inputs), "outputs": list(self.outputs)}
        plain["ranges"] = [list(pair) for pair in self.ranges]
        plain["loss"] = self.loss
        plain["decomposition"] = self.decomposition.to_json() if self.decomposition else None
        for field in (*_SCALES, *_LABELS):
            given = getattr(self, field)
            plain[field] = None if given is None else list(given)
        if self.classes:
            plain["classes"] = True
        plain |= {field: list(given) for field in (*_UNITS, "notes") if (given := getattr(self, field))}
        if self.ode is not None:
            plain["ode"] = self.ode.to_json()
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TaskSpec":
        """Make the task that `to_json` wrote.

        Parameters
        ----------
        data : mapping
            What `to_json` returned.

        Returns
        -------
        TaskSpec
            An equal task.

        Raises
        ------
        TaskError
            A field is missing, unknown or of another type.
        """
        try:
            left = dict(data)
            name, loss = as_text(left.pop("name")), left.pop("loss")
            if loss not in LOSSES:
                raise ValueError(f"unknown loss {loss!r}")
            ranges = tuple((_number(low), _number(high)) for low, high in left.pop("ranges"))
            inputs, outputs = (as_names(left.pop(field)) for field in ("inputs", "outputs"))
            options: dict[str, Any] = {field: _numbers(left.pop(field)) for field in _SCALES}
            options |= {field: None if left[field] is None else as_names(left[field]) for field in _LABELS}
            options["classes"] = _flag(left.pop("classes", False))
            options |= {field: _texts(left.pop(field)) for field in (*_UNITS, "notes") if field in left}
            options["ode"] = OdeSpec.from_json(left.pop("ode")) if "ode" in left else None
            unknown = left.keys() - {"decomposition", *_LABELS}
            if unknown:
                raise ValueError(f"unknown field {min(map(str, unknown))!r}")
            given = left["decomposition"]
            if not isinstance(given, Mapping | None):
                raise TypeError(f"decomposition {given!r} is no object")
        except (KeyError, TypeError, ValueError) as error:
            raise TaskError("a task that cannot be read", got=f"{type(error).__name__}: {error}") from None
        decomposition = None if given is None else Decomposition.from_json(given)
        return cls(name, inputs, outputs, ranges, loss, decomposition, **options)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"{value!r} is no list of texts")
    return tuple(value)


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
