"""What modules send to each other: which neurons carry it, and which parts of their activations are read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Connection

from ..audits.functions._module_outputs import RecordedActivations
from ..graph import NodeId

_LEAST = 1e-3  # of the variance of all that is read of a module: a smaller part is hardly read
_MOST = 4  # parts of one signal


@dataclass(frozen=True, eq=False)
class Signal:
    """All that one module sends from one group of neurons.

    Attributes
    ----------
    sender : int
        Number of the module, from 0.
    group : str
        The group of neurons that carries it.
    neurons : tuple of int
        The module's alive neurons in that group.
    readers : tuple of int
        The modules that read it.
    directions : array of float64, shape (neurons, parts)
        The combinations of these neurons' activations that are read: the principal components of all that they add to
        neurons outside, each of those in units of the deviation of all that it reads.

    Examples
    --------
    >>> signal = Signal(0, "h1", (2, 5), readers=(1,), directions=np.array([[1.0], [-1.0]]))
    >>> signal.parts(np.array([[0.0, 0.0, 3.0, 0.0, 0.0, 1.0]]))
    array([[2.]])
    """

    sender: int
    group: str
    neurons: tuple[int, ...]
    readers: tuple[int, ...]
    directions: Float64[np.ndarray, "neurons parts"]

    def parts(self, activations: Float64[np.ndarray, "rows width"]) -> Float64[np.ndarray, "rows parts"]:
        """The signal's values.

        Parameters
        ----------
        activations : array of float64, shape (rows, width)
            Of the group.

        Returns
        -------
        array of float64, shape (rows, parts)
            One column a part.
        """
        return np.asarray(activations[:, list(self.neurons)] @ self.directions)


@dataclass(frozen=True)
class Read:
    """What a part of a module reads from outside.

    Attributes
    ----------
    inputs : tuple of int
        Numbers of the inputs.
    signals : tuple of (int, str)
        Sender and group of each signal.

    Examples
    --------
    >>> Read(inputs=(0, 2), signals=((1, "h1"),)).signals[0]
    (1, 'h1')
    """

    inputs: tuple[int, ...]
    signals: tuple[tuple[int, str], ...]


class Wiring:
    """Who reads whom, of the alive neurons of a network that is cut into modules.

    Parameters
    ----------
    recorded : RecordedActivations
        Activations of the network, which say what is alive.
    modules : sequence of frozenset of (str, int)
        The modules.
    """

    def __init__(self, recorded: RecordedActivations, modules: Sequence[frozenset[NodeId]]) -> None:
        layout = recorded.network.layout
        self._recorded, self._inputs, self._outputs = recorded, layout.inputs, layout.outputs
        self.owner = {node: number for number, module in enumerate(modules) for node in module}
        self._order = [group.name for group in layout.groups]

    def signals(self) -> tuple[Signal, ...]:
        """Every signal, in the order of the groups and then of the senders."""
        found = []
        for group in self._order:
            if group in (self._inputs, self._outputs):
                continue
            alive = sorted(j for name, j in self._recorded.alive if name == group)
            for sender in sorted({self.owner[group, j] for j in alive if (group, j) in self.owner}):
                neurons = tuple(j for j in alive if self.owner.get((group, j)) == sender)
                signal = self._signal(sender, group, neurons)
                if signal is not None:
                    found.append(signal)
        return tuple(found)

    def read(self, module: int, group: str, neurons: Sequence[int]) -> Read:
        """What some neurons of a module need from outside the module, directly or by way of others of the module.

        Parameters
        ----------
        module : int
            Number of the module.
        group : str
            Their group.
        neurons : sequence of int
            Their numbers in the group.

        Returns
        -------
        Read
            The inputs and the signals.
        """
        inside, waiting = set[NodeId](), [(group, j) for j in neurons]
        inputs, signals = set[int](), set[tuple[int, str]]()
        while waiting:
            name, i = waiting.pop()
            if (name, i) in inside:
                continue
            inside.add((name, i))
            for source, j in self._sources(name, i):
                if source == self._inputs:
                    inputs.add(j)
                elif self.owner.get((source, j)) == module:
                    waiting.append((source, j))
                else:
                    signals.add((self.owner[source, j], source))
        return Read(tuple(sorted(inputs)), tuple(sorted(signals)))

    def reached_by(self, group: str, neurons: Sequence[int]) -> frozenset[int]:
        """The inputs from which a path leads to some neurons.

        Parameters
        ----------
        group : str
            Their group.
        neurons : sequence of int
            Their numbers in the group.

        Returns
        -------
        frozenset of int
            Numbers of the inputs.
        """
        seen, waiting, inputs = set[NodeId](), [(group, j) for j in neurons], set[int]()
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            for source, j in self._sources(*node):
                if source == self._inputs:
                    inputs.add(j)
                else:
                    waiting.append((source, j))
        return frozenset(inputs)

    def _sources(self, group: str, i: int) -> list[NodeId]:
        """The alive neurons, and the inputs, that one neuron reads."""
        read = (
            (c.source, int(j))
            for c in self._recorded.connections
            if c.target == group
            for j in np.flatnonzero(c.matrix[i])
        )
        return [
            node for node in read if node in self._recorded.alive and (node in self.owner or node[0] == self._inputs)
        ]

    def _signal(self, sender: int, group: str, neurons: tuple[int, ...]) -> Signal | None:
        """What others read of a module's neurons; None where nobody reads them."""
        weights, readers = [], set[int]()
        for c in self._recorded.connections:
            if c.source != group:
                continue
            for i, row in self._rows(c, sender):
                if row[list(neurons)].any():
                    weights.append(row[list(neurons)] / self._unit(c.target, i))
                    readers.add(self.owner[c.target, i])
        if not readers:
            return None
        activations = self._recorded.activations[group][:, list(neurons)]
        matrix = np.stack(weights, axis=1)
        sent = activations @ matrix
        _, sizes, directions = np.linalg.svd(sent - sent.mean(axis=0), full_matrices=False)
        shares = sizes**2 / max(float((sizes**2).sum()), np.finfo(float).tiny)
        kept = max(1, min(_MOST, int((shares > _LEAST).sum())))
        return Signal(sender, group, neurons, tuple(sorted(readers)), matrix @ directions[:kept].T)

    def _rows(self, connection: Connection, sender: int) -> list[tuple[int, np.ndarray]]:
        """The weights of each reader outside the sender."""
        outside = [
            i
            for i in range(len(connection.matrix))
            if self.owner.get((connection.target, i), sender) != sender
            and (connection.target, i) in self._recorded.alive
        ]
        return [(i, connection.matrix[i].astype(np.float64)) for i in outside]

    def _unit(self, group: str, i: int) -> float:
        return self._recorded.deviation_read(group, i) or 1.0
