"""Where tensors hold several layers in one, side by side or mixed, as behind a concatenation."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import fx

from ._program import Program
from ._run import Run, run
from .labels._settle import settle
from .labels._symmetry import Symmetry, symmetry_of

if TYPE_CHECKING:
    from torch import nn

_MOST = 16
"""Pieces of one axis; what has more is interleaved, and stays whole."""


class AxisCuts(NamedTuple):
    """How to store an axis in pieces.

    Attributes
    ----------
    order : tuple of int
        The entries in the order in which to store them; empty if that is the order in which they are.
    places : tuple of int
        The places, in that order, before which to cut.
    """

    order: tuple[int, ...]
    places: tuple[int, ...]


def cuts_of(module: "nn.Module", program: Program) -> dict[str, dict[int, AxisCuts]]:
    """Find where neurons along an axis of a tensor begin to be others: read or written by other tensors than before.

    Behind a concatenation, or before a split, one axis runs over several groups. Cut there, each piece joins two
    groups. Where one tensor has neurons in another order than the tensors before it, it is put in theirs. Attention
    heads that are packed into one tensor stay together, unless the module itself takes the tensor apart, as cross
    attention does, whose queries and keys read different things.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is left as it is.
    program : Program
        Its operators (`program_of`).

    Returns
    -------
    dict of str to dict of int to AxisCuts
        Tensor -> axis -> where to cut.

    Raises
    ------
    LayoutError
        An operator has no rule.
    """
    lasting = module.state_dict().keys()
    found = run(program, {name: name in lasting for name, _ in module.named_buffers()})
    symmetry = symmetry_of(found.labels, found.axes.values())
    while settle(found.labels, symmetry):
        symmetry = symmetry_of(found.labels, found.axes.values())
    return {**_taken_apart(program), **_cuts(found, symmetry)}


def _taken_apart(program: Program) -> dict[str, dict[int, AxisCuts]]:
    """Tensors of which every operator that reads them takes the same parts."""
    parts: dict[str, set[tuple[int, tuple[int, ...]]]] = defaultdict(set)
    for node in program.nodes:
        name = program.tensors.get(node.name)
        if name is not None and program.values[node.name].ndim > 1:
            parts[name].update(_parts(user, program.values[node.name].shape) for user in node.users)
    cuts: dict[str, dict[int, AxisCuts]] = {}
    for name, found in parts.items():
        axis, places = min(found) if len(found) == 1 else (-1, ())
        if places and len(places) < _MOST:
            cuts[name] = {axis: AxisCuts((), places)}
    return cuts


def _parts(user: fx.Node, shape: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """The axis that an operator splits, and the places where; none if it reads the whole."""
    if user.target not in (torch.ops.aten.split_with_sizes.default, torch.ops.aten.split.Tensor):
        return -1, ()
    sizes: Any = user.args[1]
    axis = int(cast(int, user.args[2] if len(user.args) > 2 else user.kwargs.get("dim", 0))) % len(shape)
    starts = range(0, shape[axis], sizes) if isinstance(sizes, int) else [0, *itertools.accumulate(sizes)][:-1]
    return axis, tuple(starts)[1:]


def _cuts(found: Run, symmetry: Symmetry) -> dict[str, dict[int, AxisCuts]]:
    labels, root = found.labels, symmetry.root
    layers = {labels.find(label) for label in labels.layers} - {labels.find(label) for label in labels.tokens}
    headed = {one for one in symmetry.occupied if symmetry.movable(symmetry.blocks.get(one, ()))}
    axes = {
        axis: neurons
        for axis, own in found.axes.items()
        if layers.issuperset(neurons := root[own].tolist()) and not headed & set(neurons)
    }
    met: dict[int, set[object]] = defaultdict(set)
    ends = {("input", number): root[own].tolist() for number, own in enumerate(found.inputs)}
    for place, neurons in (axes | ends).items():
        for one in neurons:
            met[one].add(place)
    cuts: dict[str, dict[int, AxisCuts]] = {}
    for (tensor, axis), own in axes.items():
        first = {frozenset(met[one]): k for k, one in reversed([*enumerate(own)])}
        order = list(range(len(own)))
        if len({*own}) == len(own):  # each once: its neurons can be put in the order of their own labels
            order = sorted(order, key=lambda k: (first[frozenset(met[own[k]])], own[k]))
        places = tuple(k for k in range(1, len(own)) if met[own[order[k]]] != met[own[order[k - 1]]])
        moved = () if order == list(range(len(own))) else tuple(order)
        if len(places) < _MOST and (places or moved):
            cuts.setdefault(tensor, {})[axis] = AxisCuts(moved, places)
    return cuts
