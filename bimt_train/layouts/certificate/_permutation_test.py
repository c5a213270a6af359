"""Permuting the neurons of a module as a layout declares them, and measuring what that changes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from ..._errors import InputError, LayoutError, PatternError
from .. import Layout, Pattern, parse_pattern
from .._copied import copied
from .._inputs import Inputs, first_tensor
from ._double_precision import InDouble, double_by_default

Order = Int[np.ndarray, " neurons"]


@dataclass(frozen=True)
class LayoutVariant:
    """A layout with some of its declarations replaced.

    Attributes
    ----------
    layout : Layout
        What was declared.
    patterns : mapping of str to Pattern
        The pattern of each tensor.
    heads : mapping of str to int
        The number of blocks of each group.
    inputs : str
        The group of the module's inputs, or empty.
    outputs : str
        The group of the module's outputs, or empty.
    """

    layout: Layout
    patterns: Mapping[str, Pattern]
    heads: Mapping[str, int]
    inputs: str
    outputs: str

    @property
    def columns(self) -> tuple[int, ...]:
        """The neuron of each column of the inputs."""
        same = self.inputs == self.layout.inputs
        return self.layout.input_neurons if same else tuple(range(self.layout.sizes[self.inputs]))

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """Make the variant that ``layout`` declares, with nothing replaced."""
        patterns = {name: spec.plan for name, spec in layout.tensors.items()}
        return cls(layout, patterns, {g.name: g.heads for g in layout.groups}, layout.inputs, layout.outputs)

    def with_patterns(self, texts: Mapping[str, str]) -> Self:
        """Replace the patterns of some tensors; ``texts`` gives the new pattern for each of their names."""
        return replace(self, patterns={**self.patterns, **{name: parse_pattern(t) for name, t in texts.items()}})

    def draw(self, group: str, generator: np.random.Generator) -> Order:
        """Draw a permutation, not the identity, of the heads of ``group`` and within each head, from ``generator``.

        Where patterns name parts of the group, neurons stay in their parts.
        """
        size, heads = self.layout.sizes[group], self.heads[group]
        cuts = self.cuts(group)
        order, blocks = np.arange(size), np.arange(size).reshape(heads, size // heads)
        while max(np.diff(cuts)) > 1 and (order == np.arange(size)).all():
            if len(cuts) > 2:
                order = np.concatenate([generator.permutation(part) for part in np.split(np.arange(size), cuts[1:-1])])
            else:
                order = generator.permuted(blocks[generator.permutation(heads)], axis=1).ravel()
        return order

    def cuts(self, group: str) -> list[int]:
        """Where the parts of ``group`` that patterns name begin, and the group's size."""
        row = [parse_pattern(self.layout.row, most=len(self.layout.row))] if self.layout.row else []
        parts = [part for pattern in (*self.patterns.values(), *row) for part in pattern.parts if part.group == group]
        size = self.layout.sizes[group]
        return sorted({0, size, *(part.start for part in parts), *(part.stop or size for part in parts)})

    def permuted(self, name: str, tensor: Tensor, group: str, order: Order) -> Tensor:
        """Permute every axis of a tensor that the group indexes: neuron k becomes what ``order[k]`` was.

        Parameters
        ----------
        name : str
            The tensor's name, by which its pattern is found.
        tensor : torch.Tensor
            Its values.
        group : str
            Whose neurons to permute.
        order : array of int, shape (neurons,)
            The permutation.

        Returns
        -------
        torch.Tensor
            A tensor of the same shape.
        """
        if name not in self.patterns:  # a buffer that the layout may leave out
            return tensor
        pattern = self.patterns[name]
        opened = tensor.reshape(pattern.open_shape(tuple(tensor.shape), self.layout.sizes))
        for place, found in pattern.group_factors():
            if found.group == group:
                own = order[found.neurons] - found.start
                opened = opened.index_select(place, torch.as_tensor(own))
        return opened.reshape(tensor.shape)


