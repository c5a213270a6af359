"""The network that training goes on from: which entries of a new network it gives, and which neurons live in it."""

from collections.abc import Mapping

import numpy as np

from .._errors import InputError
from ..checkpoints import Checkpoint, Network
from ..checkpoints._network import EDGE
from ..layouts import Group, Layout, Placement
from ..layouts._plain_groups import plain_groups
from ._beginning import Beginning, Part


def from_network(start: Checkpoint, layout: Layout, shapes: Mapping[str, tuple[int, ...]], *, keep: bool) -> Beginning:
    """What a network of this layout takes over from a trained one.

    Inputs and outputs are the same where they have the same name, hidden neurons where they have the same number.
    Taken over are the weights and biases that enter living neurons, or outputs of the same name. No living neuron
    reads one that does not live.

    Parameters
    ----------
    start : Checkpoint
        The trained network.
    layout : Layout
        Of the new network.
    shapes : mapping of str to tuple of int
        The tensors of the new network that are trained.
    keep : bool
        Whether nothing that enters a living neuron may change.

    Raises
    ------
    InputError
        The networks do not have the same tensors, or the new one has fewer hidden neurons.
    """
    old = start.network
    alive = living(old)
    same = {
        group.name: pairs[:, alive[group.name][pairs[1]]]
        for group in layout.groups
        for pairs in (_same(group, layout, old.layout),)
    }
    values, taken, held = {}, {}, {}
    for name, shape in shapes.items():
        groups = plain_groups(layout, name, shape)
        if not groups or [group.name for group in groups] != _groups_of(old, name):
            hint = "start from a network of layers, as many of them, trained here or read with from_module"
            raise InputError("a network that cannot go on from this one", where=f"tensor '{name}'", hint=hint)
        pairs = [same[group.name] for group in groups]
        values[name], rows = np.zeros(shape, np.float32), np.zeros(shape, bool)
        values[name][np.ix_(*(new for new, _ in pairs))] = old.tensors[name][np.ix_(*(was for _, was in pairs))]
        rows[pairs[0][0]] = True
        taken[name], held[name] = rows, rows & (keep and groups[0].name != layout.outputs)
    ends = (layout.inputs, layout.outputs)
    neurons = {name: pairs[0].tolist() for name, pairs in same.items() if name not in ends}
    return Beginning(values, taken, held, _placement(layout, old), (Part({"task": start.task.name}, neurons),))


def living(network: Network) -> Mapping[str, np.ndarray]:
    """For each group which neurons an output depends on, by weights above 0.01; inputs and outputs all count.

    Parameters
    ----------
    network : Network
        The network.
    """
    layout = network.layout
    alive = {group.name: np.full(group.size, group.name in (layout.inputs, layout.outputs)) for group in layout.groups}
    before = -1
    while before != (before := sum(int(found.sum()) for found in alive.values())):
        for edge in network.connections():
            alive[edge.source] |= (np.abs(edge.matrix[alive[edge.target]]) > EDGE).any(axis=0)
    return alive


def _groups_of(network: Network, name: str) -> list[str]:
    """The groups of the axes of a tensor; none where it is not there, or an axis is not one whole group."""
    if name not in network.tensors:
        return []
    return [group.name for group in plain_groups(network.layout, name, network.tensors[name].shape)]


def _same(group: Group, layout: Layout, old: Layout) -> np.ndarray:
    """Numbers of the neurons that both networks have, ``[2, neurons]``: in the new one, and in the old one."""
    was = old.group(group.name) if group.name in old.sizes else None
    if was is None or (group.name not in (layout.inputs, layout.outputs) and was.size > group.size):
        raise InputError(
            "a network that cannot go on from this one", where=f"group '{group.name}'",
            expected="at least as many neurons" if was else "the same groups",
            got=f"{group.size} for {was.size}" if was else ", ".join(old.sizes),
            hint="give the hidden layers the widths of the network to start from",
        )  # fmt: skip
    if group.name not in (layout.inputs, layout.outputs):
        return np.tile(np.arange(was.size), (2, 1))
    numbers = {label: number for number, label in enumerate(was.labels)}
    both = [(number, numbers[label]) for number, label in enumerate(group.labels) if label in numbers]
    return np.array(both, np.int64).reshape(-1, 2).T


def _placement(layout: Layout, old: Network) -> Placement:
    """The old places of groups that are as they were, the first places of all others."""
    first = Placement.identity(layout).slots
    stays = {g.name for g in layout.groups if g.name in old.layout.sizes and g == old.layout.group(g.name)}
    return Placement({name: old.placement.slots[name] if name in stays else slots for name, slots in first.items()})
