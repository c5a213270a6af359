"""Modules put into the hidden layers of a network that is to be trained: which entries they give, which they hold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from .._errors import InputError, did_you_mean
from .._whole_files import content_digest
from ..checkpoints._network import EDGE
from ..checkpoints._task_spec import TaskSpec
from ..models import DenseLayers, activated
from ._stored_module import StoredModule

_TOLD = 0.5  # share of an output's variance from which on it begins with a sum of what modules give

Rows = Float64[np.ndarray, "_ _"]


@dataclass(frozen=True, eq=False)
class Readout:
    """How the last layer can read a module.

    Attributes
    ----------
    module : StoredModule
        The module.
    columns : tuple of int
        Which inputs of the network it reads.
    scale, shift : array of float64, shape (read,)
        From what the network sees of the module's inputs to the module's units.
    neurons : tuple of int
        Its neurons in the last hidden layer.
    weight : array of float64, shape (given, neurons)
        How its outputs are made of these.
    bias : array of float64, shape (given,)
        What is added to that.
    """

    module: StoredModule
    columns: tuple[int, ...]
    scale: Float64[np.ndarray, " read"]
    shift: Float64[np.ndarray, " read"]
    neurons: tuple[int, ...]
    weight: Float64[np.ndarray, "given neurons"]
    bias: Float64[np.ndarray, " given"]


@dataclass(frozen=True, eq=False)
class Planted:
    """What modules give to a network of layers.

    Attributes
    ----------
    values : mapping of str to array of float64
        Tensor name -> values, in its shape.
    taken : mapping of str to array of bool
        Tensor name -> which entries are taken from ``values``; all others are drawn.
    held : mapping of str to array of bool
        Tensor name -> which entries never change.
    modules : tuple of dict
        What checkpoints say of each module, neurons by group among it.
    readouts : tuple of Readout
        How outputs can read each module that is carried up to the last hidden layer.
    """

    values: Mapping[str, Float64[np.ndarray, "..."]]
    taken: Mapping[str, Bool[np.ndarray, "..."]]
    held: Mapping[str, Bool[np.ndarray, "..."]]
    modules: tuple[dict[str, Any], ...]
    readouts: tuple["Readout", ...]

    @property
    def frozen(self) -> bool:
        """Whether an entry is held."""
        return any(bool(rows.any()) for rows in self.held.values())

    def digest(self) -> str:
        """A text that is the same for the same values and held entries."""
        arrays = {**self.values, **{f"{k} taken": v for k, v in self.taken.items()}}
        return content_digest(arrays | {f"{k} held": v for k, v in self.held.items()}, json.dumps(self.modules))

    def over(self, drawn: Mapping[str, np.ndarray], x: Rows, y: Rows) -> dict[str, np.ndarray]:
        """Tensors as they are drawn, with what the modules give in its place.

        An output of which weighted sums of the modules' outputs tell half of the variance begins as the nearest of
        these sums.

        Parameters
        ----------
        drawn : mapping of str to array
            The tensors of one network.
        x : array, shape (rows, inputs)
            Its training rows as it sees them.
        y : array, shape (rows, outputs)
            Their targets in its units.
        """
        found = {name: np.where(self.taken[name], self.values[name], array) for name, array in drawn.items()}
        if not self.readouts:
            return found
        given = [one.module.predict(x[:, list(one.columns)] * one.scale + one.shift) for one in self.readouts]
        design = np.concatenate([*given, np.ones((len(x), 1))], axis=1)
        sums = np.linalg.lstsq(design, y, rcond=None)[0].T
        left, whole = ((part**2).sum(axis=0) for part in (design @ sums.T - y, y - y.mean(axis=0)))
        weight, bias = (found[name] for name in self.last)
        for row in np.flatnonzero(left <= (1 - _TOLD) * whole):
            weight[row], bias[row], at = 0.0, sums[row, -1], 0
            for one, columns in zip(self.readouts, given, strict=True):
                own = sums[row, at : at + columns.shape[1]]
                weight[row, list(one.neurons)] += own @ one.weight
                bias[row] += own @ one.bias
                at += columns.shape[1]
        return found

    @property
    def last(self) -> tuple[str, str]:
        """Names of the weight and bias of the last layer."""
        number = len(self.values) // 2 - 1
        return f"layers.{number}.weight", f"layers.{number}.bias"

    def told(self, tensors: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """What a checkpoint says of the modules: of each also how strongly the trained network reads it.

        Parameters
        ----------
        tensors : mapping of str to array
            The trained network.
        """
        said = []
        for one in self.modules:
            weight = tensors[one["read_by"]]
            last = list(one["neurons"].values())[-1]
            others = np.abs(weight[:, last])
            said.append({**one, "strongest": float(others.max()), "used": bool((others > EDGE).any())})
        return said


def plant(modules: Sequence[StoredModule], task: TaskSpec, layers: DenseLayers | None, *, frozen: bool) -> Planted:
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
    frozen : bool
        Whether the modules' weights and biases stay as they are.

    Returns
    -------
    Planted
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
    free, depth, said = [0] * (len(widths) - 2), len(widths) - 2, list[dict[str, Any]]()
    readouts = list[Readout]()
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
                held[f"{name}.{kind}"][own] = frozen
            neurons[f"h{level + 1}"], below = own, own
        weight, bias = chain[-1]
        last = f"layers.{len(chain) - 1}"
        if len(chain) == depth + 1:
            places = tuple(task.inputs.index(name) for name in one.inputs)
            units = scale[list(places)], shift[list(places)]
            readouts.append(Readout(one, places, *units, tuple(below), weight, bias))
        said.append(
            {
                "inputs": list(one.inputs), "outputs": list(one.outputs), "formulas": dict(one.formulas),
                "frozen": frozen, "neurons": neurons, "read_by": f"{last}.weight",
            }
        )  # fmt: skip
    return Planted(values, taken, held, tuple(said), tuple(readouts))


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