@dataclass(frozen=True, eq=False)
class PermutationTest:
    """A module ready for measurement: in double precision, evaluation mode, with tensors away from special values.

    Attributes
    ----------
    module : torch.nn.Module
        A copy.
    tensors : mapping of str to torch.Tensor
        Parameters and buffers by name, tied ones by their declared names, which share one object.
    x : Inputs
        The inputs.
    outputs : torch.Tensor
        The module's outputs for them.
    narrows : bool
        Whether the module passes to single precision inside, from which `InDouble` then keeps it.
    """

    module: nn.Module
    tensors: Mapping[str, Tensor]
    x: Inputs
    outputs: Tensor
    narrows: bool = False

    @classmethod
    def of(cls, module: nn.Module, layout: Layout, x: Any, generator: np.random.Generator) -> Self:
        """Prepare the test of a module on inputs.

        Parameters
        ----------
        module : torch.nn.Module
            Is copied and left as it is.
        layout : Layout
            Says which tensors are tied, and the widths of inputs and outputs.
        x : array, torch.Tensor, tuple of them, or mapping of str to them
            A batch of inputs: the only one, several by position, or several by name.
        generator : numpy.random.Generator
            Draws the displacement of the tensors.

        Returns
        -------
        PermutationTest
            The test.

        Raises
        ------
        InputError
            The module cannot be run on x, or its outputs are not finite or not repeatable.
        LayoutError
            The inputs or outputs have another width than their group.
        """
        module = copied(module).to("cpu", torch.float64).eval()
        given = Inputs.of(x).floating(torch.float64)
        test = cls(module, _displaced(module, layout, generator), given, torch.empty(0))
        _check_inputs(layout, given)
        with InDouble() as watch:
            outputs = test.run(test.tensors, given)
        test = replace(test, narrows=watch.asked)
        if not torch.isfinite(outputs).all() or outputs.numel() == 0:
            raise InputError("the module's outputs are not finite", hint="give an x on which they are, with rows")
        if not torch.equal(outputs, test.run(test.tensors, given)):
            hint = "remove what is random in its evaluation mode"
            raise InputError("the module gives different outputs each time", where="evaluation mode", hint=hint)
        _check_end(layout.outputs, layout.sizes.get(layout.outputs, 0), "outputs", outputs)
        return replace(test, outputs=outputs)

    def run(self, tensors: Mapping[str, Tensor], x: Inputs) -> Tensor:
        """Run the module on ``x`` with other ``tensors`` in place of its own, and return its first output."""
        try:
            with double_by_default(), InDouble() if self.narrows else nullcontext():
                outputs = torch.func.functional_call(self.module, dict(tensors), x.positional, dict(x.named))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
            hint = "give x as the module's only argument, a tuple of its arguments, or a mapping of their names"
            raise InputError("the module cannot be run on x", where=f"x {x.shapes}", got=reason, hint=hint) from error
        outputs = first_tensor(outputs)
        if not isinstance(outputs, Tensor):
            hint = "wrap the module so that it returns a tensor"
            raise InputError("no tensor among the module's outputs", got=type(outputs).__name__, hint=hint)
        return outputs

    def deviation(self, variant: LayoutVariant, group: str, orders: Sequence[Order], *, only: str = "") -> float:
        """Measure the largest change of an output, relative to the largest output, when a group is permuted.

        Parameters
        ----------
        variant : LayoutVariant
            Which axes the group indexes.
        group : str
            Whose neurons to permute.
        orders : sequence of array of int
            The permutations.
        only : str, default ""
            Permute this tensor alone, to see whether that can be noticed at all.

        Returns
        -------
        float
            0 where nothing changes; infinite where tied tensors would differ.
        """
        scale = float(self.outputs.abs().max()) or 1.0
        worst = 0.0
        for order in orders:
            moved = dict(self._moved(variant, group, order, only))
            if any(not torch.equal(moved[name], moved[twin]) for name, twin in self.ties()):
                return float("inf")
            moved |= {name: moved[twin] for name, twin in self.ties()}
            index = torch.as_tensor(order)
            turned = variant.inputs == group and not only
            x = self.x.with_columns(moved_columns(variant.columns, order)) if turned else self.x
            outputs = self.run(moved, x)
            before = self.outputs[..., index] if variant.outputs == group and not only else self.outputs
            worst = max(worst, float((outputs - before).abs().nan_to_num(nan=torch.inf).max()) / scale)
        return worst

    def _moved(self, variant: LayoutVariant, group: str, order: Order, only: str) -> Iterator[tuple[str, Tensor]]:
        tied = {name for name, tensor in self.tensors.items() if only and tensor is self.tensors[only]}
        for name, tensor in self.tensors.items():
            chosen = not only or name in tied
            yield name, variant.permuted(name, tensor, group, order) if chosen else tensor

    def ties(self) -> Iterator[tuple[str, str]]:
        """List each name that shares its tensor with an earlier one, and that one."""
        first: dict[int, str] = {}
        for name, tensor in self.tensors.items():
            if first.setdefault(id(tensor), name) != name:
                yield name, first[id(tensor)]

    def check_ties(self, variant: LayoutVariant, group: str, order: Order) -> None:
        """Check that tied tensors are declared alike.

        Parameters
        ----------
        variant : LayoutVariant
            Which axes the group indexes.
        group : str
            Whose neurons to permute.
        order : array of int
            The permutation.

        Raises
        ------
        LayoutError
            The group indexes another axis under one name than under the other.
        """
        for name, twin in self.ties():
            one, other = (variant.permuted(n, self.tensors[n], group, order) for n in (name, twin))
            if not torch.equal(one, other):
                raise LayoutError(
                    "tied tensors are declared differently",
                    where=f"tensors '{twin}' and '{name}', group '{group}'",
                    expected=f'"{variant.patterns[twin].text}"',
                    got=f'"{variant.patterns[name].text}"',
                    hint="declare both alike: an axis that is a group for one and not for the other is _ for both",
                )


