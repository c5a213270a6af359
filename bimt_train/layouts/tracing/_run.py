"""Running a program on labels."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from ..._errors import LayoutError
from ._call import Call, Value
from ._fields import along, labels_in
from ._program import Program
from ._recorder import HINT, last_line
from ._rules import rule_for
from ._units import own_units, units_of, units_of_part
from .labels._label_store import Ints, Labels

BLANK = frozenset(
    {
        "full_like",
        "zeros_like",
        "ones_like",
        "empty_like",
        "new_full",
        "new_zeros",
        "new_ones",
        "new_empty",
        "scalar_tensor",
    }
)
"""Operators whose result depends on the shape alone."""


_NOTHING_DRAWN = "give a module that draws no numbers in evaluation, as the mean of what is drawn"

VIEWS = frozenset({"view", "_unsafe_view", "view_copy"})
"""Operators that reshape as the strides allow; the strides here may be others than those that torch planned with."""


@dataclass(frozen=True, eq=False)
class Run:
    """What running a program on labels found.

    Attributes
    ----------
    labels : Labels
        The store with all demands.
    axes : mapping of (str, int) to array of int
        The labels along each axis of each of the module's tensors.
    inputs : tuple of array of int
        Labels of the last axis of each input that holds numbers.
    outputs : array of int
        Labels of the last axis of the first output; empty if it is no axis of neurons.
    uses : mapping of str to frozenset of str
        For each of the module's tensors, the operators that read it.
    given : tuple of array of int
        The labels of every axis of the inputs.
    returned : tuple of array of int
        The labels of every axis of the first output.
    """

    labels: Labels
    axes: Mapping[tuple[str, int], Ints]
    inputs: tuple[Ints, ...]
    outputs: Ints
    uses: Mapping[str, frozenset[str]]
    given: tuple[Ints, ...]
    returned: tuple[Ints, ...]


def run(program: Program, buffers: Mapping[str, bool]) -> Run:
    """Run a program on its values and their labels.

    Parameters
    ----------
    program : Program
        The operators.
    buffers : mapping of str to bool
        The module's buffers, and whether they are stored.

    Raises
    ------
    LayoutError
        An operator has no rule. The message names it, and the module and line that call it.
    """
    labels = Labels()
    axes: dict[tuple[str, int], Ints] = {}
    uses: dict[str, set[str]] = {}
    values: dict[str, Any] = {}
    given_axes: list[Ints] = []
    own: dict[str, Value] = {}
    ends: list[Ints] = []
    for node in program.nodes:
        if node.op in ("placeholder", "get_attr"):
            given = program.values[node.name]
            if not isinstance(given, Tensor):
                values[node.name] = given
            elif node.name in program.tensors:
                name = program.tensors[node.name]
                if name not in own:
                    own[name] = _own(labels, axes, name, given, stored=buffers.get(name, True))
                values[node.name] = own[name]
            elif node.name in program.inputs:
                values[node.name], last, found = _given(labels, given)
                given_axes += found
                ends += [] if last is None else [last]
            else:
                values[node.name] = Value(given, ())
        elif node.op == "call_function":
            values[node.name] = _called(labels, node, values, uses)
    out = values[program.output.name]
    outputs = _outputs(labels, out)
    read = {name: frozenset(found) for name, found in uses.items()}
    axes = {(name, axis): found for (name, axis), found in axes.items() if name in read}
    returned = (*(field.numpy().ravel() for field in out.fields), *(np.array([unit]) for unit in out.units.values()))
    outputs = np.empty(0, dtype=np.int64) if outputs is None else outputs
    return Run(labels, axes, tuple(ends), outputs, read, tuple(given_axes), returned)


def _own(labels: Labels, axes: dict[tuple[str, int], Ints], name: str, tensor: Tensor, *, stored: bool) -> Value:
    """A tensor of the module: each of its axes has labels of its own."""
    counted = not tensor.is_floating_point() and not tensor.is_complex()
    fields = []
    for axis, length in enumerate(tensor.shape):
        if length > 1 and not counted:
            differs = not bool((tensor == tensor.narrow(axis, 0, 1)).all())
            made = labels.fresh(length, pinned=differs and not stored)
            labels.keep(made)
            axes[name, axis] = made
            fields.append(along(made, axis, tensor.ndim))
    if counted:
        return Value(tensor, ())
    units = own_units(labels.fresh, tensor.shape)
    axes.update({(name, axis): np.array([unit]) for axis, unit in units.items()})
    return Value(tensor, tuple(fields), frozenset([name]), units=units)


def _given(labels: Labels, tensor: Tensor) -> tuple[Value, Ints | None, list[Ints]]:
    """An input, the labels of its last axis, which alone may be permuted, and those of all its axes."""
    fields, found = [], []
    numbers = tensor.is_floating_point()
    units = own_units(labels.fresh, tensor.shape) if numbers else {}
    for axis, length in enumerate(tensor.shape):
        if axis in units:
            found.append(np.array([units[axis]]))
        if length > 1:
            free = numbers and axis == tensor.ndim - 1
            made = labels.fresh(length, pinned=not free)
            labels.keep(made)
            fields.append(along(made, axis, tensor.ndim))
            found.append(made)
            if free:
                labels.written.update(made.tolist())
    last = found[-1] if numbers and tensor.ndim else None
    return Value(tensor, tuple(fields), of_inputs=True, units=units), last, found


def _called(labels: Labels, node: fx.Node, values: Mapping[str, Any], uses: dict[str, set[str]]) -> Any:
    given: Any = fx.node.map_arg((node.args, dict(node.kwargs)), lambda each: values[each.name])
    args, kwargs = given
    if node.target is operator.getitem:
        return args[0][args[1]]
    seen: list[Value] = []
    plain_args, plain_kwargs = _plain((args, kwargs), seen)
    target = torch.ops.aten.reshape.default if _name(node) in VIEWS else node.target
    result = target(*plain_args, **plain_kwargs)  # type: ignore[operator]
    origin: frozenset[str] = frozenset().union(*(each.origin for each in seen))
    of_inputs = any(each.of_inputs for each in seen)
    for each in seen:
        for name in each.origin:
            uses.setdefault(name, set()).add(_name(node))
    if (of_inputs or origin) and _name(node) in BLANK:
        of_inputs, origin = False, frozenset()
    drawn = torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
    if of_inputs or origin or drawn:
        rule = rule_for(node.target)
        if rule is None and _tensors(result):
            raise LayoutError(
                "no rule for an operator",
                where=_place(node),
                got=str(node.target),
                hint=_NOTHING_DRAWN if drawn else HINT,
            )
        read = frozenset(user.args[1] for user in node.users if user.target is operator.getitem)
        call = Call(labels, node.target, args, kwargs, result, read)  # type: ignore[arg-type]
        found: Any = rule(call) if rule else ()
        units = units_of(call)
        alone = [units_of_part(call, number) for number in range(len(result))] if isinstance(result, list) else []
    else:
        found, units, alone = (), {}, []
    origin = frozenset() if of_inputs else origin
    if isinstance(result, Tensor):
        return Value(result, found, origin, of_inputs, units)
    if isinstance(result, list | tuple):
        parts = found or [()] * len(result)
        alone = alone or [{}] * len(result)
        return tuple(Value(r, f, origin, of_inputs, u) for r, f, u in zip(result, parts, alone, strict=True))
    return result


def _name(node: fx.Node) -> str:
    return str(node.target).split(".")[1] if "." in str(node.target) else ""


def _tensors(result: Any) -> bool:
    return isinstance(result, Tensor) or (isinstance(result, list | tuple) and any(map(_tensors, result)))


def _plain(given: Any, seen: list[Value]) -> Any:
    """Arguments with tensors in place of values, which are noted."""
    if isinstance(given, Value):
        seen.append(given)
        return given.tensor
    if isinstance(given, list | tuple):
        return (
            type(given)(_plain(each, seen) for each in given)
            if type(given) in (list, tuple)
            else [_plain(each, seen) for each in given]
        )
    if isinstance(given, dict):
        return {name: _plain(each, seen) for name, each in given.items()}
    return given


def _outputs(labels: Labels, value: Value) -> Ints | None:
    """Labels of the output's last axis; whatever varies along another axis is pinned."""
    if value.tensor.ndim == 0:
        return None
    last = value.tensor.ndim - 1
    if last in value.units:
        return np.array([value.units[last]])
    across = [field for field in value.fields if last in {a for a, n in enumerate(field.shape) if n > 1}]
    alone = [field for field in across if field.numel() == value.tensor.shape[-1]]
    for field in value.fields:
        if not (len(across) == 1 and field is across[0] and alone):
            labels.pin(labels_in(field))
    return alone[0].numpy().ravel() if len(across) == 1 and alone else None


def _place(node: fx.Node) -> str:
    """The module and the line that call an operator."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = next((str(where).removeprefix("L['self'].").removeprefix("inner.") for where, _ in reversed(stack)), "")
    line = last_line(node.meta.get("stack_trace") or "")
    said = ", ".join(each for each in (f"module '{path}'" if path not in ("", "inner") else "", line) if each)
    return said or f"operator '{node.name}'"
