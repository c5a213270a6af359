"""Where a stored program reads and writes neurons: the axis of each argument that they lie along, and a lone output."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...layouts._layout import Layout
from ...layouts.tracing import with_ends
from ._table import InputShape, as_table, input_shapes
from ._traced_module import TracedModule
from ._traced_options import TracedOptions

SLACK = 1e-5  # of the largest output: less apart is equal


def with_input_neurons(
    traced: TracedModule, layout: Layout, values: Sequence[Tensor]
) -> tuple[list[InputShape], Layout]:
    """Find the axis of each argument that a group runs along, so that columns can be counted in its neurons.

    Parameters
    ----------
    traced : TracedModule
        The program.
    layout : Layout
        Its layout, which knows the inputs that lie along last axes.
    values : sequence of Tensor
        An example of each argument.

    Returns
    -------
    shapes : list of InputShape
        Each argument, with the axis of its neurons.
    layout : Layout
        The layout with what is read and returned, column by column.
    """
    shapes, columns = input_shapes(values), list[tuple[str, int] | None]()
    known = list(layout.input_neurons)  # certified along the last axes
    for number, (shape, value) in enumerate(zip(shapes, values, strict=True)):
        own = [known.pop(0) for _ in range(value.shape[-1])] if known and value.is_floating_point() else []
        neurons: list[tuple[str, int] | None] = [(layout.inputs, one) if one >= 0 else None for one in own]
        if value.is_floating_point() and None in (neurons or [None]):
            found = _axis_of_neurons(traced, layout, values, number)
            if found is not None:
                group, axis = found
                shapes[number] = shape.model_copy(update={"neurons": axis})
                neurons = [(group, index) for index in range(layout.sizes[group])]
        columns += neurons * (shape.columns // len(neurons)) if neurons else [None] * shape.columns
    returned = [(layout.outputs, index) for index in range(layout.sizes.get(layout.outputs, 0))]
    return shapes, with_ends(replace(layout, inputs="", outputs="", row=""), columns, returned)


def _axis_of_neurons(
    traced: TracedModule, layout: Layout, values: Sequence[Tensor], number: int
) -> tuple[str, int] | None:
    """The group that an argument's neurons are, and the axis, that of rows not counted, along which they lie."""
    plans = [layout.tensors[name].plan for name in layout.weights()]
    written, shape = {plan.groups[0] for plan in plans}, values[number].shape[1:]
    for group in dict.fromkeys(plan.groups[1] for plan in plans if plan.groups[1] not in {*written, layout.inputs}):
        if len(values) == 1 and shape.numel() == layout.sizes[group] == 1:
            return group, -1
        for axis in reversed(range(len(shape))):
            if shape[axis] == layout.sizes[group] and _runs_along(traced, layout, group, axis, values, number):
                return group, axis
    return None


def _runs_along(
    traced: TracedModule, layout: Layout, group: str, axis: int, values: Sequence[Tensor], number: int
) -> bool:
    """Whether permuting the group along its tensors, and an argument along the axis, leaves the outputs as they are."""
    size = layout.sizes[group]
    order = torch.as_tensor(np.roll(np.arange(size), 1))
    changed = {}
    for name, tensor in traced.state_dict().items():
        plan = layout.tensors[name].plan
        opened = tensor.reshape(plan.open_shape(tuple(tensor.shape), layout.sizes))
        for place, part in plan.group_factors():
            if part.group == group:
                opened = opened.index_select(place, order)
        changed[name] = opened.reshape(tensor.shape)
    exact, moved = (copy.deepcopy(traced).double() for _ in range(2))
    moved.load_state_dict(changed)
    turned = [v.index_select(axis + 1, order) if k == number else v for k, v in enumerate(values)]
    with torch.no_grad():
        before, after = (
            module(torch.tensor(as_table(input_shapes(some), some)))
            for module, some in ((exact, values), (moved, turned))
        )
    return bool((after - before).abs().max() <= SLACK * before.abs().max().clamp(min=1e-30))


def lone_end(layout: Layout, options: TracedOptions) -> str:
    """The only neuron that nothing reads, where the module gives one number a row without an axis for it.

    Parameters
    ----------
    layout : Layout
        The layout of the program.
    options : TracedOptions
        The program.

    Returns
    -------
    str
        Its group; empty where there is none.
    """
    plans = [layout.tensors[name].plan.groups for name in layout.weights()]
    read = {source for _, source in plans}
    ends = {target for target, _ in plans if target not in read and layout.sizes[target] == 1}
    return ends.pop() if options.outputs == 1 and len(ends) == 1 else ""
