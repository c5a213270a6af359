"""Modules in the task's own words: the inputs, outputs and neurons that each one holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.showing import Shown

from ..graph import NodeId
from ._partition import Partition

MANY = 12  # names from which on a line shows the first few only


@dataclass(frozen=True, repr=False)
class Module(Shown):
    """A module by names.

    Attributes
    ----------
    inputs : tuple of str
        The task's inputs in it, in the task's order.
    outputs : tuple of str
        The task's outputs in it.
    neurons : tuple of str
        The module's other neurons, as their labels say.

    Examples
    --------
    >>> str(Module(inputs=("x1", "x3"), outputs=("y1",), neurons=("h1.0",)))
    '{x1, x3 -> y1}'
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    neurons: tuple[str, ...]

    def _brief(self) -> str:
        return f"{self}, {len(self.neurons)} hidden neurons"

    def __str__(self) -> str:
        """``{x1, x3 -> y1}``, hidden neurons left out."""
        return f"{{{listed(self.inputs)} -> {listed(self.outputs)}}}"


def listed(names: Sequence[str]) -> str:
    """All names, or of many the first and how many more there are.

    Parameters
    ----------
    names : sequence of str
        The names.

    Returns
    -------
    str
        Parted by commas; dots where there are none.

    Examples
    --------
    >>> listed(["x1", "x2"])
    'x1, x2'
    """
    if len(names) <= MANY:
        return ", ".join(names) or "..."
    return f"{', '.join(names[: MANY // 2])} and {len(names) - MANY // 2} more"


def in_task_order(network: Network, partition: Partition) -> tuple[frozenset[NodeId], ...]:
    """The modules in the order in which the task names their outputs; those without, by their inputs; then the rest.

    Parameters
    ----------
    network : Network
        Whose layout numbers inputs and outputs.
    partition : Partition
        Of its neurons.

    Returns
    -------
    tuple of frozenset of (str, int)
        The modules.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> [("y", 0) in module for module in in_task_order(planted.network, planted.partition)]
    [True, False]
    """
    layout = network.layout

    def first(module: frozenset[NodeId], group: str) -> int:
        return min((i for name, i in module if name == group), default=layout.sizes.get(group, 0))

    ends = (layout.outputs, layout.inputs)
    return tuple(sorted(partition.modules, key=lambda m: (*(first(m, end) for end in ends), -len(m), min(m))))


def named_modules(network: Network, task: TaskSpec, modules: Sequence[frozenset[NodeId]]) -> tuple[Module, ...]:
    """Modules by the names of their neurons, in the order given.

    Parameters
    ----------
    network : Network
        Whose layout labels neurons.
    task : TaskSpec
        Names inputs and outputs.
    modules : sequence of frozenset of (str, int)
        As `in_task_order` gives them.

    Returns
    -------
    tuple of Module
        One for each.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> task = TaskSpec("own", ("a", "b", "c", "d"), ("u", "v"), ((-1, 1),) * 4)
    >>> modules = in_task_order(planted.network, planted.partition)
    >>> [str(module) for module in named_modules(planted.network, task, modules)]
    ['{a, c -> u}', '{b, d -> v}']
    """
    layout = network.layout
    named = []
    for module in modules:
        members = {group.name: sorted(i for name, i in module if name == group.name) for group in layout.groups}
        channels = members.pop(layout.inputs, [])
        inputs = tuple(n for n, j in zip(task.inputs, layout.input_neurons, strict=False) if j in channels)
        outputs = tuple(task.outputs[i] for i in members.pop(layout.outputs, []))
        hidden = tuple(layout.group(name).label(i) for name, places in members.items() for i in places)
        named.append(Module(inputs, outputs, hidden))
    return tuple(named)


def unused_ends(network: Network, task: TaskSpec, partition: Partition) -> tuple[str, ...]:
    """Inputs and outputs that belong to no module; tokens, which are no neurons, cannot.

    Parameters
    ----------
    network : Network
        Whose layout numbers inputs and outputs.
    task : TaskSpec
        Names them.
    partition : Partition
        Of the network's neurons.

    Returns
    -------
    tuple of str
        Names, inputs first.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network, task = Network.of(MLP((2, 1))), TaskSpec("own", ("a", "b"), ("u",), ((-1, 1),) * 2)
    >>> unused_ends(network, task, Partition((frozenset({("x", 0), ("y", 0)}),)))
    ('b',)
    """
    layout, found = network.layout, frozenset().union(*partition.modules)
    written = range(layout.sizes.get(layout.outputs, 0))
    ends = ((layout.inputs, task.inputs, layout.input_neurons), (layout.outputs, task.outputs, written))
    return tuple(
        name
        for group, names, neurons in ends
        for name, j in zip(names, neurons, strict=False)
        if j >= 0 and (group, j) not in found  # an input may be read once a step
    )
