"""Modules put into the hidden layers of a network that is to be trained: which entries they give, which they hold."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .._errors import InputError
from ..checkpoints._task_spec import TaskSpec
from ..did_you_mean import did_you_mean
from ..layouts import Layout, Placement
from ..models import DenseLayers
from ..models.building_blocks.activations import activated
from ._beginning import Beginning, Part, Readout
from ._stored_module import StoredModule


def from_modules(
    modules: Sequence[StoredModule], task: TaskSpec, layers: DenseLayers | None, layout: Layout, *, keep: bool
) -> Beginning:
    """Put modules into the hidden layers, one beside the other, from the first neuron on; relocation may move them.

    The neurons of a module read what they read in the module, and nothing else. A module of fewer hidden layers than
    the network has is carried on by two neurons for each of its outputs where the activation allows it:
    ``a(z) - a(-z) = z``, as for SiLU, GELU and ReLU.

    Parameters
    ----------
    modules : sequence of StoredModule
        Their inputs have the names of the task's inputs.
    task : TaskSpec
        Names and units.
    layers : DenseLayers or None
        The network that is to be trained; None where it is not made of layers.
    layout : Layout
        Of that network.
    keep : bool
        Whether the modules' weights and biases stay as they are.

    Returns
    -------
    Beginning
        Values and masks of all tensors.

    Raises
    ------
    InputError
        The network is not made of layers, has another activation, too few layers or neurons, or the task has no input
        of that name.
    """
    if layers is None or layers.copies:
        raise InputError("modules need a network of layers", where="modules", hint="train an mlp")
    widths = layers.widths
    shapes: dict[str, tuple[int, ...]] = {}
    for k, (read, size) in enumerate(pairwise(widths)):
        shapes |= {f"layers.{k}.weight": (size, read), f"layers.{k}.bias": (size,)}
    values = {name: np.zeros(shape) for name, shape in shapes.items()}
    taken, held = ({name: np.zeros(shape, bool) for name, shape in shapes.items()} for _ in range(2))
    free, depth = [0] * (len(widths) - 2), len(widths) - 2
    parts, readouts = list[Part](), list[Readout]()
    shift = np.array(task.input_shift or [0.0] * len(task.inputs))
    scale = np.array(task.input_scale or [1.0] * len(task.inputs))
    for one in modules:
        _check(one, task, layers)
        chain = _carried(one, depth)
        below = [task.inputs.index(name) for name in one.inputs]
        neurons: dict[str, list[int]] = {}
        for level, (weight, bias) in enumerate(chain[:-1]):
            own = list(range(free[level], free[level] + len(bias)))
            if own[-1] >= widths[level + 1]:
                raise InputError(
                    "too few neurons for these modules", where=f"hidden layer {level + 1}",
                    expected=f"at least {own[-1] + 1}", got=str(widths[level + 1]), hint="--hidden, or fewer modules",
                )  # fmt: skip
            free[level] += len(own)
            if level == 0:  # the network sees its inputs in units of its own
                weight, bias = weight * scale[below], bias + weight @ shift[below]
            name = f"layers.{level}"
            values[f"{name}.weight"][np.ix_(own, below)], values[f"{name}.bias"][own] = weight, bias
            for kind in ("weight", "bias"):
                taken[f"{name}.{kind}"][own] = True
                held[f"{name}.{kind}"][own] = keep
            neurons[f"h{level + 1}"], below = own, own
        if len(chain) == depth + 1:
            places = [task.inputs.index(name) for name in one.inputs]
            readouts.append(Readout(one, tuple(places), scale[places], shift[places], tuple(below), *chain[-1]))
        about = {"inputs": list(one.inputs), "outputs": list(one.outputs), "formulas": dict(one.formulas)}
        parts.append(Part(about, neurons))
    return Beginning(values, taken, held, Placement.identity(layout), tuple(parts), tuple(readouts))


def _check(one: StoredModule, task: TaskSpec, layers: DenseLayers) -> None:
    """Refuse a module that the network cannot hold."""
    for name in one.inputs:
        other = f"say which input it is: FILE:{name}={task.inputs[0]}"
        if name not in task.inputs:
            raise InputError(
                "a module reads what the task does not have", where=one._brief(), expected=", ".join(task.inputs),
                got=name, hint=did_you_mean(name, task.inputs, otherwise=other),
            )  # fmt: skip
    if one.activation != layers.activation:
        raise InputError(
            "a module of another activation", where=one._brief(), expected=layers.activation, got=one.activation
        )
    if len(one.hidden) > len(layers.widths) - 2:
        raise InputError(
            "a module of more hidden layers than the network", where=one._brief(), expected=str(len(layers.widths) - 2),
            got=str(len(one.hidden)), hint="--hidden with more layers",
        )  # fmt: skip


def _carried(one: StoredModule, depth: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The module's layers, carried on to so many hidden layers where the activation can carry a number."""
    chain = list(one.layers)
    z = np.linspace(-3, 3, 13)
    if not np.allclose(activated(one.activation, z) - activated(one.activation, -z), z):
        return chain
    while len(chain) < depth + 1:
        weight, bias = chain.pop()
        size = len(bias)
        chain.append((np.concatenate([weight, -weight]), np.concatenate([bias, -bias])))
        chain.append((np.concatenate([np.eye(size), -np.eye(size)], axis=1), np.zeros(size)))
    return chain