def moved_columns(neurons: Sequence[int], order: Order) -> Int[np.ndarray, " columns"]:
    """The column that takes the place of each column, if neuron k becomes what ``order[k]`` was.

    Parameters
    ----------
    neurons : sequence of int
        The neuron of each column, -1 for none. The k-th column of a neuron takes the place of the k-th of another.
    order : array of int, shape (neurons,)
        The permutation.

    Returns
    -------
    array of int, shape (columns,)
        Places of columns.

    Examples
    --------
    >>> moved_columns([0, 1, 0, 1, -1], np.array([1, 0])).tolist()
    [1, 0, 3, 2, 4]
    """
    places: dict[int, list[int]] = {}
    for column, neuron in enumerate(neurons):
        places.setdefault(neuron, []).append(column)
    found = np.arange(len(neurons))
    for neuron, own in places.items():
        if neuron >= 0:
            found[own] = places[int(order[neuron])]
    return found


def _check_inputs(layout: Layout, given: Inputs) -> None:
    """Refuse a layout whose row is not as long as the last axes of the arguments are together."""
    if not layout.inputs:
        return
    widths = given.widths
    if sum(widths) != layout.columns:
        raise LayoutError(
            "the width of the inputs is not that of their group",
            where=f"group '{layout.inputs}', last axis of shape {given.shapes}",
            expected=str(layout.columns),
            got=" + ".join(map(str, widths)) or "no numbers",
            hint="correct the group or the row, or leave inputs empty if they are no neurons of the layout",
        )


def _check_end(group: str, width: int, end: str, values: Tensor) -> None:
    if group and (values.ndim == 0 or values.shape[-1] != width):
        raise LayoutError(
            f"the width of the {end} is not that of their group",
            where=f"group '{group}', last axis of shape {tuple(values.shape)}",
            expected=str(width),
            got=str(values.shape[-1] if values.ndim else 0),
            hint=f"correct the group, or leave {end} empty if they are no neurons of the layout",
        )


def _displaced(module: nn.Module, layout: Layout, generator: np.random.Generator) -> dict[str, Tensor]:
    """Parameters and buffers moved off the values they happen to have; tied names keep sharing one tensor.

    A tied name that the layout leaves out is left out: torch lets it follow the name that is declared.
    """
    moved: dict[int, Tensor] = {}
    tensors: dict[str, Tensor] = {}
    named: list[tuple[str, Any, bool]] = [(n, p, True) for n, p in module.named_parameters(remove_duplicate=False)]
    named += [(n, b, False) for n, b in module.named_buffers(remove_duplicate=False)]
    for name, tensor, trained in named:
        if id(tensor) not in moved:
            moved[id(tensor)] = _displace(tensor.detach(), trained, generator)
        tensors[name] = moved[id(tensor)]
    declared = {id(tensors[name]) for name in layout.tensors}
    return {name: tensor for name, tensor in tensors.items() if name in layout.tensors or id(tensor) not in declared}


def _displace(tensor: Tensor, trained: bool, generator: np.random.Generator) -> Tensor:
    finite = tensor[torch.isfinite(tensor)] if tensor.is_floating_point() else torch.empty(0)
    if finite.numel() == 0 or bool(((finite == finite.round()).all()) & (finite.abs() > 1).any()):
        return tensor.clone()  # nothing to move, or whole numbers that may be indices
    if not trained:  # variances stay positive, masks stay masks
        return tensor + torch.as_tensor(generator.uniform(0.01, 0.1, tuple(tensor.shape)))
    spread = float(finite.std()) if finite.numel() > 1 else 0.0
    least = 0.1 if tensor.ndim < 2 else (tensor.numel() / tensor.shape[0]) ** -0.5
    return tensor + max(0.5 * spread, least) * torch.as_tensor(generator.standard_normal(tuple(tensor.shape)))


def fits(pattern: Pattern, shape: tuple[int, ...], sizes: Mapping[str, int]) -> bool:
    """Say whether ``pattern`` fits a tensor of this ``shape``, with ``sizes`` the neurons of each group."""
    try:
        pattern.open_shape(shape, sizes)
    except PatternError:
        return False
    return True
