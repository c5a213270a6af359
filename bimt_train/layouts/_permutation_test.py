"""Permuting the neurons of a module as a layout reads it, and measuring what that changes."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from .._errors import InputError, LayoutError, PatternError
from . import Layout, Pattern, parse_pattern
from ._double_precision import InDouble

Order = Int[np.ndarray, " neurons"]


@dataclass(frozen=True)
class Reading:
    """How the tensors are read: a layout, with some of its declarations replaced.

    Attributes:
        layout: what was declared.
        patterns: tensor -> pattern.
        heads: group -> number of blocks.
        inputs: the group of the module's inputs.
        outputs: the group of its outputs.
    """

    layout: Layout
    patterns: Mapping[str, Pattern]
    heads: Mapping[str, int]
    inputs: str
    outputs: str

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """The reading that the layout declares."""
        patterns = {name: spec.plan for name, spec in layout.tensors.items()}
        return cls(layout, patterns, {g.name: g.heads for g in layout.groups}, layout.inputs, layout.outputs)

    def with_patterns(self, texts: Mapping[str, str]) -> Self:
        """The same reading but for some tensors."""
        return replace(self, patterns={**self.patterns, **{name: parse_pattern(t) for name, t in texts.items()}})

    def draw(self, group: str, generator: np.random.Generator) -> Order:
        """A permutation, not the identity, of the heads and within each head."""
        size, heads = self.layout.sizes[group], self.heads[group]
        blocks = np.arange(size).reshape(heads, size // heads)
        order = np.arange(size)
        while size > 1 and (order == np.arange(size)).all():
            order = generator.permuted(blocks[generator.permutation(heads)], axis=1).ravel()
        return order

    def permuted(self, name: str, tensor: Tensor, group: str, order: Order) -> Tensor:
        """The tensor with every axis that reads the group permuted: neuron k becomes what ``order[k]`` was."""
        if name not in self.patterns:  # a buffer that the layout may leave out
            return tensor
        pattern = self.patterns[name]
        opened = tensor.reshape(pattern.open_shape(tuple(tensor.shape), self.layout.sizes))
        for place, found in pattern.group_factors():
            if found == group:
                opened = opened.index_select(place, torch.as_tensor(order))
        return opened.reshape(tensor.shape)


@dataclass(frozen=True, eq=False)
class Bench:
    """A module fixed for measurement: in double precision, evaluation mode, with tensors away from special values.

    Attributes:
        module: a copy.
        tensors: parameters and buffers by name, tied ones by their declared names, which share one object.
        x: the inputs.
        outputs: the module's outputs for them.
        narrows: whether the module passes to single precision inside, from which `InDouble` then keeps it.
    """

    module: nn.Module
    tensors: Mapping[str, Tensor]
    x: Tensor
    outputs: Tensor
    narrows: bool = False

    @classmethod
    def of(cls, module: nn.Module, layout: Layout, x: np.ndarray | Tensor, generator: np.random.Generator) -> Self:
        """The bench for a module and inputs.

        Raises:
            InputError: the module cannot be run on x, or its outputs are not finite or not repeatable.
        """
        module = copy.deepcopy(module).to("cpu", torch.float64).eval()
        given = torch.as_tensor(x).detach().cpu()
        given = given.double() if given.is_floating_point() else given
        bench = cls(module, _displaced(module, layout, generator), given, torch.empty(0))
        _check_end(layout.inputs, layout.columns, "inputs", given)
        with InDouble() as watch:
            outputs = bench.run(bench.tensors, given)
        bench = replace(bench, narrows=watch.asked)
        if not torch.isfinite(outputs).all() or outputs.numel() == 0:
            raise InputError("the module's outputs are not finite", mend="give an x on which they are, with rows")
        if not torch.equal(outputs, bench.run(bench.tensors, given)):
            mend = "take the randomness out of its evaluation mode"
            raise InputError("the module gives other outputs each time", where="evaluation mode", mend=mend)
        _check_end(layout.outputs, layout.sizes.get(layout.outputs, 0), "outputs", outputs)
        return replace(bench, outputs=outputs)

    def run(self, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The first output of the module with other tensors."""
        try:
            with InDouble() if self.narrows else nullcontext():
                outputs = torch.func.functional_call(self.module, dict(tensors), (x,))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
            mend = "give x as the module's only argument; wrap a module that takes more"
            raise InputError(
                "the module cannot be run on x", where=f"x {tuple(x.shape)}", got=reason, mend=mend
            ) from error
        while isinstance(outputs, tuple | list | Mapping) and outputs:
            outputs = next(iter(outputs.values() if isinstance(outputs, Mapping) else outputs))
        if not isinstance(outputs, Tensor):
            mend = "wrap the module so that it returns a tensor"
            raise InputError("no tensor among the module's outputs", got=type(outputs).__name__, mend=mend)
        return outputs

    def deviation(self, reading: Reading, group: str, orders: Sequence[Order], *, only: str = "") -> float:
        """The largest change of an output, relative to the largest output, when the group is permuted.

        Args:
            reading: which axes the group indexes.
            group: whose neurons to permute.
            orders: the permutations.
            only: permute this tensor alone, to see whether that can be noticed at all.
        """
        scale = float(self.outputs.abs().max()) or 1.0
        worst = 0.0
        for order in orders:
            moved = dict(self._moved(reading, group, order, only))
            if any(not torch.equal(moved[name], moved[twin]) for name, twin in self.ties()):
                return float("inf")
            moved |= {name: moved[twin] for name, twin in self.ties()}
            index = torch.as_tensor(order)
            columns = torch.as_tensor(np.add.outer(len(order) * np.arange(reading.layout.steps), order).ravel())
            x = self.x[..., columns] if reading.inputs == group and not only else self.x
            outputs = self.run(moved, x)
            before = self.outputs[..., index] if reading.outputs == group and not only else self.outputs
            worst = max(worst, float((outputs - before).abs().nan_to_num(nan=torch.inf).max()) / scale)
        return worst

    def _moved(self, reading: Reading, group: str, order: Order, only: str) -> Iterator[tuple[str, Tensor]]:
        tied = {name for name, tensor in self.tensors.items() if only and tensor is self.tensors[only]}
        for name, tensor in self.tensors.items():
            chosen = not only or name in tied
            yield name, reading.permuted(name, tensor, group, order) if chosen else tensor

    def ties(self) -> Iterator[tuple[str, str]]:
        """Each name that shares its tensor with an earlier one, and that one."""
        first: dict[int, str] = {}
        for name, tensor in self.tensors.items():
            if first.setdefault(id(tensor), name) != name:
                yield name, first[id(tensor)]

    def check_ties(self, reading: Reading, group: str, order: Order) -> None:
        """Tied tensors must be declared alike.

        Raises:
            LayoutError: one name reads the group along another axis than the other.
        """
        for name, twin in self.ties():
            one, other = (reading.permuted(n, self.tensors[n], group, order) for n in (name, twin))
            if not torch.equal(one, other):
                raise LayoutError(
                    "tied tensors are declared differently",
                    where=f"tensors '{twin}' and '{name}', group '{group}'",
                    expected=f'"{reading.patterns[twin].text}"',
                    got=f'"{reading.patterns[name].text}"',
                    mend="declare both alike: an axis that is a group for one and not for the other is _ for both",
                )


def _check_end(group: str, width: int, end: str, values: Tensor) -> None:
    if group and (values.ndim == 0 or values.shape[-1] != width):
        raise LayoutError(
            f"the {end} are of another width than their group",
            where=f"group '{group}', last axis of shape {tuple(values.shape)}",
            expected=str(width),
            got=str(values.shape[-1] if values.ndim else 0),
            mend=f"correct the group, or leave {end} empty if they are no neurons of the layout",
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
    """Whether a tensor of this shape can be read so."""
    try:
        pattern.open_shape(shape, sizes)
    except PatternError:
        return False
    return True
